//! What a function and its options cannot be together, and what to do instead.

use super::Cached;
use super::key::Key;
use super::options::{Options, Policy};
use super::place::Place;
use crate::period::Period;
use crate::signature::{Argument, Returned, borrowed, mentions, parameter};
use crate::template::Template;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, GenericParam, Lit, Result, Signature};

fn refuse(at: Span, why: &str) -> Result<()> {
    Err(Error::new(at, why))
}

/// What does not depend on arguments and results.
pub(super) fn function(signature: &Signature, is_method: bool, options: &Options) -> Result<()> {
    if let Some(constness) = &signature.constness {
        return refuse(constness.span(), "a `const fn` cannot look into a cache: take `const` away");
    }
    if let Some(unsafety) = &signature.unsafety {
        return refuse(
            unsafety.span(),
            "callers of a cached function do not know whether it runs, so it is not `unsafe`",
        );
    }
    if let Some(abi) = &signature.abi {
        return refuse(
            abi.span(),
            "a cached function is one of Rust: call the foreign one from inside of it",
        );
    }
    let is_own = options.cache.is_none();
    if is_own
        && is_method
        && let Some(receiver) = signature.receiver()
    {
        let why = "one cache for the whole process would mix the results of all instances: give this type a cache, \
                   `users: Cache<u64, User>`, and say `cache = self.users`";
        return refuse(receiver.span(), why);
    }
    if is_own && let Some(parameter) = parameter(&signature.generics) {
        let why =
            "one cache for the whole process cannot have a generic type: say which one it is, `cache = EXPR`";
        return refuse(parameter.span(), why);
    }
    if let (Some(associated), Some(_)) = (options.associated, signature.receiver()) {
        return refuse(associated, "`associated` is for functions without `self`: leave it out");
    }
    Ok(())
}

/// What goes together.
pub(super) fn options(options: &Options, signature: &Signature, returned: &Returned) -> Result<()> {
    let policy = &options.policy;
    let is_async = signature.asyncness.is_some();
    if let Some(scoped) = options.scoped {
        for (name, period) in background(policy) {
            if let Some(period) = period {
                let why = format!(
                    "a `scoped` load ends with its caller, so nothing can go on in the background: leave `{name}` out, or `scoped`"
                );
                return refuse(period, &why);
            }
        }
        if options.blocking.is_some() || options.batch.is_some() {
            return refuse(scoped, "a `scoped` load runs inside of its caller: leave `scoped` out");
        }
    }
    if let Some(blocking) = options.blocking {
        if !is_async {
            let why = "`blocking` moves the body of an `async fn` to a thread that may block; a function that is not async runs on the \
                       thread of its caller: leave `blocking` out";
            return refuse(blocking, why);
        }
        if signature.receiver().is_some() {
            let why = "`blocking` is for functions without `self`: call one from this method";
            return refuse(blocking, why);
        }
    }
    if let Some(period) = policy.negative.as_ref().filter(|_| !returned.is_option()) {
        let why = "`negative` says how long a `None` is kept, and this returns no `Option`: return one, or leave `negative` out";
        return refuse(period.span(), why);
    }
    if let Some(errors) = policy.cache_errors.as_ref().filter(|_| returned.result.is_none()) {
        return refuse(
            errors.span,
            "`cache_errors` says how long errors are kept, and this returns no `Result`: return one, or leave `cache_errors` out",
        );
    }
    if let Some(capacity) = policy.capacity.as_ref().filter(|capacity| number(capacity) == Some(0.0)) {
        return refuse(
            capacity.span(),
            "a cache without room keeps nothing: `capacity = 10_000`, or no attribute",
        );
    }
    for (name, fraction) in [("refresh_ahead", &policy.refresh_ahead), ("jitter", &policy.jitter)] {
        if let Some(fraction) = fraction
            && number(fraction).is_some_and(|number| number <= 0.0 || number >= 1.0)
        {
            let why = format!("`{name}` is a part of the ttl, between 0 and 1, such as `{name} = 0.8`");
            return refuse(fraction.span(), &why);
        }
    }
    if let (None, Some(reloads)) = (&policy.ttl, &policy.stale)
        && options.cache.is_none()
    {
        return refuse(reloads.span(), "without a ttl nothing is ever stale: `ttl = \"60s\"` as well");
    }
    if options.cache.is_some() {
        for (name, at) in of_the_cache(policy) {
            if let Some(at) = at {
                let said = if name == "capacity" {
                    "Memory::new(..)"
                } else {
                    &format!("Cache::new(..).{name}(..)")
                };
                let why = format!("`{name}` is said of the cache itself, where that is made: `{said}`");
                return refuse(at, &why);
            }
        }
    }
    Ok(())
}

/// What a batch cannot have.
pub(super) fn batch(cached: &Cached) -> Result<()> {
    let Some(batch) = &cached.options.batch else {
        if cached.has_body {
            return Ok(());
        }
        return refuse(
            cached.name().span(),
            "a cached function has a body; only one with `batch = ..` may end with `;`",
        );
    };
    if cached.has_body {
        let why = "the values come from the batch, so a body would never run: end the function with `;` in place of it";
        return refuse(cached.function.block.span(), why);
    }
    if let Some(tag) = cached.options.tags.first() {
        let why = "the results of a batch come from one call, which knows no arguments: have the batch say `larder::load::tag(..)`, for all \
                   of its keys; or compose a cache with `.tags(|key, value| ..)` and `.batch_loader(..)`";
        return refuse(tag.span(), why);
    }
    if !cached.is_async() {
        return refuse(batch.span, "`batch` gathers calls that wait at the same time: make it an `async fn`");
    }
    if !matches!(cached.place, Place::Own) {
        let why = "a batch belongs to the cache: say `.batch_loader(..)` where that is made, and call its `get`; or leave `cache`, \
                   `associated` or the closure out";
        return refuse(batch.span, why);
    }
    if !cached.returned.is_option() {
        let why = "a batch may leave a key out, so the function returns an `Option`: `Option<User>` or `Result<Option<User>, E>`";
        return refuse(cached.returned.ty.span(), why);
    }
    let key = cached.key.arguments();
    if let Some(argument) = cached.arguments.iter().find(|argument| !key.contains(&&argument.name)) {
        let why = format!(
            "a batch is given keys and nothing else, so `{}` would not reach it: make it a part of the key, or compose a cache with \
             `.batch_loader(..)` that has it",
            argument.name
        );
        return refuse(argument.name.span(), &why);
    }
    if let Key::Text(template, _) = &cached.key {
        return refuse(template.span, "a batch is given keys as they are: make the key of whole arguments");
    }
    Ok(())
}

/// What the key must tell, or results of one instance of a generic function would be served to another.
pub(super) fn generics(cached: &Cached) -> Result<()> {
    let key = cached.key.arguments();
    let of_the_key = |argument: &&Argument| key.contains(&&argument.name);
    for parameter in &cached.function.sig.generics.params {
        let name = match parameter {
            GenericParam::Lifetime(_) => continue,
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
        };
        let is_told = |argument: &Argument| mentions(&argument.ty, &[&name.to_string()]);
        if !cached.arguments.iter().filter(of_the_key).any(is_told) {
            let why = format!(
                "the key does not tell one `{name}` from another, so their results would be mixed: make an argument of a type with `{name}` \
                 in it a part of the key, or give each its own function"
            );
            return refuse(name.span(), &why);
        }
    }
    Ok(())
}

/// What a load cannot take along.
pub(super) fn arguments(cached: &Cached) -> Result<()> {
    if !cached.owns() || cached.options.batch.is_some() {
        return Ok(());
    }
    if cached.is_method()
        && let Some(at) = shows_self(cached.function.block.to_token_stream())
    {
        let why = "the load owns what `self` stands for, under another name: write `format!(\"{}\", self)` in place of `{self}`; or say \
                   `scoped`";
        return refuse(at, why);
    }
    for argument in &cached.arguments {
        if let Some(at) = borrowed(argument.referred().unwrap_or(&argument.ty)) {
            let why = "the load goes on when its caller has left, so it owns its arguments, and this one borrows: take what is owned, \
                       such as `Option<String>`; or say `scoped`: then the load borrows, and ends with its caller";
            return refuse(at, why);
        }
    }
    Ok(())
}

/// Where a text shows `self` by itself.
fn shows_self(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => shows_self(group.stream()),
        TokenTree::Literal(text) => {
            let shown = text.to_string();
            (shown.contains("{self}") || shown.contains("{self:")).then(|| text.span())
        }
        _ => None,
    })
}

/// Where it cannot be.
pub(super) fn place(cached: &Cached) -> Result<()> {
    for tag in &cached.options.tags {
        let names: Vec<_> = cached.arguments.iter().map(|argument| &argument.name).collect();
        Template::read(tag, &names)?;
    }
    match &cached.place {
        Place::Associated => {
            let value = cached.returned.value();
            let names_self = mentions(value, &["Self"])
                || cached.key.plain_parts().into_iter().any(|argument| mentions(&argument.ty, &["Self"]));
            if names_self {
                let why = "what is kept for the whole process cannot be called `Self`: write the type's name";
                return refuse(value.span(), why);
            }
            if cached.key.ty(&cached.krate).is_none() {
                let why = "say what the key is: `key = |id| -> u64 { .. }`";
                return refuse(cached.name().span(), why);
            }
            Ok(())
        }
        Place::Given(_) if cached.is_method() || cached.is_associated() => Ok(()),
        Place::Slot
            if cached
                .arguments
                .iter()
                .any(|argument| argument.is_impl() && cached.key.arguments().contains(&&argument.name)) =>
        {
            let why = "an `impl` argument has many types, and this cache has one type of keys: say which, `key = |id| -> String { .. }`";
            refuse(cached.name().span(), why)
        }
        Place::Own | Place::Slot | Place::Given(_) => {
            if mentions(&cached.function.sig, &["Self"]) || mentions(&cached.function.block, &["Self"]) {
                let why = "in an `impl`, say `associated`: companions are then `NAME_uncached(..)` and, unless the cache is given, \
                           `NAME_cache()`";
                return refuse(cached.name().span(), why);
            }
            Ok(())
        }
    }
}

/// The options by which something goes on when its caller has gone.
fn background(policy: &Policy) -> [(&'static str, Option<Span>); 4] {
    [
        ("stale", policy.stale.as_ref().map(Period::span)),
        ("refresh_ahead", policy.refresh_ahead.as_ref().map(Spanned::span)),
        ("soft_timeout", policy.soft_timeout.as_ref().map(Period::span)),
        ("hard_timeout", policy.hard_timeout.as_ref().map(Period::span)),
    ]
}

/// The options that a load cannot say of its value.
fn of_the_cache(policy: &Policy) -> [(&'static str, Option<Span>); 8] {
    [
        ("capacity", policy.capacity.as_ref().map(Spanned::span)),
        ("name", policy.name.as_ref().map(Spanned::span)),
        ("refresh_ahead", policy.refresh_ahead.as_ref().map(Spanned::span)),
        ("soft_timeout", policy.soft_timeout.as_ref().map(Period::span)),
        ("hard_timeout", policy.hard_timeout.as_ref().map(Period::span)),
        ("retry_after", policy.retry_after.as_ref().map(Period::span)),
        ("jitter", policy.jitter.as_ref().map(Spanned::span)),
        ("cache_errors", policy.cache_errors.as_ref().map(|errors| errors.span)),
    ]
}

/// The number that an expression is, if it is one.
fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}
