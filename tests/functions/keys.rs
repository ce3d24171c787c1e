//! What a call is looked up by.

use super::Count;
use larder::cached;

#[derive(Clone)]
struct Db;

#[derive(Clone)]
struct Page {
    no: u32,
}

#[tokio::test]
async fn without_a_key_all_arguments_are_one() {
    static RUNS: Count = Count::new();
    #[cached(ttl = "60s")]
    async fn add(a: u32, b: u32) -> u32 {
        RUNS.one();
        a + b
    }

    assert_eq!((add(1, 2).await, add(1, 30).await, add(1, 2).await), (3, 31, 3));
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test]
async fn what_is_skipped_is_no_part_of_the_key() {
    static RUNS: Count = Count::new();
    #[cached(ttl = "60s", skip(_db))]
    async fn user(_db: &Db, id: u64) -> String {
        RUNS.one();
        format!("user {id}")
    }

    assert_eq!(user(&Db, 7).await, "user 7");
    assert_eq!(user(&Db, 7).await, "user 7");
    assert_eq!(user(&Db, 8).await, "user 8");
    assert_eq!(RUNS.get(), 2);
    assert_eq!(user::cache().get_now(&7).as_deref(), Some("user 7"));
}

#[tokio::test]
async fn a_template_is_a_typed_key() {
    static RUNS: Count = Count::new();
    #[cached(key = "user:{id}")]
    async fn user(_db: &Db, id: u64) -> u64 {
        RUNS.one();
        id
    }

    assert_eq!((user(&Db, 7).await, user(&Db, 7).await), (7, 7));
    assert_eq!(user::cache().get_now(&7), Some(7));
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn texts_of_several_parts_are_never_mistaken() {
    static RUNS: Count = Count::new();
    #[cached(key = "{team}:{name}")]
    async fn member(team: &str, name: String) -> String {
        RUNS.one();
        format!("{name} of {team}")
    }

    assert_eq!(member("1:2", "3".into()).await, "3 of 1:2");
    assert_eq!(member("1", "2:3".into()).await, "2:3 of 1");
    assert_eq!(member("1", "2:3".into()).await, "2:3 of 1");
    assert_eq!(RUNS.get(), 2);
    assert_eq!(member::cache().get_now(&("1".into(), "2:3".into())).as_deref(), Some("2:3 of 1"));
}

#[tokio::test]
async fn fields_and_formats_are_what_they_show() {
    static RUNS: Count = Count::new();
    #[cached(key = "{id}:{page.no:03}")]
    async fn list(id: u64, page: &Page) -> String {
        RUNS.one();
        format!("{id} {}", page.no)
    }

    assert_eq!(list(1, &Page { no: 2 }).await, "1 2");
    assert_eq!(list(1, &Page { no: 2 }).await, "1 2");
    assert_eq!(list(1, &Page { no: 3 }).await, "1 3");
    assert_eq!(RUNS.get(), 2);
    assert_eq!(list::cache().get_now(&(1, "002".into())).as_deref(), Some("1 2"));
}

#[tokio::test]
async fn a_key_without_placeholders_has_one_result() {
    static RUNS: Count = Count::new();
    #[cached(key = "settings")]
    async fn settings(from: &str) -> String {
        RUNS.one();
        from.to_owned()
    }

    assert_eq!((settings("a").await, settings("b").await), ("a".into(), "a".into()));
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn placeholders_without_a_name_are_the_arguments_in_their_order() {
    #[cached(key = "{}/{}")]
    async fn path(a: &str, b: &str) -> String {
        format!("{a}/{b}")
    }

    assert_eq!(path("x", "y").await, "x/y");
    assert_eq!(path::cache().get_now(&("x".into(), "y".into())).as_deref(), Some("x/y"));
}

#[tokio::test]
async fn a_closure_makes_a_key_of_any_type() {
    static RUNS: Count = Count::new();
    #[cached(key = |id, role| format!("{}:{role}", id % 10))]
    async fn page(id: u64, role: &str) -> String {
        RUNS.one();
        format!("{id} for {role}")
    }

    assert_eq!(page(7, "admin").await, "7 for admin");
    assert_eq!(page(17, "admin").await, "7 for admin");
    page::remove(27, "admin").await.unwrap();
    assert_eq!(page(17, "admin").await, "17 for admin");
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test]
async fn a_closure_that_says_its_type_has_a_cache_to_show() {
    #[cached(key = |id| -> u64 { id % 10 })]
    async fn digit(id: u64) -> u64 {
        id
    }

    assert_eq!((digit(7).await, digit(17).await), (7, 7));
    assert_eq!(digit::cache().get_now(&7), Some(7));
}

#[tokio::test]
async fn a_text_is_looked_up_as_it_is() {
    #[cached]
    async fn length(text: &str) -> usize {
        text.len()
    }

    assert_eq!(length("larder").await, 6);
    assert_eq!(length::cache().get_now("larder"), Some(6));
}

#[tokio::test]
async fn names_of_the_expansion_are_free_for_arguments() {
    #[cached]
    async fn sum(cache: u64, key: u64, load: u64, value: u64, error: u64) -> u64 {
        cache + key + load + value + error
    }

    assert_eq!(sum(1, 2, 3, 4, 5).await, 15);
    sum::insert(1, 2, 3, 4, 5, 99).await.unwrap();
    assert_eq!(sum(1, 2, 3, 4, 5).await, 99);
}

#[test]
fn an_argument_that_borrows_has_a_key_of_its_own() {
    static RUNS: Count = Count::new();
    #[cached(key = |lang| lang.map(str::to_owned))]
    fn greeting(lang: Option<&str>) -> &'static str {
        RUNS.one();
        if lang == Some("de") { "hallo" } else { "hello" }
    }

    assert_eq!((greeting(Some("de")), greeting(None), greeting(Some("de"))), ("hallo", "hello", "hallo"));
    assert_eq!(RUNS.get(), 2);
}
