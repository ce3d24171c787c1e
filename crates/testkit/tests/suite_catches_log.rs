//! The suite fails logs that are wrong in one way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/memory_log.rs"]
mod memory_log;

use larder_testkit::conformance::{impatient, log_records, run, shared_log};
use memory_log::{Flaw, MemoryLog};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn fails(test: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(test))).is_err()
}

fn is_caught(flaw: Flaw) -> bool {
    let pair = || {
        let store = MemoryLog::new(flaw);
        (store.clone(), store)
    };
    fails(shared_log::the_log_is_the_same_however_often_it_is_asked_for(pair()))
        || fails(shared_log::a_new_log_begins_at_zero(pair()))
        || fails(shared_log::each_invalidation_has_the_next_number(pair()))
        || fails(shared_log::news_is_what_was_marked_since(pair()))
        || fails(shared_log::who_knows_no_position_of_this_era_is_told_where_it_stands(pair()))
        || fails(shared_log::marks_are_the_last_numbers_of_their_names(pair()))
        || fails(shared_log::names_of_any_text_come_back(pair()))
        || fails(shared_log::a_number_that_the_log_has_not_reached_begins_a_new_era(pair()))
        || fails(log_records::a_read_is_what_the_store_has(pair()))
        || fails(log_records::a_guard_is_planted_for_who_says_for_how_long(pair()))
        || fails(log_records::what_is_voided_is_nothing_and_can_be_put_by_who_voided_it(pair()))
        || fails(log_records::a_read_is_no_older_than_its_news(pair()))
        || fails(shared_log::concurrent_invalidations_share_no_number_and_none_is_missed(pair()))
}

#[test]
fn a_log_with_one_flaw_fails_and_a_sound_one_passes() {
    impatient();
    assert!(!is_caught(Flaw::None));
    for flaw in [
        Flaw::GivesAnotherLogEachTime,
        Flaw::BeginsAtOne,
        Flaw::CountsNames,
        Flaw::NumbersOnlyWhatHasNames,
        Flaw::SharesNumbers,
        Flaw::MarksTheFirstNameOnly,
        Flaw::KeepsTheFirstMark,
        Flaw::TellsWhatWasKnown,
        Flaw::TellsAllToNewcomers,
        Flaw::TellsAllToThoseOfAnotherEra,
        Flaw::TellsNothingOfItsOwn,
        Flaw::TakesExpiringForRemoved,
        Flaw::ForgetsTheKind,
        Flaw::CutsNames,
        Flaw::IgnoresHigherNumbers,
        Flaw::OverlooksHigherNumbersOfReads,
        Flaw::KeepsTheEra,
        Flaw::KeepsMarksOfOldEras,
        Flaw::KeepsTheCounterOfOldEras,
        Flaw::NumbersThenVoids,
        Flaw::ReadsThenAsks,
        Flaw::VoidsNothing,
        Flaw::RemovesWithoutAGuard,
        Flaw::TurnsTokensRound,
        Flaw::GivesNoTokens,
        Flaw::PlantsNoGuard,
        Flaw::GivesNoTokenToReaders,
        Flaw::NamesAbsenceWithoutAGuard,
    ] {
        assert!(is_caught(flaw), "{flaw:?}");
    }
}

/// What two steps in the wrong order let through is found by the race for it, and by nothing else.
#[test]
fn two_steps_in_the_wrong_order_fail_the_race() {
    for flaw in [Flaw::NumbersThenVoids, Flaw::ReadsThenAsks] {
        let store = MemoryLog::new(flaw);
        assert!(fails(log_records::a_read_is_no_older_than_its_news((store.clone(), store))), "{flaw:?}");
    }
    let store = MemoryLog::new(Flaw::SharesNumbers);
    let pair = (store.clone(), store);
    assert!(fails(shared_log::concurrent_invalidations_share_no_number_and_none_is_missed(pair)));
}
