//! Where the results of a function are kept.

use super::Cached;
use super::key::Key;
use super::options::{CacheErrors, KeyOption, Options, Policy};
use crate::period::Period;
use crate::signature::is_free;
use crate::signature::mixed;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, ReturnType};

/// Which cache it is.
pub(crate) enum Place {
    /// One of its own, behind the companion `cache`.
    Own,
    /// One of its own, whose keys are what a closure makes: behind the companion `cache_of`.
    Slot,
    /// One of its own, in an `impl`: behind `NAME_cache`.
    Associated,
    /// One that the expression names.
    Given(Box<Expr>),
}

impl Place {
    pub(super) fn of(options: &Options) -> Place {
        match (&options.cache, options.associated) {
            (Some(cache), _) => Place::Given(Box::new(cache.clone())),
            (None, Some(_)) => Place::Associated,
            (None, None) => match &options.key {
                Some(KeyOption::Closure(closure)) if matches!(closure.output, ReturnType::Default) => {
                    Place::Slot
                }
                _ => Place::Own,
            },
        }
    }

    /// `let cache = ..;`
    pub(super) fn statement(&self, cached: &Cached) -> TokenStream {
        let at = Span::mixed_site();
        let name = cached.name();
        match self {
            Place::Own => {
                let ty = checked(cached);
                quote_spanned!(at=> let cache: &#ty = #name::cache();)
            }
            Place::Slot => {
                let ty = checked(cached);
                quote_spanned!(at=> let cache: &#ty = #name::cache_of(key);)
            }
            Place::Associated => {
                let (ty, cache, this) = (checked(cached), format_ident!("{name}_cache"), this(cached));
                quote_spanned!(at=> let cache: &#ty = #this::#cache();)
            }
            Place::Given(cache) => quote_spanned!(mixed(cache)=> let cache = &#cache;),
        }
    }
}

/// `Self`, where `associated` is said: so there it is told that there is none.
pub(super) fn this(cached: &Cached) -> Ident {
    let at = cached.options.associated.unwrap_or_else(Span::call_site);
    Ident::new("Self", Span::mixed_site().located_at(at))
}

/// The type of a cache of its own, with keys of the type `key`.
pub(super) fn cache_type(cached: &Cached, key: &TokenStream) -> TokenStream {
    let (krate, value) = (&cached.krate, cached.returned.value());
    let cache = quote!(#key, #value);
    match &cached.options.batch {
        None => quote!(#krate::Cache<#cache, #krate::Memory<#cache>, #krate::Native>),
        Some(_) => {
            let error = super::batch::error(cached);
            let inside = cached.returned.option();
            quote!(#krate::BatchLoading<#key, #inside, #error, #krate::Memory<#cache>, #krate::Native>)
        }
    }
}

/// The type of a cache of its own, as it stands at a use: unknown where its values cannot be kept, so that no use of it is
/// an error too.
fn checked(cached: &Cached) -> TokenStream {
    if cached.options.batch.is_some() {
        return quote!(_);
    }
    let (krate, value) = (&cached.krate, kept(cached));
    quote!(#krate::Cache<_, #value, #krate::Memory<_, #value>, #krate::Native>)
}

/// The type of the values, with a check that they can be kept.
fn kept(cached: &Cached) -> TokenStream {
    let (krate, value) = (&cached.krate, cached.returned.value());
    quote_spanned!(mixed(value)=> <#value as #krate::function::CheckedValue<{ #krate::function::kept::<#value>() }>>::Value)
}

/// The expression that composes a cache of its own, with keys of the type `key`.
fn composed(cached: &Cached, key: &TokenStream) -> TokenStream {
    let at = Span::mixed_site();
    let (krate, value) = (&cached.krate, kept(cached));
    let Policy {
        ttl,
        stale,
        stale_if_error,
        negative,
        cache_if,
        capacity,
        name,
        refresh_ahead,
        soft_timeout,
        hard_timeout,
        retry_after,
        jitter,
        cache_errors,
    } = &cached.options.policy;
    let name = name.as_ref().map_or_else(
        || {
            let name = format!("::{}", cached.name());
            if cached.is_associated() {
                let this = this(cached);
                quote_spanned!(at=> &(::core::any::type_name::<#this>().to_owned() + #name))
            } else {
                quote_spanned!(at=> ::core::concat!(::core::module_path!(), #name))
            }
        },
        |name| quote!(#name),
    );
    let settings = [
        ("capacity", capacity.as_ref().map(ToTokens::to_token_stream)),
        ("ttl", ttl.as_ref().map(Period::code)),
        ("stale", stale.as_ref().map(Period::code)),
        ("stale_if_error", stale_if_error.as_ref().map(Period::code)),
        ("retry_after", retry_after.as_ref().map(Period::code)),
        ("soft_timeout", soft_timeout.as_ref().map(Period::code)),
        ("hard_timeout", hard_timeout.as_ref().map(Period::code)),
        ("jitter", jitter.as_ref().map(ToTokens::to_token_stream)),
        ("refresh_ahead", refresh_ahead.as_ref().map(ToTokens::to_token_stream)),
    ];
    let policies = [
        ("negative", negative.as_ref().map(Period::code)),
        ("cache_if", cache_if.as_ref().map(ToTokens::to_token_stream)),
    ];
    let said = |(name, value): (&str, Option<TokenStream>)| {
        let name = format_ident!("{name}");
        value.map(|value| quote_spanned!(at=> .#name(#value)))
    };
    let (settings, policies) = (settings.into_iter().filter_map(said), policies.into_iter().filter_map(said));
    let errors = cache_errors.as_ref().map(|CacheErrors { ttl, which, .. }| {
        let ttl = ttl.code();
        let error = cached.returned.result.as_ref().map(|(_, error)| error);
        let which = which.as_ref().map_or_else(|| quote_spanned!(at=> |_| true), |which| quote!(#which));
        quote_spanned!(at=> .cache_errors::<#error>(#ttl, #which))
    });
    let batch = super::batch::loader(cached);
    // The types are said here, because the closures among the options need them.
    quote_spanned! {at=>
        #krate::Caches::of_the_process()
            .function::<#key, #value>(#name, #krate::CacheSettings::new() #(#settings)*)
            #(#policies)* #errors #batch
    }
}

/// The items by which the function and its companions reach a cache of its own.
pub(super) fn items(cached: &Cached) -> Option<TokenStream> {
    let at = Span::mixed_site();
    let krate = &cached.krate;
    let vis = &cached.function.vis;
    let checks = checks(cached);
    let place = |key: &Key| {
        let key = key.ty(krate)?;
        let (ty, composed) = (cache_type(cached, &key), composed(cached, &key));
        Some(quote_spanned! {at=>
            #checks
            static __LARDER_CACHE: ::std::sync::LazyLock<#ty> = ::std::sync::LazyLock::new(|| #composed);
            &__LARDER_CACHE
        })
    };
    match &cached.place {
        Place::Own => {
            let (ty, place) = (cache_type(cached, &cached.key.ty(krate)?), place(&cached.key)?);
            Some(quote_spanned! {at=>
                /// Returns the cache of the results.
                #vis fn cache() -> &'static #ty {
                    #place
                }
            })
        }
        Place::Associated => {
            let key = cached.key.ty(krate)?;
            let (ty, composed) = (cache_type(cached, &key), composed(cached, &key));
            let (name, this) = (format_ident!("{}_cache", cached.name()), this(cached));
            let doc = format!("Returns the cache of the results of [`{0}`](Self::{0}).", cached.name());
            Some(quote_spanned! {at=>
                #[doc = #doc]
                #[allow(dead_code, reason = "a companion that nobody may need")]
                #vis fn #name() -> &'static #ty {
                    // Instances of a generic type would share what is static.
                    let _: [(); { let _ = ::core::mem::size_of::<#this>(); 0 }] = [];
                    #checks
                    static __LARDER_CACHE: ::std::sync::OnceLock<#ty> = ::std::sync::OnceLock::new();
                    __LARDER_CACHE.get_or_init(|| #composed)
                }
            })
        }
        Place::Slot => {
            let key = quote!(__LarderKey);
            let (ty, composed) = (cache_type(cached, &key), composed(cached, &key));
            Some(quote_spanned! {at=>
                /// Returns the cache of the results, which the type of a key tells.
                fn cache_of<__LarderKey: #krate::Lookup + Clone>(_: &__LarderKey) -> &'static #ty {
                    #checks
                    static __LARDER_CACHE: #krate::function::Slot = #krate::function::Slot::new();
                    __LARDER_CACHE.get_or_init(|| #composed)
                }
            })
        }
        Place::Given(_) => None,
    }
}

/// What is checked of the types of a cache of its own, with messages that say what to do.
fn checks(cached: &Cached) -> Option<TokenStream> {
    let refused = refused(cached)?;
    Some(quote_spanned!(mixed(cached.returned.value())=> const _: () = { #refused };))
}

/// The same for a cache that is given, where types may be those of an `impl`: no item can name them, and what is no item is
/// looked at when code is made of it.
pub(super) fn alias(cached: &Cached) -> Option<TokenStream> {
    let Place::Given(_) = cached.place else { return None };
    let refused = refused(cached)?;
    let at = mixed(cached.returned.value());
    Some(if is_free(&cached.function.sig) && !cached.is_associated() {
        quote_spanned!(at=> const _: () = { #refused };)
    } else {
        quote_spanned!(at=> const { #refused };)
    })
}

/// Refuses a `Result` under another name: what the attribute does not see it cannot leave out.
fn refused(cached: &Cached) -> Option<TokenStream> {
    let (krate, value) = (&cached.krate, cached.returned.value());
    if cached.returned.result.is_some() {
        return None;
    }
    let why = "what this function returns is a `Result` under another name, and its errors would be cached: write `Result<_, _>`";
    Some(quote_spanned! {mixed(value)=>
        use #krate::function::NoResult as _;
        ::core::assert!(!#krate::function::Returns::<#value>::RESULT, #why);
    })
}
