//! The attributes and derives of the crate `larder`, which re-exports and documents them.

mod cached;
mod list;
mod period;
mod receiver;
mod signature;
mod template;

use proc_macro::TokenStream;

/// Keeps the results of a function.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), item.into()).unwrap_or_else(|error| error.into_compile_error()).into()
}
