//! What README shows is what is tested: its first example is that of the crate's documentation.

#[test]
fn the_first_example_of_the_readme_is_that_of_the_docs() {
    let readme = include_str!("../README.md");
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());

    let docs = include_str!("../src/lib.rs");
    let tested: String = docs
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .filter(|line| !line.starts_with("# "))
        .flat_map(|line| [line, "\n"])
        .collect();

    assert_eq!(shown.map(str::trim), Some(tested.trim()));
}
