//! Spans of time in options: `"60s"`, `"1h30m"`, or any expression.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use std::time::Duration;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, Result};

const SHOULD: &str =
    "write `\"500ms\"`, `\"60s\"`, `\"5m\"`, `\"1h30m\"` or `\"2d\"`, or an expression of type `Duration`";

/// A span of time that an option names.
#[derive(Clone)]
pub(crate) enum Period {
    /// A text, read when the code is compiled.
    Known(Duration, Span),
    Expression(Expr),
}

impl Parse for Period {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let span = read(&text.value()).map_err(|why| Error::new(text.span(), why))?;
                Ok(Period::Known(span, text.span()))
            }
            Expr::Lit(ExprLit { lit: lit @ (Lit::Int(_) | Lit::Float(_)), .. }) => {
                let number = lit.to_token_stream().to_string();
                Err(Error::new(lit.span(), format!("{number} of what? {SHOULD}")))
            }
            other => Ok(Period::Expression(other)),
        }
    }
}

impl Period {
    /// The code for it.
    pub(crate) fn code(&self) -> TokenStream {
        match self {
            Period::Known(span, at) => {
                let at = Span::mixed_site().located_at(*at);
                let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                if millis % 1_000 == 0 {
                    let seconds = millis / 1_000;
                    quote_spanned!(at=> ::core::time::Duration::from_secs(#seconds))
                } else {
                    quote_spanned!(at=> ::core::time::Duration::from_millis(#millis))
                }
            }
            Period::Expression(expression) => expression.to_token_stream(),
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Period::Known(_, span) => *span,
            Period::Expression(expression) => expression.span(),
        }
    }
}

/// Reads one or more numbers, each with its unit.
fn read(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: {SHOULD}");
    let mut left = text.trim();
    if left.is_empty() {
        return Err(wrong());
    }
    let mut millis = 0_u64;
    while !left.is_empty() {
        let digits = left.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, rest) = left.split_at(digits);
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit);
        let of_unit = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        millis = number.checked_mul(of_unit).and_then(|more| millis.checked_add(more)).ok_or_else(wrong)?;
        left = rest;
    }
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_added_up() {
        for (text, millis) in [
            ("60s", 60_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("2d", 172_800_000),
            ("0s", 0),
            ("1m 5s", 65_000),
        ] {
            assert_eq!(read(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_of_time_is_told_what_is() {
        for text in ["", "60", "s", "60x", "-5s", "1.5s", "99999999999999999d", "5 minutes", "1h30"] {
            assert!(read(text).is_err_and(|why| why.contains("1h30m")), "{text}");
        }
    }
}
