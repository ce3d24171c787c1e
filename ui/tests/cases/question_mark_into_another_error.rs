//! `LoadError<E>` is not `E`.
use larder::prelude::*;

#[derive(Debug)]
struct DbError;

async fn user(users: &Cache<str, u32>) -> Result<u32, DbError> {
    let user = users.get_or_load("ada", async || Err::<u32, _>(DbError)).await?;
    Ok(user)
}

fn main() {
    let _ = user;
}
