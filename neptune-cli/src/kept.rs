//! Which texts of an experiment are steps of which every span was kept, as the tracing layer logs them.
//!
//! The steps at each span path are a series of their own, so those at different paths may have the same number.

use neptune_core::VariableType;
use neptune_store::read::{SeriesSummary, Variable, VariableValue};

/// Where kept steps are: a text below it for each span path, with one timeline at each step.
pub(crate) const NAMESPACE: &str = "monitoring/steps/";

/// The span paths of which steps were kept among `variables`, in their order, and the series of each.
pub(crate) fn of(variables: &[Variable]) -> impl Iterator<Item = (&str, &SeriesSummary)> {
    let texts = variables.iter().filter(|variable| variable.kind == VariableType::STRING_SERIES);
    texts.filter_map(|variable| match &variable.value {
        VariableValue::Series(summary) => Some((variable.path.strip_prefix(NAMESPACE)?, summary)),
        _ => None,
    })
}

/// Where the steps at a span path are.
pub(crate) fn path_of(span: &str) -> String {
    format!("{NAMESPACE}{span}")
}
