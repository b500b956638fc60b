//! [`Echo`]: what was logged, said on standard error, for people who try something out.
//!
//! It is said by the drain's thread once the store has it; nobody who logs waits for it. What neptune logs by itself is left
//! out, and what is said is not kept as output of the program: so nothing is ever said again.

use std::{collections::HashMap, fmt::Write as _};

use neptune_format::{AtomValue, Content, Entry, Record, VariablePath};
use rustix::{fd::BorrowedFd, io::Errno};

/// Namespaces that neptune itself writes to.
const BY_ITSELF: [&str; 3] = ["monitoring/", "timing/", "source_code/"];

/// Lines that are said of one batch at most. A drain that looks twice a second has no more of a program that logs by hand;
/// of one that logs a million points, nobody reads them.
const MOST_LINES: usize = 1_000;

/// Characters of a text that are shown.
const MOST_CHARACTERS: usize = 200;

/// Says what was logged to one experiment by one writer.
#[derive(Debug, Default)]
pub(super) struct Echo {
    /// What the experiment is called, once that was asked.
    name: Option<String>,
    /// The series of the journal, by their numbers.
    series: HashMap<u32, (VariablePath, Content)>,
}

impl Echo {
    /// Says what stands in a batch of the experiment that `named` names.
    pub(super) fn say<'a>(&mut self, named: impl FnOnce() -> String, entries: impl Iterator<Item = Entry<'a>>) {
        let name = self.name.take().unwrap_or_else(named);
        let (mut said, mut lines, mut more) = (String::new(), 0, 0_u64);
        for entry in entries {
            self.learn(&entry);
            if let Some((path, what)) = self.told(&entry) {
                if lines == MOST_LINES {
                    more += 1;
                } else {
                    lines += 1;
                    writeln!(said, "neptune: {name}: {path}: {what}").ok();
                }
            }
        }
        if more > 0 {
            writeln!(said, "neptune: {name}: and {more} more").ok();
        }
        self.name = Some(name);
        write(said.as_bytes());
    }

    /// Which series a number stands for.
    fn learn(&mut self, entry: &Entry<'_>) {
        let Entry::Record(record) = entry else { return };
        match &**record {
            Record::Define { series, path, content } => drop(self.series.insert(*series, (path.clone(), *content))),
            Record::Rename { from, to, .. } => {
                self.series.values_mut().filter(|(path, _)| path == from).for_each(|(path, _)| *path = to.clone());
            }
            _ => {}
        }
    }

    /// The path that an entry is about, and what it does there.
    fn told<'a>(&'a self, entry: &'a Entry<'_>) -> Option<(&'a VariablePath, String)> {
        let (path, what) = match entry {
            Entry::Float { series, step, value, .. } => {
                let (path, _) = self.series.get(series)?;
                (path, format!("log {value}{}", at(*step)))
            }
            Entry::Text { series, step, text, .. } => {
                let (path, content) = self.series.get(series)?;
                let what = match content {
                    Content::Image => "an image".to_owned(),
                    Content::Histogram => "a histogram".to_owned(),
                    _ => shown(text),
                };
                (path, format!("log {what}{}", at(*step)))
            }
            Entry::Record(record) => done(record)?,
            Entry::End | Entry::Skip => return None,
        };
        let is_by_itself = BY_ITSELF.iter().any(|namespace| path.as_str().starts_with(namespace));
        (!is_by_itself).then_some((path, what))
    }
}

/// What a record does, and to which variable.
fn done(record: &Record) -> Option<(&VariablePath, String)> {
    let members = |members: &[String]| members.iter().map(|member| shown(member)).collect::<Vec<_>>().join(", ");
    Some(match record {
        Record::Assign { path, value } => (path, format!("assign {}", assigned(value))),
        Record::AddMembers { path, members: added } => (path, format!("add {}", members(added))),
        Record::RemoveMembers { path, members: removed } => (path, format!("remove {}", members(removed))),
        Record::ResetMembers { path, members: all } => (path, format!("reset {}", members(all))),
        Record::Delete { path } => (path, "delete".to_owned()),
        Record::Rename { from, to, .. } => (from, format!("rename to {to}")),
        _ => return None,
    })
}

/// The step, where it was said. Otherwise the store gives one.
fn at(step: Option<f64>) -> String {
    step.map_or_else(String::new, |step| format!(" at step {step}"))
}

fn assigned(value: &AtomValue) -> String {
    match value {
        AtomValue::Float(value) => value.to_string(),
        AtomValue::Int(value) => value.to_string(),
        AtomValue::Bool(value) => value.to_string(),
        AtomValue::String(text) => shown(text),
        AtomValue::Json(text) => cut(text).escape_debug().collect(),
        AtomValue::Datetime(time) => format!("a time, {} microseconds since 1970", time.as_micros()),
        AtomValue::File(file) => format!("a file of {} bytes", file.size),
        _ => "a value".to_owned(),
    }
}

/// A text in quotes, cut, on one line, and without anything that a terminal obeys.
fn shown(text: &str) -> String {
    format!("{:?}{}", cut(text), if cut(text).len() < text.len() { " ..." } else { "" })
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST_CHARACTERS).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Writes to standard error; where the console is captured, to where it went before. Not by way of the standard library,
/// whose lock the program may hold.
fn write(bytes: &[u8]) {
    #[cfg(target_os = "linux")]
    if let Some(stderr) = crate::console::uncaptured_stderr() {
        return write_to(rustix::fd::AsFd::as_fd(&stderr), bytes);
    }
    write_to(rustix::stdio::stderr(), bytes);
}

/// There is nobody to tell that it is closed.
fn write_to(file: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
