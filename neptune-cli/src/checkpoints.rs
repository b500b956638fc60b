//! Which variables of an experiment are checkpoints, as [`neptune_core::Checkpoints`] logs them: the atom `FAMILY/STEP` is a
//! version, `FAMILY/best` the step of the best one, and `artifacts/FAMILY/STEP/NAME` a file of it.

use std::collections::BTreeMap;

use neptune_core::{AtomValue, Checkpoint, Timestamp};
use neptune_store::read::{Variable, VariableValue};
use serde::Deserialize;

use crate::media;

/// Where artifacts are.
pub(crate) const ARTIFACTS: &str = "artifacts/";

/// The version that was completed last.
pub(crate) const LATEST: &str = "latest";
/// The version with the best metric.
pub(crate) const BEST: &str = "best";

/// The versions of one name.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// By step, each with the time at which it was completed.
    pub(crate) versions: BTreeMap<u64, (Checkpoint, Timestamp)>,
    pub(crate) best: Option<u64>,
}

/// The part of a version that is not public.
#[derive(Deserialize)]
struct Completion {
    completed: i64,
}

impl Family {
    /// The step of the version that a resumed training goes on from.
    pub(crate) fn latest(&self) -> Option<u64> {
        self.versions.iter().max_by_key(|(_, (_, completed))| *completed).map(|(step, _)| *step)
    }

    /// The version that `name` means: `latest`, `best`, or a step.
    pub(crate) fn find(&self, name: &str) -> Option<&Checkpoint> {
        let step = match name {
            LATEST => self.latest(),
            BEST => self.best,
            _ => name.parse().ok(),
        };
        self.versions.get(&step?).map(|(checkpoint, _)| checkpoint)
    }
}

/// The families of an experiment with these `variables`, by path.
pub(crate) fn of(variables: &[Variable]) -> BTreeMap<&str, Family> {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for variable in variables {
        if let VariableValue::Atom(AtomValue::Json(document)) = &variable.value
            && let Some((family, step)) = variable.path.rsplit_once('/')
            && step.bytes().all(|digit| digit.is_ascii_digit())
            && let (Some(checkpoint), Some(Completion { completed })) =
                (media::of::<Checkpoint>(document), media::of(document))
            && checkpoint.step.to_string() == step
        {
            let completed = Timestamp::from_micros(completed);
            families.entry(family).or_default().versions.insert(checkpoint.step, (checkpoint, completed));
        }
    }
    for variable in variables {
        if let VariableValue::Atom(AtomValue::Int(step)) = &variable.value
            && let Some(family) = variable.path.strip_suffix(BEST).and_then(|path| path.strip_suffix('/'))
            && let Some(family) = families.get_mut(family)
        {
            family.best = u64::try_from(*step).ok().filter(|step| family.versions.contains_key(step));
        }
    }
    families
}

/// Whether the variable at `path` says something about a version, or is a file of one, so that it is shown with it.
pub(crate) fn have(families: &BTreeMap<&str, Family>, path: &str) -> bool {
    let is_of = |family: &str, versions: &Family| {
        let within =
            |path: &'_ str| path.strip_prefix(family).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned);
        let is_known = |step: &str| step.parse().is_ok_and(|step| versions.versions.contains_key(&step));
        if let Some(name) = within(path) {
            return [LATEST, BEST].contains(&name.as_str()) || is_known(&name);
        }
        let file = path.strip_prefix(ARTIFACTS).and_then(within);
        file.is_some_and(|file| file.split_once('/').is_some_and(|(step, _)| is_known(step)))
    };
    families.iter().any(|(family, versions)| is_of(family, versions))
}
