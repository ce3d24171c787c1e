//! What every store must do, as tests.
//!
//! One macro call runs all of it on your store, with a test for each promise: the store's own contract, and then
//! caches over it, as it is, boxed, in front of another level and behind one.
//!
//! ```
//! mod my_store {
//!     larder_testkit::conformance!(bytes, || async { larder_testkit::FakeBytes::new() });
//! }
//!
//! mod my_typed_store {
//!     larder_testkit::conformance!(values, || async { larder_testkit::Fake::<str, bytes::Bytes>::new() });
//! }
//! # fn main() {}
//! ```
//!
//! A store of bytes is used through a codec and under a memory. `codec` runs the caches in these forms, plain, boxed and
//! behind the memory:
//!
//! ```
//! mod as_numbers {
//! #   use larder_core::{Codec, Format, Result, Store, Entry};
//! #   use bytes::Bytes;
//! #   struct Plain;
//! #   impl Format for Plain { const ID: u8 = 200; }
//! #   impl Codec<Bytes> for Plain {
//! #       fn encode(&self, value: &Bytes, out: &mut Vec<u8>) -> Result<()> { out.extend_from_slice(value); Ok(()) }
//! #       fn decode(&self, bytes: &Bytes) -> Result<Bytes> { Ok(bytes.clone()) }
//! #   }
//!     use larder_testkit::{Fake, FakeBytes};
//!
//!     larder_testkit::conformance!(codec, || Plain, || Fake::<str, Bytes>::new(), || async { FakeBytes::new() });
//! }
//! # fn main() {}
//! ```
//!
//! What the processes of a service share has suites too. Their closures make two of a thing, as two processes have it:
//! `log` two stores with one new log, `bus` two ends of a bus, `lock` two of a lock, which is given a clock and may
//! go by its own:
//!
//! ```
//! mod my_bus {
//!     use larder_core::LocalBus;
//!
//!     larder_testkit::conformance!(bus, || async {
//!         let bus = LocalBus::new();
//!         (bus.clone(), bus)
//!     });
//! }
//!
//! mod my_lock {
//!     use larder_core::LocalLock;
//!
//!     larder_testkit::conformance!(lock, |clock| async {
//!         let lock = LocalLock::new(clock);
//!         (lock.clone(), lock)
//!     });
//! }
//! # fn main() {}
//! ```
//!
//! The macro defines modules, so a module has one call of it. The closure makes a new, empty store for each test. It must have room for 1,000 entries and for one of 10 MiB.
//! A capability that the store does not claim is not asked of it; one that it claims must be true.
//!
//! The functions behind the macro may change between releases; the macro's form does not.

pub mod bulk;
pub mod bus;
pub mod cache;
mod forgetful;
pub mod form;
pub mod lock;
pub mod log_records;
pub mod processes;
pub mod raw_bytes;
pub mod raw_values;
pub mod shared_log;
pub mod tokens;
mod until;

use std::future::Future;

#[doc(hidden)]
pub use bytes::Bytes;
#[doc(hidden)]
pub use larder_core::{Bus, ByteStore, Lock, Store};
#[doc(hidden)]
pub use until::impatient;

/// Runs the conformance suite on a store, see [the module](mod@crate::conformance).
///
/// `values` is for a [`Store`](larder_core::Store) of `Bytes` under `str`, `bytes` for a
/// [`ByteStore`](larder_core::ByteStore), `log` for the [`SharedLog`](larder_core::SharedLog) of one, `bus` for a
/// [`Bus`](larder_core::Bus) and `lock` for a [`Lock`](larder_core::Lock).
#[macro_export]
macro_rules! conformance {
    (values, $make:expr) => {
        fn make_store()
        -> impl ::std::future::Future<Output = impl $crate::conformance::Store<str, Value = $crate::conformance::Bytes>> {
            ($make)()
        }
        $crate::conformance!(@store raw_values:
            an_entry_comes_back_with_its_times,
            an_insert_replaces_and_a_remove_removes,
            what_is_condemned_goes,
            every_entry_is_handed_out,
            an_arc_of_the_store_is_the_store,
            what_it_claims_is_true,
        );
        $crate::conformance!(@caches values: plain, boxed, in_front, behind);
    };
    (bytes, $make:expr) => {
        fn make_store() -> impl ::std::future::Future<Output = impl $crate::conformance::ByteStore> {
            ($make)()
        }
        $crate::conformance!(@store raw_bytes:
            bytes_come_back_exactly,
            a_put_replaces_and_a_remove_removes,
            bytes_that_have_not_expired_are_kept,
            what_has_expired_is_gone_if_claimed,
            an_arc_of_the_store_is_the_store,
            what_it_claims_is_true,
        );
        $crate::conformance!(@store bulk:
            many_keys_are_done_in_one_call,
            absent_and_repeated_keys_have_an_answer_each,
        );
        $crate::conformance!(@store tokens:
            a_token_is_good_for_one_put,
            what_happened_since_refuses,
            a_guard_is_nothing_to_readers,
            of_many_with_one_token_one_puts,
        );
        $crate::conformance!(@caches bytes: plain, boxed, in_front, behind);
    };
    (log, $make:expr) => {
        fn make_pair() -> impl ::std::future::Future<
            Output = (impl $crate::conformance::ByteStore, impl $crate::conformance::ByteStore),
        > {
            ($make)()
        }
        $crate::conformance!(@pair shared_log:
            the_log_is_the_same_however_often_it_is_asked_for,
            a_new_log_begins_at_zero,
            each_invalidation_has_the_next_number,
            news_is_what_was_marked_since,
            who_knows_no_position_of_this_era_is_told_where_it_stands,
            marks_are_the_last_numbers_of_their_names,
            names_of_any_text_come_back,
            a_number_that_the_log_has_not_reached_begins_a_new_era,
            concurrent_invalidations_share_no_number_and_none_is_missed,
        );
        $crate::conformance!(@pair log_records:
            a_read_is_what_the_store_has,
            a_guard_is_planted_for_who_says_for_how_long,
            what_is_voided_is_nothing_and_can_be_put_by_who_voided_it,
            a_read_is_no_older_than_its_news,
        );
        $crate::conformance!(@pair processes:
            a_read_through_the_store_gives_nothing_that_was_invalidated,
            a_copy_in_memory_is_served_no_longer_than_the_bound,
            a_copy_that_nobody_invalidated_is_served_on_after_one_question,
            a_load_that_another_process_overtook_is_not_stored,
            what_is_written_past_the_log_is_not_believed,
        );
    };
    (bus, $make:expr) => {
        fn make_pair() -> impl ::std::future::Future<
            Output = (impl $crate::conformance::Bus, impl $crate::conformance::Bus),
        > {
            ($make)()
        }
        $crate::conformance!(@pair bus:
            every_listener_hears_each_message_in_order,
            who_comes_later_hears_what_comes_later,
            a_listener_that_is_dropped_hears_no_more,
            messages_of_any_bytes_and_of_the_greatest_size_pass,
            what_many_publish_is_heard_of_each_in_its_order,
        );
    };
    (lock, $make:expr) => {
        fn make_pair(clock: $crate::MockClock) -> impl ::std::future::Future<
            Output = (impl $crate::conformance::Lock, impl $crate::conformance::Lock),
        > {
            ($make)(clock)
        }
        $crate::conformance!(@clocked lock:
            of_many_one_gets_the_lease,
            names_that_differ_do_not_meet,
            a_foreign_token_does_nothing,
            a_lease_that_is_not_renewed_ends,
            a_renewed_lease_lasts_as_long_as_was_said,
            a_release_wakes_those_who_wait,
            a_wait_ends_in_time_or_where_nobody_has_the_lease,
        );
    };
    (codec, $codec:expr, $memory:expr, $make:expr) => {
        $crate::conformance!(@coded $make, plain, |store, clock| {
            $crate::conformance::form::coded::plain(store, ($codec)(), clock)
        });
        $crate::conformance!(@coded $make, boxed, |store, clock| {
            $crate::conformance::form::coded::boxed(store, ($codec)(), clock)
        });
        $crate::conformance!(@coded $make, under_memory, |store, clock| {
            $crate::conformance::form::coded::under(store, ($codec)(), ($memory)(), clock)
        });
    };
    (@store $module:ident: $($behaviour:ident,)*) => {$(
        #[test]
        fn $behaviour() {
            $crate::conformance::run(async {
                $crate::conformance::$module::$behaviour(make_store().await).await;
            });
        }
    )*};
    (@pair $module:ident: $($behaviour:ident,)*) => {$(
        #[test]
        fn $behaviour() {
            $crate::conformance::run(async {
                $crate::conformance::$module::$behaviour(make_pair().await).await;
            });
        }
    )*};
    (@clocked $module:ident: $($behaviour:ident,)*) => {$(
        #[test]
        fn $behaviour() {
            $crate::conformance::run(async {
                let clock = $crate::MockClock::new();
                let pair = make_pair(clock.clone()).await;
                $crate::conformance::$module::$behaviour(pair, clock).await;
            });
        }
    )*};
    (@caches $kind:ident: $($form:ident),*) => {$(
        mod $form {
            $crate::conformance!(@behaviours super::make_store, $crate::conformance::form::$form::$kind,
                empty_and_large_values_come_back);
        }
    )*};
    (@coded $make:expr, $form:ident, $cache:expr) => {
        mod $form {
            #[allow(unused_imports, reason = "what the call names is in scope where it stands")]
            use super::*;

            $crate::conformance!(@behaviours $make, $cache, empty_and_mebibyte_values_come_back);
        }
    };
    (@behaviours $make:expr, $cache:expr, $large:ident) => {
        $crate::conformance!(@each $make, $cache;
            an_absent_key_is_none,
            a_value_comes_back_until_it_is_removed,
            an_insert_replaces,
            keys_that_differ_do_not_meet,
            $large,
            entries_expire_on_time,
            sub_second_lives_are_kept,
            a_life_without_end_has_none,
            a_stale_entry_is_served,
            concurrent_keys_keep_their_values,
            concurrent_writers_of_one_key_leave_one_whole_value,
            a_cancelled_insert_leaves_old_new_or_nothing,
            a_hundred_callers_load_once,
            a_remove_during_a_load_wins,
            an_insert_during_a_load_wins,
            clear_removes_everything,
        );
    };
    (@each $make:expr, $cache:expr; $($behaviour:ident,)*) => {$(
        #[test]
        fn $behaviour() {
            $crate::conformance::run(async {
                let clock = $crate::MockClock::new();
                let store = ($make)().await;
                $crate::conformance::cache::$behaviour(($cache)(store, &clock), clock).await;
            });
        }
    )*};
}

/// Runs a test of the suite on a runtime with two threads.
///
/// # Panics
///
/// If the test does, or a runtime cannot be made.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime needs only memory and two threads").block_on(test);
}
