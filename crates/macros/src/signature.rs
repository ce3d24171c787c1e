//! What a function takes and returns, as far as its attributes must know.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Error, FnArg, GenericArgument, GenericParam, Generics, Ident, Lifetime, Pat, Path, PathArguments,
    Receiver, Result, ReturnType, Signature, Type, TypeReference,
};

/// An argument other than the receiver.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// What a function returns.
pub(crate) struct Returned {
    /// As it is written.
    pub(crate) ty: Type,
    /// The types of values and errors, if it is called `Result`.
    pub(crate) result: Option<(Type, Type)>,
}

/// The arguments of a function, each with a name of its own.
pub(crate) fn arguments(signature: &Signature, what: &str) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pattern) = &*typed.pat else {
            let why = format!("an argument of {what} has a name: take it apart inside the function");
            return Err(Error::new(typed.pat.span(), why));
        };
        if let Type::Reference(TypeReference { mutability: Some(mutable), .. }) = &*typed.ty {
            let why = format!(
                "{what} cannot change its arguments: on a hit it does not run; take `&T`, or return what changes"
            );
            return Err(Error::new(mutable.span(), why));
        }
        arguments.push(Argument { name: pattern.ident.clone(), ty: (*typed.ty).clone() });
    }
    Ok(arguments)
}

impl Argument {
    /// What is behind the reference, if the argument is one.
    pub(crate) fn referred(&self) -> Option<&Type> {
        match &self.ty {
            Type::Reference(reference) => Some(&reference.elem),
            _ => None,
        }
    }

    /// Whether it is a number, a `bool` or a `char`, which are copied at no cost.
    pub(crate) fn is_plain(&self) -> bool {
        is_named(&self.ty, &PLAIN) || is_named(&self.ty, &["f32", "f64"])
    }

    /// Whether its type, or what it refers to, surely mentions no type parameter.
    pub(crate) fn is_concrete(&self) -> bool {
        self.is_plain() || is_named(self.referred().unwrap_or(&self.ty), &["str", "String"])
    }

    /// The type that is looked up by, if it is the key.
    pub(crate) fn key_type(&self, krate: &Path) -> TokenStream {
        let ty = self.referred().unwrap_or(&self.ty);
        if is_surely_key(ty) {
            return ty.to_token_stream();
        }
        quote_spanned!(mixed(ty)=> <#ty as #krate::function::CheckedKey<{ #krate::function::key_part::<#ty>() }>>::Key)
    }

    /// The type as a part of a key that is kept: owned.
    pub(crate) fn owned_type(&self, krate: &Path) -> TokenStream {
        let ty = self.referred().unwrap_or(&self.ty);
        if is_named(ty, &["str"]) {
            return quote_spanned!(mixed(ty)=> ::std::string::String);
        }
        if is_surely_key(ty) {
            return ty.to_token_stream();
        }
        quote_spanned!(mixed(ty)=> <#ty as #krate::function::CheckedKey<{ #krate::function::key_part::<#ty>() }>>::Kept)
    }

    /// A reference to it, of the type that is looked up by.
    pub(crate) fn reference(&self) -> TokenStream {
        let name = &self.name;
        if self.referred().is_some() { name.to_token_stream() } else { quote_spanned!(mixed(name)=> &#name) }
    }

    /// It as a part of a key that is kept.
    pub(crate) fn owned(&self) -> TokenStream {
        let name = &self.name;
        if self.is_plain() {
            name.to_token_stream()
        } else if self.referred().is_some() {
            quote_spanned!(mixed(name)=> ::std::borrow::ToOwned::to_owned(#name))
        } else {
            quote_spanned!(mixed(name)=> ::core::clone::Clone::clone(&#name))
        }
    }

    /// It as what a load takes along, if it is a reference.
    pub(crate) fn taken(&self, krate: &Path) -> Option<TokenStream> {
        let (name, referred) = (&self.name, self.referred()?);
        let (at, krate) = (mixed(referred), shown_at(krate, referred));
        Some(quote_spanned!(at=> #krate::function::owned()(#name)))
    }

    /// As an input of a companion.
    pub(crate) fn input(&self) -> TokenStream {
        let Argument { name, ty } = self;
        quote_spanned!(mixed(name)=> #name: #ty)
    }

    /// Whether its type is `impl Trait`, or a reference to one.
    pub(crate) fn is_impl(&self) -> bool {
        matches!(self.referred().unwrap_or(&self.ty), Type::ImplTrait(_))
    }
}

/// Keeps a lint quiet where an argument says by its name that the body does not use it: the expansion does.
pub(crate) fn hidden(arguments: &[Argument]) -> Option<TokenStream> {
    let is_hidden = arguments.iter().any(|argument| argument.name.to_string().starts_with('_'));
    is_hidden.then(|| quote!(#[allow(clippy::used_underscore_binding, reason = "the expansion uses it")]))
}

/// A span at which names of locals are ours, and which is shown as that of `code`.
pub(crate) fn mixed(code: &impl Spanned) -> Span {
    Span::mixed_site().located_at(code.span())
}

/// The path, so that what is wrong with what it names is shown at `code`.
pub(crate) fn shown_at(krate: &Path, code: &impl Spanned) -> TokenStream {
    let at = mixed(code);
    let tokens = krate.to_token_stream().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(at));
        token
    });
    tokens.collect()
}

/// Types that are copied at no cost, and can be a part of a key.
const PLAIN: [&str; 14] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "bool", "char"];

/// Whether it needs no check that it can be a part of a key.
fn is_surely_key(ty: &Type) -> bool {
    is_named(ty, &PLAIN) || is_named(ty, &["str", "String"])
}

fn is_named(ty: &Type, names: &[&str]) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && names.iter().any(|name| path.path.is_ident(name)))
}

impl Returned {
    /// What the function returns; an error if that cannot be kept.
    pub(crate) fn of(signature: &Signature, krate: &Path) -> Result<Returned> {
        let nothing = "it returns nothing, so there is nothing to cache: return a value, or use `#[invalidates(..)]` for a \
                       function that changes something";
        let ReturnType::Type(_, ty) = &signature.output else {
            return Err(Error::new(signature.ident.span(), nothing));
        };
        match &**ty {
            Type::Tuple(tuple) if tuple.elems.is_empty() => return Err(Error::new(tuple.span(), nothing)),
            Type::ImplTrait(opaque) => {
                let why = "a cached value has a type with a name: return that in place of `impl ..`";
                return Err(Error::new_spanned(opaque, why));
            }
            Type::Reference(reference) if !is_static(reference) => {
                let why =
                    "a cached value is owned: return a `String`, a `Vec` or an `Arc` in place of a reference";
                return Err(Error::new_spanned(reference, why));
            }
            Type::Path(path) if is_future(&path.path) => {
                let why = "this returns a future, which can be awaited once: make it an `async fn`; below `#[async_trait]`, give the \
                           method's body to a function of its own with `#[cached]`";
                return Err(Error::new_spanned(path, why));
            }
            _ => {}
        }
        let result = result(ty, krate);
        Ok(Returned { ty: (**ty).clone(), result })
    }

    /// The type of what is kept.
    pub(crate) fn value(&self) -> &Type {
        self.result.as_ref().map_or(&self.ty, |(value, _)| value)
    }

    /// Whether what is kept is written as an `Option`.
    pub(crate) fn is_option(&self) -> bool {
        self.option().is_some()
    }

    /// What is in the `Option` that is kept.
    pub(crate) fn option(&self) -> Option<&Type> {
        let Type::Path(path) = self.value() else { return None };
        let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
        types_of(&last.arguments).into_iter().next()
    }
}

fn result(ty: &Type, krate: &Path) -> Option<(Type, Type)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let at = mixed(ty);
    // An alias may leave either out, so it is asked.
    let asked = |what: &str| {
        let what = Ident::new(what, at);
        Type::Verbatim(quote_spanned!(at=> <#ty as #krate::function::Fallible>::#what))
    };
    Some(match types_of(&last.arguments).as_slice() {
        [value, error] => ((*value).clone(), (*error).clone()),
        [value] => ((*value).clone(), asked("Error")),
        _ => (asked("Value"), asked("Error")),
    })
}

fn types_of(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

fn is_static(reference: &TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
}

/// Whether it is `Pin<Box<dyn Future ..>>`, or `BoxFuture`.
fn is_future(path: &Path) -> bool {
    let text = path.to_token_stream().to_string();
    path.segments.last().is_some_and(|last| {
        last.ident == "BoxFuture"
            || last.ident == "LocalBoxFuture"
            || (last.ident == "Pin" && text.contains("Future"))
    })
}

/// The first type or constant parameter.
pub(crate) fn parameter(generics: &Generics) -> Option<&GenericParam> {
    generics.params.iter().find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
}

/// Whether an item inside of the function can name all the types in its signature.
pub(crate) fn is_free(signature: &Signature) -> bool {
    signature.receiver().is_none()
        && parameter(&signature.generics).is_none()
        && !mentions(signature, &["Self"])
}

/// The receiver, if it is a method.
pub(crate) fn receiver(signature: &Signature) -> Result<Option<&Receiver>> {
    let Some(receiver) = signature.receiver() else { return Ok(None) };
    if let Some(mutable) = &receiver.mutability
        && receiver.reference.is_some()
    {
        let why =
            "a cached method cannot change what it is called on: on a hit it does not run; take `&self`";
        return Err(Error::new(mutable.span(), why));
    }
    Ok(Some(receiver))
}

/// The type without lifetimes, as it stands in a closure.
pub(crate) fn without_lifetimes(ty: &Type) -> Type {
    struct Elide;
    impl VisitMut for Elide {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference.lifetime = None;
            visit_mut::visit_type_reference_mut(self, reference);
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            lifetime.ident = Ident::new("_", lifetime.ident.span());
        }
    }
    let mut elided = ty.clone();
    Elide.visit_type_mut(&mut elided);
    elided
}

/// The first reference or lifetime in a type that is to be kept.
pub(crate) fn borrowed(ty: &Type) -> Option<Span> {
    struct Find(Option<Span>);
    impl<'ast> syn::visit::Visit<'ast> for Find {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if !is_static(reference) {
                self.0.get_or_insert(reference.span());
            }
            syn::visit::visit_type_reference(self, reference);
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert(lifetime.span());
            }
        }
    }
    let mut find = Find(None);
    syn::visit::visit_type(&mut find, ty);
    find.0
}

/// Whether `Self` or the receiver stands in this code.
pub(crate) fn mentions(code: &impl ToTokens, names: &[&str]) -> bool {
    fn any(tokens: TokenStream, names: &[&str]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Group(group) => any(group.stream(), names),
            proc_macro2::TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
            _ => false,
        })
    }
    any(code.to_token_stream(), names)
}
