//! Paths: how the names that burn and its users give become the paths of variables.
//!
//! Invariant: two metrics never share a path, and the same metrics in the same order always get the same paths.

use std::collections::HashMap;

use burn::train::metric::store::Split;

/// Where the variables of one training stand: at the top of the experiment, or in a namespace of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Namespace(Option<String>);

impl Namespace {
    /// `name` may have several segments; empty ones are left out, and the empty string is the top.
    pub(crate) fn new(name: &str) -> Self {
        let segments: Vec<&str> = name.split('/').filter(|segment| !segment.is_empty()).collect();
        Self((!segments.is_empty()).then(|| segments.join("/")))
    }

    /// Its segments; the empty string is the top.
    pub(crate) fn name(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path of `rest` here.
    pub(crate) fn path(&self, rest: &str) -> String {
        match &self.0 {
            Some(namespace) => format!("{namespace}/{rest}"),
            None => rest.to_owned(),
        }
    }
}

/// The namespace of a split: `train`, `valid`, `test` or `test/NAME`.
pub(crate) fn split(split: &Split) -> String {
    match split {
        Split::Train => "train".to_owned(),
        Split::Valid => "valid".to_owned(),
        Split::Test(None) => "test".to_owned(),
        Split::Test(Some(name)) => format!("test/{}", segment(name)),
    }
}

/// `name` as one segment of a path: in lower case, `_` for each run of blanks, slashes and control characters.
///
/// `Learning Rate` becomes `learning_rate`, `Top-5 Accuracy` becomes `top-5_accuracy`, and nothing at all `unnamed`.
pub(crate) fn segment(name: &str) -> String {
    /// Longer names are cut: a path of 1,024 bytes has room for a namespace besides.
    const LONGEST: usize = 128;
    let mut segment = String::new();
    for letter in name.trim().chars().flat_map(char::to_lowercase) {
        let kept = if letter.is_whitespace() || letter.is_control() || letter == '/' { '_' } else { letter };
        if kept == '_' && segment.ends_with('_') {
            continue;
        }
        if segment.len() + kept.len_utf8() > LONGEST {
            break;
        }
        segment.push(kept);
    }
    match segment.as_str() {
        "" | "." | ".." => "unnamed".to_owned(),
        _ => segment,
    }
}

/// The segments of the metrics of one training.
#[derive(Debug)]
pub(crate) struct Names {
    /// How often each segment was asked for.
    taken: HashMap<String, usize>,
}

impl Names {
    /// `reserved` segments are never given: something else stands there.
    pub(crate) fn new(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|&name| (name.to_owned(), 1)).collect() }
    }

    /// The segment of the metric `name`; `NAME_2` and so on when another metric has it already.
    pub(crate) fn take(&mut self, name: &str) -> String {
        let wanted = segment(name);
        let mut given = wanted.clone();
        while let Some(times) = self.taken.get_mut(&given) {
            *times += 1;
            given = format!("{wanted}_{times}");
        }
        self.taken.insert(given.clone(), 1);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_segments_of_paths() {
        for (name, expected) in [
            ("Loss", "loss"),
            ("Learning Rate", "learning_rate"),
            ("Top-5  Accuracy", "top-5_accuracy"),
            ("FBetaScore (beta=1) @ Macro", "fbetascore_(beta=1)_@_macro"),
            ("a/b", "a_b"),
            ("  ", "unnamed"),
            ("..", "unnamed"),
            ("line\nbreak", "line_break"),
        ] {
            assert_eq!(segment(name), expected);
        }
        assert_eq!(segment(&"x".repeat(500)).len(), 128);
    }

    #[test]
    fn two_metrics_never_share_a_path() {
        let mut names = Names::new(&["epoch"]);
        let taken: Vec<String> =
            ["F1 Score", "F1 score", "f1_score_2", "f1 score", "Epoch"].map(|name| names.take(name)).into();
        assert_eq!(taken, ["f1_score", "f1_score_2", "f1_score_2_2", "f1_score_3", "epoch_2"]);
    }

    #[test]
    fn a_namespace_has_no_empty_segments() {
        assert_eq!(Namespace::new("").path("train/loss"), "train/loss");
        assert_eq!(Namespace::new("/stage//two/").path("train/loss"), "stage/two/train/loss");
    }

    #[test]
    fn each_split_has_a_namespace() {
        assert_eq!(split(&Split::Train), "train");
        assert_eq!(split(&Split::Test(Some("Hold Out".to_owned().into()))), "test/hold_out");
    }
}
