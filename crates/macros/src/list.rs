//! Options by name: each once, and those that there are.

use std::collections::HashSet;
use syn::{Error, Ident, Result};

/// What was said already.
#[derive(Default)]
pub(crate) struct Listed(HashSet<String>);

impl Listed {
    /// Notes that this is said.
    pub(crate) fn once(&mut self, name: &Ident) -> Result<()> {
        if self.0.insert(name.to_string()) {
            Ok(())
        } else {
            Err(Error::new(name.span(), format!("`{name}` is said twice: leave one of them out")))
        }
    }
}

/// That `said` is none of the `options`, and which one may have been meant.
pub(crate) fn known(what: &str, said: &str, options: &[&str]) -> String {
    let near = options.iter().map(|option| (distance(said, option), option)).min();
    match near {
        Some((distance, option)) if distance <= 2 => {
            format!("there is no {what} `{said}`; did you mean `{option}`?")
        }
        _ => format!("there is no {what} `{said}`; there are `{}`", options.join("`, `")),
    }
}

/// How many letters are to be put in, taken out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], line + 1);
        for (column, another) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != *another);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_an_option_is_guessed() {
        assert_eq!(
            known("option", "tll", &["ttl", "stale"]),
            "there is no option `tll`; did you mean `ttl`?"
        );
        assert_eq!(
            known("option", "lifetime", &["ttl", "stale"]),
            "there is no option `lifetime`; there are `ttl`, `stale`"
        );
    }
}
