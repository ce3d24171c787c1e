//! Expansions, as they are committed.

use proc_macro2::TokenStream;

/// Compares the expansion with the one that is committed.
#[track_caller]
pub(crate) fn shown(name: &str, expanded: syn::Result<TokenStream>) {
    let file = syn::parse2(expanded.expect("nothing is wrong with it")).expect("the expansion is Rust");
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, prettyplease::unparse(&file));
    });
}
