//! A function whose attribute cannot be: the error, and the function as it was, so that what calls it is not wrong too.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Error, ImplItemFn};

/// The error in front of `item`.
pub(crate) fn with_item(error: Error, item: &TokenStream) -> TokenStream {
    let error = error.into_compile_error();
    let item = with_body(item).unwrap_or_else(|| item.clone());
    // What only the options use is not unused.
    quote! {
        #error
        #[allow(unused_variables, reason = "the attribute was to use them")]
        #item
    }
}

/// A function that ends with `;`, with a body that never runs: without one it would be a second error.
fn with_body(item: &TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<_> = item.clone().into_iter().collect();
    tokens.pop().filter(|last| matches!(last, TokenTree::Punct(end) if end.as_char() == ';'))?;
    let tokens = tokens.into_iter().collect::<TokenStream>();
    let function = quote!(#tokens { ::core::unreachable!() });
    syn::parse2::<ImplItemFn>(function.clone()).is_ok().then_some(function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    fn refused(item: &TokenStream) -> String {
        with_item(Error::new(Span::call_site(), "no"), item).to_string()
    }

    #[test]
    fn what_is_refused_stays_as_it_was() {
        for item in [
            quote!(
                pub async fn user(id: u64) -> u64 {
                    id
                }
            ),
            quote!(
                struct User;
            ),
            quote!(
                enum E {}
            ),
        ] {
            let text = refused(&item);
            assert!(text.contains("compile_error") && text.ends_with(&item.to_string()), "{text}");
        }
    }

    #[test]
    fn a_function_without_a_body_is_given_one() {
        assert!(
            refused(&quote!(
                async fn user(id: u64) -> u64;
            ))
            .ends_with("{ :: core :: unreachable ! () }")
        );
    }
}
