//! `skip_read`, `skip_write`: calls that leave levels out. FusionCache 13, 86, 87.

use super::*;

#[tokio::test]
async fn a_level_that_is_not_read_answers_neither_reads_nor_loads() {
    let two = two_levels();
    two.cache.insert("ada", "front".into()).await.unwrap();
    let behind = two.cache.with(|call| call.skip_read(0).skip_write(0));
    behind.insert("ada", "back".into()).await.unwrap();

    assert_eq!(two.cache.get("ada").await.unwrap(), Some("front".into()));
    assert_eq!(behind.get("ada").await.unwrap(), Some("back".into()));
    assert_eq!(behind.get_now("ada"), None);
    assert_eq!(behind.lookup("ada").await.unwrap().unwrap().level(), 1);
    assert!(behind.contains("ada").await.unwrap());
    assert_eq!(behind.get_or_load("ada", Script::failing("not asked").load()).await.unwrap(), "back");
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("front".into()), "and was not copied up");

    let neither = two.cache.with(|call| call.skip_read(0).skip_read(1));
    assert_eq!(neither.get("ada").await.unwrap(), None);
    assert!(!neither.contains("ada").await.unwrap());
    assert_eq!(neither.get_or_load("ada", Script::value("new".into()).load()).await.unwrap(), "new");
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("new".into()));
    assert_eq!(behind.get("ada").await.unwrap(), Some("new".into()));
}

#[tokio::test]
async fn what_is_read_behind_is_copied_up_where_only_reading_is_skipped() {
    let two = two_levels();
    two.cache.insert("ada", "front".into()).await.unwrap();
    two.cache.with(|call| call.skip_write(0)).insert("ada", "back".into()).await.unwrap();
    assert_eq!(two.cache.with(|call| call.skip_read(0)).get("ada").await.unwrap(), Some("back".into()));
    assert_eq!(two.cache.get("ada").await.unwrap(), Some("back".into()));
}

#[tokio::test]
async fn a_level_that_is_not_written_keeps_what_it_has_through_loads_inserts_removes_and_clears() {
    let two = two_levels();
    for skipped in [0, 1] {
        let other = two.cache.with(|call| call.skip_read(skipped));
        let only = two.cache.with(|call| call.skip_read(1 - skipped));
        let handle = two.cache.with(|call| call.skip_write(skipped));
        for step in 0..4 {
            two.cache.insert("ada", "kept".into()).await.unwrap();
            let expected = match step {
                0 => handle.insert("ada", "new".into()).await.map(|()| Some("new".into())).unwrap(),
                1 => handle.remove("ada").await.map(|()| None).unwrap(),
                2 => handle.clear().await.map(|()| None).unwrap(),
                _ => {
                    let forced = handle.with(CallOptions::force_refresh);
                    Some(forced.get_or_load("ada", Script::value("loaded".into()).load()).await.unwrap())
                }
            };
            let reads = |cache: &Texts| cache.with(|call| call.skip_write(0).skip_write(1));
            assert_eq!(reads(&only).get("ada").await.unwrap(), Some("kept".into()), "step {step}");
            assert_eq!(reads(&other).get("ada").await.unwrap(), expected, "step {step}");
        }
    }
}

#[tokio::test]
async fn a_level_that_is_left_out_is_neither_read_nor_written() {
    let two = two_levels();
    let memory = two.cache.with(|call| call.skip_level(1));
    memory.insert("ada", "front".into()).await.unwrap();
    memory.get("bob").await.unwrap();
    memory.get_or_load("bob", Script::value("!".into()).load()).await.unwrap();
    memory.remove("bob").await.unwrap();
    memory.expire("ada").await.unwrap();
    assert_eq!(two.back.calls(), []);
    assert!(two.front.count(Operation::Write) >= 2);
}

#[test]
#[should_panic(expected = "no cache has a level 64")]
fn a_level_that_cannot_be_panics() {
    let _ = CallOptions::default().skip_read(64);
}
