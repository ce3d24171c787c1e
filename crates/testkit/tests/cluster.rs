//! The simulated cluster, and what today's cache keeps of its promises in it.

use larder_testkit::cluster::{Cluster, ClusterOptions, Fault, ViolationKind};

/// One process, whose stores keep what they have.
fn alone() -> ClusterOptions {
    ClusterOptions::new().nodes(1..=1).faults(&[])
}

#[test]
fn one_process_keeps_its_promises() {
    let report = Cluster::new(alone()).run_all(0..2_000).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.runs, 2_000);
    eprintln!("{report:#?}");
}

#[test]
fn several_break() {
    let options = ClusterOptions::new().faults(&[]);
    let violation = Cluster::new(options.clone()).run_all(0..2_000).unwrap_err();
    eprintln!("{violation}");
    let smallest = Cluster::new(options).shrink(violation.seed()).unwrap();
    eprintln!("{smallest}");
}
