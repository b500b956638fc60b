//! Checkpoints and artifacts on the page of an experiment: the telling ones when there are many.

use neptune_core::{AtomValue, Checkpoint};
use neptune_store::read::VariableValue;

use super::{Page, section};
use crate::{
    checkpoints::{self, ARTIFACTS, BEST, Family, LATEST},
    clock,
    failure::Failure,
    inert::inert,
    number,
    screen::{BOLD, DIM, GOOD, Screen, painted},
    table::{Column, Field, Table},
};

/// How many versions of one name are shown, besides the latest and the best.
const VERSIONS: usize = 10;

/// How many artifacts are shown.
const FILES: usize = 10;

impl Page {
    pub(super) fn checkpoints(&self, screen: &mut Screen) -> Result<(), Failure> {
        for (path, family) in checkpoints::of(&self.variables) {
            screen.line(format_args!("\n{}  {}", painted(BOLD, "Checkpoints"), inert(path)))?;
            for line in versions(&family).lay(screen.width).lines {
                screen.line(format_args!("  {line}"))?;
            }
            let shown = family.versions.len().min(VERSIONS);
            if family.versions.len() > shown {
                let total = number::count(family.versions.len() as u64);
                screen.line(painted(DIM, format_args!("  of {total} versions; --json has all")))?;
            }
        }
        Ok(())
    }

    pub(super) fn artifacts(&self, screen: &mut Screen) -> Result<(), Failure> {
        let families = checkpoints::of(&self.variables);
        let mut files = Vec::new();
        for variable in &self.variables {
            if let VariableValue::Atom(AtomValue::File(file)) = &variable.value
                && let Some(name) = variable.path.strip_prefix(ARTIFACTS)
                && !checkpoints::have(&families, &variable.path)
            {
                files.push((name, file.size));
            }
        }
        let fields: Vec<(String, String)> =
            files.iter().take(FILES).map(|(name, size)| (inert(name), number::bytes(*size))).collect();
        section(screen, "Artifacts", &fields)?;
        if files.len() > FILES {
            let more = number::count((files.len() - FILES) as u64);
            let bytes = number::bytes(files.iter().fold(0, |sum, (_, size)| sum.saturating_add(*size)));
            let all = number::count(files.len() as u64);
            screen.line(painted(DIM, format_args!("  and {more} more; {all} files, {bytes}; --json has all")))?;
        }
        Ok(())
    }
}

/// The last versions, the latest and the best, by step.
fn versions(family: &Family) -> Table {
    let now = clock::now();
    let right = |title: &str| Column::new(title).right_aligned();
    let mut table = Table::new(vec![
        right("STEP"),
        right("METRIC").missed(0),
        right("SIZE"),
        right("FILES").missed(1),
        Column::new("COMPLETED").missed(2),
        Column::new(""),
    ]);
    let latest = family.latest();
    let hidden = family.versions.len().saturating_sub(VERSIONS);
    for (at, (step, (checkpoint, completed))) in family.versions.iter().enumerate() {
        let marks = [(latest, LATEST), (family.best, BEST)];
        let marks: Vec<_> =
            marks.into_iter().filter(|(marked, _)| *marked == Some(*step)).map(|(_, mark)| mark).collect();
        if at < hidden && marks.is_empty() {
            continue;
        }
        table.row(vec![
            Field::new(step.to_string()).style(BOLD),
            Field::new(checkpoint.metric.map(number::short).unwrap_or_default()),
            Field::new(number::bytes(size(checkpoint))),
            Field::new(number::count(checkpoint.files.len() as u64)),
            Field::new(clock::age(now, *completed)).style(DIM),
            Field::new(marks.join(", ")).style(GOOD),
        ]);
    }
    table
}

fn size(checkpoint: &Checkpoint) -> u64 {
    checkpoint.files.values().fold(0, |sum, file| sum.saturating_add(file.size))
}
