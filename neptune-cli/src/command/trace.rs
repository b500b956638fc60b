//! `neptune trace`: the steps of which every span was kept, as a list or one of them for Perfetto.
//!
//! What is in the series is text: whoever wrote it may have written anything. A timeline is written as it was logged, and what
//! is none is listed without figures and is never written.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use neptune_core::{Timestamp, VariableType};
use neptune_store::{
    ErrorKind, Store,
    read::{ExperimentKey, SeriesSummary, Variable, VariableValue},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    cli, clock,
    failure::{Exit, Failure},
    inert::inert_json,
    number, reading,
    screen::{BOLD, DIM, Screen},
    table::{Column, Field, Table},
    whole,
};

/// The text in which steps are kept, one timeline at each step.
pub(crate) const STEPS: &str = "monitoring/steps";

/// How many timelines are in memory at once, about: one may have a mebibyte.
const AT_ONCE: u64 = 128;

/// Begins the span of a call: complete events, and beginnings of synchronous and asynchronous ones.
const BEGINNINGS: [&str; 3] = ["X", "B", "b"];

pub(crate) fn run(screen: &mut Screen, folder: &Path, trace: &cli::Trace) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &trace.id)?;
    let Some(summary) = summary(&store, &key)? else {
        let nothing = format!(
            "no step of {} was kept; add the tracing layer to its program, `neptune_tracing::layer(&experiment)`, and say the \
             step in a span: `info_span!(\"step\", step = 12)`",
            key.short_id
        );
        if trace.step.is_some() || trace.slowest {
            return Err(Failure::not_found(nothing));
        }
        if screen.json {
            screen.document(&json!([]))?;
        } else {
            screen.note(nothing)?;
        }
        return Ok(Exit::Fine);
    };
    let steps = Steps { store: &store, key: &key, summary };
    match trace.step {
        Some(step) => steps.write(screen, step, trace.output.as_deref())?,
        None if trace.slowest => steps.write(screen, steps.slowest()?, trace.output.as_deref())?,
        None => steps.list(screen)?,
    }
    Ok(Exit::Fine)
}

/// The series of kept steps; `None` where there is none, or something else.
fn summary(store: &Store, key: &ExperimentKey) -> Result<Option<SeriesSummary>, Failure> {
    match store.variable(key, STEPS) {
        Ok(Variable { kind: VariableType::STRING_SERIES, value: VariableValue::Series(summary), .. }) => {
            Ok(Some(summary))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The kept steps of an experiment.
struct Steps<'a> {
    store: &'a Store,
    key: &'a ExperimentKey,
    summary: SeriesSummary,
}

/// One of them.
struct Kept {
    step: f64,
    time: Timestamp,
    /// `None` for text that is no timeline.
    timeline: Option<Timeline>,
}

impl Steps<'_> {
    /// All of them, in order.
    fn all(&self) -> Result<Vec<Kept>, Failure> {
        let mut all = Vec::new();
        let (first, last) = (self.summary.first_step, self.summary.last_step);
        let parts = self.summary.statistics.count.div_ceil(AT_ONCE);
        let beginning = |part: u64| {
            let share = part as f64 / parts as f64;
            first * (1.0 - share) + last * share
        };
        for part in 0..parts {
            // The ends exactly: rounding must not leave one out.
            let from = if part == 0 { first } else { beginning(part) };
            let to = if part + 1 == parts { last } else { beginning(part + 1).next_down() };
            let points = self.store.series(self.key, STEPS, from..=to)?;
            let texts = points.values.as_texts().unwrap_or_default();
            all.extend(points.steps.iter().zip(&points.times).zip(texts).map(|((step, time), text)| Kept {
                step: *step,
                time: Timestamp::from_micros(*time),
                timeline: Timeline::of(text).ok(),
            }));
        }
        Ok(all)
    }

    fn list(&self, screen: &mut Screen) -> Result<(), Failure> {
        let all = self.all()?;
        if screen.json {
            return screen.document(&all.iter().map(Kept::json).collect::<Vec<_>>());
        }
        let right = |title: &str| Column::new(title).right_aligned();
        let mut table = Table::new(vec![right("STEP"), right("DURATION"), right("SPANS"), Column::new("WHEN")]);
        for kept in &all {
            let timeline = kept.timeline.as_ref();
            let duration = timeline.and_then(|timeline| timeline.seconds).map(number::duration);
            table.row(vec![
                Field::new(shown(kept.step)).style(BOLD),
                Field::new(duration.unwrap_or_default()),
                Field::new(timeline.map(Timeline::spans_of_all).unwrap_or_default()),
                Field::new(clock::local(kept.time)).style(DIM),
            ]);
        }
        for line in table.lay(screen.width).lines {
            screen.line(line)?;
        }
        let foreign = all.iter().filter(|kept| kept.timeline.is_none()).count() as u64;
        if foreign > 0 {
            let texts = number::counted(foreign, "text is no timeline", "texts are no timelines");
            screen.note(format_args!("{texts}; see `neptune tail {} {STEPS}`", self.key.short_id))?;
        }
        Ok(())
    }

    /// The step that took the longest; the first of those, where there are several.
    fn slowest(&self) -> Result<f64, Failure> {
        let all = self.all()?;
        let timed = all.iter().filter_map(|kept| Some((kept.step, kept.timeline.as_ref()?.seconds?)));
        let slowest = timed.reduce(|slowest, other| if other.1 > slowest.1 { other } else { slowest });
        let no_timeline = || Failure::not_found(format!("{STEPS} of {} holds no timeline", self.key.short_id));
        slowest.map(|(step, _)| step).ok_or_else(no_timeline)
    }

    /// Writes a step to a file, or to standard output.
    fn write(&self, screen: &mut Screen, step: f64, file: Option<&Path>) -> Result<(), Failure> {
        let found = self.store.series(self.key, STEPS, step..=step)?;
        let Some(text) = found.values.as_texts().and_then(<[String]>::first) else {
            return Err(self.not_kept(step)?);
        };
        let name = format!("step {} of {}", shown(step), self.key.short_id);
        if let Err(error) = Timeline::of(text) {
            return Err(Failure::failed(format!("what was kept as {name} is no timeline: {error}")));
        }
        let Some(file) = file else {
            let mut out = io::stdout();
            let text = if out.is_terminal() { Cow::from(inert_json(text)) } else { Cow::from(text) };
            writeln!(out, "{text}")?;
            return Ok(out.flush()?);
        };
        let fails = |error| Failure::file("write", file, &error);
        whole::write(file, |mut out| writeln!(out, "{text}").map_err(fails))?;
        if screen.json {
            return screen.document(&json!({
                "experiment": self.key.short_id, "step": number::json_step(step), "file": file.display().to_string(),
            }));
        }
        let file = file.display();
        screen.note(format_args!("{name} is in {file}; open it at https://ui.perfetto.dev or chrome://tracing"))
    }

    /// That a step was not kept, and which were.
    fn not_kept(&self, step: f64) -> Result<Failure, Failure> {
        let all = self.all()?;
        let before = all.iter().map(|kept| kept.step).rfind(|kept| *kept < step);
        let behind = all.iter().map(|kept| kept.step).find(|kept| *kept > step);
        let nearest: Vec<String> = before.into_iter().chain(behind).map(shown).collect();
        let nearest = match nearest.as_slice() {
            [one] => format!("the nearest that was is {one}"),
            several => format!("the nearest that were are {}", several.join(" and ")),
        };
        Ok(Failure::not_found(format!("step {} of {} was not kept; {nearest}", shown(step), self.key.short_id)))
    }
}

impl Kept {
    fn json(&self) -> Value {
        let timeline = self.timeline.as_ref();
        json!({
            "step": number::json_step(self.step),
            "seconds": timeline.and_then(|timeline| timeline.seconds),
            "spans": timeline.map(|timeline| timeline.spans),
            "spans_left_out": timeline.map(|timeline| timeline.left_out),
            "time": clock::json(self.time),
        })
    }
}

/// What the list says of a timeline; the rest is for Perfetto.
struct Timeline {
    seconds: Option<f64>,
    spans: u64,
    left_out: u64,
}

/// As much of the Trace Event Format as is looked at.
#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(rename = "traceEvents", borrow)]
    events: Vec<Event<'a>>,
    /// What the tracing layer says of the step.
    #[serde(rename = "otherData", default)]
    other: Value,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default, borrow)]
    ph: Cow<'a, str>,
}

impl Timeline {
    fn of(text: &str) -> serde_json::Result<Self> {
        let trace: Trace<'_> = serde_json::from_str(text)?;
        let spans = trace.events.iter().filter(|event| BEGINNINGS.contains(&&*event.ph)).count();
        let other = |name: &str| trace.other.get(name);
        Ok(Self {
            seconds: other("seconds").and_then(Value::as_f64),
            spans: spans as u64,
            left_out: other("spansLeftOut").and_then(Value::as_u64).unwrap_or(0),
        })
    }

    /// `12`, or `4,000 of 5,000` where some were left out.
    fn spans_of_all(&self) -> String {
        match self.left_out {
            0 => number::count(self.spans),
            left_out => {
                format!("{} of {}", number::count(self.spans), number::count(self.spans.saturating_add(left_out)))
            }
        }
    }
}

/// A step as `--step` takes it: in full.
fn shown(step: f64) -> String {
    format!("{}", step + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_may_come_from_anybody() {
        let spans = |text: &str| Timeline::of(text).map(|timeline| (timeline.spans_of_all(), timeline.seconds)).ok();
        let own = r#"{"traceEvents":[{"ph":"M"},{"ph":"X"},{"ph":"b"},{"ph":"e"}],"otherData":{"seconds":0.5,"spansLeftOut":1}}"#;
        assert_eq!(spans(own), Some(("2 of 3".into(), Some(0.5))));
        assert_eq!(spans(r#"{"traceEvents":[{"ph":"X","dur":[]},{}],"otherData":"x"}"#), Some(("1".into(), None)));
        let deep = "[".repeat(100_000);
        for foreign in ["", "x", "{}", "[]", "null", r#"{"traceEvents":[1]}"#, r#"{"traceEvents":"#, &deep] {
            assert_eq!(spans(foreign), None, "{foreign}");
        }
    }
}
