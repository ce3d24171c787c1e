//! `#[cached(..)]`: a function whose results are kept.
//!
//! ```text
//! options ─┐
//!          ├─ Cached: what is looked up by (`key`), what is loaded (`load`), where it is kept (`place`)
//! function ┘     └─ the function itself, and an empty enum of its name with the companions (`companions`)
//! ```

mod batch;
mod check;
mod companions;
mod key;
mod load;
mod options;
mod place;
#[cfg(test)]
mod tests;

use crate::signature::{Argument, Returned, arguments, hidden, parameter, receiver};
use key::Key;
use load::Load;
pub(crate) use load::error;
use options::Options;
use place::Place;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Error, FnArg, ImplItemFn, Pat, Path, Result, parse_quote};

/// All that is known of a cached function.
struct Cached {
    function: ImplItemFn,
    /// It ends with `;` if not.
    has_body: bool,
    options: Options,
    krate: Path,
    arguments: Vec<Argument>,
    returned: Returned,
    key: Key,
    place: Place,
}

/// What stands in place of a function with the attribute.
pub(crate) fn expand(options: TokenStream, item: &TokenStream) -> Result<TokenStream> {
    let bodiless = batch::with_body(item);
    let has_body = bodiless.is_none();
    let function: ImplItemFn = syn::parse2(bodiless.unwrap_or_else(|| item.clone())).map_err(|error| {
        let why = format!("`#[cached]` goes above a function, free or in an `impl`: {error}");
        Error::new(error.span(), why)
    })?;
    let options: Options = syn::parse2(options)?;
    Ok(Cached::new(function, has_body, options)?.expand())
}

impl Cached {
    fn new(function: ImplItemFn, has_body: bool, options: Options) -> Result<Self> {
        let krate = options.krate.clone().unwrap_or_else(|| parse_quote!(::larder));
        let signature = &function.sig;
        let is_method = receiver(signature)?.is_some();
        check::function(signature, is_method, &options)?;
        let arguments = arguments(signature, "a cached function")?;
        let returned = Returned::of(signature, &krate)?;
        check::options(&options, signature, &returned)?;
        let key = Key::plan(&options, &arguments)?;
        let place = Place::of(&options);
        let cached = Cached { function, has_body, options, krate, arguments, returned, key, place };
        check::batch(&cached)?;
        check::place(&cached)?;
        check::generics(&cached)?;
        check::arguments(&cached)?;
        Ok(cached)
    }

    fn name(&self) -> &Ident {
        &self.function.sig.ident
    }

    fn is_async(&self) -> bool {
        self.function.sig.asyncness.is_some()
    }

    fn is_method(&self) -> bool {
        self.function.sig.receiver().is_some()
    }

    /// Where the function with the body is found.
    fn uncached(&self) -> TokenStream {
        let name = self.name();
        if self.is_associated() {
            let (this, uncached) = (place::this(self), format_ident!("{name}_uncached"));
            quote!(#this::#uncached)
        } else {
            quote!(#name::uncached)
        }
    }

    /// Whether it stands in an `impl`, without a receiver.
    fn is_associated(&self) -> bool {
        self.options.associated.is_some()
    }

    /// The value that the function returns on a hit.
    fn hit(&self) -> TokenStream {
        let at = Span::mixed_site();
        if self.returned.result.is_some() {
            quote_spanned!(at=> ::core::result::Result::Ok(value))
        } else {
            quote_spanned!(at=> value)
        }
    }

    fn expand(&self) -> TokenStream {
        let function = self.function();
        let companions = companions::of(self);
        quote!(#function #companions)
    }

    /// The function as its callers see it.
    fn function(&self) -> TokenStream {
        let ImplItemFn { attrs, vis, defaultness, sig, .. } = &self.function;
        let attributes = attrs.iter().map(outside);
        let mut signature = sig.clone();
        // Nothing is changed in here.
        for input in &mut signature.inputs {
            if let FnArg::Typed(typed) = input
                && let Pat::Ident(pattern) = &mut *typed.pat
            {
                pattern.mutability = None;
            }
        }
        let body = if self.options.batch.is_some() { batch::body(self) } else { self.body() };
        let hidden = hidden(&self.arguments);
        quote! {
            #(#attributes)*
            #hidden
            #vis #defaultness #signature {
                #body
            }
        }
    }

    /// Looks, and loads where there is nothing.
    fn body(&self) -> TokenStream {
        let at = Span::mixed_site();
        let krate = &self.krate;
        let look = if matches!((&self.place, &self.key), (Place::Given(_), Key::Closure(_))) {
            // What the closure returns may be owned, where the cache is looked up by what is borrowed of it.
            quote_spanned!(at=> cache.get_fresh_now(::core::borrow::Borrow::borrow(key)))
        } else {
            quote_spanned!(at=> cache.get_fresh_now(key))
        };
        let look = self.key.look(krate, self.may_keep(), &look, &self.hit());
        let load = Load::of_call(self).code();
        let alias = place::alias(self);
        match &self.place {
            Place::Slot => {
                let statement = self.key.statement(krate);
                let cache = self.place.statement(self);
                let hit = self.hit();
                quote_spanned! {at=>
                    #statement
                    #cache
                    if let ::core::option::Option::Some(value) = cache.get_fresh_now(key) {
                        return #hit;
                    }
                    #load
                }
            }
            place => {
                let cache = place.statement(self);
                quote_spanned! {at=>
                    #alias
                    #cache
                    #look
                    #load
                }
            }
        }
    }

    /// Whether a `static` in the function can name the type of the key.
    fn may_keep(&self) -> bool {
        let is_free = !self.is_method() && !self.is_associated();
        (is_free && parameter(&self.function.sig.generics).is_none()) || self.key.is_concrete()
    }
}

/// The attribute as it stands on the function that callers see. What is expected of the body is allowed here.
fn outside(attribute: &Attribute) -> TokenStream {
    if attribute.path().is_ident("expect") {
        let mut allowed = attribute.clone();
        if let syn::Meta::List(list) = &mut allowed.meta {
            list.path = parse_quote!(allow);
        }
        return allowed.to_token_stream();
    }
    attribute.to_token_stream()
}

/// Whether the attribute is for the function with the body too.
fn is_for_the_body(attribute: &Attribute) -> bool {
    ["cfg", "allow", "expect", "warn", "deny", "forbid"].iter().any(|name| attribute.path().is_ident(name))
}

/// Whether the attribute is for all that stands in place of the function.
fn is_for_all(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}
