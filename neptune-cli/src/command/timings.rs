//! `neptune timings`: how long the spans of an experiment took, as a tree.
//!
//! What is logged is figures of windows of time. Counts, totals and maxima of all windows follow from them; percentiles do
//! not, and the help says what stands for them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use neptune_store::read::Timing;
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::{self, TimingOrder},
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{BOLD, Screen},
    table::{Column, Field, Table},
};

/// How far the name of a span stands to the right of its parent's.
const INDENT: usize = 2;

pub(crate) fn run(screen: &mut Screen, folder: &Path, wanted: &cli::Timings) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &wanted.id)?;
    let timings = store.timings(&key)?;
    let rows = tree(&timings, wanted.sort);
    if screen.json {
        screen.document(&rows.iter().map(|row| Told::of(row.timing)).collect::<Vec<_>>())?;
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

/// What stands before the other among spans with the same parent.
fn order(left: &Timing, right: &Timing, by: TimingOrder) -> Ordering {
    let by_name = || left.path.split('/').cmp(right.path.split('/'));
    match by {
        TimingOrder::Total => right.total.total_cmp(&left.total).then_with(by_name),
        TimingOrder::Name => by_name(),
    }
}

/// A span at its place in the tree.
#[derive(Debug)]
struct Row<'a> {
    timing: &'a Timing,
    /// How many timed spans are around it.
    depth: usize,
    /// Its path from the nearest of those.
    name: &'a str,
}

/// The spans, each behind the nearest timed span around it.
fn tree<'a>(timings: &'a [Timing], by: TimingOrder) -> Vec<Row<'a>> {
    let known: BTreeSet<&str> = timings.iter().map(|timing| timing.path.as_str()).collect();
    let mut children: BTreeMap<Option<&'a str>, Vec<&'a Timing>> = BTreeMap::new();
    for timing in timings {
        children.entry(around(&timing.path, &known)).or_default().push(timing);
    }
    let mut inside = |parent: Option<&'a str>, depth: usize| {
        let mut siblings = children.remove(&parent).unwrap_or_default();
        // Taken from the end.
        siblings.sort_by(|left, right| order(right, left, by));
        let row = |timing: &'a Timing| {
            let name = timing.path.get(parent.map_or(0, |parent| parent.len() + 1)..).unwrap_or_default();
            Row { timing, depth, name }
        };
        siblings.into_iter().map(row).collect::<Vec<_>>()
    };
    let mut waiting = inside(None, 0);
    let mut rows = Vec::new();
    while let Some(next) = waiting.pop() {
        waiting.extend(inside(Some(&next.timing.path), next.depth + 1));
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
    fn of(timing: &'a Timing) -> Self {
        let or_null = |seconds: Option<f64>| seconds.map_or(Value::Null, number::json);
        Self {
            path: &timing.path,
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
    use super::*;

    fn rows(timings: &[(&str, f64)], by: TimingOrder) -> Vec<(usize, String)> {
        let timing = |(path, total): &(&str, f64)| Timing {
            path: (*path).to_owned(),
            count: 1.0,
            total: *total,
            ..Timing::default()
        };
        let timings: Vec<Timing> = timings.iter().map(timing).collect();
        tree(&timings, by).into_iter().map(|row| (row.depth, row.name.to_owned())).collect()
    }

    #[test]
    fn spans_stand_below_the_nearest_timed_span_around_them() {
        let spans =
            [("load", 1.0), ("train", 9.0), ("train-2", 2.0), ("train/a/deep", 3.0), ("train/step", 6.0), ("x/y", 0.5)];
        let owned = |(depth, name): (usize, &str)| (depth, name.to_owned());
        let by_total = [(0, "train"), (1, "step"), (1, "a/deep"), (0, "train-2"), (0, "load"), (0, "x/y")].map(owned);
        assert_eq!(rows(&spans, TimingOrder::Total), by_total);
        let by_name = [(0, "load"), (0, "train"), (1, "a/deep"), (1, "step"), (0, "train-2"), (0, "x/y")].map(owned);
        assert_eq!(rows(&spans, TimingOrder::Name), by_name);
    }

    #[test]
    fn a_deep_tree_is_no_danger() {
        let path = vec!["a"; 500].join("/");
        let spans: Vec<(&str, f64)> = (0..500).map(|depth| (&path[..=2 * depth], 1.0)).collect();
        assert_eq!(rows(&spans, TimingOrder::Total).last(), Some(&(499, "a".to_owned())));
    }
}
