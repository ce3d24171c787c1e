//! The simulated cluster finds each bug that is planted, one rule of coherence at a time taken away.

use larder_core::planted::{Bug, plant};
use larder_testkit::cluster::planted::{ServerBug, plant as plant_in_server};
use larder_testkit::cluster::{Cluster, ClusterOptions, ViolationKind};

/// How many seeds may be tried.
const SEEDS: u64 = 20_000;

/// Tests run in processes of their own, so that one bug is planted at a time.
fn is_found(bug: Bug) {
    plant(bug);
    is_caught(&format!("{bug:?}"));
}

fn is_caught(bug: &str) {
    let cluster = Cluster::new(ClusterOptions::new());
    let found = (0..SEEDS).step_by(500).find_map(|from| cluster.run_all(from..from + 500).err());
    let violation = found.unwrap_or_else(|| panic!("{bug} was not found in {SEEDS} seeds"));
    println!("{bug}: seed {}", violation.seed());
    assert_eq!(violation.kind(), ViolationKind::Stale, "{violation}");
}

macro_rules! bugs {
    ($($test:ident $bug:ident;)+) => {
        $(
            #[test]
            fn $test() {
                is_found(Bug::$bug);
            }
        )+
    };
}

bugs! {
    a_stamp_at_the_end_of_the_load StampAtCompletion;
    a_stamp_that_was_read_and_not_applied StampNotApplied;
    a_put_without_a_guard NoPutGuard;
    a_tombstone_with_a_lifetime ShortTombstone;
    a_copy_filled_in_unchecked FillUnchecked;
    ones_own_mark_only_before_the_answer MarkBeforeAnswer;
    no_bound NoBound;
    a_gap_ignored GapIgnored;
    another_era_ignored EraIgnored;
    no_floor NoFloor;
    joining_an_old_flight JoinOld;
    a_removal_that_waits RemovalBehind;
    a_lower_level_that_is_not_judged LowerUnjudged;
    an_insertion_without_a_mark InsertWithoutMark;
    a_failure_that_is_forgotten FailureForgotten;
}

macro_rules! server_bugs {
    ($($test:ident $bug:ident;)+) => {
        $(
            #[test]
            fn $test() {
                plant_in_server(ServerBug::$bug);
                is_caught(&format!("{:?}", ServerBug::$bug));
            }
        )+
    };
}

server_bugs! {
    a_server_without_an_identity NoIdentity;
    a_server_without_an_identity_that_may_go_back NeitherIdentityNorRegress;
    marks_that_are_lost_alone MarksLostAlone;
    a_counter_before_its_marks NotAtomic;
}
