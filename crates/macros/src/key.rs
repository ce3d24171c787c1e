//! `#[derive(Key)]`: the text of a struct or an enum, of the texts of its fields.

mod equality;
mod input;
mod options;
#[cfg(test)]
mod tests;

use input::{Body, Field, Fields, Input, Variant};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Member, Type, WherePredicate};

/// Returns the impl of `Key`, and those of `PartialEq`, `Eq` and `Hash` where fields are skipped.
pub(crate) fn derive(input: TokenStream) -> syn::Result<TokenStream> {
    let input = Input::read(&syn::parse2(input)?)?;
    let mut derived = implementation(&input);
    if let Some(skip) = input.body.fields().find_map(|field| field.skip) {
        derived.extend(equality::implementations(&input, skip));
    }
    Ok(derived)
}

fn implementation(input: &Input) -> TokenStream {
    let Input { ident, larder, .. } = input;
    let text = match &input.body {
        Body::Struct(fields) => text_of_struct(input, fields),
        Body::Enum(variants) => text_of_enum(input, variants),
    };

    let mut generics = input.generics.clone();
    if generics.type_params().next().is_some() {
        // Which bounds make a `Lookup` of the type is decided by what it derives, so they are not repeated here.
        let mut bounds: Vec<WherePredicate> = vec![syn::parse_quote!(Self: #larder::Lookup)];
        bounds.extend(bounds_of_fields(input, &quote!(#larder::Key)));
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #larder::Key for #ident #arguments #bounds {
            fn text(&self) -> ::std::borrow::Cow<'_, str> {
                #text
            }
        }
    }
}

fn text_of_struct(input: &Input, fields: &Fields) -> TokenStream {
    let larder = &input.larder;
    let parts: Vec<_> = fields.kept().map(borrowed).collect();
    match (&input.name, &parts[..]) {
        (None, []) => quote!(::std::borrow::Cow::Borrowed("()")),
        (None, [part]) => quote!(#larder::Key::text(#part)),
        (name, parts) => {
            let name = name.iter();
            quote!(#larder::KeyParts::new() #(.part(#name))* #(.part(#parts))* .text())
        }
    }
}

fn text_of_enum(input: &Input, variants: &[Variant]) -> TokenStream {
    let Input { larder, .. } = input;
    if variants.is_empty() {
        return quote!(match *self {});
    }
    let arms = variants.iter().map(|variant| {
        let pattern = pattern(variant, "part");
        let names = input.name.iter().chain([&variant.name]);
        let parts = variant.fields.kept().map(|field| local(field, "part"));
        quote!(#pattern => #larder::KeyParts::new() #(.part(#names))* #(.part(#parts))* .text())
    });
    quote!(match self { #(#arms,)* })
}

/// Returns `&self.field`.
fn borrowed(field: &Field) -> TokenStream {
    let place = place(field, "self");
    quote_spanned!(located(field)=> &#place)
}

/// Returns the field of the variable `of`. All of it is located at the type, so that the compiler points there if that
/// will not do.
fn place(field: &Field, of: &str) -> TokenStream {
    let at = located(field);
    let of = Ident::new(of, at);
    let mut member = field.member.clone();
    match &mut member {
        Member::Named(name) => name.set_span(at),
        Member::Unnamed(index) => index.span = at,
    }
    quote_spanned!(at=> #of.#member)
}

fn located(field: &Field) -> Span {
    Span::call_site().located_at(field.ty.span())
}

/// Returns the pattern for a variant that binds its fields, but those that are skipped.
fn pattern(variant: &Variant, prefix: &str) -> TokenStream {
    let ident = &variant.ident;
    let bound = |field: &Field| {
        if field.skip.is_some() { quote!(_) } else { local(field, prefix).into_token_stream() }
    };
    let fields = variant.fields.all.iter().map(|field| (field, bound(field)));
    match variant.fields.style {
        input::Style::Named => {
            let fields = fields.map(|(field, bound)| {
                let member = &field.member;
                quote!(#member: #bound)
            });
            quote!(Self::#ident { #(#fields),* })
        }
        input::Style::Unnamed => {
            let fields = fields.map(|(_, bound)| bound);
            quote!(Self::#ident(#(#fields),*))
        }
        input::Style::Unit => quote!(Self::#ident),
    }
}

/// Returns the variable for a field, which nothing of the user's can be confused with.
fn local(field: &Field, prefix: &str) -> Ident {
    let span = Span::mixed_site().located_at(field.ty.span());
    Ident::new(&format!("{prefix}_{}", field.number), span)
}

/// Returns a bound for the type of each field in the key that depends on a type parameter.
fn bounds_of_fields(input: &Input, bound: &TokenStream) -> Vec<WherePredicate> {
    let mut seen = Vec::new();
    let mut bounds = Vec::new();
    for Field { ty, .. } in input.body.fields().filter(|field| field.skip.is_none()) {
        let written = ty.to_token_stream().to_string();
        if mentions_parameter(input, ty) && !seen.contains(&written) {
            seen.push(written);
            bounds.push(syn::parse_quote!(#ty: #bound));
        }
    }
    bounds
}

fn mentions_parameter(input: &Input, ty: &Type) -> bool {
    fn mentions(tokens: TokenStream, is_parameter: &impl Fn(&Ident) -> bool) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Group(group) => mentions(group.stream(), is_parameter),
            proc_macro2::TokenTree::Ident(ident) => is_parameter(&ident),
            _ => false,
        })
    }
    let is_parameter =
        |ident: &Ident| input.generics.type_params().any(|parameter| parameter.ident == *ident);
    mentions(ty.to_token_stream(), &is_parameter)
}
