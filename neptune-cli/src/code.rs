//! The code of an experiment in a line, and which of its variables are about code.

use neptune_core::AtomValue;
use neptune_store::read::{Variable, VariableValue};

use crate::{inert::inert, number};

/// Where the code is; of processes with other code below it, under the names of the processes.
const CODE: &str = "source_code/";

/// Whether a variable tells of code, or of how a process was built and run.
pub(crate) fn is_about_code(path: &str) -> bool {
    const DIGITS: usize = 8;
    let environment = |rest: &str| {
        rest.split_once("/environment/")
            .is_some_and(|(writer, _)| writer.len() == DIGITS && writer.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    path.starts_with(CODE) || path.strip_prefix("monitoring/").is_some_and(environment)
}

/// The commit and the branch, whether there were changes, and how many files were kept. Nothing when nothing is known.
pub(crate) fn told(variables: &[Variable]) -> Option<String> {
    let value = |name: &str| {
        let found = variables.iter().find(|variable| variable.path.strip_prefix(CODE) == Some(name))?;
        match &found.value {
            VariableValue::Atom(value) => Some(value),
            _ => None,
        }
    };
    let text = |name: &str| value(name).and_then(AtomValue::as_str);
    let mut parts = Vec::new();
    if let Some(commit) = text("git/commit") {
        const SHORT: usize = 10;
        let commit = inert(&commit.chars().take(SHORT).collect::<String>());
        let branch = text("git/branch").map(|branch| format!(" on {}", inert(branch))).unwrap_or_default();
        parts.push(format!("{commit}{branch}"));
    }
    if value("git/dirty").and_then(AtomValue::as_bool) == Some(true) {
        parts.push("with changes".to_owned());
    }
    let files = variables.iter().filter(|variable| variable.path.starts_with("source_code/files/")).count() as u64;
    if files > 0 {
        parts.push(number::counted(files, "file kept", "files kept"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
