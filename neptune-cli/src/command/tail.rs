//! `neptune tail`: the last points of series, and new ones as they come.
//!
//! Following looks into the store again and again; the program that logs knows nothing of it and is not slowed down.

use std::{collections::BTreeMap, path::Path, thread, time::Duration};

use neptune_core::{Container, Timestamp, VariableType};
use neptune_store::{
    ErrorKind, Points, Store, Values,
    read::{ExperimentKey, SeriesSummary, Spans, VariableValue},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli, clock,
    command::console,
    failure::{Exit, Failure},
    hardware,
    inert::{inert, inert_lines, width},
    kept, media, number, reading,
    screen::{DIM, Screen, painted},
    value,
};

/// How often an experiment that is followed is looked at for having died.
const RECOVER: Duration = Duration::from_secs(2);

/// The state of an experiment that goes on.
const RUNNING: &str = "running";

/// Paths longer than this do not move the columns of others.
const LONGEST_PATH: usize = 32;

/// One point.
#[derive(Debug, PartialEq)]
struct Point {
    path: String,
    step: f64,
    time: Timestamp,
    value: Logged,
}

#[derive(Debug, PartialEq)]
enum Logged {
    Number(f64),
    Text(String),
    /// The document of an image or a histogram, and what is shown of it.
    Document {
        text: String,
        shown: String,
    },
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, tail: &cli::Tail) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let experiment = reading::find(&store, &tail.id)?;
    let mut followed = Followed { store: &store, experiment, path: None, seen: BTreeMap::new(), column: 0 };
    let mut state = reading::state(&store, &followed.experiment)?;
    if let Some(name) = &tail.path {
        followed.resolve(screen, name, tail.follow && state == RUNNING)?;
    }
    let points = followed.last(tail.lines)?;
    if points.is_empty() && !tail.follow {
        screen.note("nothing was logged to a series yet")?;
    }
    followed.print(screen, points)?;
    if !tail.follow {
        return Ok(Exit::Fine);
    }
    let mut since_recovery = Duration::ZERO;
    while state == RUNNING {
        screen.flush()?;
        // Nobody unparks this thread.
        thread::park_timeout(tail.interval);
        since_recovery += tail.interval;
        if since_recovery >= RECOVER && store.is_writable() {
            since_recovery = Duration::ZERO;
            reading::recover_quietly(folder);
        }
        // The state before the points: when it has ended, these are the last ones.
        state = reading::state(&store, &followed.experiment)?;
        let points = followed.news()?;
        followed.print(screen, points)?;
    }
    let because =
        reading::failure(&store, &followed.experiment)?.map(|failure| format!(": {}", inert(failure.trim_end())));
    let because = because.unwrap_or_default();
    screen.note(format_args!("{} {}{because}", followed.experiment.short_id, inert(&state)))?;
    Ok(Exit::Fine)
}

/// What is followed, and how far it was seen.
struct Followed<'a> {
    store: &'a Store,
    experiment: ExperimentKey,
    /// One series, or all of them.
    path: Option<String>,
    /// The last step that was shown of each series.
    seen: BTreeMap<String, f64>,
    /// The width of the column of paths.
    column: usize,
}

impl Followed<'_> {
    /// Finds the series `name`, whose first point may be `yet_to_come`.
    fn resolve(&mut self, screen: &mut Screen, name: &str, yet_to_come: bool) -> Result<(), Failure> {
        let path = match self.store.resolve(&self.experiment, name) {
            Err(error) if yet_to_come && error.kind() == ErrorKind::NotFound => {
                screen.note(format_args!("{error}; waiting for it"))?;
                name.to_owned()
            }
            found => {
                let path = found?;
                let kind = self.store.variable(&self.experiment, &path)?.kind;
                if kind.container != Container::Series {
                    return Err(Failure::wrong(format!("{path} is {kind}; only a series has points")));
                }
                path
            }
        };
        self.path = Some(path);
        Ok(())
    }

    /// The series there are, as far as they are followed.
    fn series(&self) -> Result<Vec<(String, VariableType, SeriesSummary)>, Failure> {
        let variables = match &self.path {
            None => self.store.variables(&self.experiment, "")?.into_iter().filter(|it| !is_aside(&it.path)).collect(),
            // Resolved again each time: a series that is waited for may come under `logs/`.
            Some(name) => match self.store.resolve(&self.experiment, name) {
                Ok(path) => vec![self.store.variable(&self.experiment, &path)?],
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.into()),
            },
        };
        let series = variables.into_iter().filter_map(|variable| match variable.value {
            VariableValue::Series(summary) => Some((variable.path, variable.kind, summary)),
            _ => None,
        });
        Ok(series.collect())
    }

    /// The last `n` points of all series together.
    fn last(&mut self, n: usize) -> Result<Vec<Point>, Failure> {
        let mut points = Vec::new();
        for (path, kind, summary) in self.series()? {
            let tail = self.store.series_tail(&self.experiment, &path, n)?;
            // With no points to begin with, what is there counts as seen.
            self.seen.insert(path.clone(), tail.steps.last().copied().unwrap_or(summary.last_step));
            points.extend(points_of(&path, kind, tail));
        }
        let mut points = in_order(points);
        points.drain(..points.len().saturating_sub(n));
        Ok(points)
    }

    /// The points behind those that were seen.
    fn news(&mut self) -> Result<Vec<Point>, Failure> {
        let mut points = Vec::new();
        for (path, kind, summary) in self.series()? {
            // A series whose last step lies before was deleted and begun again.
            let seen = self.seen.get(&path).copied().filter(|seen| summary.last_step >= *seen);
            let seen = seen.unwrap_or(f64::NEG_INFINITY);
            if summary.last_step <= seen {
                continue;
            }
            let news = self.store.series(&self.experiment, &path, seen.next_up()..=f64::INFINITY)?;
            if let Some(last) = news.steps.last() {
                self.seen.insert(path.clone(), *last);
            }
            points.extend(points_of(&path, kind, news));
        }
        Ok(in_order(points))
    }

    fn print(&mut self, screen: &mut Screen, points: Vec<Point>) -> Result<(), Failure> {
        let widths = points.iter().map(|point| width(&inert(&point.path))).filter(|width| *width <= LONGEST_PATH);
        self.column = widths.max().unwrap_or(0).max(self.column);
        for point in points {
            if screen.json {
                screen.json_line(&Told::of(&point))?;
            } else {
                self.print_point(screen, &point)?;
            }
        }
        screen.flush()
    }

    fn print_point(&self, screen: &mut Screen, point: &Point) -> Result<(), Failure> {
        let mut before = painted(DIM, clock::local_millis(point.time));
        if self.path.is_none() {
            let path = inert(&point.path);
            let padding = self.column.saturating_sub(width(&path));
            before = format!("{before}  {path}{:padding$}", "");
        }
        let before = format!("{before}  {:>6}", number::step(point.step));
        match &point.value {
            Logged::Number(value) => screen.line(format_args!("{before}  {}", number::exact(*value))),
            Logged::Document { shown, .. } => screen.line(format_args!("{before}  {shown}")),
            Logged::Text(text) => {
                let mut lines = inert_lines(text);
                screen.line(format_args!("{before}  {}", lines.next().unwrap_or_default()).to_string().trim_end())?;
                // Indented, so that a line of a text cannot pass for a point.
                lines.try_for_each(|line| screen.line(format_args!("    {line}")))
            }
        }
    }
}

/// Whether a series is shown only when it is named: there are many of them, or their texts are long.
fn is_aside(path: &str) -> bool {
    [Spans::NAMESPACE, kept::NAMESPACE].iter().any(|namespace| path.starts_with(namespace))
        || path == "monitoring/traceback"
        || console::stream_of(path).is_some()
        || hardware::parts(path).is_some()
}

fn points_of(path: &str, kind: VariableType, points: Points) -> Vec<Point> {
    let values: Vec<Logged> = match points.values {
        Values::Float(values) => values.into_iter().map(Logged::Number).collect(),
        Values::Text(values) => values
            .into_iter()
            .map(|text| match media::shown(kind, &text) {
                Some(shown) => Logged::Document { text, shown },
                None => Logged::Text(text),
            })
            .collect(),
    };
    let steps = points.steps.into_iter().zip(points.times).zip(values);
    steps
        .map(|((step, time), value)| Point { path: path.to_owned(), step, time: Timestamp::from_micros(time), value })
        .collect()
}

/// By time; the points of one series stay in the order of their steps where their times are equal.
fn in_order(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by_key(|point| point.time);
    points
}

/// A point in JSON.
#[derive(Serialize)]
struct Told<'a> {
    path: &'a str,
    step: Value,
    time: String,
    value: Value,
}

impl<'a> Told<'a> {
    fn of(point: &'a Point) -> Self {
        let value = match &point.value {
            Logged::Number(value) => number::json(*value),
            Logged::Text(text) => text.as_str().into(),
            Logged::Document { text, .. } => value::json_of_text(text),
        };
        Self { path: &point.path, step: number::json_step(point.step), time: clock::json(point.time), value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(path: &str, times: &[i64]) -> Vec<Point> {
        let values = Values::Float(vec![0.5; times.len()]);
        let steps = (0_u32..).take(times.len()).map(f64::from).collect();
        points_of(path, VariableType::FLOAT_SERIES, Points { steps, times: times.to_vec(), values })
    }

    #[test]
    fn series_are_merged_by_time_and_keep_their_own_order() {
        let mut points = numbers("a", &[1, 3, 3, 5]);
        points.extend(numbers("b", &[2, 3, 9]));
        let merged: Vec<(String, f64)> = in_order(points).into_iter().map(|point| (point.path, point.step)).collect();
        let merged: Vec<(&str, f64)> = merged.iter().map(|(path, step)| (path.as_str(), *step)).collect();
        assert_eq!(merged, [("a", 0.0), ("b", 0.0), ("a", 1.0), ("a", 2.0), ("b", 1.0), ("a", 3.0), ("b", 2.0)]);
    }

    #[test]
    fn a_point_in_json_has_its_path_and_its_time() {
        let point = numbers("a", &[1_000_000]).remove(0);
        let json = serde_json::to_string(&Told::of(&point)).unwrap();
        assert_eq!(json, r#"{"path":"a","step":0,"time":"1970-01-01T00:00:01.000000Z","value":0.5}"#);
    }
}
