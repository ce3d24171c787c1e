//! What becomes of errors.

use super::Count;
use larder::{LoadError, cached};

#[derive(Clone, Debug, PartialEq)]
enum DbError {
    NoSuchUser,
    Down,
}

#[tokio::test]
async fn an_error_goes_to_the_caller_and_is_not_kept() {
    static RUNS: Count = Count::new();
    #[cached(ttl = "60s")]
    async fn user(id: u64) -> Result<u64, DbError> {
        if RUNS.one() == 0 { Err(DbError::Down) } else { Ok(id) }
    }

    assert_eq!(user(7).await, Err(DbError::Down));
    assert_eq!(user(7).await, Ok(7));
    assert_eq!(user(7).await, Ok(7));
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test]
async fn chosen_errors_are_kept() {
    static RUNS: Count = Count::new();
    #[cached(cache_errors("5s", |error| matches!(error, DbError::NoSuchUser)))]
    async fn user(id: u64) -> Result<u64, DbError> {
        RUNS.one();
        if id == 7 { Err(DbError::NoSuchUser) } else { Err(DbError::Down) }
    }

    assert_eq!((user(7).await, user(7).await), (Err(DbError::NoSuchUser), Err(DbError::NoSuchUser)));
    assert_eq!((user(8).await, user(8).await), (Err(DbError::Down), Err(DbError::Down)));
    assert_eq!(RUNS.get(), 3);
}

#[tokio::test]
async fn anyhow_tells_what_the_load_failed_with() {
    #[cached]
    async fn number(text: &str) -> anyhow::Result<u32> {
        Ok(text.parse::<u32>()?)
    }

    let error = number("x").await.unwrap_err();
    assert_eq!(error.to_string(), "the load failed: invalid digit found in string");
    assert_eq!(number("36").await.unwrap(), 36);
}

#[derive(Debug, PartialEq)]
enum AppError {
    Db(&'static str),
    Cache(String),
}

impl From<LoadError<AppError>> for AppError {
    fn from(error: LoadError<AppError>) -> Self {
        match error {
            LoadError::Load(error) => match &*error {
                AppError::Db(what) => AppError::Db(what),
                AppError::Cache(what) => AppError::Cache(what.clone()),
            },
            other => AppError::Cache(format!("{other:?}")),
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_error_where_there_is_a_way_to_make_one() {
    #[cached]
    async fn user(id: u64) -> Result<u64, AppError> {
        assert_ne!(id, 7, "no user 7");
        Err(AppError::Db("down"))
    }

    assert_eq!(user(8).await, Err(AppError::Db("down")));
    assert!(matches!(user(7).await, Err(AppError::Cache(what)) if what.contains("no user 7")));
}

#[tokio::test]
#[should_panic(expected = "`user` has no value: it panicked: no user 7")]
async fn where_there_is_none_the_panic_goes_on() {
    #[cached]
    async fn user(id: u64) -> Result<u64, DbError> {
        panic!("no user {id}")
    }

    let _ = user(7).await;
}

#[tokio::test]
async fn absence_is_a_value_with_a_life_of_its_own() {
    static RUNS: Count = Count::new();
    #[cached(ttl = "60s", negative = "0s")]
    async fn user(id: u64) -> Result<Option<u64>, DbError> {
        RUNS.one();
        Ok((id == 7).then_some(id))
    }

    assert_eq!((user(7).await, user(7).await), (Ok(Some(7)), Ok(Some(7))));
    assert_eq!((user(8).await, user(8).await), (Ok(None), Ok(None)));
    assert_eq!(RUNS.get(), 3);
}

#[tokio::test]
async fn an_alias_of_result_is_one() {
    mod db {
        pub(super) type Result<T> = std::result::Result<T, super::DbError>;
    }
    static RUNS: Count = Count::new();
    #[cached]
    async fn user(id: u64) -> db::Result<u64> {
        RUNS.one();
        Err(if id == 7 { DbError::NoSuchUser } else { DbError::Down })
    }
    #[cached]
    async fn never() -> std::fmt::Result {
        Err(std::fmt::Error)
    }

    assert_eq!((user(7).await, user(7).await), (Err(DbError::NoSuchUser), Err(DbError::NoSuchUser)));
    assert_eq!(RUNS.get(), 2);
    assert!(never().await.is_err());
}
