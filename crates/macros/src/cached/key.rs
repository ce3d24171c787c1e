//! What a cached function is looked up by.

use super::options::{KeyOption, Options};
use crate::signature::{Argument, borrowed, mixed};
use crate::template::{Piece, Place, Template, list};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Error, Expr, ExprClosure, Index, LitStr, Pat, Path, Result, ReturnType, Type};

/// What a call is looked up by.
pub(crate) enum Key {
    /// There is one entry.
    Nothing,
    /// An argument, by reference.
    One(Argument),
    /// Several, as a tuple.
    Parts(Vec<Part>),
    /// A text, for a cache that is given.
    Text(Template, String),
    /// What a closure makes of arguments.
    Closure(Box<KeyClosure>),
}

/// A part of a tuple.
pub(crate) enum Part {
    Argument(Argument),
    /// The text of a placeholder.
    Shown(Place),
}

pub(crate) struct KeyClosure {
    /// The type that it says it returns.
    output: Option<Type>,
    /// Its parameters: numbers, `bool` and `char` as they are, all else by reference.
    bindings: Vec<TokenStream>,
    body: Expr,
    arguments: Vec<Argument>,
}

impl Key {
    /// What is said, or else all arguments that are not skipped. A cache that is given wants texts as texts.
    pub(crate) fn plan(options: &Options, arguments: &[Argument]) -> Result<Key> {
        let names: Vec<_> = arguments.iter().map(|argument| &argument.name).collect();
        if let (Some(_), Some(skipped)) = (&options.key, options.skip.first()) {
            let why =
                "`key` says which arguments are in the key, so there is nothing to skip: leave `skip` out";
            return Err(Error::new(skipped.span(), why));
        }
        if let Some(unknown) = options.skip.iter().find(|skipped| !names.contains(skipped)) {
            let why = format!("no argument is called `{unknown}`; there {}", list(&names));
            return Err(Error::new(unknown.span(), why));
        }
        let key = match &options.key {
            None => {
                let parts = arguments.iter().filter(|argument| !options.skip.contains(&argument.name));
                Key::of_parts(parts.cloned().map(Part::Argument).collect())
            }
            Some(KeyOption::Template(text)) => Key::of_template(text, arguments, options.cache.is_some())?,
            Some(KeyOption::Closure(closure)) => Key::of_closure(closure, arguments)?,
        };
        key.refuse_borrowed()?;
        Ok(key)
    }

    fn of_parts(mut parts: Vec<Part>) -> Key {
        match (parts.len(), parts.pop()) {
            (1, Some(Part::Argument(argument))) => Key::One(argument),
            (_, None) => Key::Nothing,
            (_, Some(last)) => {
                parts.push(last);
                Key::Parts(parts)
            }
        }
    }

    fn of_template(text: &LitStr, arguments: &[Argument], as_text: bool) -> Result<Key> {
        let names: Vec<_> = arguments.iter().map(|argument| &argument.name).collect();
        let template = Template::read(text, &names)?;
        let of = |place: &Place| arguments.iter().find(|argument| argument.name == place.argument).cloned();
        let is_one = matches!(template.pieces.as_slice(), [Piece::Place(place)] if place.is_plain());
        let places = template.places();
        let is_shown = matches!(places.as_slice(), [place] if !place.is_plain());
        if (as_text && !is_one) || is_shown {
            let special = template.special()?;
            return Ok(Key::Text(template, special));
        }
        let parts = places.into_iter().map(|place| match of(place).filter(|_| place.is_plain()) {
            Some(argument) => Part::Argument(argument),
            None => Part::Shown(place.clone()),
        });
        Ok(Key::of_parts(parts.collect()))
    }

    /// A block in place of the closure: what it returns may then borrow from the arguments.
    fn of_closure(closure: &ExprClosure, arguments: &[Argument]) -> Result<Key> {
        let mut used = Vec::new();
        let mut bindings = Vec::new();
        for input in &closure.inputs {
            let (pattern, said) = match input {
                Pat::Type(typed) => (&*typed.pat, Some(&typed.ty)),
                other => (other, None),
            };
            let Pat::Ident(pattern) = pattern else {
                let why =
                    "a parameter of `key` is called as the argument that it is given: `key = |id, role| ..`";
                return Err(Error::new(input.span(), why));
            };
            let Some(argument) = arguments.iter().find(|argument| argument.name == pattern.ident) else {
                let names: Vec<_> = arguments.iter().map(|argument| &argument.name).collect();
                let why = format!("no argument is called `{}`; there {}", pattern.ident, list(&names));
                return Err(Error::new(pattern.span(), why));
            };
            let given =
                if argument.is_plain() { argument.name.to_token_stream() } else { argument.reference() };
            let ty = said.map(|ty| quote!(: #ty));
            bindings.push(quote_spanned!(mixed(input)=> let #pattern #ty = #given;));
            used.push(argument.clone());
        }
        if let Some(at) = leaves(&closure.body) {
            let why = "the key is an expression: no `return`, `?` or `await` in it; give a function of its own what is more";
            return Err(Error::new(at, why));
        }
        let output = match &closure.output {
            ReturnType::Type(_, ty) => Some((**ty).clone()),
            ReturnType::Default => None,
        };
        let body = (*closure.body).clone();
        Ok(Key::Closure(Box::new(KeyClosure { output, bindings, body, arguments: used })))
    }

    /// What is kept cannot be borrowed.
    fn refuse_borrowed(&self) -> Result<()> {
        let arguments = match self {
            Key::One(argument) => vec![argument],
            Key::Parts(parts) => parts.iter().filter_map(Part::argument).collect(),
            _ => return Ok(()),
        };
        for argument in arguments {
            let name = &argument.name;
            let kept = argument.referred().unwrap_or(&argument.ty);
            if argument.is_impl() {
                let why = format!(
                    "`{name}` has no type that a key could be: leave it out with `skip({name})`, or say what of it is the key: \
                     `key = |{name}| ..`"
                );
                return Err(Error::new(argument.ty.span(), why));
            }
            if let Some(at) = borrowed(kept) {
                let why = format!(
                    "a key is kept, so nothing in it is borrowed: say what it is, as in `key = |{name}| {name}.map(str::to_owned)`, \
                     or `skip({name})`"
                );
                return Err(Error::new(at, why));
            }
        }
        Ok(())
    }

    /// The arguments that it is made of.
    pub(crate) fn arguments(&self) -> Vec<&Ident> {
        match self {
            Key::Nothing => Vec::new(),
            Key::One(argument) => vec![&argument.name],
            Key::Parts(parts) => parts.iter().map(Part::name).collect(),
            Key::Text(template, _) => template.places().into_iter().map(|place| &place.argument).collect(),
            Key::Closure(closure) => closure.arguments.iter().map(|argument| &argument.name).collect(),
        }
    }

    /// The type that a cache of its own is looked up by; `None` if only the compiler knows it.
    pub(crate) fn ty(&self, krate: &Path) -> Option<TokenStream> {
        Some(match self {
            Key::Nothing => quote!(()),
            Key::One(argument) => argument.key_type(krate),
            Key::Parts(_) => self.kept_type(krate),
            Key::Text(..) => quote!(str),
            Key::Closure(closure) => closure.output.as_ref()?.to_token_stream(),
        })
    }

    /// The type of the key that a thread keeps, where parts are put together.
    fn kept_type(&self, krate: &Path) -> TokenStream {
        match self {
            Key::Parts(parts) => {
                let types = parts.iter().map(|part| part.ty(krate));
                quote_spanned!(Span::mixed_site()=> (#(#types,)*))
            }
            _ => quote_spanned!(Span::mixed_site()=> ::std::string::String),
        }
    }

    /// The argument whose reference is the key, so that a load must not take it away.
    pub(crate) fn borrows(&self) -> Option<&Ident> {
        match self {
            Key::One(argument) if argument.referred().is_none() && !argument.is_plain() => {
                Some(&argument.name)
            }
            _ => None,
        }
    }

    /// The arguments that are parts of the key as they are, for a check of their types.
    pub(crate) fn plain_parts(&self) -> Vec<&Argument> {
        match self {
            Key::One(argument) => vec![argument],
            Key::Parts(parts) => parts.iter().filter_map(Part::argument).collect(),
            _ => Vec::new(),
        }
    }

    /// `let key = ..;`: a reference to the key.
    pub(crate) fn statement(&self, krate: &Path) -> TokenStream {
        let at = Span::mixed_site();
        match self {
            Key::Nothing => quote_spanned!(at=> let key = &();),
            Key::One(argument) => {
                let reference = argument.reference();
                quote_spanned!(at=> let key = #reference;)
            }
            Key::Parts(_) | Key::Text(..) => {
                let made = self.made(krate);
                quote_spanned!(at=> let key = &#made;)
            }
            Key::Closure(key) => {
                let KeyClosure { output, bindings, body, .. } = &**key;
                let ty = output.as_ref().map(|ty| quote_spanned!(at=> : #ty));
                let body = match body {
                    Expr::Block(block) if block.label.is_none() => {
                        let statements = &block.block.stmts;
                        quote!(#(#statements)*)
                    }
                    other => other.to_token_stream(),
                };
                quote_spanned! {at=>
                    let key #ty = {
                        #(#bindings)*
                        #body
                    };
                    let key = &key;
                }
            }
        }
    }

    /// The key, of the parts.
    fn made(&self, krate: &Path) -> TokenStream {
        let at = Span::mixed_site();
        match self {
            Key::Parts(parts) => {
                let made = parts.iter().map(Part::made);
                quote_spanned!(at=> (#(#made,)*))
            }
            _ => {
                let written = self.written(krate);
                quote_spanned!(at=> {
                    let mut key = ::std::string::String::new();
                    #written
                    key
                })
            }
        }
    }

    /// The statements that write the text at the end of `key`.
    fn written(&self, krate: &Path) -> TokenStream {
        let at = Span::mixed_site();
        let Key::Text(template, special) = self else { return quote!() };
        let is_alone = template.places().len() == 1;
        let pieces = template.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => quote_spanned!(at=> key.push_str(#text);),
            Piece::Place(place) => {
                let (format, value) = (place.format(), place.expression());
                let part = if is_alone {
                    quote_spanned!(at=> &mut key)
                } else {
                    quote_spanned!(at=> &mut #krate::function::Part::new(&mut key, #special))
                };
                write(&part, &format, &value)
            }
        });
        quote_spanned!(at=> #(#pieces)*)
    }

    /// Looks with `look`, which has `key`: returns `hit`, which has `value`, from the function, or goes on with `key`.
    pub(crate) fn look(
        &self,
        krate: &Path,
        may_keep: bool,
        look: &TokenStream,
        hit: &TokenStream,
    ) -> TokenStream {
        let at = Span::mixed_site();
        if !may_keep || !self.is_worth_keeping() {
            let statement = self.statement(krate);
            return quote_spanned! {at=>
                #statement
                if let ::core::option::Option::Some(value) = #look {
                    return #hit;
                }
            };
        }
        let (kept, made, filled) = (self.kept_type(krate), self.made(krate), self.filled(krate));
        // What writes a text wants a name that it can borrow again.
        let found = if matches!(self, Key::Text(..)) {
            quote_spanned!(at=> mut key)
        } else {
            quote_spanned!(at=> key)
        };
        quote_spanned! {at=>
            ::std::thread_local! {
                static __LARDER_KEY: #krate::function::Scratch<#kept> = const { #krate::function::Scratch::new() };
            }
            let key = match #krate::function::find(&__LARDER_KEY, || #made, |#found| { #filled }, |key| #look) {
                ::core::result::Result::Ok(value) => return #hit,
                ::core::result::Result::Err(key) => key,
            };
            let key = &key;
        }
    }

    /// Whether something in it is allocated.
    fn is_worth_keeping(&self) -> bool {
        match self {
            Key::Parts(parts) => !parts.iter().all(|part| part.argument().is_some_and(Argument::is_plain)),
            Key::Text(..) => true,
            _ => false,
        }
    }

    /// Whether a `static` can name its type, wherever the function stands.
    pub(crate) fn is_concrete(&self) -> bool {
        match self {
            Key::Parts(parts) => parts.iter().all(|part| part.argument().is_none_or(Argument::is_concrete)),
            _ => true,
        }
    }

    /// The statements that set all of a `key` that was kept.
    fn filled(&self, krate: &Path) -> TokenStream {
        let at = Span::mixed_site();
        let Key::Parts(parts) = self else {
            let written = self.written(krate);
            return quote_spanned!(at=> key.clear(); #written);
        };
        let filled = parts.iter().enumerate().map(|(number, part)| part.filled(&Index::from(number)));
        quote_spanned!(at=> #(#filled)*)
    }
}

impl Part {
    fn argument(&self) -> Option<&Argument> {
        match self {
            Part::Argument(argument) => Some(argument),
            Part::Shown(_) => None,
        }
    }

    fn name(&self) -> &Ident {
        match self {
            Part::Argument(argument) => &argument.name,
            Part::Shown(place) => &place.argument,
        }
    }

    fn ty(&self, krate: &Path) -> TokenStream {
        match self {
            Part::Argument(argument) => argument.owned_type(krate),
            Part::Shown(_) => quote_spanned!(Span::mixed_site()=> ::std::string::String),
        }
    }

    fn made(&self) -> TokenStream {
        match self {
            Part::Argument(argument) => argument.owned(),
            Part::Shown(place) => {
                let (format, value) = (place.format(), place.expression());
                quote_spanned!(Span::mixed_site()=> ::std::format!(#format, #value))
            }
        }
    }

    /// The statement that sets the part of `key` with this number.
    fn filled(&self, number: &Index) -> TokenStream {
        let at = mixed(self.name());
        match self {
            Part::Argument(argument) => {
                let name = &argument.name;
                if argument.is_plain() {
                    quote_spanned!(at=> key.#number = #name;)
                } else if argument.referred().is_some() {
                    quote_spanned!(at=> ::std::borrow::ToOwned::clone_into(#name, &mut key.#number);)
                } else {
                    quote_spanned!(at=> ::core::clone::Clone::clone_from(&mut key.#number, &#name);)
                }
            }
            Part::Shown(place) => {
                let shown =
                    write(&quote_spanned!(at=> &mut key.#number), &place.format(), &place.expression());
                quote_spanned!(at=> key.#number.clear(); #shown)
            }
        }
    }
}

/// Where an expression would leave, or suspend, the function that it is put into.
fn leaves(body: &Expr) -> Option<Span> {
    struct Find(Option<Span>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_expr_return(&mut self, leave: &'ast syn::ExprReturn) {
            self.0.get_or_insert(leave.span());
        }
        fn visit_expr_try(&mut self, leave: &'ast syn::ExprTry) {
            self.0.get_or_insert(leave.span());
        }
        fn visit_expr_await(&mut self, wait: &'ast syn::ExprAwait) {
            self.0.get_or_insert(wait.span());
        }
        // What stands in these leaves them and nothing else.
        fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
        fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut find = Find(None);
    find.visit_expr(body);
    find.0
}

/// The statement that writes `value` into `text`.
fn write(text: &TokenStream, format: &str, value: &TokenStream) -> TokenStream {
    let why = "a part of a key can be shown";
    quote_spanned! {Span::mixed_site()=>
        ::core::fmt::Write::write_fmt(#text, ::core::format_args!(#format, #value)).expect(#why);
    }
}
