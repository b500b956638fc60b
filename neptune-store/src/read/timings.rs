//! How long the spans of an experiment took, as the tracing layer logs it.
//!
//! A path is a span's exactly when it has both a `count` and a `total` under `timing/`. Whatever else somebody logs there is
//! nobody's timing. What is logged is figures of windows of time: counts, totals and maxima of all windows follow from them,
//! percentiles do not.

use std::collections::BTreeMap;

use neptune_format::VariableType;

use super::{ExperimentKey, SeriesSummary, Variable, VariableValue};
use crate::{chunk::Points, error::Result, store::Store};

/// The figures of a window that the tracing layer logs, and each timing of those that are logged one by one.
const FIGURES: [&str; 9] = ["count", "total", "mean", "p50", "p99", "max", "busy", "idle", "samples"];

/// How long a span took over all windows, in seconds; `None` for what was not logged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timing {
    /// The path of the span: its name behind those of the spans around it.
    pub path: String,
    /// How often it was entered.
    pub count: f64,
    /// All of it together.
    pub total: f64,
    /// The mean of all.
    pub mean: Option<f64>,
    /// The mean of the medians of the windows, weighted by their counts.
    pub p50: Option<f64>,
    /// The greatest of the 99th percentiles of the windows.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// How long it was entered, on the average; of spans that are waited in.
    pub busy: Option<f64>,
    /// How long it was not, on the average; of spans that are waited in.
    pub idle: Option<f64>,
}

/// The series of a span, by their figures.
type Figures<'a> = BTreeMap<&'a str, &'a SeriesSummary>;

/// The spans of an experiment that were timed.
#[derive(Debug)]
pub struct Spans<'a>(BTreeMap<&'a str, Figures<'a>>);

impl<'a> Spans<'a> {
    /// Where timings are.
    pub const NAMESPACE: &'static str = "timing/";

    /// Those among `variables`.
    pub fn of(variables: &'a [Variable]) -> Self {
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
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the variable at `path` is a timing of one of them.
    pub fn have(&self, path: &str) -> bool {
        parts(path).is_some_and(|(span, figure)| self.0.get(span).is_some_and(|figures| figures.contains_key(figure)))
    }
}

impl Store {
    /// How long the spans of an experiment took, by path.
    ///
    /// All windows are read, so this takes longer the longer it ran.
    ///
    /// # Errors
    /// When the store cannot be read; `Corrupt` when what is stored is damaged.
    pub fn timings(&self, experiment: &ExperimentKey) -> Result<Vec<Timing>> {
        // All figures as they are at one moment.
        let snapshot = self.connection.unchecked_transaction()?;
        let variables = self.variables(experiment, Spans::NAMESPACE)?;
        let spans = Spans::of(&variables).0;
        let timings = spans.iter().map(|(path, figures)| self.timing(experiment, path, figures)).collect();
        snapshot.finish()?;
        timings
    }

    fn timing(&self, experiment: &ExperimentKey, path: &str, figures: &Figures<'_>) -> Result<Timing> {
        let points = |figure: &str| {
            self.series(experiment, &format!("{}{path}/{figure}", Spans::NAMESPACE), f64::NEG_INFINITY..=f64::INFINITY)
        };
        let windows = Windows::of(points("count")?);
        let weighted = |figure: &str| match figures.get(figure) {
            Some(_) => Ok::<_, crate::Error>(windows.weighted(&points(figure)?)),
            None => Ok(None),
        };
        let sum = |figure: &str| figures.get(figure).map_or(0.0, |summary| summary.statistics.total);
        let greatest = |figure: &str| figures.get(figure).and_then(|summary| summary.statistics.maximum);
        let (count, total) = (sum("count"), sum("total"));
        Ok(Timing {
            path: path.to_owned(),
            count,
            total,
            mean: (count > 0.0).then(|| total / count),
            p50: weighted("p50")?,
            p99: greatest("p99"),
            max: greatest("max"),
            busy: weighted("busy")?,
            idle: weighted("idle")?,
        })
    }
}

/// The counts of the windows of a span.
struct Windows {
    counts: Points,
    /// Where the window of a time is among them.
    by_time: BTreeMap<i64, usize>,
}

impl Windows {
    fn of(counts: Points) -> Self {
        let by_time = counts.times.iter().copied().zip(0..).collect();
        Self { counts, by_time }
    }

    /// The mean of a figure over the windows that have it, weighted by their counts.
    fn weighted(&self, figure: &Points) -> Option<f64> {
        let values = figure.values.as_floats().unwrap_or_default();
        let (mut sum, mut weights) = (0.0, 0.0);
        for ((step, time), value) in figure.steps.iter().zip(&figure.times).zip(values) {
            let weight = self.count(*step, *time).unwrap_or(0.0);
            if value.is_finite() && weight.is_finite() && weight > 0.0 {
                sum += weight * value;
                weights += weight;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    }

    /// The count of the window that a point belongs to.
    ///
    /// The figures of a window are logged at one time. Each series counts its own steps, so those of `busy`, which some
    /// windows do not have, are not those of `count`; but where nothing else was logged at the time, steps are all there is.
    fn count(&self, step: f64, time: i64) -> Option<f64> {
        let at_step = self.counts.steps.binary_search_by(|own| own.total_cmp(&step)).ok();
        let at_both = at_step.filter(|at| self.counts.times.get(*at) == Some(&time));
        let at = at_both.or_else(|| self.by_time.get(&time).copied()).or(at_step)?;
        self.counts.values.as_floats()?.get(at).copied()
    }
}

/// The span and the figure that a path would be of.
fn parts(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(Spans::NAMESPACE)?.rsplit_once('/')
}

#[cfg(test)]
mod tests {
    use neptune_format::{AtomValue, Timestamp};

    use super::*;
    use crate::chunk::{Statistics, Values};

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
        assert_eq!(spans.0.keys().copied().collect::<Vec<_>>(), ["a", "a/count"]);
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

    fn points(points: &[(f64, i64, f64)]) -> Points {
        let values = Values::Float(points.iter().map(|point| point.2).collect());
        Points {
            steps: points.iter().map(|point| point.0).collect(),
            times: points.iter().map(|point| point.1).collect(),
            values,
        }
    }

    #[test]
    fn a_window_is_known_by_its_time_and_else_by_its_step() {
        let windows = Windows::of(points(&[(0.0, 10, 1.0), (1.0, 20, 3.0), (2.0, 30, 6.0)]));
        let mean = |figure: &[(f64, i64, f64)]| windows.weighted(&points(figure));
        assert_eq!(mean(&[(0.0, 20, 8.0), (1.0, 30, 2.0)]), Some(4.0), "the first window has none");
        assert_eq!(mean(&[(1.0, 21, 8.0), (2.0, 31, 2.0)]), Some(4.0), "logged one by one");
        assert_eq!(mean(&[(0.0, 10, f64::NAN), (1.0, 20, 8.0), (7.0, 99, 5.0)]), Some(8.0));
        assert_eq!(mean(&[]), None);
        let at_once = Windows::of(points(&[(0.0, 10, 1.0), (1.0, 10, 3.0)]));
        assert_eq!(at_once.weighted(&points(&[(0.0, 10, 2.0), (1.0, 10, 6.0)])), Some(5.0));
    }
}
