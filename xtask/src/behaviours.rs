//! The table of behaviours in the docs: each test that it names exists, and no number is left out.

use crate::{root, sources};
use std::collections::HashSet;
use std::fs;

const TABLE: &str = "docs/BEHAVIOURS.md";
/// The behaviours that FusionCache's tests check.
const NUMBERS: std::ops::RangeInclusive<usize> = 1..=130;

pub(crate) fn check() -> Result<(), String> {
    let table = fs::read_to_string(root().join(TABLE)).map_err(|error| format!("{TABLE}: {error}"))?;
    let declared = declared_functions()?;

    let missing = named_tests(&table).filter(|name| !declared.contains(*name));
    let missing: Vec<_> = missing.map(|name| format!("`{name}` is no test")).collect();
    let told: HashSet<_> = table.lines().flat_map(numbers_of_row).collect();
    let left_out =
        NUMBERS.filter(|number| !told.contains(number)).map(|number| format!("{number} has no row"));

    let problems: Vec<_> = missing.into_iter().chain(left_out).collect();
    for problem in &problems {
        println!("{TABLE}: {problem}");
    }
    if problems.is_empty() { Ok(()) } else { Err("listed above".to_owned()) }
}

/// The names of all functions in the sources.
fn declared_functions() -> Result<HashSet<String>, String> {
    let files = sources::all().map_err(|error| format!("cannot list the sources: {error}"))?;
    let mut declared = HashSet::new();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let after_fn = text.split("fn ").skip(1);
        let name =
            |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
        declared.extend(after_fn.filter_map(name));
    }
    Ok(declared)
}

/// What stands in backticks and reads as a sentence of snake case.
fn named_tests(table: &str) -> impl Iterator<Item = &str> {
    let quoted = table.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        name.matches('_').count() > 1
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

/// The numbers in the first cell of a row: `7`, `9, 10` or `64–67`.
fn numbers_of_row(line: &str) -> Vec<usize> {
    let Some(cell) = line.strip_prefix("| ").and_then(|rest| rest.split('|').next()) else {
        return Vec::new();
    };
    let parts = cell.split(',').map(|part| {
        let mut ends = part.split('–').map(|number| number.trim().parse::<usize>().ok());
        let first = ends.next()??;
        let last = ends.next().unwrap_or(Some(first))?;
        Some(first..=last)
    });
    parts.collect::<Option<Vec<_>>>().into_iter().flatten().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tell_their_numbers() {
        assert_eq!(numbers_of_row("| 9, 10 | zero |"), [9, 10]);
        assert_eq!(numbers_of_row("| 64–67 | locks |"), [64, 65, 66, 67]);
        assert_eq!(numbers_of_row("| A-d1 | locks |"), [] as [usize; 0]);
        assert_eq!(numbers_of_row("9 sentences"), [] as [usize; 0]);
    }

    #[test]
    fn tests_are_told_from_other_words() {
        let text = "`a_test_of_ours` and `get_now`, `Cache::get_or_load`, `one_more_1`";
        assert_eq!(named_tests(text).collect::<Vec<_>>(), ["a_test_of_ours", "one_more_1"]);
    }
}
