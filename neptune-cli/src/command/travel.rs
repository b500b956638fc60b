//! `neptune fork`, `rewind`, `delete-points`, `rename`, `revisions` and `undo`.
//!
//! Whoever logs to the experiment goes on; these commands are one more writer.

use std::path::Path;

use neptune_core::{Change, Experiment, Revision, RevisionId};
use neptune_store::read::ExperimentKey;
use serde_json::{Value, json};

use crate::{
    cli, clock,
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{BOLD, DIM, Screen, painted},
    table::{Column, Field, Table},
};

pub(crate) fn fork(screen: &mut Screen, folder: &Path, fork: &cli::Fork) -> Result<Exit, Failure> {
    let key = found(folder, &fork.id)?;
    let mut builder = reading::editing_session(folder)?.fork(&key.uuid.to_string(), fork.step).without_run();
    if let Some(name) = &fork.name {
        builder = builder.name(name);
    }
    let experiment = builder.start()?;
    let id = experiment.short_id().unwrap_or_default().to_owned();
    let uuid = experiment.id().to_string();
    let lost = experiment.stop()?;
    if !lost.is_empty() {
        return Err(Failure::failed(format!("{id} was made and is not whole: {lost}")));
    }
    if screen.json {
        let step = number::json_step(fork.step);
        screen.document(&json!({ "experiment": id, "uuid": uuid, "forked_from": key.short_id, "fork_step": step }))?;
    } else {
        let step = number::step(fork.step);
        screen.line(format_args!("{} goes on from {} at step {step}", painted(BOLD, &id), key.short_id))?;
        screen.note(format_args!("log to it with `attach(\"{id}\")` or NEPTUNE_EXPERIMENT_ID={id}"))?;
    }
    Ok(Exit::Fine)
}

pub(crate) fn rewind(screen: &mut Screen, folder: &Path, rewind: &cli::Rewind) -> Result<Exit, Failure> {
    let key = found(folder, &rewind.id)?;
    let revision = changed(folder, &key, |experiment| experiment.rewind(rewind.step))?;
    told(screen, &key, &revision)?;
    if !screen.json {
        screen.note("series below monitoring/ and timing/ are on steps of their own and stay")?;
    }
    Ok(Exit::Fine)
}

pub(crate) fn delete_points(screen: &mut Screen, folder: &Path, wanted: &cli::DeletePoints) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &wanted.id)?;
    let path = store.resolve(&key, &wanted.path)?;
    drop(store);
    let steps = wanted.from.unwrap_or(f64::NEG_INFINITY)..=wanted.to.unwrap_or(f64::INFINITY);
    if steps.is_empty() {
        return Err(Failure::wrong("--from is greater than --to"));
    }
    let revision = changed(folder, &key, |experiment| experiment.delete_points(&path, steps))?;
    told(screen, &key, &revision)?;
    Ok(Exit::Fine)
}

pub(crate) fn rename(screen: &mut Screen, folder: &Path, rename: &cli::Rename) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &rename.id)?;
    let from = store.resolve(&key, &rename.from)?;
    drop(store);
    let revision = changed(folder, &key, |experiment| experiment.rename(&from, &rename.to))?;
    told(screen, &key, &revision)?;
    Ok(Exit::Fine)
}

pub(crate) fn undo(screen: &mut Screen, folder: &Path, undo: &cli::Undo) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &undo.id)?;
    let revisions = store.revisions(&key)?;
    drop(store);
    let wanted = match undo.revision {
        Some(number) => revisions.iter().find(|revision| revision.number == number).ok_or_else(|| {
            let id = &key.short_id;
            Failure::not_found(format!("{id} has no change {number}; `neptune revisions {id}` lists them"))
        })?,
        None => revisions
            .iter()
            .rev()
            .find(|revision| !revision.undone && !revision.purged)
            .ok_or_else(|| Failure::not_found(format!("there is nothing to undo in {}", key.short_id)))?,
    };
    let id = wanted.id;
    let revision = changed(folder, &key, |experiment| experiment.undo(id).map(|()| id))?;
    told(screen, &key, &revision)?;
    Ok(Exit::Fine)
}

pub(crate) fn revisions(screen: &mut Screen, folder: &Path, wanted: &cli::Revisions) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &wanted.id)?;
    let revisions = store.revisions(&key)?;
    if screen.json {
        let revisions: Vec<Value> = revisions.iter().map(document).collect();
        screen.document(&json!({ "experiment": key.short_id, "revisions": revisions }))?;
        return Ok(Exit::Fine);
    }
    let what = Column::new("CHANGE").least(12).holds_paths();
    let mut table = Table::new(vec![
        Column::new("NUMBER").right_aligned(),
        Column::new("TIME").missed(0),
        what,
        Column::new("POINTS").right_aligned(),
        Column::new("STATE"),
    ]);
    for revision in &revisions {
        table.row(vec![
            Field::new(revision.number.to_string()),
            Field::new(clock::local(revision.time)).style(DIM),
            Field::new(described(&revision.change)),
            Field::new(if revision.points > 0 { number::count(revision.points) } else { String::new() }),
            Field::new(state(revision)),
        ]);
    }
    if !table.is_empty() {
        for line in table.lay(screen.width).lines {
            screen.line(line)?;
        }
    }
    let count = number::counted(revisions.len() as u64, "change", "changes");
    screen.note(format_args!("{count} of {}", key.short_id))?;
    Ok(Exit::Fine)
}

fn found(folder: &Path, id: &str) -> Result<ExperimentKey, Failure> {
    reading::find(&reading::open(folder)?, id)
}

/// Changes an experiment; returns the change as the store has it then.
fn changed(
    folder: &Path,
    key: &ExperimentKey,
    change: impl FnOnce(&Experiment) -> neptune_core::Result<RevisionId>,
) -> Result<Revision, Failure> {
    let experiment = reading::edited(folder, key)?;
    let changed = change(&experiment).and_then(|id| {
        let refused = experiment.lost()?;
        let revisions = experiment.revisions()?;
        Ok((revisions.into_iter().find(|revision| revision.id == id), refused))
    });
    experiment.stop()?;
    let (revision, refused) = changed?;
    revision.ok_or_else(|| Failure::failed(format!("the store refused the change: {refused}")))
}

fn told(screen: &mut Screen, key: &ExperimentKey, revision: &Revision) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&json!({ "experiment": key.short_id, "revision": document(revision) }));
    }
    let id = painted(BOLD, inert(&key.short_id));
    let points = number::counted(revision.points, "point", "points");
    let what = described(&revision.change);
    if revision.undone {
        return screen.line(format_args!("{id}: undone: {what}"));
    }
    let deleted = match revision.change {
        Change::Renamed { .. } => String::new(),
        _ => format!(", {points} deleted"),
    };
    screen.line(format_args!("{id}: {what}{deleted}"))?;
    let undo = format!("`neptune undo {} {}` undoes it", key.short_id, revision.number);
    let until = if revision.points > 0 { ", until `neptune gc`" } else { "" };
    screen.note(format_args!("{undo}{until}"))
}

fn described(change: &Change) -> String {
    match change {
        Change::Rewound { to } => format!("rewound to step {}", number::step(*to)),
        Change::PointsDeleted { path, first, last } => {
            let from = if first.is_finite() { format!(" from step {}", number::step(*first)) } else { String::new() };
            let to = if last.is_finite() { format!(" to step {}", number::step(*last)) } else { String::new() };
            format!("points of {}{from}{to}", inert(path))
        }
        Change::Renamed { from, to } => format!("{} renamed to {}", inert(from), inert(to)),
        _ => "a change that a newer neptune made".to_owned(),
    }
}

const fn state(revision: &Revision) -> &'static str {
    match (revision.undone, revision.purged) {
        (true, _) => "undone",
        (false, true) => "removed by gc",
        (false, false) => "can be undone",
    }
}

fn document(revision: &Revision) -> Value {
    let (kind, change) = match &revision.change {
        Change::Rewound { to } => ("rewound", json!({ "to": number::json_step(*to) })),
        Change::PointsDeleted { path, first, last } => {
            let (from, to) = (number::json_step(*first), number::json_step(*last));
            ("points_deleted", json!({ "path": path, "from": from, "to": to }))
        }
        Change::Renamed { from, to } => ("renamed", json!({ "from": from, "to": to })),
        _ => ("unknown", Value::Null),
    };
    json!({
        "number": revision.number,
        "id": revision.id.to_string(),
        "kind": kind,
        "change": change,
        "time": clock::json(revision.time),
        "points": revision.points,
        "bytes": revision.bytes,
        "undone": revision.undone,
        "purged": revision.purged,
    })
}
