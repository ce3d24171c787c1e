//! The body of a method, inside of a closure that owns what the method is called on.

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, ExprPath, Item, Macro};

/// The block with `this` in place of `self`, but for the items in it, which have a `self` of their own.
pub(crate) fn renamed(block: &Block) -> Block {
    let mut renamed = block.clone();
    Rename.visit_block_mut(&mut renamed);
    renamed
}

struct Rename;

impl VisitMut for Rename {
    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        if path.qself.is_none() && path.path.is_ident("self") {
            path.path.segments[0].ident = this();
        }
        visit_mut::visit_expr_path_mut(self, path);
    }

    fn visit_macro_mut(&mut self, called: &mut Macro) {
        called.tokens = in_tokens(std::mem::take(&mut called.tokens));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}

/// What a macro is given is no expression yet.
fn in_tokens(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut renamed = Vec::new();
    while let Some(token) = tokens.next() {
        // Where a path follows, it is the module.
        let is_module = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':' && next.spacing() == Spacing::Joint);
        renamed.push(match token {
            TokenTree::Ident(ident) if ident == "self" && !is_module => TokenTree::Ident(this()),
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), in_tokens(group.stream()));
                inside.set_span(group.span());
                TokenTree::Group(inside)
            }
            other => other,
        });
    }
    renamed.into_iter().collect()
}

fn this() -> Ident {
    Ident::new("this", Span::mixed_site())
}
