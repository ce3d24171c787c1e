//! The options of `#[cached(..)]`, as they are written.

use crate::list::{Listed, known};
use crate::period::Period;
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Path, Result, Token, bracketed, parenthesized};

const OPTIONS: [&str; 22] = [
    "ttl",
    "stale",
    "stale_if_error",
    "capacity",
    "key",
    "skip",
    "tags",
    "cache",
    "name",
    "cache_if",
    "cache_errors",
    "negative",
    "refresh_ahead",
    "soft_timeout",
    "hard_timeout",
    "retry_after",
    "jitter",
    "batch",
    "blocking",
    "scoped",
    "associated",
    "crate",
];

/// What is said of a cached function.
#[derive(Default)]
pub(crate) struct Options {
    /// What a cache of its own is composed of.
    pub(crate) policy: Policy,
    pub(crate) key: Option<KeyOption>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) cache: Option<Expr>,
    pub(crate) batch: Option<Batch>,
    pub(crate) blocking: Option<Span>,
    pub(crate) scoped: Option<Span>,
    pub(crate) associated: Option<Span>,
    pub(crate) krate: Option<Path>,
}

/// How long what is kept, and what is not.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) ttl: Option<Period>,
    pub(crate) stale: Option<Period>,
    pub(crate) stale_if_error: Option<Period>,
    pub(crate) negative: Option<Period>,
    pub(crate) cache_if: Option<Expr>,
    /// Those that a cache has, and a load cannot say of its value.
    pub(crate) capacity: Option<Expr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) refresh_ahead: Option<Expr>,
    pub(crate) soft_timeout: Option<Period>,
    pub(crate) hard_timeout: Option<Period>,
    pub(crate) retry_after: Option<Period>,
    pub(crate) jitter: Option<Expr>,
    pub(crate) cache_errors: Option<CacheErrors>,
}

pub(crate) enum KeyOption {
    Template(LitStr),
    Closure(ExprClosure),
}

/// `cache_errors = "5s"`, or `cache_errors("5s", |error| ..)`.
pub(crate) struct CacheErrors {
    pub(crate) ttl: Period,
    pub(crate) which: Option<Expr>,
    pub(crate) span: Span,
}

/// `batch = load`, or `batch(load, window = "5ms", max_batch = 100)`.
pub(crate) struct Batch {
    pub(crate) load: Expr,
    pub(crate) window: Option<Period>,
    pub(crate) most: Option<Expr>,
    pub(crate) span: Span,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options::default();
        let mut said = Listed::default();
        while !input.is_empty() {
            let name = option(input)?;
            said.once(&name)?;
            options.read(&name, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        let policy = &mut self.policy;
        match name.to_string().as_str() {
            "ttl" => policy.ttl = Some(value(name, input)?),
            "stale" => policy.stale = Some(value(name, input)?),
            "stale_if_error" => policy.stale_if_error = Some(value(name, input)?),
            "negative" => policy.negative = Some(value(name, input)?),
            "soft_timeout" => policy.soft_timeout = Some(value(name, input)?),
            "hard_timeout" => policy.hard_timeout = Some(value(name, input)?),
            "retry_after" => policy.retry_after = Some(value(name, input)?),
            "capacity" => policy.capacity = Some(value(name, input)?),
            "name" => policy.name = Some(value(name, input)?),
            "refresh_ahead" => policy.refresh_ahead = Some(value(name, input)?),
            "jitter" => policy.jitter = Some(value(name, input)?),
            "cache_if" => policy.cache_if = Some(value(name, input)?),
            "cache_errors" => policy.cache_errors = Some(cache_errors(name, input)?),
            "key" => self.key = Some(value(name, input)?),
            "cache" => self.cache = Some(value(name, input)?),
            "crate" => self.krate = Some(value(name, input)?),
            "batch" => self.batch = Some(batch(name, input)?),
            "skip" => {
                let inside;
                if !input.peek(syn::token::Paren) {
                    return Err(Error::new(name.span(), "`skip` names arguments: `skip(db, request)`"));
                }
                parenthesized!(inside in input);
                self.skip = Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
            }
            "tags" => {
                let inside;
                input.parse::<Token![=]>()?;
                if !input.peek(syn::token::Bracket) {
                    return Err(Error::new(name.span(), "`tags` are a list: `tags = [\"user:{id}\"]`"));
                }
                bracketed!(inside in input);
                self.tags = Punctuated::<LitStr, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
            }
            "blocking" => self.blocking = Some(name.span()),
            "scoped" => self.scoped = Some(name.span()),
            "associated" => self.associated = Some(name.span()),
            other => return Err(Error::new(name.span(), known("option", other, &OPTIONS))),
        }
        Ok(())
    }
}

/// The name of an option.
fn option(input: ParseStream<'_>) -> Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| {
        Error::new(
            error.span(),
            "an option has a name: `ttl = \"60s\"`, `capacity = 10_000`, `key = \"user:{id}\"`",
        )
    })
}

/// What stands behind the `=`.
fn value<T: Parse>(name: &Ident, input: ParseStream<'_>) -> Result<T> {
    if !input.peek(Token![=]) {
        return Err(Error::new(name.span(), format!("`{name}` takes a value: `{name} = ..`")));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

impl Parse for KeyOption {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            return input.parse().map(KeyOption::Template);
        }
        let other: Expr = input.parse()?;
        match other {
            Expr::Closure(closure) => Ok(KeyOption::Closure(closure)),
            other => Err(Error::new(
                other.span(),
                "a key is a template, `key = \"user:{id}\"`, or a closure of arguments, `key = |id| ..`",
            )),
        }
    }
}

fn cache_errors(name: &Ident, input: ParseStream<'_>) -> Result<CacheErrors> {
    let span = name.span();
    if !input.peek(syn::token::Paren) {
        return Ok(CacheErrors { ttl: value(name, input)?, which: None, span });
    }
    let inside;
    parenthesized!(inside in input);
    let ttl = inside.parse()?;
    inside.parse::<Token![,]>()?;
    let which = Some(inside.parse()?);
    inside.parse::<Option<Token![,]>>()?;
    Ok(CacheErrors { ttl, which, span })
}

fn batch(name: &Ident, input: ParseStream<'_>) -> Result<Batch> {
    let span = name.span();
    if !input.peek(syn::token::Paren) {
        return Ok(Batch { load: value(name, input)?, window: None, most: None, span });
    }
    let inside;
    parenthesized!(inside in input);
    let mut batch = Batch { load: inside.parse()?, window: None, most: None, span };
    let mut said = Listed::default();
    while inside.parse::<Option<Token![,]>>()?.is_some() && !inside.is_empty() {
        let name: Ident = inside.parse()?;
        said.once(&name)?;
        match name.to_string().as_str() {
            "window" => batch.window = Some(value(&name, &inside)?),
            "max_batch" => batch.most = Some(value(&name, &inside)?),
            other => {
                return Err(Error::new(
                    name.span(),
                    known("setting of `batch`", other, &["window", "max_batch"]),
                ));
            }
        }
    }
    Ok(batch)
}
