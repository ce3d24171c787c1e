//! `#[scheduled(every = "5m")]`: a function without arguments that runs again and again, in the background.

use crate::cached::error;
use crate::list::{Listed, known};
use crate::period::Period;
use crate::signature::{Returned, parameter};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, ItemFn, Path, Result, ReturnType, Signature, Token, Type, parse_quote};

const OPTIONS: [&str; 8] =
    ["every", "start", "jitter", "ttl", "retry_after", "stop_when_unread", "on_error", "crate"];

#[derive(Default)]
struct Options {
    every: Option<Period>,
    /// The settings of `RefreshOptions`, by name.
    settings: Vec<(Ident, TokenStream)>,
    krate: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options::default();
        let mut said = Listed::default();
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            said.once(&name)?;
            if !OPTIONS.iter().any(|option| name == option) {
                return Err(Error::new(name.span(), known("option", &name.to_string(), &OPTIONS)));
            }
            if !input.peek(Token![=]) {
                return Err(Error::new(name.span(), format!("`{name}` takes a value: `{name} = ..`")));
            }
            input.parse::<Token![=]>()?;
            match name.to_string().as_str() {
                "every" => options.every = Some(input.parse()?),
                "crate" => options.krate = Some(input.parse()?),
                "ttl" | "retry_after" | "stop_when_unread" => {
                    let period = input.parse::<Period>()?.code();
                    options.settings.push((name, period));
                }
                _ => options.settings.push((name, input.parse::<Expr>()?.into_token_stream())),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

/// What stands in place of a function with the attribute.
pub(crate) fn expand(options: TokenStream, item: &TokenStream) -> Result<TokenStream> {
    let function: ItemFn = syn::parse2(item.clone()).map_err(|error| {
        let why = format!("`#[scheduled]` goes above a free function: {error}");
        Error::new(error.span(), why)
    })?;
    let options: Options = syn::parse2(options)?;
    let signature = &function.sig;
    let every = options
        .every
        .ok_or_else(|| Error::new(Span::call_site(), "how often does it run? `every = \"5m\"`"))?;
    if let Some(receiver) = signature.receiver() {
        let why = "a schedule is one for the whole process, and has no instance to be called on: make it a free function, or call \
                   `Cache::refresh_every` with a closure that has one";
        return Err(Error::new_spanned(receiver, why));
    }
    if let Some(input) = signature.inputs.first() {
        let why = "nobody is there to give a schedule its arguments: take none, and get what is needed inside, or call \
                   `Cache::refresh_every` with a closure that has it";
        return Err(Error::new_spanned(input, why));
    }
    if let Some(parameter) = parameter(&signature.generics) {
        return Err(Error::new(
            parameter.span(),
            "a schedule is one for the whole process, so it has no type parameters",
        ));
    }
    let returns_nothing = match &signature.output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    };
    if returns_nothing {
        let why = "it returns nothing, so there is nothing to read between two runs: return a value, or run it in a task of your own";
        return Err(Error::new(signature.ident.span(), why));
    }
    let krate: Path = options.krate.unwrap_or_else(|| parse_quote!(::larder));
    let returned = Returned::of(signature, &krate)?;
    Ok(code(&function, &krate, &returned, &every, &options.settings))
}

fn code(
    function: &ItemFn,
    krate: &Path,
    returned: &Returned,
    every: &Period,
    settings: &[(Ident, TokenStream)],
) -> TokenStream {
    let at = Span::mixed_site();
    let ItemFn { attrs, vis, sig, block } = function;
    // In braces of the expansion, so that lints do not take the companion for the user's own.
    let statements = &block.stmts;
    let (name, value) = (&sig.ident, returned.value());
    let is_async = sig.asyncness.is_some();
    let never: syn::Type = parse_quote!(::core::convert::Infallible);
    let failure = returned.result.as_ref().map_or(&never, |(_, error)| error);
    let every_code = every.code();
    let settings = settings.iter().map(|(name, value)| quote_spanned!(at=> .#name(#value)));
    let run = run(is_async, krate, returned);
    let hit = if returned.result.is_some() {
        quote_spanned!(at=> ::core::result::Result::Ok(value))
    } else {
        quote_spanned!(at=> value)
    };
    let asked = asked(sig, krate, returned);
    let doc = format!("What goes with the scheduled function [`{name}()`].");
    let mut uncached = sig.clone();
    uncached.ident = format_ident!("uncached", span = name.span());
    let place = format!("::{name}");
    quote_spanned! {at=>
        #(#attrs)*
        #vis #sig {
            if let ::core::option::Option::Some(value) = #name::get() {
                return #hit;
            }
            #name::schedule().start_lazily(#name::begin);
            #asked
        }

        #[doc = #doc]
        #[allow(non_camel_case_types, reason = "it has the name of the function")]
        #[derive(Debug)]
        #vis enum #name {}

        #[allow(dead_code, reason = "companions that nobody may need")]
        impl #name {
            fn schedule() -> &'static #krate::function::Schedule<#value, #failure> {
                static SCHEDULE: #krate::function::Schedule<#value, #failure> = #krate::function::Schedule::new();
                &SCHEDULE
            }

            /// Returns the cache that has the last result.
            #vis fn cache() -> &'static #krate::Cache<(), #value, #krate::Memory<(), #value>, #krate::Native> {
                static CACHE: ::std::sync::LazyLock<#krate::Cache<(), #value, #krate::Memory<(), #value>, #krate::Native>> =
                    ::std::sync::LazyLock::new(|| {
                        let every: ::core::time::Duration = #every_code;
                        #krate::Caches::of_the_process().function(
                            ::core::concat!(::core::module_path!(), #place),
                            #krate::CacheSettings::new().capacity(1).ttl(every.saturating_mul(2)),
                        )
                    });
                &CACHE
            }

            fn begin() -> #krate::Refreshed<#value, #failure> {
                Self::cache().refresh_every_with(#every_code, &(), |options| options #(#settings)*, #run)
            }

            /// Starts the schedule, unless it is running.
            ///
            /// # Panics
            ///
            /// Outside of a tokio runtime.
            #vis fn start() {
                Self::schedule().start(Self::begin);
            }

            /// Starts the schedule, unless it is running, and has `scheduler` own it.
            ///
            /// # Panics
            ///
            /// Outside of a tokio runtime.
            #vis fn start_in(scheduler: &#krate::Scheduler) {
                Self::schedule().start_in(scheduler, Self::begin);
            }

            /// Returns the last good result, without waiting; `None` before the first, and while the schedule is not running.
            #vis fn get() -> ::core::option::Option<#value> {
                Self::schedule().get()
            }

            /// Returns how long ago the run began that the result is of.
            #vis fn age() -> ::core::option::Option<::core::time::Duration> {
                Self::schedule().age()
            }

            /// Whether the schedule is running.
            #vis fn is_running() -> bool {
                Self::schedule().is_running()
            }

            /// Ends the schedule, and waits until it has ended. Calls of the function do not start it again.
            ///
            /// # Cancel safety
            ///
            /// It ends all the same.
            #vis async fn shutdown() {
                Self::schedule().shutdown().await;
            }

            /// Runs the function now, for this caller alone.
            ///
            /// # Errors
            ///
            /// Those of the function.
            #vis #uncached {
                #(#statements)*
            }
        }
    }
}

/// The closure that runs the function, and cannot fail where that cannot.
fn run(is_async: bool, krate: &Path, returned: &Returned) -> TokenStream {
    let at = Span::mixed_site();
    match (is_async, returned.result.is_some()) {
        (true, true) => quote_spanned!(at=> async || Self::uncached().await),
        (true, false) => quote_spanned!(at=> async || ::core::result::Result::Ok(Self::uncached().await)),
        (false, true) => {
            quote_spanned!(at=> async || #krate::function::off_the_runtime(Self::uncached).await)
        }
        (false, false) => {
            quote_spanned!(at=> async || ::core::result::Result::Ok(#krate::function::off_the_runtime(Self::uncached).await))
        }
    }
}

/// What a call comes to for which the schedule has nothing yet.
fn asked(signature: &Signature, krate: &Path, returned: &Returned) -> TokenStream {
    let at = Span::mixed_site();
    let (name, ty) = (&signature.ident, &returned.ty);
    let is_async = signature.asyncness.is_some();
    let method =
        format_ident!("{}", if returned.result.is_some() { "get_or_load" } else { "get_or_insert_with" });
    let asked = if is_async {
        quote_spanned!(at=> #name::cache().#method(&(), async || -> #ty { #name::uncached().await }).await)
    } else {
        quote_spanned!(at=> #name::cache().blocking().#method(&(), #name::uncached))
    };
    if returned.result.is_none() {
        return asked;
    }
    let error = error(krate, &name.to_string(), at);
    quote_spanned! {at=>
        match #asked {
            ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
            ::core::result::Result::Err(error) => ::core::result::Result::Err(#error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::shown;
    use quote::quote;

    #[test]
    fn a_schedule_is_a_static_and_begins_when_it_is_asked() {
        let item = quote!(
            pub async fn rates() -> Result<Rates, BankError> {
                bank().rates().await
            }
        );
        shown("scheduled", expand(quote!(every = "5m", jitter = 0.1), &item));
    }
}
