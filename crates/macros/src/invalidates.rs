//! `#[invalidates(..)]`: a function that changes something, after which results are no longer true.
//!
//! What is to be invalidated is worked out before the body runs, which may use its arguments up; but for what names `result`,
//! the value that the function returns. It is done after success only, and to the end even if the caller has gone by then.

use crate::list::{Listed, known};
use crate::signature::{Argument, arguments, hidden, is_free, mentions, mixed, without_lifetimes};
use crate::template::Template;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Error, Expr, ExprCall, ExprMethodCall, ExprPath, ExprReference, ImplItemFn, LitStr, Path, Result,
    ReturnType, Signature, Token, Type, bracketed, parse_quote,
};

const RESULT: &str = "result";

/// What is said of the function.
#[derive(Default)]
struct Options {
    calls: Vec<Expr>,
    tags: Vec<LitStr>,
    /// The cache whose group the tags are of.
    cache: Option<Expr>,
    krate: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options::default();
        let mut said = Listed::default();
        while !input.is_empty() {
            let is_option = input.peek2(Token![=]) && !input.peek2(Token![==]);
            if is_option {
                let name = input.call(Ident::parse_any)?;
                said.once(&name)?;
                input.parse::<Token![=]>()?;
                match name.to_string().as_str() {
                    "tags" => {
                        let inside;
                        if !input.peek(syn::token::Bracket) {
                            let why = "`tags` are a list: `tags = [\"user:{id}\"]`";
                            return Err(Error::new(name.span(), why));
                        }
                        bracketed!(inside in input);
                        let tags = Punctuated::<LitStr, Token![,]>::parse_terminated(&inside)?;
                        options.tags = tags.into_iter().collect();
                    }
                    "cache" => options.cache = Some(input.parse()?),
                    "crate" => options.krate = Some(input.parse()?),
                    other => {
                        return Err(Error::new(
                            name.span(),
                            known("option", other, &["tags", "cache", "crate"]),
                        ));
                    }
                }
            } else {
                options.calls.push(input.parse()?);
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
    let function: ImplItemFn = syn::parse2(item.clone()).map_err(|error| {
        let why = format!("`#[invalidates]` goes above a function, free or in an `impl`: {error}");
        Error::new(error.span(), why)
    })?;
    let options: Options = syn::parse2(options)?;
    if options.calls.is_empty() && options.tags.is_empty() {
        let why = "nothing is invalidated: say the call whose result is no longer true, `#[invalidates(user(id))]`, or \
                   `tags = [\"user:{id}\"]`";
        return Err(Error::new(Span::call_site(), why));
    }
    let krate = options.krate.clone().unwrap_or_else(|| parse_quote!(::larder));
    let known = changing(&function)?;
    let mut steps = Steps {
        krate: &krate,
        arguments: &known,
        before: Vec::new(),
        after: Vec::new(),
        work: Vec::new(),
        many: 0,
    };
    for call in &options.calls {
        steps.call(call)?;
    }
    steps.tags(&options)?;
    Ok(steps.around(&function))
}

/// The arguments with a name. Those that are changed, or taken apart, cannot be named in an invalidation, and need not be.
fn changing(function: &ImplItemFn) -> Result<Vec<Argument>> {
    let mut named = function.sig.clone();
    named.inputs = named
        .inputs
        .into_iter()
        .filter(|input| match input {
            syn::FnArg::Typed(typed) => {
                matches!(*typed.pat, syn::Pat::Ident(_))
                    && !matches!(&*typed.ty, Type::Reference(reference) if reference.mutability.is_some())
            }
            syn::FnArg::Receiver(_) => true,
        })
        .collect();
    arguments(&named, "this function")
}

/// What is done, and when.
struct Steps<'a> {
    krate: &'a Path,
    arguments: &'a [Argument],
    /// Statements before the body.
    before: Vec<TokenStream>,
    /// Statements after it, which have its `result`.
    after: Vec<TokenStream>,
    /// The invalidations: expressions that are a `Result`, or a future of one.
    work: Vec<TokenStream>,
    many: usize,
}

impl Steps<'_> {
    fn call(&mut self, call: &Expr) -> Result<()> {
        match call {
            Expr::Call(ExprCall { func, args, .. }) if matches!(**func, Expr::Path(_)) => {
                let Expr::Path(ExprPath { path, .. }) = &**func else { return Ok(()) };
                if path.segments.first().is_some_and(|first| first.ident == "Self") {
                    let last = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                    let why = format!(
                        "a function of a type has its cache beside it: say `Self::{last}_cache().remove(&id)`"
                    );
                    return Err(Error::new(path.span(), why));
                }
                let given: Vec<_> = args.iter().map(|argument| self.kept(argument)).collect();
                self.work.push(quote_spanned!(mixed(call)=> #path::remove(#(#given),*)));
                Ok(())
            }
            Expr::MethodCall(ExprMethodCall { receiver, method, turbofish, args, .. }) => {
                let on = self.on(receiver);
                let given: Vec<_> = args.iter().map(|argument| self.kept(argument)).collect();
                self.work.push(quote_spanned!(mixed(call)=> #on.#method #turbofish(#(#given),*)));
                Ok(())
            }
            other => {
                let why = "say the call whose result is no longer true, `user(id)`, or what is done to a cache, \
                           `self.users.remove(&id)`";
                Err(Error::new(other.span(), why))
            }
        }
    }

    fn tags(&mut self, options: &Options) -> Result<()> {
        let krate = self.krate;
        let Some(first) = options.tags.first() else { return Ok(()) };
        let result = Ident::new(RESULT, Span::call_site());
        let mut names: Vec<_> = self.arguments.iter().map(|argument| &argument.name).collect();
        let has_result = !names.iter().any(|name| **name == RESULT);
        if has_result {
            names.push(&result);
        }
        let mut tags = Vec::new();
        for tag in &options.tags {
            let text = Template::read(tag, &names)?.formatted();
            let is_after = has_result && mentions(&text, &[RESULT]);
            tags.push(self.note(&text, is_after, tag.span()));
        }
        let at = mixed(first);
        let on = match &options.cache {
            Some(cache) => self.on(cache),
            None => quote_spanned!(at=> #krate::Coherence::of_the_process()),
        };
        self.work.push(quote_spanned!(at=> #on.invalidate_tags([#(#tags),*])));
        Ok(())
    }

    /// What a method is called on: a handle of it, where it is part of an argument.
    fn on(&mut self, receiver: &Expr) -> TokenStream {
        let at = mixed(receiver);
        let is_part = self.arguments.iter().any(|argument| mentions(receiver, &[&argument.name.to_string()]))
            || mentions(receiver, &["self", RESULT]);
        if is_part && self.is_reference(receiver) {
            let krate = self.krate;
            self.note(&quote_spanned!(at=> #krate::function::owned()(#receiver)), false, receiver.span())
        } else if is_part && is_place(receiver) {
            self.note(
                &quote_spanned!(at=> ::core::clone::Clone::clone(&#receiver)),
                self.is_after(receiver),
                receiver.span(),
            )
        } else {
            receiver.to_token_stream()
        }
    }

    /// An argument of an invalidation, of which the body may leave nothing.
    fn kept(&mut self, given: &Expr) -> TokenStream {
        let krate = self.krate;
        let at = mixed(given);
        let is_after = self.is_after(given);
        match given {
            Expr::Lit(literal) => literal.to_token_stream(),
            Expr::Reference(ExprReference { expr, mutability: None, .. }) => {
                let kept = self.note(
                    &quote_spanned!(at=> #krate::function::owned()(&#expr)),
                    is_after,
                    given.span(),
                );
                quote_spanned!(at=> &#kept)
            }
            reference if self.is_reference(reference) => {
                let kept = self.note(
                    &quote_spanned!(at=> #krate::function::owned()(#reference)),
                    is_after,
                    given.span(),
                );
                quote_spanned!(at=> ::core::borrow::Borrow::borrow(&#kept))
            }
            place if is_place(place) => {
                self.note(&quote_spanned!(at=> ::core::clone::Clone::clone(&#place)), is_after, given.span())
            }
            other => self.note(&other.to_token_stream(), is_after, given.span()),
        }
    }

    /// Whether it is an argument that is a reference.
    fn is_reference(&self, given: &Expr) -> bool {
        let Expr::Path(path) = given else { return false };
        let argument = self.arguments.iter().find(|argument| path.path.is_ident(&argument.name));
        argument.is_some_and(|argument| argument.referred().is_some())
    }

    /// Whether it can be known only when the function has returned.
    fn is_after(&self, given: &Expr) -> bool {
        !self.arguments.iter().any(|argument| argument.name == RESULT) && mentions(given, &[RESULT])
    }

    /// `let kept_1 = ..;`, and the name.
    fn note(&mut self, value: &TokenStream, is_after: bool, span: Span) -> TokenStream {
        let at = Span::mixed_site().located_at(span);
        let name = format_ident!("kept_{}", self.many, span = at);
        self.many += 1;
        let statement = quote_spanned!(at=> let #name = #value;);
        let when = if is_after { &mut self.after } else { &mut self.before };
        when.push(statement);
        name.to_token_stream()
    }

    /// The function, with all this around its body.
    fn around(&self, function: &ImplItemFn) -> TokenStream {
        let at = Span::mixed_site();
        let Steps { krate, before, after, work, .. } = self;
        let ImplItemFn { attrs, vis, defaultness, sig, block } = function;
        let is_async = sig.asyncness.is_some();
        let statements = &block.stmts;
        // A closure cannot say that it returns an `impl`.
        let ty = match &sig.output {
            ReturnType::Default => Some(quote!(-> ())),
            ReturnType::Type(_, ty) => (!mentions(ty, &["impl"])).then(|| quote!(-> #ty)),
        };
        let taken = self.arguments.iter().map(|argument| &argument.name);
        let taken: Vec<_> = taken.collect();
        let (asynchronous, waits) = if is_async {
            (quote_spanned!(at=> async), quote_spanned!(at=> .await))
        } else {
            (quote!(), quote!())
        };
        // What the body has goes with it, as with any function: before anything is invalidated.
        let body = quote_spanned! {at=>
            let returned = {
                #[allow(unused_mut, reason = "it may change what it has")]
                let mut body = #asynchronous move || #ty { #(let _ = &#taken;)* #(#statements)* };
                let returned = body()#waits;
                returned
            };
        };
        let settled = if is_async {
            quote_spanned!(at=> #krate::function::to_the_end(work).await)
        } else {
            quote_spanned!(at=> #krate::function::to_the_end_blocking(work))
        };
        let done = quote_spanned! {at=>
            let work = async move {
                #(let _ = #krate::function::Settle(#work).done().await;)*
                ::core::result::Result::Ok(())
            };
            let _ = #settled;
        };
        let result = Ident::new(RESULT, Span::call_site());
        // The result is the user's name for it, and may go unused.
        let after = quote_spanned! {at=>
            #[allow(unused_imports, reason = "one for what is at once, one for futures")]
            use #krate::function::SettleLater as _;
            #(#after)*
            #done
        };
        let alias = alias(krate, sig);
        let invalidated = if is_result(&sig.output) {
            quote_spanned! {at=>
                #[allow(unused_variables, reason = "what is invalidated may be known without it")]
                if let ::core::result::Result::Ok(#result) = &returned {
                    #after
                }
            }
        } else {
            quote_spanned! {at=>
                #[allow(unused_variables, reason = "what is invalidated may be known without it")]
                let #result = &returned;
                #after
            }
        };
        let hidden = hidden(self.arguments);
        quote_spanned! {at=>
            #(#attrs)*
            #hidden
            #vis #defaultness #sig {
                #alias
                #(#before)*
                #body
                {
                    #invalidated
                }
                returned
            }
        }
    }
}

/// Whether the expression names something that is there, so that it must be cloned to be kept.
fn is_place(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Paren(inside) => is_place(&inside.expr),
        _ => false,
    }
}

/// Refuses a `Result` under another name, after whose errors there is nothing to invalidate.
fn alias(krate: &Path, signature: &Signature) -> Option<TokenStream> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    if is_result(&signature.output) || mentions(ty, &["impl"]) {
        return None;
    }
    let ty = without_lifetimes(ty);
    let why = "what this function returns is a `Result` under another name, and its errors would invalidate: write `Result<_, _>`";
    let refused = quote_spanned! {mixed(&ty)=>
        use #krate::function::NoResult as _;
        ::core::assert!(!#krate::function::Returns::<#ty>::RESULT, #why);
    };
    // Where types may be those of an `impl`, no item can name them, and what is no item is looked at when code is made of it.
    Some(if is_free(signature) {
        quote_spanned!(mixed(&ty)=> const _: () = { #refused };)
    } else {
        quote_spanned!(mixed(&ty)=> const { #refused };)
    })
}

fn is_result(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    let Type::Path(path) = &**ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Result")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::shown;

    #[test]
    fn what_is_invalidated_is_noted_before_the_body_runs() {
        let options = quote!(user(id), by_name(&result.name), tags = ["team:{team}"]);
        let item = quote!(
            pub async fn rename(db: &Db, id: u64, team: u32, name: String) -> Result<User, DbError> {
                db.rename(id, name).await
            }
        );
        shown("invalidates", expand(options, &item));
    }
}
