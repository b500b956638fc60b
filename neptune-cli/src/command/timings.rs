//! `neptune timings`: how long the spans of an experiment took, as a tree.
//!
//! What is logged is figures of windows of time. Counts, totals and maxima of all windows follow from them; percentiles do
//! not, and the help says what stands for them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use neptune_store::{
    Points, Store,
    read::{ExperimentKey, SeriesSummary},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::{self, TimingOrder},
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{BOLD, Screen},
    spans::{self, Spans},
    table::{Column, Field, Table},
};

/// How far the name of a span stands to the right of its parent's.
const INDENT: usize = 2;

/// How long a span took over all windows, in seconds; `None` for what was not logged.
#[derive(Debug)]
struct Timing<'a> {
    path: &'a str,
    count: f64,
    total: f64,
    mean: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
    busy: Option<f64>,
    idle: Option<f64>,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, timings: &cli::Timings) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &timings.id)?;
    let variables = store.variables(&key, spans::NAMESPACE)?;
    let spans = Spans::of(&variables);
    let all = spans.iter().map(|(path, figures)| Timing::read(&store, &key, path, figures));
    let rows = tree(all.collect::<Result<_, _>>()?, timings.sort);
    if screen.json {
        screen.document(&rows.iter().map(|row| Told::of(&row.timing)).collect::<Vec<_>>())?;
    } else if rows.is_empty() {
        screen.note(format_args!(
            "no span of {} was timed; add the tracing layer to its program: `neptune_tracing::layer(&experiment)`",
            key.short_id
        ))?;
    } else {
        print(screen, &rows)?;
    }
    Ok(Exit::Fine)
}

impl<'a> Timing<'a> {
    fn read(
        store: &Store,
        key: &ExperimentKey,
        path: &'a str,
        figures: &BTreeMap<&str, &SeriesSummary>,
    ) -> Result<Self, Failure> {
        let points = |figure: &str| store.series(key, &spans::path_of(path, figure), f64::NEG_INFINITY..=f64::INFINITY);
        let windows = Windows::of(points("count")?);
        let weighted = |figure: &str| match figures.get(figure) {
            Some(_) => Ok::<_, Failure>(windows.weighted(&points(figure)?)),
            None => Ok(None),
        };
        let sum = |figure: &str| figures.get(figure).map_or(0.0, |summary| summary.statistics.total);
        let greatest = |figure: &str| figures.get(figure).and_then(|summary| summary.statistics.maximum);
        let (count, total) = (sum("count"), sum("total"));
        Ok(Self {
            path,
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

    /// What stands before the other among spans with the same parent.
    fn order(&self, other: &Self, by: TimingOrder) -> Ordering {
        let by_name = || self.path.split('/').cmp(other.path.split('/'));
        match by {
            TimingOrder::Total => other.total.total_cmp(&self.total).then_with(by_name),
            TimingOrder::Name => by_name(),
        }
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

/// A span at its place in the tree.
#[derive(Debug)]
struct Row<'a> {
    timing: Timing<'a>,
    /// How many timed spans are around it.
    depth: usize,
    /// Its path from the nearest of those.
    name: &'a str,
}

/// The spans, each behind the nearest timed span around it.
fn tree<'a>(timings: Vec<Timing<'a>>, by: TimingOrder) -> Vec<Row<'a>> {
    let known: BTreeSet<&str> = timings.iter().map(|timing| timing.path).collect();
    let mut children: BTreeMap<Option<&str>, Vec<Timing<'a>>> = BTreeMap::new();
    for timing in timings {
        children.entry(around(timing.path, &known)).or_default().push(timing);
    }
    let mut inside = |parent: Option<&'a str>, depth: usize| {
        let mut siblings = children.remove(&parent).unwrap_or_default();
        // Taken from the end.
        siblings.sort_by(|left, right| right.order(left, by));
        let row = |timing: Timing<'a>| {
            let name = timing.path.get(parent.map_or(0, |parent| parent.len() + 1)..).unwrap_or_default();
            Row { timing, depth, name }
        };
        siblings.into_iter().map(row).collect::<Vec<_>>()
    };
    let mut waiting = inside(None, 0);
    let mut rows = Vec::new();
    while let Some(next) = waiting.pop() {
        waiting.extend(inside(Some(next.timing.path), next.depth + 1));
        rows.push(next);
    }
    rows
}

/// The nearest span around `path` that is among those `known`.
fn around<'a>(path: &'a str, known: &BTreeSet<&str>) -> Option<&'a str> {
    let parents = std::iter::successors(path.rsplit_once('/'), |(parent, _)| parent.rsplit_once('/'));
    parents.map(|(parent, _)| parent).find(|parent| known.contains(parent))
}

fn print(screen: &mut Screen, rows: &[Row<'_>]) -> Result<(), Failure> {
    let has_async = rows.iter().any(|row| row.timing.busy.is_some() || row.timing.idle.is_some());
    let right = |title: &str| Column::new(title).right_aligned();
    let mut columns = vec![
        Column::new("SPAN").least(16),
        right("COUNT"),
        right("TOTAL"),
        right("MEAN"),
        right("P50").missed(2),
        right("P99").missed(1),
        right("MAX").missed(0),
    ];
    if has_async {
        columns.extend(["BUSY", "IDLE"].map(|title| right(title).missed(3)));
    }
    let mut table = Table::new(columns);
    for Row { timing, depth, name } in rows {
        let time = |seconds: Option<f64>| Field::new(seconds.map(number::duration).unwrap_or_default());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, NaN gives 0")]
        let count = number::count(timing.count as u64);
        table.row(vec![
            Field::new(format!("{:indent$}{}", "", inert(name), indent = INDENT * depth)).style(BOLD),
            Field::new(count),
            time(Some(timing.total)),
            time(timing.mean),
            time(timing.p50),
            time(timing.p99),
            time(timing.max),
            time(timing.busy),
            time(timing.idle),
        ]);
    }
    let laid = table.lay(screen.width);
    for line in laid.lines {
        screen.line(line)?;
    }
    if !laid.missed.is_empty() {
        let missed = laid.missed.join(", ");
        screen.note(format_args!("no room for {missed}; use a wider terminal, or --json"))?;
    }
    Ok(())
}

/// The timings of a span in JSON. Times are seconds.
#[derive(Serialize)]
struct Told<'a> {
    path: &'a str,
    count: Value,
    total: Value,
    mean: Value,
    p50: Value,
    p99: Value,
    max: Value,
    busy: Value,
    idle: Value,
}

impl<'a> Told<'a> {
    fn of(timing: &Timing<'a>) -> Self {
        let or_null = |seconds: Option<f64>| seconds.map_or(Value::Null, number::json);
        Self {
            path: timing.path,
            count: number::json_step(timing.count),
            total: number::json(timing.total),
            mean: or_null(timing.mean),
            p50: or_null(timing.p50),
            p99: or_null(timing.p99),
            max: or_null(timing.max),
            busy: or_null(timing.busy),
            idle: or_null(timing.idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use neptune_store::Values;

    use super::*;

    fn timing(path: &str, total: f64) -> Timing<'_> {
        Timing { path, count: 1.0, total, mean: None, p50: None, p99: None, max: None, busy: None, idle: None }
    }

    fn rows<'a>(timings: &[(&'a str, f64)], by: TimingOrder) -> Vec<(usize, &'a str)> {
        let timings = timings.iter().map(|(path, total)| timing(path, *total)).collect();
        tree(timings, by).into_iter().map(|row| (row.depth, row.name)).collect()
    }

    #[test]
    fn spans_stand_below_the_nearest_timed_span_around_them() {
        let spans =
            [("load", 1.0), ("train", 9.0), ("train-2", 2.0), ("train/a/deep", 3.0), ("train/step", 6.0), ("x/y", 0.5)];
        let by_total = [(0, "train"), (1, "step"), (1, "a/deep"), (0, "train-2"), (0, "load"), (0, "x/y")];
        assert_eq!(rows(&spans, TimingOrder::Total), by_total);
        let by_name = [(0, "load"), (0, "train"), (1, "a/deep"), (1, "step"), (0, "train-2"), (0, "x/y")];
        assert_eq!(rows(&spans, TimingOrder::Name), by_name);
    }

    #[test]
    fn a_deep_tree_is_no_danger() {
        let path = vec!["a"; 500].join("/");
        let spans: Vec<(&str, f64)> = (0..500).map(|depth| (&path[..=2 * depth], 1.0)).collect();
        assert_eq!(rows(&spans, TimingOrder::Total).last(), Some(&(499, "a")));
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
