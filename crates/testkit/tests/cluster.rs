//! The simulated cluster: what caches keep of their promises in it, and what it finds in those that do not.

use bytes::Bytes;
use larder_core::{ByteStore, Cache, Cleared, Codec, Coherence, Format, Result};
use larder_testkit::cluster::{
    Cluster, ClusterOptions, Fault, Page, Pages, Report, Seams, SharedStore, ViolationKind,
};
use std::time::{Duration, SystemTime};

/// One process, whose stores keep what they have.
fn alone() -> ClusterOptions {
    ClusterOptions::new().nodes(1..=1).faults(&[])
}

fn passes(options: ClusterOptions, seeds: u64) -> Report {
    let report = Cluster::new(options).run_all(0..seeds).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.runs, seeds);
    report
}

/// A memory in front of the shared store, and nothing that joins the processes.
fn two_levels(seams: &Seams) -> Cache<u64, Page> {
    Cache::new(seams.memory())
        .chain(Cache::new(seams.shared()).codec(Pages))
        .ttl(Duration::from_secs(600))
        .clock(seams.clock())
        .coherence(&Coherence::new())
        .seed(seams.seed())
        .boxed()
}

#[test]
fn one_process_keeps_its_promises() {
    let report = passes(alone(), 4_000);
    assert_eq!(report.failed, 0);
    assert!(2 * report.answered > 3 * report.loads, "most reads are hits: {report:?}");
    assert!(report.invalidations > 40 * report.runs, "{report:?}");
}

/// The faults which leave no store with something old that the process had removed there.
#[test]
fn one_process_keeps_them_where_it_stops_and_its_store_forgets() {
    let faults = [
        Fault::Bus,
        Fault::Crashes,
        Fault::Pauses,
        Fault::Flushes,
        Fault::Restarts,
        Fault::LostMarks,
        Fault::Evictions,
        Fault::LostGuards,
        Fault::FailedLoads,
    ];
    let report = passes(alone().faults(&faults), 3_000);
    assert!(report.failed > report.runs, "loads fail: {report:?}");
}

/// Ten thousand runs with everything in them, in four parts, so that none takes long.
mod processes_keep_their_promises_to_each_other_whatever_goes_wrong {
    use super::{Cluster, ClusterOptions};

    fn part(part: u64) {
        let seeds = part * 2_500..(part + 1) * 2_500;
        let report = Cluster::new(ClusterOptions::new())
            .run_all(seeds)
            .unwrap_or_else(|violation| panic!("{violation}"));
        assert!(report.failed > report.runs && report.invalidations > 30 * report.runs, "{report:?}");
    }

    #[test]
    fn first() {
        part(0);
    }

    #[test]
    fn second() {
        part(1);
    }

    #[test]
    fn third() {
        part(2);
    }

    #[test]
    fn fourth() {
        part(3);
    }
}

#[test]
fn calls_for_several_keys_keep_the_same_promises() {
    let report = passes(ClusterOptions::new().in_bulk(), 800);
    assert!(report.failed > report.runs && report.invalidations > 30 * report.runs, "{report:?}");
}

#[test]
fn whatever_goes_wrong_reads_are_true_and_calls_end() {
    let report = passes(ClusterOptions::new().nodes(1..=4).ignoring_invalidations(), 4_000);
    assert!(report.failed > report.runs && report.answered > report.loads, "{report:?}");
}

#[test]
fn without_a_protocol_other_processes_serve_what_was_invalidated_and_that_is_found() {
    for faults in [&[][..], &Fault::ALL] {
        let cluster = Cluster::of(ClusterOptions::new().faults(faults), two_levels);
        let violation = cluster.run_all(0..20).unwrap_err();
        assert_eq!(violation.kind(), ViolationKind::Stale);

        let again = cluster.run(violation.seed()).unwrap_err();
        assert_eq!(again, violation, "the same seed is the same run");
        let story = violation.to_string();
        assert!(story.contains("the load of page") && story.contains("which began"), "{story}");
    }
}

#[test]
fn a_seed_that_fails_is_made_as_short_as_it_gets() {
    let cluster = Cluster::of(ClusterOptions::new().nodes(2..=2).faults(&[Fault::Clocks]), two_levels);
    let violation = cluster.run_all(0..20).unwrap_err();
    let shortest = cluster.shrink(violation.seed()).unwrap();
    assert_eq!((shortest.seed(), shortest.kind()), (violation.seed(), ViolationKind::Stale));
    assert!(shortest.steps() < 8 && shortest.steps() < violation.steps(), "{shortest}");
}

#[test]
fn seeds_differ_and_each_is_the_same_again_on_whichever_thread() {
    let cluster = Cluster::new(ClusterOptions::new().ignoring_invalidations());
    let alone: Vec<_> = (0..40).map(|seed| cluster.run(seed).unwrap()).collect();
    let together = cluster.run_all(0..40).unwrap();
    let sum = alone.iter().fold(0_u64, |sum, report| sum.wrapping_add(report.fingerprint));
    assert_eq!(together.fingerprint, sum);
    assert_eq!(together.calls, alone.iter().map(|report| report.calls).sum::<u64>());
    assert!(alone.windows(2).all(|pair| pair[0].fingerprint != pair[1].fingerprint));
}

/// Reads what it wrote, but not as it was.
struct Spoils<const WHAT: u8>;

const THE_KEY: u8 = 0;
const A_VERSION: u8 = 1;

impl<const WHAT: u8> Format for Spoils<WHAT> {
    const ID: u8 = 202;
}

impl<const WHAT: u8> Codec<Page> for Spoils<WHAT> {
    fn encode(&self, page: &Page, out: &mut Vec<u8>) -> Result<()> {
        Pages.encode(page, out)
    }

    fn decode(&self, bytes: &Bytes) -> Result<Page> {
        let mut bytes = bytes.to_vec();
        match WHAT {
            THE_KEY => bytes[7] ^= 1,
            _ => *bytes.last_mut().expect("a page has bytes") += 1,
        }
        Pages.decode(&bytes.into())
    }
}

fn spoilt<const WHAT: u8>() -> ViolationKind {
    let assemble = |seams: &Seams| {
        Cache::new(seams.shared()).codec(Spoils::<WHAT>).clock(seams.clock()).seed(seams.seed()).boxed()
    };
    Cluster::of(alone(), assemble).run_all(0..20).expect_err("it is spoilt").kind()
}

#[test]
fn a_cache_that_reads_what_nobody_wrote_is_found() {
    assert_eq!(spoilt::<THE_KEY>(), ViolationKind::Foreign);
    assert_eq!(spoilt::<A_VERSION>(), ViolationKind::Untrue);
}

#[test]
fn a_call_that_panics_is_found() {
    let assemble = |seams: &Seams| {
        let of_this_key = |_: &u64, _: &Page| -> Duration { panic!("the policy panics") };
        two_levels(seams).ttl_with(of_this_key)
    };
    let violation = Cluster::of(alone(), assemble).run_all(0..5).unwrap_err();
    assert_eq!(violation.kind(), ViolationKind::Panicked);
    assert!(violation.to_string().contains("the policy panics"), "{violation}");
}

#[test]
fn a_call_that_waits_for_a_message_which_was_lost_is_found() {
    let assemble = |seams: &Seams| {
        let patient = Duration::from_secs(100_000);
        let shared = Cache::new(seams.shared()).codec(Pages).level_timeout(patient);
        shared.clock(seams.clock()).seed(seams.seed()).boxed()
    };
    let violation = Cluster::of(alone().faults(&[Fault::LostMessages]), assemble).run_all(0..20).unwrap_err();
    assert_eq!(violation.kind(), ViolationKind::Endless);
}

/// What it is asked to remove stays.
#[derive(Debug)]
struct Keeps(SharedStore);

impl ByteStore for Keeps {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, _key: &str) -> Result<()> {
        Ok(())
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(prefix).await
    }
}

#[test]
fn a_store_that_does_not_remove_is_found_in_one_process() {
    let assemble = |seams: &Seams| {
        let store = Cache::new(Keeps(seams.shared())).codec(Pages);
        store.clock(seams.clock()).seed(seams.seed()).boxed()
    };
    let violation = Cluster::of(alone(), assemble).run_all(0..5).unwrap_err();
    assert_eq!((violation.seed(), violation.kind()), (0, ViolationKind::Stale));
}
