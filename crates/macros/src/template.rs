//! Texts with placeholders for arguments: `"user:{id}:{page.no:03}"`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Ident, Index, LitStr, Member, Result};

/// A text with placeholders, read when the code is compiled.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) span: Span,
}

#[derive(Clone)]
pub(crate) enum Piece {
    Text(String),
    Place(Place),
}

/// A placeholder.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) argument: Ident,
    /// The fields behind the argument.
    path: Vec<Member>,
    /// What follows the colon, if one does.
    spec: Option<String>,
    span: Span,
}

impl Place {
    /// Whether it is the argument itself, and nothing of it.
    pub(crate) fn is_plain(&self) -> bool {
        self.path.is_empty() && self.spec.is_none()
    }

    /// The expression that it stands for.
    pub(crate) fn expression(&self) -> TokenStream {
        let Place { argument, path, .. } = self;
        quote_spanned!(Span::mixed_site().located_at(self.span)=> #argument #(.#path)*)
    }

    /// The text by which `format!` shows it.
    pub(crate) fn format(&self) -> String {
        self.spec.as_ref().map_or_else(|| "{}".to_owned(), |spec| format!("{{:{spec}}}"))
    }

    /// What tells it from other placeholders.
    fn identity(&self) -> String {
        format!("{}:{}", self.expression(), self.format())
    }
}

impl Template {
    /// Reads `text`, whose placeholders are of these arguments.
    pub(crate) fn read(text: &LitStr, arguments: &[&Ident]) -> Result<Template> {
        let span = text.span();
        let wrong = |why: &str| Error::new(span, why);
        let source = text.value();
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut unnamed = arguments.iter();
        let mut sorts = [false; 2];
        let mut left = source.as_str();
        while let Some(at) = left.find(['{', '}']) {
            let (before, rest) = left.split_at(at);
            let (brace, behind) = rest.split_at(1);
            plain.push_str(before);
            if let Some(behind) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                left = behind;
                continue;
            }
            if brace == "}" {
                return Err(wrong("a `}` that closes nothing; a brace itself is `}}`"));
            }
            let (inside, behind) = behind
                .split_once('}')
                .ok_or_else(|| wrong("a `{` that nothing closes; a brace itself is `{{`"))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            sorts[usize::from(inside.split(':').next().is_some_and(|path| !path.trim().is_empty()))] = true;
            if sorts == [true; 2] {
                return Err(wrong("some placeholders have a name and some have none: give all of them one"));
            }
            pieces.push(Piece::Place(place(inside, span, arguments, &mut unnamed)?));
            left = behind;
        }
        plain.push_str(left);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces, span })
    }

    /// The placeholders, each once.
    pub(crate) fn places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = Vec::new();
        for piece in &self.pieces {
            if let Piece::Place(place) = piece
                && !places.iter().any(|known| known.identity() == place.identity())
            {
                places.push(place);
            }
        }
        places
    }

    /// The characters that parts must not have as they are: see `larder::function::Part`.
    pub(crate) fn special(&self) -> Result<String> {
        let mut special = String::from("%");
        let mut after_place = false;
        for piece in &self.pieces {
            match piece {
                Piece::Place(place) if after_place => {
                    let between = "two placeholders with nothing between them, so that nobody can tell where one ends: \
                                   put a separator there, such as `:`";
                    return Err(Error::new(place.span, between));
                }
                Piece::Place(_) => after_place = true,
                Piece::Text(text) => {
                    let first = text.chars().next().unwrap_or(':');
                    if after_place && (!first.is_ascii() || first == '%') {
                        let first = "what separates two placeholders begins with an ASCII character other than `%`, such as `:`";
                        return Err(Error::new(self.span, first));
                    }
                    if after_place && !special.contains(first) {
                        special.push(first);
                    }
                    after_place = false;
                }
            }
        }
        Ok(special)
    }

    /// The code for the text, as `format!` makes it.
    pub(crate) fn formatted(&self) -> TokenStream {
        let text: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
                Piece::Place(place) => place.format(),
            })
            .collect();
        let values = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Place(place) => Some(place.expression()),
        });
        let text = LitStr::new(&text, self.span);
        quote_spanned!(Span::mixed_site()=> ::std::format!(#text #(, #values)*))
    }
}

/// Reads what stands between two braces.
fn place<'a>(
    inside: &str,
    span: Span,
    arguments: &[&Ident],
    unnamed: &mut impl Iterator<Item = &'a &'a Ident>,
) -> Result<Place> {
    let (path, spec) = match inside.split_once(':') {
        Some((path, spec)) => (path.trim(), Some(spec.to_owned())),
        None => (inside.trim(), None),
    };
    if path.is_empty() {
        let Some(argument) = unnamed.next() else {
            return Err(Error::new(span, format!("more `{{}}` than arguments; there {}", list(arguments))));
        };
        return Ok(Place { argument: (*argument).clone(), path: Vec::new(), spec, span });
    }
    let mut names = path.split('.');
    let name = names.next().unwrap_or_default();
    let Some(argument) = arguments.iter().find(|argument| **argument == name) else {
        return Err(Error::new(span, format!("no argument is called `{name}`; there {}", list(arguments))));
    };
    let member = |name: &str| {
        match name.parse::<u32>() {
        Ok(index) => Ok(Member::Unnamed(Index { index, span })),
        Err(_) => syn::parse_str::<Ident>(name).map(|name| Member::Named(Ident::new(&name.to_string(), span))).map_err(|_| {
            let why = format!("`{{{inside}}}` is an argument, or a field of one: for more use a closure, `key = |..| ..`");
            Error::new(span, why)
        }),
    }
    };
    let path = names.map(member).collect::<Result<_>>()?;
    Ok(Place { argument: Ident::clone(argument), path, spec, span })
}

/// What arguments there are.
pub(crate) fn list(arguments: &[&Ident]) -> String {
    let names: Vec<_> =
        arguments.iter().map(|argument| format!("`{}`", argument.to_token_stream())).collect();
    match names.as_slice() {
        [] => "are none".to_owned(),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<String, String> {
        let (id, page) = (Ident::new("id", Span::call_site()), Ident::new("page", Span::call_site()));
        let template = Template::read(&LitStr::new(text, Span::call_site()), &[&id, &page]);
        let template = template.map_err(|error| error.to_string())?;
        let code = template.formatted().to_string();
        template.special().map_err(|error| error.to_string()).map(|special| format!("{code} {special}"))
    }

    #[test]
    fn placeholders_are_arguments_by_name_or_in_their_order_and_fields_of_them() {
        for (text, code) in [
            ("user:{id}", r#":: std :: format ! ("user:{}" , id) %"#),
            ("{}:{}", r#":: std :: format ! ("{}:{}" , id , page) %:"#),
            ("{id:03}/{page.no.0:>5}", r#":: std :: format ! ("{:03}/{:>5}" , id , page . no . 0) %/"#),
            ("{{{id}}}", r#":: std :: format ! ("{{{}}}" , id) %}"#),
            ("all", r#":: std :: format ! ("all") %"#),
        ] {
            assert_eq!(read(text).as_deref(), Ok(code), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_template_is_told_with_the_cure() {
        for (text, cure) in [
            ("{idd}", "no argument is called `idd`; there are `id`, `page`"),
            ("{}{}{}", "more `{}` than arguments"),
            ("{id", "`{{`"),
            ("id}", "`}}`"),
            ("{id.no()}", "use a closure"),
            ("{id}:{}", "give all of them one"),
            ("{id}{page}", "put a separator there"),
            ("{id}%{page}", "other than `%`"),
        ] {
            let told = read(text);
            assert!(told.as_ref().is_err_and(|why| why.contains(cure)), "{text}: {told:?}");
        }
    }
}
