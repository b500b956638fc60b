//! `neptune artifacts` and `neptune delete-artifacts`: the files of an experiment, listed and deleted.

use std::path::Path;

use neptune_core::Artifact;

use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{DIM, Screen},
    table::{Column, Field, Table},
};

/// Digits of a digest that tell it apart, for people.
const DIGITS: usize = 12;

pub(crate) fn list(screen: &mut Screen, folder: &Path, wanted: &cli::Artifacts) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &wanted.id)?;
    let experiment = reading::stored(folder, &key)?;
    let (tree, files) = if wanted.sources {
        ("sources", experiment.sources(&wanted.path)?)
    } else {
        ("artifacts", experiment.artifacts(&wanted.path)?)
    };
    let size = files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
    if screen.json {
        let file = |file: &Artifact| serde_json::json!({ "path": file.path, "size": file.size, "digest": file.digest });
        let files: Vec<_> = files.iter().map(file).collect();
        screen.document(&serde_json::json!({ "experiment": key.short_id, tree: files, "size": size }))?;
        return Ok(Exit::Fine);
    }
    for line in table(&files).lay(screen.width).lines {
        screen.line(line)?;
    }
    let count = number::counted(files.len() as u64, "file", "files");
    screen.note(format_args!("{count} of {}, {}", key.short_id, number::bytes(size)))?;
    Ok(Exit::Fine)
}

fn table(files: &[Artifact]) -> Table {
    let path = Column::new("PATH").least(12).holds_paths();
    let mut table = Table::new(vec![Column::new("SIZE").right_aligned(), path, Column::new("DIGEST").missed(0)]);
    for file in files {
        let digest = file.digest.to_string();
        table.row(vec![
            Field::new(number::bytes(file.size)),
            Field::new(inert(&file.path)),
            Field::new(digest.get(..DIGITS).unwrap_or(&digest)).style(DIM),
        ]);
    }
    table
}

pub(crate) fn delete(screen: &mut Screen, folder: &Path, wanted: &cli::DeleteArtifacts) -> Result<Exit, Failure> {
    if wanted.paths.iter().any(String::is_empty) {
        // A variable of a shell that is not set must not cost everything.
        return Err(Failure::wrong("a path is empty; --all deletes all artifacts"));
    }
    let store = reading::open(folder)?;
    let key = reading::find(&store, &wanted.id)?;
    let paths: &[String] = if wanted.all { &[String::new()] } else { &wanted.paths };
    let experiment = reading::edited(folder, &key)?;
    let deleted = experiment.delete_artifacts(paths);
    // It also waits until their room is given back.
    let ended = experiment.stop();
    let deleted = deleted?;
    ended?;
    if screen.json {
        screen.document(&serde_json::json!({ "experiment": key.short_id, "deleted": deleted }))?;
    } else {
        let files = number::counted(deleted, "file", "files");
        screen.line(format_args!("{files} of {} deleted", key.short_id))?;
        if !wanted.all {
            screen.note("what other experiments need of it stays on the disk")?;
        }
    }
    Ok(Exit::Fine)
}
