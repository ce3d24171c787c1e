//! What goes with a cached function: `user::remove(..)` and the like.

use super::key::Key;
use super::load::{Load, tags};
use super::options::Policy;
use super::place::{self, Place};
use super::{Cached, is_for_all, is_for_the_body};
use crate::signature::{Argument, hidden, mentions, parameter};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{GenericParam, Visibility};

/// The items beside the function.
pub(super) fn of(cached: &Cached) -> TokenStream {
    if cached.is_method() {
        return quote!();
    }
    let at = Span::mixed_site();
    let name = cached.name();
    let Companions { attributes, vis, .. } = &Companions::new(cached);
    let cache = place::items(cached);
    if cached.is_associated() {
        let uncached = uncached(cached, &format_ident!("{name}_uncached"));
        return quote_spanned!(at=> #(#attributes)* #cache #(#attributes)* #uncached);
    }
    let companions = Companions::new(cached);
    let uncached = uncached(cached, &Ident::new("uncached", name.span()));
    let refresh = companions.refresh();
    // What is not made of all arguments could not tell their type parameters.
    let others = parameter(&cached.function.sig.generics).is_none().then(|| companions.others());
    let doc = format!("What goes with the cached function [`{name}()`].");
    let hidden = hidden(&cached.arguments);
    quote_spanned! {at=>
        #(#attributes)*
        #[doc = #doc]
        #[allow(non_camel_case_types, reason = "it has the name of the function")]
        #[derive(Debug)]
        #vis enum #name {}

        #(#attributes)*
        #hidden
        #[allow(dead_code, reason = "companions that nobody may need")]
        impl #name {
            #cache
            #uncached
            #refresh
            #others
        }
    }
}

struct Companions<'a> {
    cached: &'a Cached,
    attributes: Vec<TokenStream>,
    vis: &'a Visibility,
}

impl<'a> Companions<'a> {
    fn new(cached: &'a Cached) -> Self {
        let attributes = cached.function.attrs.iter().filter(|attribute| is_for_all(attribute));
        let attributes = attributes.map(ToTokens::to_token_stream).collect();
        Companions { cached, attributes, vis: &cached.function.vis }
    }

    /// `refresh(all arguments)`
    fn refresh(&self) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        if cached.options.batch.is_some() {
            return super::batch::refresh(cached);
        }
        let (vis, asyncness, ty) = (self.vis, self.asyncness(), &cached.returned.ty);
        let signature = &cached.function.sig;
        let (generics, bounds) = (&signature.generics.params, &signature.generics.where_clause);
        let inputs = cached.arguments.iter().map(Argument::input);
        let found = self.found();
        let load = Load::of_refresh(cached).code();
        quote_spanned! {at=>
            /// Runs the function, and keeps what it returns in place of what was there.
            ///
            /// # Errors
            ///
            /// Those of the function. What was there stays there then.
            #vis #asyncness fn refresh<#generics>(#(#inputs),*) -> #ty #bounds {
                #found
                #load
            }
        }
    }

    /// The companions that are given some of the arguments.
    fn others(&self) -> TokenStream {
        let at = Span::mixed_site();
        let cached = self.cached;
        let krate = &cached.krate;
        let (vis, asyncness, wait) = (self.vis, self.asyncness(), self.wait());
        let blocking = self.blocking();
        let lifetimes = self.lifetimes();
        let found = self.found();
        let key = self.key();

        let removed = self.inputs(&[]);
        let inserted = self.inputs(
            &tags(cached)
                .iter()
                .flat_map(|tag| tag.places())
                .map(|place| &place.argument)
                .collect::<Vec<_>>(),
        );
        let value = cached.returned.value();
        let tagged = tags(cached).into_iter().map(|tag| {
            let tag = tag.formatted();
            quote_spanned!(at=> .tag(#tag))
        });
        let (veto, life) = match &cached.place {
            Place::Given(_) => (self.veto(), self.life()),
            _ => (None, Vec::new()),
        };
        let (absent, shorter) = self.absent().unzip();
        let insert = if cached.options.tags.is_empty() && life.is_empty() && absent.is_none() {
            quote_spanned!(at=> insert(#key, value))
        } else {
            quote_spanned!(at=> insert_with(#key, value, |entry| { let entry = entry #(#tagged)* #(#life)*; #shorter entry }))
        };
        let cache = cached.place.statement(cached);
        let own = matches!(cached.place, Place::Own).then(|| {
            quote_spanned! {at=>
                /// Removes all results of this function.
                ///
                /// # Errors
                ///
                /// None: its cache is in memory.
                #vis #asyncness fn clear() -> #krate::Result<()> {
                    #cache
                    cache #blocking.clear()#wait
                }

                /// Returns what its cache has counted.
                #vis fn stats() -> #krate::Stats {
                    #cache
                    cache.stats()
                }
            }
        });
        quote_spanned! {at=>
            /// Removes the result of a call with these arguments. What is being loaded for it meanwhile is not kept.
            ///
            /// # Errors
            ///
            /// As `remove` of the cache; one in memory has none.
            #vis #asyncness fn remove<#lifetimes>(#(#removed),*) -> #krate::Result<()> {
                #found
                cache #blocking.remove(#key)#wait
            }

            /// Keeps `value` as the result of a call with these arguments.
            ///
            /// # Errors
            ///
            /// As `insert` of the cache; one in memory has none.
            #vis #asyncness fn insert<#lifetimes>(#(#inserted,)* value: #value) -> #krate::Result<()> {
                #found
                #veto
                #absent
                cache #blocking.#insert #wait
            }

            #own
        }
    }

    /// Where the cache is given, what is not to be kept is removed.
    fn veto(&self) -> Option<TokenStream> {
        let at = Span::mixed_site();
        let cached = self.cached;
        let (krate, key) = (&cached.krate, self.key());
        let (blocking, wait) = (self.blocking(), self.wait());
        let admit = cached.options.policy.cache_if.as_ref()?;
        Some(quote_spanned! {at=>
            if !#krate::function::admits(&value, #admit) {
                return cache #blocking.remove(#key)#wait;
            }
        })
    }

    /// Where the cache is given, how long a value lives there.
    fn life(&self) -> Vec<TokenStream> {
        let at = Span::mixed_site();
        let Policy { ttl, stale, stale_if_error, .. } = &self.cached.options.policy;
        let said = [("ttl", ttl), ("stale", stale), ("stale_if_error", stale_if_error)];
        let said = said.into_iter().filter_map(|(name, period)| {
            let (name, period) = (format_ident!("{name}"), period.as_ref()?.code());
            Some(quote_spanned!(at=> .#name(#period)))
        });
        said.collect()
    }

    /// Where the cache is given, that absence has a life of its own: what is asked of the value, and what is said of the entry.
    fn absent(&self) -> Option<(TokenStream, TokenStream)> {
        let at = Span::mixed_site();
        let Place::Given(_) = self.cached.place else { return None };
        let period = self.cached.options.policy.negative.as_ref()?.code();
        let zero = quote_spanned!(at=> ::core::time::Duration::ZERO);
        let shorter = quote_spanned! {at=>
            let entry = if is_absent { entry.ttl(#period).stale(#zero).stale_if_error(#zero) } else { entry };
        };
        Some((quote_spanned!(at=> let is_absent = value.is_none();), shorter))
    }

    /// `let cache = ..; let key = ..;`
    fn found(&self) -> TokenStream {
        let cached = self.cached;
        let key = cached.key.statement(&cached.krate);
        let cache = cached.place.statement(cached);
        quote!(#key #cache)
    }

    /// The key that the cache is given.
    fn key(&self) -> TokenStream {
        let at = Span::mixed_site();
        match (&self.cached.place, &self.cached.key) {
            (Place::Given(_), Key::Closure(_)) => quote_spanned!(at=> ::core::borrow::Borrow::borrow(key)),
            _ => quote_spanned!(at=> key),
        }
    }

    /// The arguments that tell the key and the cache, and these.
    fn inputs(&self, more: &[&Ident]) -> Vec<TokenStream> {
        let used = used(self.cached);
        let is_used = |argument: &&Argument| used.contains(&&argument.name) || more.contains(&&argument.name);
        self.cached.arguments.iter().filter(is_used).map(Argument::input).collect()
    }

    fn lifetimes(&self) -> TokenStream {
        let lifetimes = self.cached.function.sig.generics.params.iter();
        let lifetimes = lifetimes.filter(|parameter| matches!(parameter, GenericParam::Lifetime(_)));
        quote!(#(#lifetimes),*)
    }

    fn asyncness(&self) -> Option<TokenStream> {
        self.cached.is_async().then(|| quote!(async))
    }

    fn wait(&self) -> Option<TokenStream> {
        self.cached.is_async().then(|| quote_spanned!(Span::mixed_site()=> .await))
    }

    fn blocking(&self) -> Option<TokenStream> {
        (!self.cached.is_async()).then(|| quote_spanned!(Span::mixed_site()=> .blocking()))
    }
}

/// The arguments that tell the key and the cache.
fn used(cached: &Cached) -> Vec<&Ident> {
    let key = cached.key.arguments();
    let is_used = |name: &&Ident| {
        let of_the_cache = match &cached.place {
            Place::Given(cache) => mentions(cache, &[&name.to_string()]),
            _ => false,
        };
        key.contains(name) || of_the_cache
    };
    cached.arguments.iter().map(|argument| &argument.name).filter(is_used).collect()
}

/// The function with the body, under the name `name`.
fn uncached(cached: &Cached, name: &Ident) -> TokenStream {
    let at = Span::mixed_site();
    let krate = &cached.krate;
    let vis = &cached.function.vis;
    let attributes = cached.function.attrs.iter().filter(|attribute| is_for_the_body(attribute));
    let mut signature = cached.function.sig.clone();
    signature.ident = name.clone();
    let block = &cached.function.block;
    let doc = "Runs the function, whatever there is, and keeps nothing.";
    let body = if cached.options.blocking.is_some() {
        let mut inside = cached.function.sig.clone();
        inside.ident = Ident::new("__larder_body", Span::mixed_site());
        inside.asyncness = None;
        let taken = cached.arguments.iter().filter_map(|argument| {
            let (name, taken) = (&argument.name, argument.taken(krate)?);
            Some(quote_spanned!(at=> let #name = #taken;))
        });
        let given = cached.arguments.iter().map(|argument| {
            let name = &argument.name;
            match argument.referred() {
                Some(_) => quote_spanned!(at=> ::core::borrow::Borrow::borrow(&#name)),
                None => quote_spanned!(at=> #name),
            }
        });
        quote_spanned! {at=> {
            #inside #block
            #(#taken)*
            #krate::function::off_the_runtime(move || __larder_body(#(#given),*)).await
        }}
    } else if cached.options.batch.is_some() {
        return super::batch::uncached(cached);
    } else {
        let statements = &block.stmts;
        // What only the options use is used.
        let used = used(cached).into_iter().filter(|name| !mentions(block, &[&name.to_string()]));
        quote_spanned!(at=> { #(let _ = &#used;)* #(#statements)* })
    };
    quote_spanned! {at=>
        #(#attributes)*
        #[doc = #doc]
        #[allow(dead_code, reason = "the body of the function, and a companion")]
        #vis #signature #body
    }
}
