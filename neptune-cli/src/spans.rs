//! [`Spans`]: which series of an experiment are the timings of spans, as the tracing layer logs them.
//!
//! A path is a span's exactly when it has both a `count` and a `total` under `timing/`. Whatever else somebody logs there is
//! nobody's timing, and is shown like any other series.

use std::collections::BTreeMap;

use neptune_core::VariableType;
use neptune_store::read::{SeriesSummary, Variable, VariableValue};

/// Where timings are.
pub(crate) const NAMESPACE: &str = "timing/";

/// The figures of a window that the tracing layer logs, and each timing of those that are logged one by one.
const FIGURES: [&str; 9] = ["count", "total", "mean", "p50", "p99", "max", "busy", "idle", "samples"];

/// The series of a span, by their figures.
type Figures<'a> = BTreeMap<&'a str, &'a SeriesSummary>;

/// The spans of an experiment that were timed.
#[derive(Debug)]
pub(crate) struct Spans<'a>(BTreeMap<&'a str, Figures<'a>>);

impl<'a> Spans<'a> {
    /// Those among `variables`.
    pub(crate) fn of(variables: &'a [Variable]) -> Self {
        let mut spans: BTreeMap<&str, Figures<'_>> = BTreeMap::new();
        for variable in variables.iter().filter(|variable| variable.kind == VariableType::FLOAT_SERIES) {
            if let (Some((span, figure)), VariableValue::Series(summary)) = (parts(&variable.path), &variable.value)
                && FIGURES.contains(&figure)
            {
                spans.entry(span).or_default().insert(figure, summary);
            }
        }
        spans.retain(|_, figures| figures.contains_key("count") && figures.contains_key("total"));
        Self(spans)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the variable at `path` is a timing of one of them.
    pub(crate) fn have(&self, path: &str) -> bool {
        parts(path).is_some_and(|(span, figure)| self.0.get(span).is_some_and(|figures| figures.contains_key(figure)))
    }

    /// Each with its path and its figures.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &Figures<'a>)> {
        self.0.iter().map(|(path, figures)| (*path, figures))
    }
}

/// Where a figure of a span is logged.
pub(crate) fn path_of(span: &str, figure: &str) -> String {
    format!("{NAMESPACE}{span}/{figure}")
}

/// The span and the figure that a path would be of.
fn parts(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(NAMESPACE)?.rsplit_once('/')
}

#[cfg(test)]
mod tests {
    use neptune_core::{AtomValue, Timestamp};
    use neptune_store::chunk::Statistics;

    use super::*;

    fn series(paths: &[&str]) -> Vec<Variable> {
        let summary = SeriesSummary {
            last: AtomValue::Float(0.5),
            first_step: 0.0,
            last_step: 0.0,
            last_time: Timestamp::from_micros(0),
            statistics: Statistics::default(),
        };
        let variable = |path: &&str| Variable {
            path: (*path).to_owned(),
            kind: VariableType::FLOAT_SERIES,
            value: VariableValue::Series(summary.clone()),
        };
        paths.iter().map(variable).collect()
    }

    #[test]
    fn a_span_may_be_called_like_a_figure() {
        let variables = series(&[
            "timing/a/count",
            "timing/a/count/count",
            "timing/a/count/total",
            "timing/a/p50",
            "timing/a/total",
        ]);
        let spans = Spans::of(&variables);
        assert_eq!(spans.iter().map(|(path, _)| path).collect::<Vec<_>>(), ["a", "a/count"]);
        assert!(variables.iter().all(|variable| spans.have(&variable.path)));
    }

    #[test]
    fn what_lacks_a_count_or_a_total_is_no_span() {
        let variables = series(&[
            "timing/count",
            "timing/total",
            "timing/a/count",
            "timing/b/total",
            "timing/c/total",
            "timing/c/x",
        ]);
        assert_eq!(Spans::of(&variables).count(), 0);
        let mut variables = series(&["timing/a/count", "timing/a/total", "timing/a/share", "timing/a"]);
        let spans = Spans::of(&variables);
        assert_eq!((spans.count(), spans.have("timing/a/share"), spans.have("timing/a")), (1, false, false));
        variables[0].kind = VariableType::STRING_SERIES;
        assert_eq!(Spans::of(&variables).count(), 0, "a text counts nothing");
    }
}
