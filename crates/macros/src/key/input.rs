//! What `#[derive(Key)]` is written on, read and checked.

use super::options::{FieldOptions, Problems, TypeOptions, VariantOptions};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Generics, LitStr, Member, Path, Type};

pub(super) struct Input {
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    /// The crate that has the trait.
    pub(super) larder: Path,
    /// The first part of every text, if there is to be one.
    pub(super) name: Option<LitStr>,
    pub(super) body: Body,
}

pub(super) enum Body {
    Struct(Fields),
    Enum(Vec<Variant>),
}

pub(super) struct Variant {
    pub(super) ident: Ident,
    /// What the text calls it.
    pub(super) name: LitStr,
    pub(super) fields: Fields,
}

pub(super) struct Fields {
    pub(super) style: Style,
    pub(super) all: Vec<Field>,
}

#[derive(Clone, Copy)]
pub(super) enum Style {
    Named,
    Unnamed,
    Unit,
}

pub(super) struct Field {
    /// Counted from 0 among all fields, for the name of a variable.
    pub(super) number: usize,
    pub(super) member: Member,
    pub(super) ty: Type,
    /// Where `skip` is written, if the field is no part of the key.
    pub(super) skip: Option<Span>,
}

impl Input {
    /// Reads the type.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, together.
    pub(super) fn read(input: &DeriveInput) -> syn::Result<Self> {
        let mut problems = Problems::default();
        let options = TypeOptions::read(&input.attrs, &mut problems);
        for lifetime in input.generics.lifetimes() {
            let name = &lifetime.lifetime;
            let cure = format!("a key owns what it is made of: `String` in place of `&{name} str`");
            problems.add(name.span(), &cure);
        }

        let body = match &input.data {
            Data::Struct(data) => Body::Struct(Fields::read(&data.fields, &mut problems)),
            Data::Enum(data) => {
                let variants = data.variants.iter().map(|variant| Variant::read(variant, &mut problems));
                Body::Enum(variants.collect())
            }
            Data::Union(data) => {
                let cure = "a union does not know which of its fields is there: make it an enum";
                problems.add(data.union_token.span, cure);
                Body::Enum(Vec::new())
            }
        };
        match &body {
            Body::Struct(fields) => fields.check(&mut problems),
            Body::Enum(variants) => check_names(variants, &mut problems),
        }

        problems.none()?;
        Ok(Input {
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            larder: options.larder.unwrap_or_else(|| syn::parse_quote!(::larder)),
            name: options.rename,
            body,
        })
    }
}

impl Body {
    /// All fields, whichever variant they are of.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        let (fields, variants) = match self {
            Body::Struct(fields) => (Some(fields), &[][..]),
            Body::Enum(variants) => (None, &variants[..]),
        };
        fields
            .into_iter()
            .chain(variants.iter().map(|variant| &variant.fields))
            .flat_map(|fields| &fields.all)
    }
}

impl Variant {
    fn read(variant: &syn::Variant, problems: &mut Problems) -> Self {
        let options = VariantOptions::read(&variant.attrs, problems);
        let ident = &variant.ident;
        Variant {
            ident: ident.clone(),
            name: options.rename.unwrap_or_else(|| LitStr::new(&ident.unraw().to_string(), ident.span())),
            fields: Fields::read(&variant.fields, problems),
        }
    }
}

impl Fields {
    fn read(fields: &syn::Fields, problems: &mut Problems) -> Self {
        let style = match fields {
            syn::Fields::Named(_) => Style::Named,
            syn::Fields::Unnamed(_) => Style::Unnamed,
            syn::Fields::Unit => Style::Unit,
        };
        let all = fields.members().zip(fields).enumerate().map(|(number, (member, field))| Field {
            number,
            member,
            ty: field.ty.clone(),
            skip: FieldOptions::read(&field.attrs, problems).skip,
        });
        Fields { style, all: all.collect() }
    }

    /// The fields that are parts of the key.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Field> {
        self.all.iter().filter(|field| field.skip.is_none())
    }

    /// A struct is a part of a key or is none.
    fn check(&self, problems: &mut Problems) {
        let last = self.all.last().and_then(|field| field.skip);
        if let (Some(skip), None) = (last, self.kept().next()) {
            let cure = "every field is skipped, and all keys would be one: keep those that tell them apart";
            problems.add(skip, cure);
        }
    }
}

/// Two variants of one name would share texts.
fn check_names(variants: &[Variant], problems: &mut Problems) {
    for (number, variant) in variants.iter().enumerate() {
        let name = variant.name.value();
        if let Some(other) = variants[..number].iter().find(|other| other.name.value() == name) {
            let other = &other.ident;
            let cure = format!(
                "the variant `{other}` is called `{name}` in a key's text too: give one of them another name, \
                 `#[key(rename = \"..\")]`"
            );
            problems.add(variant.name.span(), &cure);
        }
    }
}
