//! Names in Rust sources, as the lists of what the header has to cover are read from them.

/// The names of what stands one step to the right in a block: variants of an enum, fields of a struct.
pub(crate) fn members(block: &str) -> Vec<String> {
    block
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split([' ', ':', ',', '(', '{']).next())
        .map(str::to_owned)
        .collect()
}

/// `GivenUp` and `given_up` to `GIVEN_UP`.
pub(crate) fn upper(name: &str) -> String {
    let mut upper = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(c.to_ascii_uppercase());
    }
    upper
}
