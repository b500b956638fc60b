//! `neptune trace`: the steps of which every span was kept, as a list or one of them for Perfetto.
//!
//! What is in the series is text: whoever wrote it may have written anything. A timeline is written as it was logged, and what
//! is none is listed without figures and is never written.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use neptune_core::Timestamp;
use neptune_store::{
    Store,
    read::{ExperimentKey, SeriesSummary},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    cli, clock,
    failure::{Exit, Failure},
    inert::{inert, inert_json},
    kept, number, reading,
    screen::{BOLD, DIM, Screen},
    table::{Column, Field, Table},
    whole,
};

/// How many timelines are in memory at once, about: one may have a mebibyte.
const AT_ONCE: u64 = 128;

/// Begins the span of a call: complete events, and beginnings of synchronous and asynchronous ones.
const BEGINNINGS: [&str; 3] = ["X", "B", "b"];

pub(crate) fn run(screen: &mut Screen, folder: &Path, trace: &cli::Trace) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &trace.id)?;
    let variables = store.variables(&key, kept::NAMESPACE)?;
    let series: Vec<_> = kept::of(&variables).map(|(span, summary)| Series { span, summary }).collect();
    if series.is_empty() {
        let nothing = format!(
            "no step of {} was kept; add the tracing layer to its program, `neptune_tracing::layer(&experiment)`, and say the \
             step in a span: `info_span!(\"step\", step = 12)`",
            key.short_id
        );
        if trace.step.is_some() || trace.slowest || trace.span.is_some() {
            return Err(Failure::not_found(nothing));
        }
        if screen.json {
            screen.document(&json!([]))?;
        } else {
            screen.note(nothing)?;
        }
        return Ok(Exit::Fine);
    }
    let mut steps = Steps { store: &store, key: &key, series };
    if let Some(name) = &trace.span {
        steps = steps.only(steps.resolve(name)?);
    }
    let file = trace.output.as_deref();
    match trace.step {
        Some(step) => steps.at(step)?.write(screen, &key, file)?,
        None if trace.slowest => {
            let (series, step) = steps.slowest()?;
            let slowest = steps.only(series).at(step)?;
            if trace.span.is_none() {
                screen.note(format_args!("the slowest is {}", slowest.name(&key)))?;
            }
            slowest.write(screen, &key, file)?;
        }
        None => steps.list(screen)?,
    }
    Ok(Exit::Fine)
}

/// The kept steps of an experiment, as far as they are wanted.
struct Steps<'a> {
    store: &'a Store,
    key: &'a ExperimentKey,
    /// By their span paths; at least one.
    series: Vec<Series<'a>>,
}

/// The kept steps at one span path.
#[derive(Clone, Copy)]
struct Series<'a> {
    span: &'a str,
    summary: &'a SeriesSummary,
}

/// One of the kept steps.
struct Kept<'a> {
    series: Series<'a>,
    step: f64,
    time: Timestamp,
    /// `None` for text that is no timeline.
    timeline: Option<Timeline>,
}

/// The one that is to be written.
struct Chosen<'a> {
    span: &'a str,
    step: f64,
    text: String,
}

impl<'a> Steps<'a> {
    /// Those at one span path.
    fn only(&self, series: Series<'a>) -> Self {
        Self { series: vec![series], ..*self }
    }

    /// The span path that `name` is, or the only one that ends in it.
    fn resolve(&self, name: &str) -> Result<Series<'a>, Failure> {
        if let Some(exact) = self.series.iter().find(|series| series.span == name) {
            return Ok(*exact);
        }
        let ends_so = |span: &str| span.strip_suffix(name).is_some_and(|before| before.ends_with('/'));
        let found: Vec<_> = self.series.iter().copied().filter(|series| ends_so(series.span)).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failure::not_found(format!(
                "no span {name:?} of {} kept a step; those that did: {}",
                self.key.short_id,
                listed(&self.series)
            ))),
            several => Err(Failure::wrong(format!(
                "several spans end in {name:?}: {}; name one of them in full with --span",
                listed(several)
            ))),
        }
    }

    /// All of them: by their steps, and those with the same step by their span paths.
    fn all(&self) -> Result<Vec<Kept<'a>>, Failure> {
        let mut all = Vec::new();
        for series in &self.series {
            self.read(*series, &mut all)?;
        }
        all.sort_by(|left, right| left.step.total_cmp(&right.step));
        Ok(all)
    }

    /// Adds those of one series, in order.
    fn read(&self, series: Series<'a>, all: &mut Vec<Kept<'a>>) -> Result<(), Failure> {
        let path = kept::path_of(series.span);
        let (first, last) = (series.summary.first_step, series.summary.last_step);
        let parts = series.summary.statistics.count.div_ceil(AT_ONCE);
        let beginning = |part: u64| {
            let share = part as f64 / parts as f64;
            first * (1.0 - share) + last * share
        };
        for part in 0..parts {
            // The ends exactly: rounding must not leave one out.
            let from = if part == 0 { first } else { beginning(part) };
            let to = if part + 1 == parts { last } else { beginning(part + 1).next_down() };
            let points = self.store.series(self.key, &path, from..=to)?;
            let texts = points.values.as_texts().unwrap_or_default();
            all.extend(points.steps.iter().zip(&points.times).zip(texts).map(|((step, time), text)| Kept {
                series,
                step: *step,
                time: Timestamp::from_micros(*time),
                timeline: Timeline::of(text).ok(),
            }));
        }
        Ok(())
    }

    fn list(&self, screen: &mut Screen) -> Result<(), Failure> {
        let all = self.all()?;
        if screen.json {
            return screen.document(&all.iter().map(Kept::json).collect::<Vec<_>>());
        }
        let has_spans = self.series.len() > 1;
        let right = |title: &str| Column::new(title).right_aligned();
        let mut columns = vec![right("STEP"), right("DURATION"), right("SPANS"), Column::new("WHEN")];
        if has_spans {
            columns.insert(1, Column::new("SPAN").least(16).holds_paths());
        }
        let mut table = Table::new(columns);
        for kept in &all {
            let timeline = kept.timeline.as_ref();
            let duration = timeline.and_then(|timeline| timeline.seconds).map(number::duration);
            let mut fields = vec![
                Field::new(shown(kept.step)).style(BOLD),
                Field::new(duration.unwrap_or_default()),
                Field::new(timeline.map(Timeline::spans_of_all).unwrap_or_default()),
                Field::new(clock::local(kept.time)).style(DIM),
            ];
            if has_spans {
                fields.insert(1, Field::new(inert(kept.series.span)));
            }
            table.row(fields);
        }
        for line in table.lay(screen.width).lines {
            screen.line(line)?;
        }
        for Series { span, .. } in &self.series {
            let foreign = all.iter().filter(|kept| kept.series.span == *span && kept.timeline.is_none()).count() as u64;
            if foreign > 0 {
                let texts = number::counted(foreign, "text is no timeline", "texts are no timelines");
                let path = inert(&kept::path_of(span));
                screen.note(format_args!("{texts}; see `neptune tail {} {path}`", self.key.short_id))?;
            }
        }
        Ok(())
    }

    /// The step that took the longest; the first of those, where there are several.
    fn slowest(&self) -> Result<(Series<'a>, f64), Failure> {
        let all = self.all()?;
        let timed = all.iter().filter_map(|kept| Some((kept, kept.timeline.as_ref()?.seconds?)));
        let slowest = timed.reduce(|slowest, other| if other.1 > slowest.1 { other } else { slowest });
        let no_timeline = || Failure::not_found(format!("what was kept of {} holds no timeline", self.key.short_id));
        slowest.map(|(kept, _)| (kept.series, kept.step)).ok_or_else(no_timeline)
    }

    /// The one with this number.
    fn at(&self, step: f64) -> Result<Chosen<'a>, Failure> {
        let mut found = Vec::new();
        for series in &self.series {
            let points = self.store.series(self.key, &kept::path_of(series.span), step..=step)?;
            if let Some(text) = points.values.as_texts().and_then(<[String]>::first) {
                found.push((*series, text.clone()));
            }
        }
        if found.len() > 1 {
            let several: Vec<_> = found.iter().map(|(series, _)| *series).collect();
            let (step, spans) = (shown(step), listed(&several));
            let id = &self.key.short_id;
            return Err(Failure::wrong(format!(
                "several spans kept step {step} of {id}: {spans}; choose one with --span"
            )));
        }
        let Some((series, text)) = found.pop() else {
            return Err(self.not_kept(step)?);
        };
        Ok(Chosen { span: series.span, step, text })
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
        let name = match self.series.as_slice() {
            [one] => named(self.key, one.span, step),
            _ => format!("step {} of {}", shown(step), self.key.short_id),
        };
        Ok(Failure::not_found(format!("{name} was not kept; {nearest}")))
    }
}

impl Kept<'_> {
    fn json(&self) -> Value {
        let timeline = self.timeline.as_ref();
        json!({
            "step": number::json_step(self.step),
            "span": self.series.span,
            "seconds": timeline.and_then(|timeline| timeline.seconds),
            "spans": timeline.map(|timeline| timeline.spans),
            "spans_left_out": timeline.map(|timeline| timeline.left_out),
            "time": clock::json(self.time),
        })
    }
}

impl Chosen<'_> {
    fn name(&self, key: &ExperimentKey) -> String {
        named(key, self.span, self.step)
    }

    /// Writes it to a file, or to standard output.
    fn write(&self, screen: &mut Screen, key: &ExperimentKey, file: Option<&Path>) -> Result<(), Failure> {
        let (name, text) = (self.name(key), &self.text);
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
                "experiment": key.short_id,
                "span": self.span,
                "step": number::json_step(self.step),
                "file": file.display().to_string(),
            }));
        }
        let file = file.display();
        screen.note(format_args!("{name} is in {file}; open it at https://ui.perfetto.dev or chrome://tracing"))
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

/// What a kept step is called.
fn named(key: &ExperimentKey, span: &str, step: f64) -> String {
    format!("step {} of {} ({})", shown(step), key.short_id, inert(span))
}

/// The span paths of several series.
fn listed(several: &[Series<'_>]) -> String {
    several.iter().map(|series| inert(series.span)).collect::<Vec<_>>().join(", ")
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
