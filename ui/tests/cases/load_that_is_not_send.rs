//! A load may move between threads.
use larder::prelude::*;
use std::rc::Rc;

async fn user(users: &Cache<str, u32>) -> Option<u32> {
    let load = async || {
        let age = Rc::new(36);
        std::future::ready(()).await;
        Ok::<_, String>(*age)
    };
    users.get_or_load("ada", load).await.ok()
}

fn main() {
    let _ = user;
}
