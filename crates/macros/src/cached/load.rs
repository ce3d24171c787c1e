//! How a result is loaded where there is none.

use super::Cached;
use super::key::Key;
use super::options::Policy;
use super::place::Place;
use crate::receiver::renamed;
use crate::signature::{Argument, mentions, mixed, shown_at};
use crate::template::Template;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Block, FnArg, Pat, Receiver, Signature};

/// The end of a call that saw no hit.
pub(super) struct Load<'a> {
    cached: &'a Cached,
    /// What the cache is asked for beside the key.
    with: TokenStream,
}

impl<'a> Load<'a> {
    pub(super) fn of_call(cached: &'a Cached) -> Self {
        Load { cached, with: quote!() }
    }

    /// One that loads whatever there is.
    pub(super) fn of_refresh(cached: &'a Cached) -> Self {
        let krate = &cached.krate;
        let with = quote_spanned!(Span::mixed_site()=> .with(#krate::CallOptions::force_refresh));
        Load { cached, with }
    }

    /// The load, of `key` in `cache`, and what the function returns then.
    pub(super) fn code(&self) -> TokenStream {
        let at = Span::mixed_site();
        let (cached, with) = (self.cached, &self.with);
        let krate = &cached.krate;
        let key = match (&cached.place, &cached.key) {
            (Place::Given(_), Key::Closure(_)) => quote_spanned!(at=> ::core::borrow::Borrow::borrow(key)),
            _ => quote_spanned!(at=> key),
        };
        let owned = cached.owns();
        let method = match (cached.returned.result.is_some(), cached.is_async(), owned) {
            (true, true, true) | (true, false, false) => quote!(get_or_load),
            (true, true, false) => quote!(get_or_load_scoped),
            (true, false, true) => quote!(get_or_load_owned),
            (false, true, true) | (false, false, false) => quote!(get_or_insert_with),
            (false, true, false) => quote!(get_or_insert_with_scoped),
            (false, false, true) => quote!(get_or_insert_with_owned),
        };
        let blocking = (!cached.is_async()).then(|| quote_spanned!(at=> .blocking()));
        let waits = cached.is_async().then(|| quote_spanned!(at=> .await));
        let load = self.closure(owned);
        let loaded = quote_spanned!(at=> cache #with #blocking.#method(#key, load)#waits);
        let Some((_, error_type)) = &cached.returned.result else {
            return quote_spanned! {at=>
                let load = #load;
                #loaded
            };
        };
        let name = cached.name().to_string();
        let error = error(krate, &name, mixed(error_type));
        quote_spanned! {at=>
            let load = #load;
            match #loaded {
                ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
                ::core::result::Result::Err(error) => ::core::result::Result::Err(#error),
            }
        }
    }

    /// The closure that loads.
    fn closure(&self, owned: bool) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let ty = &cached.returned.ty;
        let asynchronous = cached.is_async().then(|| quote_spanned!(at=> async));
        let (taken, returned) = if let Some(receiver) = cached.function.sig.receiver() {
            let is_kept = owned || receiver.reference.is_none();
            (self.taken(owned, is_kept.then_some(receiver)), self.inside(owned, is_kept.then_some(receiver)))
        } else {
            (self.taken(owned, None), self.called(owned))
        };
        let (before, after) = (self.before(), self.after());
        let work = if after.is_empty() {
            quote_spanned!(at=> #before #returned)
        } else {
            quote_spanned! {at=>
                #before
                let returned: #ty = { #returned };
                #after
                returned
            }
        };
        let closure = quote_spanned!(at=> #asynchronous move || -> #ty { #work });
        if taken.is_empty() { closure } else { quote_spanned!(at=> { #taken #closure }) }
    }

    /// The statements by which the load gets what it owns.
    fn taken(&self, owned: bool, this: Option<&Receiver>) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let krate = &cached.krate;
        let this = this.filter(|_| mentions(&cached.function.block, &["self"])).map(|receiver| {
            let own = &receiver.self_token;
            if receiver.reference.is_some() {
                let krate = shown_at(krate, own);
                quote_spanned!(mixed(own)=> let this = #krate::function::owned()(#own);)
            } else {
                quote_spanned!(mixed(receiver)=> let this = ::core::clone::Clone::clone(&#own);)
            }
        });
        let taken = cached.arguments.iter().filter_map(|argument| {
            let name = &argument.name;
            if let Some(taken) = argument.taken(krate).filter(|_| owned) {
                Some(quote_spanned!(at=> let #name = #taken;))
            } else if cached.is_borrowed_meanwhile(argument) {
                Some(quote_spanned!(at=> let #name = ::core::clone::Clone::clone(&#name);))
            } else {
                None
            }
        });
        quote_spanned!(at=> #this #(#taken)*)
    }

    /// The call of the function with the body.
    fn called(&self, owned: bool) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let uncached = cached.uncached();
        let given = cached.arguments.iter().map(|argument| {
            let name = &argument.name;
            match argument.referred() {
                Some(_) if owned && argument.is_impl() => quote_spanned!(at=> &#name),
                Some(_) if owned => quote_spanned!(at=> ::core::borrow::Borrow::borrow(&#name)),
                _ => quote_spanned!(at=> #name),
            }
        });
        let waits = cached.is_async().then(|| quote_spanned!(at=> .await));
        quote_spanned!(at=> #uncached(#(#given),*)#waits)
    }

    /// The body of a method, which can be nowhere else.
    fn inside(&self, owned: bool, this: Option<&Receiver>) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let arguments = cached.arguments.iter().filter(|argument| owned && argument.referred().is_some());
        let arguments = arguments.map(|argument| {
            let (name, ty) = (&argument.name, &argument.ty);
            if argument.is_impl() {
                quote_spanned!(at=> let #name = &#name;)
            } else {
                let ty = crate::signature::without_lifetimes(ty);
                quote_spanned!(at=> let #name: #ty = ::core::borrow::Borrow::borrow(&#name);)
            }
        });
        let block = &cached.function.block;
        let this = this.filter(|_| mentions(block, &["self"]));
        let (own, block): (_, Block) = match this {
            Some(receiver) => {
                let own = receiver.reference.is_some().then(|| quote_spanned!(at=> let this = &this;));
                (own, renamed(block))
            }
            None => (None, block.clone()),
        };
        let statements = &block.stmts;
        let changed = changed(&cached.function.sig);
        let prepared = quote_spanned!(at=> #own #(#arguments)* #(#changed)*);
        if self.after().is_empty() {
            return quote_spanned!(at=> #prepared #(#statements)*);
        }
        // It may return early, and is to be asked about what it returned.
        let ty = &cached.returned.ty;
        if cached.is_async() {
            quote_spanned!(at=> #prepared let body = async move || -> #ty { #(#statements)* }; body().await)
        } else {
            quote_spanned!(at=> #prepared let body = move || -> #ty { #(#statements)* }; body())
        }
    }

    /// What the load says before it loads.
    fn before(&self) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let krate = &cached.krate;
        let tags = tags(cached).into_iter().map(|tag| {
            let tag = tag.formatted();
            quote_spanned!(at=> #krate::load::tag(#tag);)
        });
        let Place::Given(_) = cached.place else { return quote_spanned!(at=> #(#tags)*) };
        let Policy { ttl, stale, stale_if_error, .. } = &cached.options.policy;
        let terms = [("ttl", ttl), ("stale", stale), ("stale_if_error", stale_if_error)];
        let terms = terms.into_iter().filter_map(|(name, period)| {
            let (name, period) = (quote::format_ident!("{name}"), period.as_ref()?.code());
            Some(quote_spanned!(at=> #krate::load::#name(#period);))
        });
        quote_spanned!(at=> #(#terms)* #(#tags)*)
    }

    /// What the load says of the value that it has.
    fn after(&self) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let krate = &cached.krate;
        let Place::Given(_) = cached.place else { return quote!() };
        let Policy { negative, cache_if, .. } = &cached.options.policy;
        let negative = negative.as_ref().map(|period| {
            let period = period.code();
            quote_spanned! {at=>
                if value.is_none() {
                    #krate::load::ttl(#period);
                    #krate::load::stale(::core::time::Duration::ZERO);
                    #krate::load::stale_if_error(::core::time::Duration::ZERO);
                }
            }
        });
        let veto = cache_if.as_ref().map(|admit| {
            quote_spanned! {at=>
                if !#krate::function::admits(value, #admit) {
                    #krate::load::no_store();
                }
            }
        });
        match (negative.is_none() && veto.is_none(), cached.returned.result.is_some()) {
            (true, _) => quote!(),
            (_, true) => quote_spanned! {at=>
                if let ::core::result::Result::Ok(value) = &returned {
                    #negative
                    #veto
                }
            },
            (_, false) => quote_spanned! {at=>
                let value = &returned;
                #negative
                #veto
            },
        }
    }
}

/// The arguments that the body changes.
fn changed(signature: &Signature) -> Vec<TokenStream> {
    let changed = signature.inputs.iter().filter_map(|input| {
        let FnArg::Typed(typed) = input else { return None };
        let Pat::Ident(pattern) = &*typed.pat else { return None };
        let name = &pattern.ident;
        pattern.mutability.is_some().then(|| quote_spanned!(mixed(name)=> let mut #name = #name;))
    });
    changed.collect()
}

impl Cached {
    /// Whether the key or the cache borrows from this argument, so that the load is given a clone.
    fn is_borrowed_meanwhile(&self, argument: &Argument) -> bool {
        if argument.referred().is_some() || argument.is_plain() {
            return false;
        }
        let of_the_key = match &self.key {
            Key::Closure(_) => self.key.arguments().contains(&&argument.name),
            key => key.borrows() == Some(&argument.name),
        };
        let of_the_cache = match &self.place {
            Place::Given(cache) => mentions(cache, &[&argument.name.to_string()]),
            _ => false,
        };
        of_the_key || of_the_cache
    }

    /// Whether the load owns its arguments, because it may outlive the call.
    pub(super) fn owns(&self) -> bool {
        let Policy { stale, refresh_ahead, soft_timeout, hard_timeout, .. } = &self.options.policy;
        let reloads =
            stale.is_some() || refresh_ahead.is_some() || soft_timeout.is_some() || hard_timeout.is_some();
        let is_own = !matches!(self.place, Place::Given(_));
        self.options.scoped.is_none() && (self.is_async() || (reloads && is_own))
    }
}

/// The tags that the results have.
pub(super) fn tags(cached: &Cached) -> Vec<Template> {
    let names: Vec<_> = cached.arguments.iter().map(|argument| &argument.name).collect();
    // They were read when the function was checked.
    cached.options.tags.iter().filter_map(|tag| Template::read(tag, &names).ok()).collect()
}

/// The error of the function, from `error`, that of a load.
pub(crate) fn error(krate: &syn::Path, name: &str, at: Span) -> TokenStream {
    quote_spanned! {at=> {
        use #krate::function::{ByBoth as _, ByClone as _, ByConversion as _};
        (&&&#krate::function::Failure(error)).error(#name)
    }}
}
