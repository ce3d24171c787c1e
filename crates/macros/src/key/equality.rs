//! `PartialEq`, `Eq` and `Hash` of a type with skipped fields: of what its text says, and no more.

use super::input::{Body, Fields, Input, Variant};
use super::{borrowed, bounds_of_fields, local, pattern, place};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

/// Returns the three impls. They are located where `skip` is written, so that the compiler points there when one of them
/// is derived as well.
pub(super) fn implementations(input: &Input, skip: Span) -> TokenStream {
    let (comparison, hashing) = match &input.body {
        Body::Struct(fields) => (comparison_of_struct(fields), hashing_of_struct(fields)),
        Body::Enum(variants) => (comparison_of_enum(variants), hashing_of_enum(variants)),
    };
    let eq = quote! {
        fn eq(&self, other: &Self) -> bool {
            #comparison
        }
    };
    let hash = quote! {
        fn hash<__Hasher: ::core::hash::Hasher>(&self, state: &mut __Hasher) {
            #hashing
        }
    };
    let at = Span::call_site().located_at(skip);
    let equal = implementation(input, &quote_spanned!(at=> ::core::cmp::PartialEq), &eq, at);
    let total = implementation(input, &quote_spanned!(at=> ::core::cmp::Eq), &quote!(), at);
    let hashed = implementation(input, &quote_spanned!(at=> ::core::hash::Hash), &hash, at);
    quote!(#equal #total #hashed)
}

/// Returns the impl of a trait, for which the fields must implement it.
fn implementation(input: &Input, of: &TokenStream, body: &TokenStream, at: Span) -> TokenStream {
    let mut generics = input.generics.clone();
    let bounds = bounds_of_fields(input, of);
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let mut ident = input.ident.clone();
    ident.set_span(at);
    quote_spanned! {at=>
        #[automatically_derived]
        impl #parameters #of for #ident #arguments #bounds {
            #body
        }
    }
}

fn comparison_of_struct(fields: &Fields) -> TokenStream {
    let of = |name| fields.kept().map(move |field| place(field, name));
    all_equal(of("self"), of("other"))
}

fn comparison_of_enum(variants: &[Variant]) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let (left, right) = (pattern(variant, "left"), pattern(variant, "right"));
        let of = |side| variant.fields.kept().map(move |field| local(field, side));
        let equal = all_equal(of("left"), of("right"));
        quote!((#left, #right) => #equal)
    });
    // With one variant it could not be reached.
    let others = (variants.len() > 1).then(|| quote!(_ => false,));
    quote!(match (self, other) { #(#arms,)* #others })
}

fn all_equal<T: quote::ToTokens>(
    left: impl Iterator<Item = T>,
    right: impl Iterator<Item = T>,
) -> TokenStream {
    let pairs: Vec<_> = left.zip(right).map(|(left, right)| quote!(#left == #right)).collect();
    if pairs.is_empty() { quote!(true) } else { quote!(#(#pairs)&&*) }
}

fn hashing_of_struct(fields: &Fields) -> TokenStream {
    let parts = fields.kept().map(borrowed);
    quote!(#(::core::hash::Hash::hash(#parts, state);)*)
}

fn hashing_of_enum(variants: &[Variant]) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let pattern = pattern(variant, "part");
        let parts = variant.fields.kept().map(|field| local(field, "part"));
        quote!(#pattern => { #(::core::hash::Hash::hash(#parts, state);)* })
    });
    quote! {
        ::core::hash::Hash::hash(&::core::mem::discriminant(self), state);
        match self { #(#arms)* }
    }
}
