//! `neptune diff`: how two experiments differ, and where a series first does.
//!
//! Only what differs is shown; groups that are equal take a line.

use std::{fs::File, io::Read as _, path::Path};

use neptune_core::AtomValue;
use neptune_store::{
    objects,
    read::{
        Difference, VariableValue,
        difference::{Change, Divergence, Group, GroupDifference, SeriesChange, SeriesDifference},
    },
};
use serde_json::{Map, Value, json};

use crate::{
    cli,
    failure::{Exit, Failure},
    inert::{cut, inert, width},
    lines::{self, Line},
    number, reading,
    screen::{BAD, BOLD, DIM, GOOD, ODD, Screen, painted},
    value,
};

/// How much of a value is shown.
const MOST_SHOWN: usize = 200;

/// The longest file whose lines are compared.
const MOST_TEXT: u64 = 2 << 20;

/// How many lines of a file are shown, unless all are wanted.
const MOST_LINES: usize = 40;

/// How many lines that are equal stand around those that differ.
const CONTEXT: usize = 2;

pub(crate) fn run(screen: &mut Screen, folder: &Path, diff: &cli::Diff) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let (left, right) = (reading::find(&store, &diff.left)?, reading::find(&store, &diff.right)?);
    let difference = store.difference(&left, &right)?;
    if screen.json {
        let names = json!({ "a": left.short_id, "b": right.short_id });
        screen.document(&document(&names, &difference))?;
        return Ok(Exit::Fine);
    }
    let page = Page { folder, difference: &difference, all: diff.all };
    let names = format!("{} and {}", inert(&left.short_id), inert(&right.short_id));
    page.show(screen, &names)?;
    Ok(Exit::Fine)
}

struct Page<'a> {
    folder: &'a Path,
    difference: &'a Difference,
    /// Whether every line and every value is to be shown.
    all: bool,
}

impl Page<'_> {
    fn show(&self, screen: &mut Screen, names: &str) -> Result<(), Failure> {
        let summary = summary(self.difference);
        let told = if summary.is_empty() { "are equal".to_owned() } else { format!("differ in {summary}") };
        screen.line(painted(BOLD, format_args!("{names} {told}")))?;
        for group in &self.difference.groups {
            self.group(screen, group)?;
        }
        self.series(screen)
    }

    fn group(&self, screen: &mut Screen, group: &GroupDifference) -> Result<(), Failure> {
        let title = title(group.group.name());
        if group.changes.is_empty() {
            if group.equal > 0 {
                screen.line(painted(DIM, format_args!("\n{title}  equal ({})", number::count(group.equal))))?;
            }
            return Ok(());
        }
        screen.line(format_args!("\n{}{}", painted(BOLD, title), beside(group.equal)))?;
        let column = group.changes.iter().map(|change| width(&inert(&change.name))).max().unwrap_or(0).min(40);
        for change in &group.changes {
            screen.line(self.change(change, column))?;
            if group.group == Group::Code {
                self.lines(screen, change)?;
            }
        }
        Ok(())
    }

    fn change(&self, change: &Change, column: usize) -> String {
        let name = inert(&change.name);
        let padding = " ".repeat(column.saturating_sub(width(&name)));
        let shown = |value: &VariableValue| self.shown(value);
        match (&change.left, &change.right) {
            (Some(left), Some(right)) => {
                let (left, right) = (painted(BAD, shown(left)), painted(GOOD, shown(right)));
                format!("  {} {name}{padding}  {left} -> {right}", painted(ODD, "~"))
            }
            (Some(left), None) => format!("  {} {name}{padding}  {}", painted(BAD, "-"), painted(BAD, shown(left))),
            (_, right) => {
                let right = right.as_ref().map(shown).unwrap_or_default();
                format!("  {} {name}{padding}  {}", painted(GOOD, "+"), painted(GOOD, right))
            }
        }
    }

    fn shown(&self, value: &VariableValue) -> String {
        let shown = match value {
            // The same size says nothing of files that differ.
            VariableValue::Atom(AtomValue::File(file)) => {
                let object = file.object.to_string();
                format!("{} ({})", number::bytes(file.size), object.get(..8).unwrap_or_default())
            }
            VariableValue::Atom(value) => value::shown(value),
            VariableValue::Set(members) => inert(&members.join(", ")),
            VariableValue::Series(_) => "a series".to_owned(),
        };
        if self.all { shown } else { cut(&shown, MOST_SHOWN) }
    }

    /// The lines in which a file of the code differs.
    fn lines(&self, screen: &mut Screen, change: &Change) -> Result<(), Failure> {
        let is_patch = change.name.contains("diff/");
        let (Some(left), Some(right)) = (self.text(change.left.as_ref()), self.text(change.right.as_ref())) else {
            return Ok(());
        };
        // Of a file that only one has its name says enough; what is in a patch is in no other place.
        if !is_patch && (change.left.is_none() || change.right.is_none()) {
            return Ok(());
        }
        let found = lines::compare(&left, &right, CONTEXT);
        let most = if self.all { usize::MAX } else { MOST_LINES };
        for line in found.iter().take(most) {
            screen.line(match line {
                Line::Both(text) => format!("      {}", inert_line(text)),
                Line::Left(text) => painted(BAD, format_args!("    - {}", inert_line(text))),
                Line::Right(text) => painted(GOOD, format_args!("    + {}", inert_line(text))),
                Line::Skipped(count) => {
                    painted(DIM, format_args!("      ({})", number::counted(*count as u64, "line", "lines")))
                }
            })?;
        }
        if let Some(more) = found.len().checked_sub(most).filter(|more| *more > 0) {
            let more = number::counted(more as u64, "more line", "more lines");
            screen.line(painted(DIM, format_args!("      ({more}; --all shows them)")))?;
        }
        Ok(())
    }

    /// The text of a file; that of no file is empty. `None` when it is no text, or not to be read.
    fn text(&self, value: Option<&VariableValue>) -> Option<String> {
        let file = match value {
            None => return Some(String::new()),
            Some(VariableValue::Atom(AtomValue::File(file))) if file.size <= MOST_TEXT => file,
            Some(_) => return None,
        };
        let mut bytes = Vec::new();
        let source = File::open(objects::file_of(self.folder, file.object)).ok()?;
        source.take(MOST_TEXT).read_to_end(&mut bytes).ok()?;
        String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
    }

    fn series(&self, screen: &mut Screen) -> Result<(), Failure> {
        let Difference { equal_series, series, .. } = self.difference;
        if series.is_empty() {
            if *equal_series > 0 {
                screen.line(painted(DIM, format_args!("\nSeries  equal ({})", number::count(*equal_series))))?;
            }
            return Ok(());
        }
        screen.line(format_args!("\n{}{}", painted(BOLD, "Series"), beside(*equal_series)))?;
        let column = series.iter().map(|series| width(&inert(&series.path))).max().unwrap_or(0).min(40);
        for SeriesDifference { path, change, .. } in series {
            let name = inert(path);
            let padding = " ".repeat(column.saturating_sub(width(&name)));
            screen.line(match change {
                SeriesChange::OnlyLeft => format!("  {} {name}", painted(BAD, "-")),
                SeriesChange::OnlyRight => format!("  {} {name}", painted(GOOD, "+")),
                SeriesChange::Type { left, right } => {
                    format!("  {} {name}{padding}  {left} -> {right}", painted(ODD, "~"))
                }
                SeriesChange::Diverges(divergence) => {
                    format!("  {} {name}{padding}  {}", painted(ODD, "~"), self.told(divergence))
                }
                _ => format!("  {} {name}", painted(ODD, "~")),
            })?;
        }
        Ok(())
    }

    fn told(&self, divergence: &Divergence) -> String {
        let Divergence { step, left, right, equal, left_count, right_count, .. } = divergence;
        let equal = number::counted(*equal, "point is", "points are");
        let value = |value: &Option<AtomValue>| match value {
            Some(value) => self.shown(&VariableValue::Atom(value.clone())),
            None => "no point".to_owned(),
        };
        let counts = if left_count == right_count {
            String::new()
        } else {
            let (left, right) = (number::count(*left_count), number::count(*right_count));
            painted(DIM, format_args!("  ({left} and {right} points)"))
        };
        let (left, right) = (painted(BAD, value(left)), painted(GOOD, value(right)));
        format!("{equal} equal, then at step {}: {left} | {right}{counts}", number::step(*step))
    }
}

/// A title of a group.
fn title(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// How much is equal besides.
fn beside(equal: u64) -> String {
    match equal {
        0 => String::new(),
        equal => painted(DIM, format_args!("  ({} more equal)", number::count(equal))),
    }
}

fn inert_line(text: &str) -> String {
    inert(&text.replace('\t', "    "))
}

/// In what they differ, and the first step at which a series does.
fn summary(difference: &Difference) -> String {
    let mut parts: Vec<String> = Vec::new();
    for group in &difference.groups {
        let (one, many) = match group.group {
            Group::Parameters => ("parameter", "parameters"),
            Group::Code => ("part of the code", "parts of the code"),
            Group::Dependencies => ("dependency", "dependencies"),
            Group::Data => ("artifact or property", "artifacts or properties"),
            Group::Environment => ("fact of the environment", "facts of the environment"),
            Group::Hardware => ("fact of the hardware", "facts of the hardware"),
            _ => ("other variable", "other variables"),
        };
        if !group.changes.is_empty() {
            parts.push(number::counted(group.changes.len() as u64, one, many));
        }
    }
    let differing = difference.series.len() as u64;
    if differing > 0 {
        let all = number::counted(differing + difference.equal_series, "series", "series");
        parts.push(format!("{} of {all}", number::count(differing)));
    }
    match parts.pop() {
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
        None => String::new(),
    }
}

/// The difference in JSON.
fn document(names: &Value, difference: &Difference) -> Value {
    let value = |value: &Option<VariableValue>| match value {
        Some(VariableValue::Atom(value)) => value::json(value),
        Some(VariableValue::Set(members)) => members.clone().into(),
        _ => Value::Null,
    };
    let change = |change: &Change| json!({ "name": change.name, "a": value(&change.left), "b": value(&change.right) });
    let groups: Map<String, Value> = difference
        .groups
        .iter()
        .map(|group| {
            let changes: Vec<Value> = group.changes.iter().map(change).collect();
            (group.group.name().to_owned(), json!({ "equal": group.equal, "differing": changes }))
        })
        .collect();
    let atom = |value: &Option<AtomValue>| value.as_ref().map_or(Value::Null, value::json);
    let series = |series: &SeriesDifference| match &series.change {
        SeriesChange::OnlyLeft => json!({ "path": series.path, "only": "a" }),
        SeriesChange::OnlyRight => json!({ "path": series.path, "only": "b" }),
        SeriesChange::Type { left, right } => {
            json!({ "path": series.path, "types": { "a": left.to_string(), "b": right.to_string() } })
        }
        SeriesChange::Diverges(found) => json!({
            "path": series.path,
            "step": found.step,
            "a": atom(&found.left),
            "b": atom(&found.right),
            "equal_points": found.equal,
            "points": { "a": found.left_count, "b": found.right_count },
        }),
        _ => json!({ "path": series.path }),
    };
    let differing: Vec<Value> = difference.series.iter().map(series).collect();
    json!({
        "experiments": names,
        "is_equal": difference.is_empty(),
        "groups": groups,
        "series": { "equal": difference.equal_series, "differing": differing },
    })
}
