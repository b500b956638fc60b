//! `neptune import`: experiments that programs of other languages wrote.
//!
//! All files are read and checked before the first is imported: what is wrong with one of many is found before there is half of
//! them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use neptune_core::{
    Mode, ProjectName, Session,
    import::{Imported, JsonExperiment, JsonFile, SCHEMA},
};
use serde::Serialize;

use crate::{
    cli::{self, Import},
    failure::{Exit, Failure},
    inert::inert,
    number,
    progress::Progress,
    screen::{BOLD, Screen, painted},
};

pub(crate) fn run(screen: &mut Screen, folder: &Path, import: &Import) -> Result<Exit, Failure> {
    match import {
        Import::Json(arguments) if arguments.schema => {
            screen.line(SCHEMA.trim_end())?;
            Ok(Exit::Fine)
        }
        Import::Json(arguments) => json(screen, folder, arguments),
    }
}

fn json(screen: &mut Screen, folder: &Path, arguments: &cli::ImportJson) -> Result<Exit, Failure> {
    let files = files(&arguments.files)?;
    let Some(checked) = check(screen, &files, arguments)? else { return Ok(Exit::Wrong) };
    let mut builder = Session::builder().folder(folder).mode(Mode::Embedded);
    builder = match &arguments.project {
        Some(project) => builder.project(project.as_str()),
        None => builder,
    };
    let session = builder.open()?;
    let mut done = Vec::new();
    for (file, experiment) in files.iter().zip(checked) {
        let experiment = match &arguments.project {
            Some(project) => experiment.project(project.as_str())?,
            None => experiment,
        };
        done.push(import(screen, &session, file, &experiment)?);
    }
    if screen.json {
        screen.document(&serde_json::json!({ "experiments": done }))?;
    }
    Ok(Exit::Fine)
}

/// The files that were named, and those of folders, in order.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let unreadable = |error| Failure::file("look into", path, &error);
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|ending| ending == "json") && file.is_file() {
                inside.push(file);
            }
        }
        inside.sort();
        files.append(&mut inside);
        if files.len() == before {
            let path = path.display();
            return Err(Failure::not_found(format!("there is no file that ends in .json in the folder {path}")));
        }
    }
    Ok(files)
}

/// Reads all files. When something is wrong with one, says all of it.
fn check(
    screen: &mut Screen,
    files: &[PathBuf],
    arguments: &cli::ImportJson,
) -> Result<Option<Vec<JsonExperiment>>, Failure> {
    let mut checked = Vec::new();
    let mut wrong = Vec::new();
    for path in files {
        let mut file = JsonFile::new(path);
        for folder in &arguments.files_from {
            file = file.files_from(folder);
        }
        match file.check() {
            Ok(experiment) => checked.push(experiment),
            Err(error) => wrong.push((path, error)),
        }
    }
    let Some((_, first)) = wrong.first() else { return Ok(Some(checked)) };
    if screen.json && wrong.iter().all(|(_, error)| !error.faults().is_empty()) {
        let files: Vec<_> = wrong.iter().map(|(path, error)| Wrong::of(path, error)).collect();
        screen.document(&serde_json::json!({ "wrong": files }))?;
        return Ok(None);
    }
    let kind = first.kind();
    let messages: Vec<String> = wrong.iter().map(|(path, error)| said(path, error)).collect();
    let message = messages.join("\n");
    Err(match kind {
        neptune_core::ErrorKind::Invalid => Failure::wrong(message),
        neptune_core::ErrorKind::NotFound => Failure::not_found(message),
        _ => Failure::failed(message),
    })
}

/// What is wrong with a file, a line for each place, as compilers write it.
fn said(path: &Path, error: &neptune_core::import::ImportError) -> String {
    if error.faults().is_empty() {
        return error.to_string();
    }
    let mut lines = vec![format!("{} cannot be imported:", inert(&path.display().to_string()))];
    // One line each, whatever names the file holds.
    lines.extend(error.faults().iter().map(|fault| inert(&format!("{}:{fault}", path.display()))));
    if error.more_faults() > 0 {
        lines.push(format!("and {} more", number::counted(error.more_faults(), "mistake", "mistakes")));
    }
    lines.join("\n")
}

/// What is wrong with a file, in JSON.
#[derive(Serialize)]
struct Wrong {
    file: String,
    faults: Vec<Fault>,
    more_faults: u64,
}

#[derive(Serialize)]
struct Fault {
    path: String,
    line: u64,
    column: u64,
    message: String,
}

impl Wrong {
    fn of(path: &Path, error: &neptune_core::import::ImportError) -> Self {
        let faults = error.faults().iter().map(|fault| Fault {
            path: fault.path.clone(),
            line: fault.line,
            column: fault.column,
            message: fault.message.clone(),
        });
        Self { file: path.display().to_string(), faults: faults.collect(), more_faults: error.more_faults() }
    }
}

/// What became of a file, in JSON.
#[derive(Serialize)]
struct Done {
    file: String,
    id: Option<String>,
    uuid: String,
    project: ProjectName,
    was_there: bool,
    entries: u64,
    series: u64,
    artifacts: u64,
    sources: u64,
    not_finite: u64,
}

fn import(screen: &mut Screen, session: &Session, file: &Path, experiment: &JsonExperiment) -> Result<Done, Failure> {
    let shown = inert(&file.display().to_string());
    if let Some((count, first)) = experiment.not_finite() {
        let values = number::counted(count, "value is", "values are");
        screen.note(format_args!(
            "warning: {shown}: {values} NaN, infinite or null and left out; the first in {first}"
        ))?;
    }
    let mut bar = Progress::rows("importing", experiment.entries());
    let imported = experiment.import(session, |done| bar.rows_done(done))?;
    drop(bar);
    let Imported { id, short_id, project, was_there, entries, .. } = imported;
    let (artifacts, sources) = experiment.files();
    if !screen.json {
        let name = short_id.clone().unwrap_or_else(|| id.to_string());
        let parts = [
            (entries, number::counted(entries, "entry", "entries")),
            (artifacts, number::counted(artifacts, "artifact", "artifacts")),
            (sources, number::counted(sources, "source file", "source files")),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, part)| part).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(", {}", parts.join(", ")) };
        let again = if was_there { " again" } else { "" };
        screen.line(format_args!("{}  {shown}{parts}, imported{again}", painted(BOLD, inert(&name))))?;
    }
    Ok(Done {
        file: file.display().to_string(),
        id: short_id,
        uuid: id.to_string(),
        project,
        was_there,
        entries,
        series: experiment.channels(),
        artifacts,
        sources,
        not_finite: experiment.not_finite().map_or(0, |(count, _)| count),
    })
}
