use super::*;
use crate::cluster::live::{fair, live, live_on, step, world};
use crate::cluster::network::Weather;

mod conforms {
    use super::*;

    crate::conformance!(bytes, || async {
        let world = world(1, fair());
        live_on(Arc::clone(&world));
        SharedStore::new(&world, 0)
    });
}

const LONG: Duration = Duration::from_secs(60);

/// A world whose records and log are on one machine, or on several.
fn of(split: bool) -> Arc<World> {
    let world = world(1, fair());
    world.shared.lock().settings.split = split;
    world
}

fn removal<'a>(voids: &'a [&'a str], names: &'a [Name]) -> Invalidation<'a> {
    Invalidation { voids, guard_for: LONG, names }
}

#[tokio::test]
async fn the_log_is_the_same_however_often_one_asks() {
    let store = SharedStore::new(&of(false), 0);
    let (first, again) = (store.log().unwrap(), store.clone().log().unwrap());
    assert!(Arc::ptr_eq(&first, &again));
}

#[tokio::test]
async fn an_invalidation_voids_and_marks_and_gives_tokens_to_put_with() {
    for split in [false, true] {
        let world = of(split);
        let store = SharedStore::new(&world, 0);
        let log = store.log().unwrap();
        live(&world, store.put("pages:1", "old".into(), None)).await.unwrap().unwrap();
        let names = [Name::key("pages:1"), Name::tag("row:1")];

        let done = live(&world, log.invalidate(None, removal(&["pages:1", "pages:2"], &names)));
        let done = done.await.unwrap().unwrap();

        assert_eq!((done.number, done.news.position.number, done.tokens.len()), (1, 1, 2));
        let (record, news) =
            live(&world, log.read(Some(done.news.position), "pages:1", None)).await.unwrap().unwrap();
        assert_eq!((record.bytes, news.since), (None, Some(vec![])));
        let tags = [Name::tag("row:1"), Name::tag("row:2")];
        let marks = live(&world, log.marks(None, &tags));
        assert_eq!(marks.await.unwrap().unwrap().0, [Some(1), None]);
        let put = |key, token| store.put_if(key, token, "new".into(), None);
        assert_eq!(live(&world, put("pages:1", &done.tokens[0])).await.unwrap().unwrap(), PutIf::Done);
        assert_eq!(live(&world, put("pages:1", &done.tokens[0])).await.unwrap().unwrap(), PutIf::Refused);
        assert_eq!(live(&world, put("pages:2", &done.tokens[1])).await.unwrap().unwrap(), PutIf::Done);
    }
}

#[tokio::test]
async fn a_read_plants_a_guard_only_where_it_is_asked_to() {
    let world = of(false);
    let log = SharedStore::new(&world, 0).log().unwrap();
    let read = async |guard_for| live(&world, log.read(None, "pages:1", guard_for)).await.unwrap().unwrap().0;
    assert_eq!(read(None).await.token, None);
    let guard = read(Some(LONG)).await.token.unwrap();
    assert_eq!(read(Some(LONG)).await.token, Some(guard), "the same, for as long anew");
}

/// Where records and log are on several machines, others see a record that is voided and not yet marked, never the
/// other way round; and a record that is no older than the news it comes with.
#[tokio::test]
async fn on_several_machines_records_are_voided_before_the_names_are_marked() {
    let mut halfway = 0;
    for seed in 0..50 {
        let world = world(seed, Weather { connections: 1, ..fair() });
        world.shared.lock().settings.split = true;
        world.shared.lock().put("pages:1", "old".into(), None);
        let log = SharedStore::new(&world, 0).log().unwrap();
        let names = [Name::key("pages:1")];
        let invalidation =
            tokio::spawn(async move { log.invalidate(None, removal(&["pages:1"], &names)).await });
        tokio::task::yield_now().await;
        loop {
            let (voided, number) = {
                let now = world.agenda.now();
                let mut server = world.shared.lock();
                (server.get(now, "pages:1").is_none(), server.news(None).position.number)
            };
            assert!(voided || number == 0, "marked and not voided");
            halfway += usize::from(voided && number == 0);
            if !step(&world) {
                break;
            }
            tokio::task::yield_now().await;
        }
        invalidation.await.unwrap().unwrap();
    }
    assert!(halfway > 0, "there is a time between the two");
}

#[tokio::test]
async fn an_invalidation_of_which_half_was_done_fails() {
    let world = of(true);
    let log = SharedStore::new(&world, 0).log().unwrap();
    let names = [Name::key("pages:1")];
    let invalidation = tokio::spawn(async move { log.invalidate(None, removal(&["pages:1"], &names)).await });
    tokio::task::yield_now().await;
    step(&world);
    world.shared.lock().down = true;
    while step(&world) {
        tokio::task::yield_now().await;
    }
    let failed = invalidation.await.unwrap().unwrap_err().to_string();
    assert!(failed.contains("only half"), "{failed}");
}

#[tokio::test]
async fn round_trips_are_counted_by_what_they_were_for() {
    let world = of(true);
    let store = SharedStore::new(&world, 0);
    let log = store.log().unwrap();
    live(&world, log.news(None)).await.unwrap().unwrap();
    live(&world, log.read(None, "pages:1", None)).await.unwrap().unwrap();
    live(&world, store.get("pages:1")).await.unwrap().unwrap();
    live(&world, store.get_many(&["pages:1", "pages:2"])).await.unwrap();
    let counted = world.history.lock().round_trips.clone();
    let what: Vec<_> = counted.iter().map(|((_, what), times)| (*what, *times)).collect();
    assert_eq!(what, [("get", 1), ("get many", 1), ("news", 1), ("read", 1)]);
}
