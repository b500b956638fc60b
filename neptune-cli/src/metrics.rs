//! Which series tell the most of an experiment, when nobody says which to show.
//!
//! What people look at first comes first: losses, then accuracies, then the rest; what watches the machine, and how long
//! things took, comes last.

use std::collections::BTreeMap;

/// How many columns a table gets.
const MOST: usize = 4;

/// How telling a series is by its name; the least is the most telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Loss,
    Accuracy,
    Other,
    Machine,
}

impl Kind {
    fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let mut words = path.split(|character: char| !character.is_ascii_alphanumeric());
        if ["monitoring/", "timing/"].iter().any(|namespace| path.starts_with(namespace)) {
            Self::Machine
        } else if path.contains("loss") || path.contains("perplexity") {
            Self::Loss
        } else if path.contains("accuracy") || words.any(|word| ["acc", "f1", "auc", "iou", "map"].contains(&word)) {
            Self::Accuracy
        } else {
            Self::Other
        }
    }
}

/// The most telling of some series of one experiment.
pub(crate) fn most_telling<'a>(paths: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Of equals the shortest: `loss` before `train/layers/3/loss`.
    paths.min_by_key(|path| (Kind::of(path), path.len(), *path))
}

/// The series that a table of experiments shows; each experiment comes with the paths of its series.
///
/// Each is a series that at least a quarter of them have. Those that most have come first, and losses leave room for
/// accuracies.
pub(crate) fn columns<'a>(experiments: &'a [Vec<String>]) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for paths in experiments {
        for path in paths {
            *counts.entry(path).or_default() += 1;
        }
    }
    let of = experiments.len();
    let mut candidates: Vec<(&'a str, usize)> = counts.into_iter().filter(|(_, count)| count * 4 >= of).collect();
    candidates.sort_by_key(|(path, count)| (count * 2 < of, Kind::of(path), of - count, path.len(), *path));
    let is_machine = |path: &str| Kind::of(path) == Kind::Machine;
    let mut chosen: Vec<&str> = Vec::new();
    for (kind, most) in [
        (Kind::Loss, MOST / 2),
        (Kind::Accuracy, MOST / 2),
        (Kind::Other, MOST),
        (Kind::Loss, MOST),
        (Kind::Accuracy, MOST),
    ] {
        let mut taken = chosen.iter().filter(|path| Kind::of(path) == kind).count();
        for (path, _) in &candidates {
            if chosen.len() < MOST
                && taken < most
                && Kind::of(path) == kind
                && !chosen.contains(path)
                && !is_machine(path)
            {
                chosen.push(path);
                taken += 1;
            }
        }
    }
    // In the order of their rank, whichever round chose them.
    candidates.iter().map(|(path, _)| *path).filter(|path| chosen.contains(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().copied().map(String::from).collect()
    }

    #[test]
    fn a_table_shows_losses_and_accuracies_that_most_have() {
        let usual =
            paths(&["train/loss", "val/loss", "test/loss", "val/acc", "train/acc", "lr", "monitoring/gpu_loss"]);
        let experiments = [usual.clone(), usual.clone(), usual, paths(&["lr", "odd"])];
        assert_eq!(columns(&experiments), ["val/loss", "test/loss", "val/acc", "train/acc"]);
    }

    #[test]
    fn what_only_one_of_many_has_is_not_shown() {
        let mut experiments = vec![paths(&["reward"]); 9];
        experiments.push(paths(&["loss", "monitoring/cpu"]));
        for paths in &mut experiments {
            paths.push("timing/loss/mean".to_owned());
        }
        assert_eq!(columns(&experiments), ["reward"]);
        assert_eq!(columns(&[]), [""; 0]);
    }

    #[test]
    fn without_accuracies_losses_fill_the_table() {
        let experiments = [paths(&["a/loss", "b/loss", "c/loss"])];
        assert_eq!(columns(&experiments), ["a/loss", "b/loss", "c/loss"]);
    }

    #[test]
    fn a_loss_is_the_most_telling_and_the_machine_the_least() {
        let most = |all: &[&'static str]| most_telling(all.iter().copied());
        assert_eq!(most(&["lr", "layers/1/loss", "train/loss"]), Some("train/loss"));
        assert_eq!(most(&["lr", "train/acc"]), Some("train/acc"));
        assert_eq!(most(&["monitoring/cpu", "rather/long/name"]), Some("rather/long/name"));
        assert_eq!(most(&["timing/loss/p50", "rather/long/name"]), Some("rather/long/name"));
        assert_eq!(most(&[]), None);
    }
}
