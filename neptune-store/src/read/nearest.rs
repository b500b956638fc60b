//! Names near a name that was not found, for messages.

/// How many names a message suggests.
const SUGGESTED: usize = 3;

/// The longest name that is looked for, in bytes: comparing takes as long as both names together, and there are many.
const LONGEST: usize = 1 << 10;

/// A fragment for the message about a name that is not among the `known` ones, such as `; did you mean "train/loss" or "train/acc"?`, or nothing when no name is near.
pub fn suggestion<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    if wanted.len() > LONGEST {
        return String::new();
    }
    let mut near: Vec<(f64, &str)> =
        known.map(|name| (likeness(wanted, name), name)).filter(|(likeness, _)| *likeness > 0.6).collect();
    near.sort_by(|(left, left_name), (right, right_name)| right.total_cmp(left).then(left_name.cmp(right_name)));
    near.dedup_by_key(|(_, name)| *name);
    let names: Vec<String> = near.iter().take(SUGGESTED).map(|(_, name)| format!("{name:?}")).collect();
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

/// 1 for the same name, less the more they differ. A name that ends with what was wanted is near: `logs/loss` for `loss`.
fn likeness(wanted: &str, name: &str) -> f64 {
    let suffix = !wanted.is_empty() && name.ends_with(wanted) && name.len() > wanted.len();
    if suffix { 0.99 } else { strsim::jaro_winkler(wanted, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_suggested_first() {
        let known = ["train/loss", "train/accuracy", "epoch", "logs/loss"];
        let near = suggestion("train/los", known.into_iter());
        assert!(near.starts_with("; did you mean \"train/loss\" or \"train/accuracy\""), "{near}");
        assert!(!near.contains("epoch"), "{near}");
        assert!(suggestion("loss", known.into_iter()).starts_with("; did you mean \"logs/loss\""));
        assert_eq!(suggestion("zzz", known.into_iter()), "");
    }
}
