//! [`Group`]: what kinds of things two experiments are compared in, and which variable belongs to which.

use std::collections::{BTreeMap, BTreeSet};

use crate::read::{Variable, WriterSummary};

/// A kind of things in which experiments differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// `parameters/`.
    Parameters,
    /// `source_code/`: the commit, what was changed, the files.
    Code,
    /// The packages of the program.
    Dependencies,
    /// `artifacts/` and `properties/`.
    Data,
    /// How each process was built and run.
    Environment,
    /// The machine of each process.
    Hardware,
    /// Every other atom and set, but those of the experiment itself (`sys/`).
    Variables,
}

impl Group {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Parameters,
        Self::Code,
        Self::Dependencies,
        Self::Data,
        Self::Environment,
        Self::Hardware,
        Self::Variables,
    ];

    /// The name, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::Code => "code",
            Self::Dependencies => "dependencies",
            Self::Data => "data",
            Self::Environment => "environment",
            Self::Hardware => "hardware",
            Self::Variables => "variables",
        }
    }
}

/// What the variables of an experiment are called when it is compared: processes are told by their order, because the names that they
/// log under are random.
pub(super) struct Names {
    processes: BTreeMap<String, usize>,
    /// The process whose own code stands for that of the experiment, which has none itself.
    stands_in: Option<String>,
}

impl Names {
    pub(super) fn new(writers: &[WriterSummary], variables: &[Variable]) -> Self {
        let within = |namespace: &str| -> BTreeSet<&str> {
            let paths = variables.iter().filter_map(|variable| variable.path.strip_prefix(namespace));
            paths.filter_map(process).map(|(process, _)| process).collect()
        };
        let (machines, own_code) = (within(MONITORING), within(CODE));
        let known = writers.iter().map(|writer| writer.writer.short());
        let known = known.filter(|short| machines.contains(short.as_str()) || own_code.contains(short.as_str()));
        let processes: BTreeMap<String, usize> = known.enumerate().map(|(place, short)| (short, place)).collect();
        let mut paths = variables.iter().filter_map(|variable| variable.path.strip_prefix(CODE));
        let has_own = paths.any(|path| process(path).is_none());
        let first = own_code.into_iter().min_by_key(|short| processes.get(*short).copied().unwrap_or(usize::MAX));
        Self { processes, stands_in: first.filter(|_| !has_own).map(str::to_owned) }
    }

    /// The group of the variable at `path`, and what it is called there; of dependencies only what stands before their names. `None`
    /// of what is not compared.
    pub(super) fn of(&self, path: &str) -> Option<(Group, String)> {
        if let Some(name) = path.strip_prefix("parameters/") {
            return Some((Group::Parameters, name.to_owned()));
        }
        if let Some(name) = path.strip_prefix(CODE) {
            let (prefix, name) = match process(name) {
                Some((process, name)) if self.stands_in.as_deref() == Some(process) => (String::new(), name),
                Some((process, name)) => (self.prefix(process), name),
                None => (String::new(), name),
            };
            return match name {
                // It says the same as everything else together.
                "digest" => None,
                "dependencies" => Some((Group::Dependencies, prefix)),
                _ => Some((Group::Code, format!("{prefix}{name}"))),
            };
        }
        if let Some(name) = path.strip_prefix(MONITORING) {
            let (process, name) = process(name)?;
            let prefix = self.prefix(process);
            return match name.strip_prefix("environment/") {
                Some("source_code") => None,
                Some(name) => Some((Group::Environment, format!("{prefix}{name}"))),
                None => Some((Group::Hardware, format!("{prefix}{name}"))),
            };
        }
        match path.split_once('/') {
            Some(("artifacts" | "properties", _)) => Some((Group::Data, path.to_owned())),
            Some(("sys", _)) => None,
            _ => Some((Group::Variables, path.to_owned())),
        }
    }

    fn prefix(&self, process: &str) -> String {
        match self.processes.get(process) {
            Some(0) => String::new(),
            Some(place) => format!("process {}/", place + 1),
            None => format!("process {process}/"),
        }
    }
}

const CODE: &str = "source_code/";
const MONITORING: &str = "monitoring/";

/// The name of a process at the beginning of a path, and the rest.
fn process(path: &str) -> Option<(&str, &str)> {
    const DIGITS: usize = 8;
    let (process, rest) = path.split_once('/')?;
    let is_process = process.len() == DIGITS && process.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_process.then_some((process, rest))
}
