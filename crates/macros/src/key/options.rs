//! `#[key(..)]` on a type, a variant and a field.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Path};

/// All that is wrong, so that it is told at once.
#[derive(Default)]
pub(super) struct Problems(Option<syn::Error>);

impl Problems {
    /// Adds one; the text names the cure.
    pub(super) fn add(&mut self, span: Span, text: &str) {
        self.combine(syn::Error::new(span, text));
    }

    /// # Errors
    ///
    /// All problems that were added.
    pub(super) fn none(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }

    fn combine(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }
}

#[derive(Default)]
pub(super) struct TypeOptions {
    pub(super) rename: Option<LitStr>,
    pub(super) larder: Option<Path>,
}

impl TypeOptions {
    pub(super) fn read(attributes: &[Attribute], problems: &mut Problems) -> Self {
        let mut options = TypeOptions::default();
        each_option(attributes, problems, |option| match name_of(option).as_str() {
            "rename" => set(&mut options.rename, option, name_in_text),
            "crate" => set(&mut options.larder, option, path_of_crate),
            "skip" => {
                Err(option.error("a key cannot be skipped; `skip` is for a field that is no part of it"))
            }
            other => Err(unknown(option, other, "a type has `rename = \"..\"` and `crate = path`")),
        });
        options
    }
}

#[derive(Default)]
pub(super) struct VariantOptions {
    pub(super) rename: Option<LitStr>,
}

impl VariantOptions {
    pub(super) fn read(attributes: &[Attribute], problems: &mut Problems) -> Self {
        let mut options = VariantOptions::default();
        each_option(attributes, problems, |option| match name_of(option).as_str() {
            "rename" => set(&mut options.rename, option, name_in_text),
            "skip" => Err(option.error(
                "a variant is a key like the others; `skip` is for a field that is no part of the key",
            )),
            "crate" => Err(of_the_type(option)),
            other => Err(unknown(option, other, "a variant has `rename = \"..\"`")),
        });
        options
    }
}

#[derive(Default)]
pub(super) struct FieldOptions {
    pub(super) skip: Option<Span>,
}

impl FieldOptions {
    pub(super) fn read(attributes: &[Attribute], problems: &mut Problems) -> Self {
        let mut options = FieldOptions::default();
        each_option(attributes, problems, |option| match name_of(option).as_str() {
            "skip" => set(&mut options.skip, option, |option| Ok(option.path.span())),
            "rename" => {
                Err(option
                    .error("fields are not named in a key's text, and can be renamed freely: remove this"))
            }
            "crate" => Err(of_the_type(option)),
            other => Err(unknown(option, other, "a field has `skip`")),
        });
        options
    }
}

/// Reads the options of each `#[key(..)]`. One that is wrong does not hide those of the other attributes.
fn each_option(
    attributes: &[Attribute],
    problems: &mut Problems,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("key")) {
        if let Err(error) = attribute.parse_nested_meta(|option| read(&option)) {
            problems.combine(error);
        }
    }
}

fn name_of(option: &ParseNestedMeta<'_>) -> String {
    option.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

/// Reads an option into its place, which must be empty.
fn set<T>(
    place: &mut Option<T>,
    option: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if place.is_some() {
        return Err(option.error(format!("`{}` is said twice: remove one", name_of(option))));
    }
    *place = Some(read(option)?);
    Ok(())
}

/// Reads the name that stands in a text. An empty one would be no part.
fn name_in_text(option: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let name: LitStr = value(option, <LitStr as Parse>::parse, "`rename = \"..\"`")?;
    if name.value().is_empty() {
        return Err(syn::Error::new(name.span(), "a name has at least one character"));
    }
    Ok(name)
}

fn path_of_crate(option: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    value(option, Path::parse_mod_style, "`crate = path`, without quotes")
}

fn value<T>(
    option: &ParseNestedMeta<'_>,
    read: fn(ParseStream<'_>) -> syn::Result<T>,
    form: &str,
) -> syn::Result<T> {
    let value = option.value().and_then(read);
    value.map_err(|error| syn::Error::new(error.span(), format!("{error}: write it as {form}")))
}

fn of_the_type(option: &ParseNestedMeta<'_>) -> syn::Error {
    option.error("`crate` is said once, of the whole type: write it above the `struct` or `enum`")
}

fn unknown(option: &ParseNestedMeta<'_>, name: &str, known: &str) -> syn::Error {
    option.error(format!("there is no option `{name}` here: {known}"))
}
