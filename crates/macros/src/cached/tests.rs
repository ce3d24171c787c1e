//! What the attribute expands to.

use super::expand;
use crate::shown::shown;
use proc_macro2::TokenStream;
use quote::quote;

#[track_caller]
fn check(name: &str, options: TokenStream, item: &TokenStream) {
    shown(name, expand(options, item));
}

#[test]
fn an_async_function_of_the_design() {
    let options = quote!(ttl = "60s", stale = "30s", key = "user:{id}", capacity = 10_000);
    let item = quote! {
        /// Returns a user.
        #[must_use]
        pub async fn user(db: &Db, id: u64) -> Result<User, DbError> {
            db.user(id).await
        }
    };
    check("cached_async", options, &item);
}

#[test]
fn a_synchronous_function_borrows() {
    let item = quote!(
        fn price(of: &str) -> u64 {
            of.len() as u64
        }
    );
    check("cached_sync", quote!(ttl = "1h30m"), &item);
}

#[test]
fn parts_of_a_key_are_put_together_where_those_of_the_last_call_were() {
    let options = quote!(key = "{team}:{page.no:03}", tags = ["team:{team}"]);
    let item = quote!(
        async fn members(team: &str, page: &Page) -> Vec<String> {
            list(team, page).await
        }
    );
    check("cached_parts", options, &item);
}

#[test]
fn a_method_has_a_cache_that_is_given() {
    let options =
        quote!(cache = self.users, key = "user:{team}:{id}", ttl = "60s", cache_if = |user| user.is_real());
    let item = quote!(
        async fn user(&self, team: u32, id: u64) -> Result<User, DbError> {
            self.db.user(team, id).await
        }
    );
    check("cached_method", options, &item);
}

#[test]
fn a_closure_without_a_type_has_a_slot() {
    let item = quote!(
        async fn page(id: u64, role: &str) -> String {
            render(id, role)
        }
    );
    check("cached_closure", quote!(key = |id, role| format!("{id}:{role}")), &item);
}

#[test]
fn a_batch_takes_the_place_of_the_body() {
    let options = quote!(batch(users, window = "1ms"), negative = "5s", crate = crate::larder);
    check(
        "cached_batch",
        options,
        &quote!(
            async fn user(id: u64) -> Result<Option<User>, DbError>;
        ),
    );
}

#[test]
fn a_function_of_a_type_has_companions_beside_it() {
    let item = quote!(
        pub fn area(side: u64) -> u64 {
            side * side
        }
    );
    check("cached_associated", quote!(associated), &item);
}

#[test]
fn a_body_that_blocks_is_taken_elsewhere() {
    let item = quote!(
        async fn thumbnail(of: &Image, size: u32) -> Arc<[u8]> {
            of.scaled(size)
        }
    );
    check("cached_blocking", quote!(blocking, skip(of)), &item);
}
