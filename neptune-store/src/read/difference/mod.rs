//! How two experiments differ: in what was set before, in code and surroundings, and from which step on in what came of it.
//!
//! Files are told apart by their digest and numbers by their bits: what is called equal is the same.

mod group;
mod series;

use std::collections::BTreeMap;

use neptune_format::{AtomValue, Container};

use self::group::Names;
pub use self::{
    group::Group,
    series::{Divergence, SeriesChange, SeriesDifference},
};
use super::{ExperimentKey, Variable, VariableValue};
use crate::{error::Result, store::Store};

/// How two experiments differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// What has one value, by group; every group is there.
    pub groups: Vec<GroupDifference>,
    /// How many series that both have are equal in every step and value.
    pub equal_series: u64,
    /// The series that differ, by path. Those of hardware and timings are not compared: they differ each time.
    pub series: Vec<SeriesDifference>,
}

/// How two experiments differ in one group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GroupDifference {
    /// The group.
    pub group: Group,
    /// How many values are equal.
    pub equal: u64,
    /// What differs, by name.
    pub changes: Vec<Change>,
}

/// A value that differs, or that one experiment does not have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// What it is called within its group. Of processes behind the first one it begins with `process 2/` and so on.
    pub name: String,
    /// What the first experiment has.
    pub left: Option<VariableValue>,
    /// What the second experiment has.
    pub right: Option<VariableValue>,
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.groups.iter().all(|group| group.changes.is_empty())
    }

    /// How they differ in a group.
    pub fn group(&self, group: Group) -> Option<&GroupDifference> {
        self.groups.iter().find(|found| found.group == group)
    }
}

impl Store {
    /// How experiment `right` differs from `left`.
    ///
    /// Parameters, code, dependencies, data, environment and hardware are compared by value; environment and hardware process by
    /// process, in the order in which they began. Names, states and times of the experiments are not compared. A series is
    /// read up to the first step at which it differs.
    ///
    /// # Errors
    /// When the store cannot be read; `Corrupt` when what is stored is damaged.
    pub fn difference(&self, left: &ExperimentKey, right: &ExperimentKey) -> Result<Difference> {
        // Both as they are at one moment.
        let snapshot = self.connection.unchecked_transaction()?;
        let [left_variables, right_variables] = [self.variables(left, "")?, self.variables(right, "")?];
        let of_left = self.compared_values(left, &left_variables)?;
        let of_right = self.compared_values(right, &right_variables)?;
        let groups = Group::ALL.into_iter().map(|group| difference_of(group, &of_left, &of_right)).collect();
        let (equal_series, series) = self.series_differences(left, &left_variables, right, &right_variables)?;
        snapshot.finish()?;
        Ok(Difference { groups, equal_series, series })
    }

    /// What has one value, by group and name.
    fn compared_values(
        &self,
        experiment: &ExperimentKey,
        variables: &[Variable],
    ) -> Result<BTreeMap<(Group, String), VariableValue>> {
        let writers = self.writers(experiment)?;
        let names = Names::new(&writers, variables);
        let mut values = BTreeMap::new();
        for variable in variables.iter().filter(|variable| variable.kind.container != Container::Series) {
            match names.of(&variable.path) {
                Some((Group::Dependencies, prefix)) => {
                    for (name, version) in packages(&variable.value) {
                        let version = VariableValue::Atom(AtomValue::String(version));
                        values.insert((Group::Dependencies, format!("{prefix}{name}")), version);
                    }
                }
                Some(name) => drop(values.insert(name, variable.value.clone())),
                None => {}
            }
        }
        Ok(values)
    }
}

/// The packages of a program with their versions.
fn packages(value: &VariableValue) -> BTreeMap<String, String> {
    match value {
        VariableValue::Atom(AtomValue::Json(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => BTreeMap::new(),
    }
}

fn difference_of(
    group: Group,
    left: &BTreeMap<(Group, String), VariableValue>,
    right: &BTreeMap<(Group, String), VariableValue>,
) -> GroupDifference {
    let mut names: BTreeMap<&str, (Option<&VariableValue>, Option<&VariableValue>)> = BTreeMap::new();
    for ((_, name), value) in left.iter().filter(|((of, _), _)| *of == group) {
        names.entry(name).or_default().0 = Some(value);
    }
    for ((_, name), value) in right.iter().filter(|((of, _), _)| *of == group) {
        names.entry(name).or_default().1 = Some(value);
    }
    let mut difference = GroupDifference { group, equal: 0, changes: Vec::new() };
    for (name, (left, right)) in names {
        if let (Some(left), Some(right)) = (left, right)
            && is_same(left, right)
        {
            difference.equal += 1;
        } else {
            difference.changes.push(Change { name: name.to_owned(), left: left.cloned(), right: right.cloned() });
        }
    }
    difference
}

fn is_same(left: &VariableValue, right: &VariableValue) -> bool {
    match (left, right) {
        (VariableValue::Atom(AtomValue::Float(left)), VariableValue::Atom(AtomValue::Float(right))) => {
            left.to_bits() == right.to_bits()
        }
        (left, right) => left == right,
    }
}
