//! What an [`ExperimentQuery`] asks for beside its filter: ids, states, owners, tags, and how long an experiment ran.
//!
//! Several values of one are alternatives, except for tags, of which an experiment must have all; and what was asked for
//! must all hold.

use std::fmt::Write as _;

use neptune_format::VariablePath;
use rusqlite::Connection;

use super::{
    filter::{Attribute, AttributeType, Filter, Literal, Operator},
    resolve::Places,
    sql::Condition,
    table::ExperimentQuery,
};
use crate::{
    error::{Error, ErrorKind, Result},
    read::by_id,
};

/// The states of an experiment.
const STATES: [&str; 4] = ["running", "succeeded", "failed", "aborted"];

/// Adds what `query` asks for to the end of `condition`.
pub(super) fn select(
    connection: &Connection,
    query: &ExperimentQuery,
    places: &mut Places<'_>,
    condition: &mut Condition,
) -> Result<()> {
    if !query.ids.is_empty() {
        condition.sql.push_str(" AND e.id IN (");
        for (index, id) in query.ids.iter().enumerate() {
            // An id that nothing has stands for no experiment; no row has the number 0.
            let id = by_id(connection, id)?.map_or(0, |key| key.id);
            let comma = if index > 0 { ", " } else { "" };
            write!(condition.sql, "{comma}{id}").expect("a String takes all that is written");
        }
        condition.sql.push(')');
    }
    for filter in filters(query)?.iter().chain(&query.filter) {
        condition.sql.push_str(" AND ");
        condition.push(filter, places, query.now)?;
    }
    Ok(())
}

fn filters(query: &ExperimentQuery) -> Result<Vec<Filter>> {
    let mut filters = Vec::new();
    for state in &query.states {
        if !STATES.contains(&state.as_str()) {
            let states = STATES.join(", ");
            return Err(Error::new(ErrorKind::Invalid, format!("there is no state {state:?}; states are {states}")));
        }
    }
    for (path, values) in [("sys/state", &query.states), ("sys/owner", &query.owners)] {
        if !values.is_empty() {
            let one = |value: &String| compared(path, AttributeType::String, Operator::Equal, value.as_str());
            filters.push(Filter::Or(values.iter().map(one).collect()));
        }
    }
    if !query.tags.is_empty() {
        let attribute = attribute("sys/tags", AttributeType::StringSet);
        let one = |tag: &String| Filter::Contains { attribute: attribute.clone(), text: tag.clone() };
        filters.push(Filter::And(query.tags.iter().map(one).collect()));
    }
    if let Some(least) = query.min_running_time {
        filters.push(compared("sys/running_time", AttributeType::Float, Operator::GreaterOrEqual, least.as_secs_f64()));
    }
    Ok(filters)
}

fn compared(path: &str, kind: AttributeType, operator: Operator, literal: impl Into<Literal>) -> Filter {
    Filter::Compare { attribute: attribute(path, kind), operator, literal: literal.into() }
}

fn attribute(path: &str, kind: AttributeType) -> Attribute {
    Attribute { path: VariablePath::new(path).expect("the paths of system variables are valid"), kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::sample::{NOW, sample};
    use super::*;

    fn kept(query: ExperimentQuery) -> String {
        let table = sample().table(query);
        let mut ids: Vec<_> = table.rows.into_iter().map(|row| row.short_id).collect();
        ids.sort();
        ids.join(" ")
    }

    #[test]
    fn values_of_one_are_alternatives_and_all_that_is_asked_for_holds() {
        let query = ExperimentQuery::default;
        let uuid = "01010101-0101-0101-0101-010101010101";
        for (query, ids) in [
            (query(), "CIF-1 MNI-1 MNI-2 MNI-3"),
            (query().ids(["mni-2", "CIF-1", "MNI-99", "nonsense"]), "CIF-1 MNI-2"),
            (query().ids([uuid]), "MNI-1"),
            (query().ids(["MNI-99"]), ""),
            (query().states(["failed", "succeeded"]), "MNI-1 MNI-2"),
            (query().states(["failed"]).ids(["MNI-1"]), ""),
            (query().states(["running"]), ""),
            (query().owners(["ada"]), ""),
            (query().tags(["cnn"]), "MNI-1"),
            (query().tags(["cnn", "fast"]), "MNI-1"),
            (query().tags(["cnn", "cnn2"]), ""),
            (query().tags(["cnn"]).filter("loss > 0.5".parse().unwrap()), ""),
            (query().states(["failed", "succeeded"]).filter("loss < 0.5 OR loss > 7".parse().unwrap()), "MNI-2"),
            (query().min_running_time(Duration::from_secs(1)), ""),
        ] {
            assert_eq!(kept(query.clone()), ids, "{query:?}");
        }
    }

    #[test]
    fn a_state_that_is_none_is_refused() {
        let query = ExperimentQuery::default().states(["succeeded", "suceeded"]).now(NOW);
        let error = sample().store.experiments(&query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("\"suceeded\"") && error.to_string().contains("aborted"), "{error}");
    }
}
