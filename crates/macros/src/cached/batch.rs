//! `batch = load`: calls that come together are loaded together, by a function from keys to a map.

use super::Cached;
use super::load::error as error_of;
use super::options::Batch;
use crate::signature::mixed;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{format_ident, quote_spanned};
use syn::Type;

/// A function without a body, with one that is empty: its batch takes the place of the body.
pub(super) fn with_body(item: &TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<_> = item.clone().into_iter().collect();
    let last = tokens.pop().filter(|last| matches!(last, TokenTree::Punct(end) if end.as_char() == ';'))?;
    let mut body = Group::new(Delimiter::Brace, TokenStream::new());
    body.set_span(last.span());
    tokens.push(TokenTree::Group(body));
    Some(tokens.into_iter().collect())
}

/// The type of the errors of a batch.
pub(super) fn error(cached: &Cached) -> Type {
    match &cached.returned.result {
        Some((_, error)) => error.clone(),
        None => syn::parse_quote!(::core::convert::Infallible),
    }
}

/// `.batch_loader(..)`
pub(super) fn loader(cached: &Cached) -> Option<TokenStream> {
    let Batch { load, window, most, .. } = cached.options.batch.as_ref()?;
    let at = mixed(load);
    let loader = if cached.returned.result.is_some() {
        quote_spanned!(at=> .batch_loader(#load))
    } else {
        quote_spanned!(at=> .batch_loader(|keys| async move { ::core::result::Result::Ok((#load)(keys).await) }))
    };
    let window = window.as_ref().map(|window| {
        let window = window.code();
        quote_spanned!(at=> .window(#window))
    });
    let most = most.as_ref().map(|many| quote_spanned!(at=> .max_batch(#many)));
    Some(quote_spanned!(at=> #loader #window #most))
}

/// The body of the function.
pub(super) fn body(cached: &Cached) -> TokenStream {
    asking(cached, "get")
}

/// `refresh(..)`
pub(super) fn refresh(cached: &Cached) -> TokenStream {
    let at = Span::mixed_site();
    let (vis, ty) = (&cached.function.vis, &cached.returned.ty);
    let inputs = cached.arguments.iter().map(crate::signature::Argument::input);
    let asked = asking(cached, "refresh");
    quote_spanned! {at=>
        /// Loads with the next batch, whatever there is.
        ///
        /// # Errors
        ///
        /// Those of the batch. What was there stays there then.
        #vis async fn refresh(#(#inputs),*) -> #ty {
            #asked
        }
    }
}

fn asking(cached: &Cached, method: &str) -> TokenStream {
    let at = Span::mixed_site();
    let method = format_ident!("{method}");
    let name = cached.name().to_string();
    let key = cached.key.statement(&cached.krate);
    let cache = cached.place.statement(cached);
    let error = error_of(&cached.krate, &name, at);
    let (good, bad) = if cached.returned.result.is_some() {
        (cached.hit(), quote_spanned!(at=> ::core::result::Result::Err(#error)))
    } else {
        let never = quote_spanned!(at=> {
            let never: ::core::convert::Infallible = #error;
            match never {}
        });
        (cached.hit(), never)
    };
    quote_spanned! {at=>
        #key
        #cache
        match cache.#method(key).await {
            ::core::result::Result::Ok(value) => #good,
            ::core::result::Result::Err(error) => #bad,
        }
    }
}

/// `uncached(..)`: a batch of one.
pub(super) fn uncached(cached: &Cached) -> TokenStream {
    let at = Span::mixed_site();
    let krate = &cached.krate;
    let (vis, ty) = (&cached.function.vis, &cached.returned.ty);
    let inputs = cached.arguments.iter().map(crate::signature::Argument::input);
    let key = cached.key.statement(krate);
    let load = cached.options.batch.as_ref().map(|batch| &batch.load);
    let asked =
        quote_spanned!(mixed(&load)=> (#load)(::std::vec![::std::borrow::ToOwned::to_owned(key)]).await);
    let found = if cached.returned.result.is_some() {
        quote_spanned!(at=> ::core::result::Result::Ok(#krate::function::only(#asked?, key)))
    } else {
        quote_spanned!(at=> #krate::function::only(#asked, key))
    };
    quote_spanned! {at=>
        /// Asks for a batch of this one, whatever there is, and keeps nothing.
        ///
        /// # Errors
        ///
        /// Those of the batch.
        #vis async fn uncached(#(#inputs),*) -> #ty {
            #key
            #found
        }
    }
}
