//! The page of an experiment in JSON: everything, whatever the page leaves out.

use neptune_core::{Container, Content};
use neptune_store::read::{SeriesSummary, Variable, VariableValue};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Page;
use crate::{clock, hardware, number, value};

impl Page {
    pub(super) fn json(&self) -> Shown<'_> {
        let mut atoms = Map::new();
        let mut series = Vec::new();
        for variable in &self.variables {
            match &variable.value {
                VariableValue::Atom(value) => {
                    atoms.insert(variable.path.clone(), value::json(value));
                }
                VariableValue::Set(members) => {
                    atoms.insert(variable.path.clone(), members.clone().into());
                }
                VariableValue::Series(summary) => series.push(ShownSeries::of(variable, summary)),
            }
        }
        let time = |path| self.time(path).map(clock::json);
        Shown {
            id: &self.key.short_id,
            uuid: self.key.uuid.to_string(),
            project: self.key.project.as_str(),
            name: self.text("sys/name"),
            state: self.state(),
            failure: self.value("sys/failure").map(|_| self.text("sys/failure")),
            created: time("sys/creation_time"),
            ended: self.ended().map(clock::json),
            tags: self.tags(),
            variables: atoms,
            series,
            lost: self.lost.iter().map(|(reason, count)| (reason.name().to_owned(), count.into())).collect(),
        }
    }
}

/// An experiment in JSON.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: &'a str,
    uuid: String,
    project: &'a str,
    name: &'a str,
    /// None of one that no process has run yet.
    state: Option<&'a str>,
    failure: Option<&'a str>,
    created: Option<String>,
    ended: Option<String>,
    tags: &'a [String],
    /// Atoms and sets by path.
    variables: Map<String, Value>,
    series: Vec<ShownSeries<'a>>,
    /// Counts by reason.
    lost: Map<String, Value>,
}

#[derive(Serialize)]
struct ShownSeries<'a> {
    path: &'a str,
    r#type: &'static str,
    count: u64,
    nonfinite: u64,
    last: Value,
    minimum: Option<f64>,
    maximum: Option<f64>,
    mean: Option<f64>,
    first_step: Value,
    last_step: Value,
    last_time: String,
}

impl<'a> ShownSeries<'a> {
    fn of(variable: &'a Variable, summary: &SeriesSummary) -> Self {
        debug_assert_eq!(variable.kind.container, Container::Series, "only a series has a summary");
        let statistics = summary.statistics;
        Self {
            path: &variable.path,
            r#type: match variable.kind.content {
                Content::Float => "float",
                Content::Image => "image",
                Content::Histogram => "histogram",
                _ => "string",
            },
            count: statistics.count,
            nonfinite: statistics.nonfinite,
            last: value::json(&summary.last),
            minimum: statistics.minimum,
            maximum: statistics.maximum,
            mean: hardware::mean(summary),
            first_step: number::json_step(summary.first_step),
            last_step: number::json_step(summary.last_step),
            last_time: clock::json(summary.last_time),
        }
    }
}
