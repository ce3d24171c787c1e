//! The attributes and derives of the crate `larder`, which re-exports and documents them.

mod cached;
mod invalidates;
mod list;
mod period;
mod receiver;
mod scheduled;
mod signature;
mod template;

use proc_macro::TokenStream;

/// Keeps the results of a function.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), item.into()).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Removes results of cached functions after a function has succeeded.
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand(options.into(), item.into()).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Runs a function again and again in the background.
#[proc_macro_attribute]
pub fn scheduled(options: TokenStream, item: TokenStream) -> TokenStream {
    scheduled::expand(options.into(), item.into()).unwrap_or_else(|error| error.into_compile_error()).into()
}
