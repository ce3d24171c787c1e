//! What somebody changes before an import, or meanwhile.

use crate::meddling::Meddling;
use crate::{SECOND, counts, process, three, wire};
use larder_core::{Result, Wire};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

#[test]
fn tags_come_along_and_reach_it_from_then_on() {
    let (ages, _) = process(SECOND);
    let blocking = ages.blocking();
    blocking.invalidate_tag("of bob").unwrap();
    assert_eq!(
        counts(ages.import(&wire(), &three()[..]).unwrap()),
        (2, 0, 1, 0, true),
        "marked in this process before"
    );
    let found = blocking.lookup("ada").unwrap().unwrap();
    assert_eq!((&*found.tags()[0], found.entry().etag()), ("of ada", Some("v1")));
    blocking.invalidate_tag("of ada").unwrap();
    assert_eq!((blocking.get("ada").unwrap(), blocking.get("cleo").unwrap()), (None, Some(9)));
    assert_eq!(ages.export(&wire(), Vec::new()).unwrap().entries, 1, "what is invalidated is not exported");
}

#[test]
fn what_was_changed_before_does_not_come_back_and_what_is_there_stays() {
    for change in ["remove", "remove in turn", "expire", "insert", "clear", "where", "load"] {
        let (ages, _) = process(SECOND);
        let blocking = ages.blocking();
        match change {
            "remove" => blocking.remove("ada").unwrap(),
            "remove in turn" => {
                // A load is under way, so that the removal waits for its turn.
                let load = || blocking.remove("ada").map(|()| 37);
                blocking.get_or_load("ada", load).unwrap();
            }
            "expire" => blocking.expire("ada").unwrap(),
            "insert" => blocking.insert("ada", 37).unwrap(),
            "clear" => blocking.clear().unwrap(),
            "where" => assert_eq!(blocking.invalidate_where(|_, _| true).unwrap(), 0),
            _ => assert_eq!(blocking.get_or_load("ada", || Ok::<_, String>(37)).unwrap(), 37),
        }
        let all = matches!(change, "clear" | "where");
        let expected = if all { (0, 0, 3, 0, true) } else { (2, 0, 1, 0, true) };
        assert_eq!(counts(ages.import(&wire(), &three()[..]).unwrap()), expected, "{change}");
        let there = matches!(change, "insert" | "load").then_some(37);
        assert_eq!(blocking.get("ada").unwrap(), there, "{change}");
    }
}

#[test]
fn what_is_removed_after_it_was_read_and_before_it_is_there_does_not_come() {
    let (ages, _) = process(SECOND);
    let blocking = ages.blocking();
    let removing =
        Meddling(Box::new(move |_| ["ada", "bob"].iter().for_each(|name| blocking.remove(name).unwrap())));
    assert_eq!(counts(ages.import(&Wire::new(removing), &three()[..]).unwrap()), (1, 0, 2, 0, true));
    assert_eq!((ages.get_now("ada"), ages.get_now("bob"), ages.get_now("cleo")), (None, None, Some(9)));
}

#[test]
fn a_removal_that_comes_in_the_middle_waits_and_prevails() {
    type Removal = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
    let removal = Arc::new(Mutex::new(None::<Removal>));
    let (ages, _) = process(SECOND);
    let (own, begun) = (ages.clone(), Arc::clone(&removal));
    // Asked for while the entry is about to be put.
    let meddled = ages.clone().ttl_with(move |_, age| {
        if *age == 36 {
            let cache = own.clone();
            let mut remove: Removal = Box::pin(async move { cache.remove("ada").await });
            let polled = remove.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending), "it is not its turn");
            *begun.lock().unwrap() = Some(remove);
        }
        60 * SECOND
    });
    assert_eq!(counts(meddled.import(&wire(), &three()[..]).unwrap()), (3, 0, 0, 0, true));
    let removing = removal.lock().unwrap().take().unwrap();
    futures::executor::block_on(removing).unwrap();
    assert_eq!((ages.get_now("ada"), ages.get_now("bob")), (None, Some(12)));
}
