//! temp
use larder_testkit::cluster::{Cluster, ClusterOptions, Fault};
#[test]
fn seeds() {
    let n: u64 = std::env::var("SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1000);
    let from: u64 = std::env::var("FROM").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let mut options = ClusterOptions::new();
    if let Ok(f) = std::env::var("FAULTS") {
        let faults: Vec<Fault> =
            Fault::ALL.iter().copied().filter(|x| f.split(',').any(|n| n == format!("{x:?}"))).collect();
        options = options.faults(&faults);
    }
    if let Ok(f) = std::env::var("WITHOUT") {
        let faults: Vec<Fault> =
            Fault::ALL.iter().copied().filter(|x| f.split(',').any(|n| n == format!("{x:?}"))).collect();
        options = options.without(&faults);
    }
    let cluster = Cluster::new(options);
    if std::env::var("ONE").is_ok() {
        for s in from..from + n {
            println!("{s}");
            let _ = cluster.run(s);
        }
        return;
    }
    match cluster.run_all(from..from + n) {
        Ok(report) => println!("OK {report:?}"),
        Err(v) => {
            let s = cluster.shrink(v.seed());
            println!(
                "seed {} kind {:?} steps {}\n{}",
                v.seed(),
                v.kind(),
                v.steps(),
                s.map(|s| s.to_string()).unwrap_or_else(|| v.to_string())
            );
        }
    }
}
#[test]
fn shrunk() {
    let seed: u64 = std::env::var("SEED").unwrap().parse().unwrap();
    let cluster = Cluster::new(ClusterOptions::new());
    let _ = cluster;
    let mut options = ClusterOptions::new();
    if std::env::var("FAULTS").is_ok() {
        options = options.faults(&[]);
    }
    let s = Cluster::new(options).shrink(seed);
    println!("{}", s.unwrap());
}
#[test]
fn single() {
    let seed: u64 = std::env::var("SEED").unwrap().parse().unwrap();
    let cluster = Cluster::new(if std::env::var("FAULTS").is_ok() {
        ClusterOptions::new().faults(&[])
    } else {
        ClusterOptions::new()
    });
    match cluster.run(seed) {
        Ok(_) => println!("fine"),
        Err(v) => println!("{v}"),
    }
}
