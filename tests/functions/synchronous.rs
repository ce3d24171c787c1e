//! Functions that are not async.

use super::Count;
use larder::cached;
use std::sync::Barrier;
use std::thread;

#[test]
fn a_function_needs_no_runtime() {
    static RUNS: Count = Count::new();
    #[cached(ttl = "60s")]
    fn double(id: u64) -> u64 {
        RUNS.one();
        2 * id
    }

    assert_eq!((double(7), double(7)), (14, 14));
    assert_eq!(RUNS.get(), 1);
    double::remove(7).unwrap();
    assert_eq!((double(7), double::uncached(7), double::refresh(7)), (14, 14, 14));
    assert_eq!(RUNS.get(), 4);
    double::insert(7, 0).unwrap();
    assert_eq!(double(7), 0);
    double::clear().unwrap();
    assert_eq!(double::stats().loads, 3);
}

#[test]
fn errors_are_not_kept() {
    #[cached]
    fn number(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }

    assert!(number("x").is_err());
    assert_eq!(number("36"), Ok(36));
    assert_eq!(number::cache().get_now("36"), Some(36));
}

#[test]
fn a_load_borrows_what_cannot_be_cloned() {
    struct Uncloneable(u64);
    #[cached(skip(db))]
    fn user(db: &Uncloneable, id: u64) -> u64 {
        db.0 + id
    }

    assert_eq!((user(&Uncloneable(1), 7), user(&Uncloneable(2), 7)), (8, 8));
}

#[test]
fn many_threads_are_one_load() {
    static RUNS: Count = Count::new();
    #[cached]
    fn slow(id: u64) -> u64 {
        RUNS.one();
        id
    }

    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                assert_eq!(slow(7), 7);
            });
        }
    });
    assert_eq!(RUNS.get(), 1);
}

#[test]
fn a_call_in_a_call_of_itself_has_another_key() {
    #[cached]
    fn fibonacci(n: u64) -> u64 {
        if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
    }

    assert_eq!(fibonacci(20), 6_765);
}

#[tokio::test]
async fn it_can_be_called_by_what_is_async() {
    #[cached]
    fn double(id: u64) -> u64 {
        2 * id
    }

    assert_eq!(double(7), 14);
}
