//! `neptune notebook`: checkpoints of Jupyter notebooks, kept in a project, listed, shown, compared and written out again.
//!
//! What a notebook holds was written by others: it is shown inert, and of outputs only the text.

mod compare;

use std::path::Path;

use neptune_core::{
    Mode, ProjectName, Session, StoredExperiment,
    notebook::{Cell, Cells, KIND, NotebookCheckpoint, NotebookFile},
};
use neptune_store::{ExperimentQuery, query::Filter};
use serde::Serialize;

use crate::{
    cli::{self, Notebook},
    clock,
    failure::{Exit, Failure},
    inert::{inert, inert_lines},
    number, reading,
    screen::{BOLD, DIM, GOOD, Screen, painted},
    table::{Column, Field, Table},
    whole,
};

/// How many lines of an output are shown.
const OUTPUT_LINES: usize = 10;

pub(crate) fn run(screen: &mut Screen, folder: &Path, notebook: &Notebook) -> Result<Exit, Failure> {
    match notebook {
        Notebook::Upload(arguments) => upload(screen, folder, arguments),
        Notebook::Ls(arguments) => list(screen, folder, arguments.project.as_ref()),
        Notebook::Show(arguments) => show(screen, folder, arguments),
        Notebook::Diff(arguments) => compare::run(screen, folder, arguments),
        Notebook::Get(arguments) => get(screen, folder, arguments),
    }
}

/// A checkpoint, in JSON.
#[derive(Serialize)]
struct Told<'a> {
    number: u64,
    time: String,
    name: Option<&'a str>,
    description: Option<&'a str>,
    path: &'a str,
    bytes: u64,
    content: String,
}

impl<'a> Told<'a> {
    fn of(checkpoint: &'a NotebookCheckpoint) -> Self {
        Self {
            number: checkpoint.number,
            time: clock::json(checkpoint.time),
            name: checkpoint.name.as_deref(),
            description: checkpoint.description.as_deref(),
            path: &checkpoint.path,
            bytes: checkpoint.file.size,
            content: checkpoint.file.object.to_string(),
        }
    }
}

fn upload(screen: &mut Screen, folder: &Path, arguments: &cli::NotebookUpload) -> Result<Exit, Failure> {
    let mut file = NotebookFile::open(&arguments.file)?;
    let mut builder = Session::builder().folder(folder).mode(Mode::Embedded);
    if let Some(project) = &arguments.project {
        builder = builder.project(project.as_str());
        file = file.project(project.as_str())?;
    }
    let session = builder.open()?;
    if let Some(id) = &arguments.experiment {
        let path = file.add_to_experiment(&session, id)?;
        if screen.json {
            screen
                .document(&serde_json::json!({ "experiment": session.get(id)?.short_id(), "path": path.as_str() }))?;
        } else {
            screen.line(format_args!(
                "{}  {}",
                painted(BOLD, inert(session.get(id)?.short_id())),
                inert(path.as_str())
            ))?;
        }
        return Ok(Exit::Fine);
    }
    if let Some(id) = &arguments.id {
        file = file.id(id);
    }
    if let Some(name) = &arguments.name {
        file = file.name(name);
    }
    if let Some(description) = &arguments.description {
        file = file.description(description);
    }
    let uploaded = file.upload(&session)?;
    if screen.json {
        screen.document(&serde_json::json!({
            "id": uploaded.short_id, "uuid": uploaded.id.to_string(), "is_new": uploaded.is_new,
            "checkpoint": Told::of(&uploaded.checkpoint),
        }))?;
    } else {
        let id = painted(BOLD, inert(&uploaded.short_id));
        let number = uploaded.checkpoint.number;
        if uploaded.is_new {
            screen.line(format_args!("{id}  checkpoint {number}"))?;
        } else {
            screen.line(format_args!("{id}  unchanged since checkpoint {number}"))?;
        }
    }
    Ok(Exit::Fine)
}

/// The notebooks of all projects, or of one.
fn notebooks(folder: &Path, project: Option<&ProjectName>) -> Result<Vec<StoredExperiment>, Failure> {
    let store = reading::open(folder)?;
    let session = reading::reading_session(folder)?;
    let filter = format!("sys/kind = \"{KIND}\"").parse::<Filter>().map_err(neptune_store::Error::from)?;
    let mut query = ExperimentQuery::default().limit(u64::from(u32::MAX)).filter(filter);
    query.project = project.cloned();
    let rows = store.experiments(&query)?.rows;
    Ok(rows.iter().map(|row| session.get(&row.short_id)).collect::<Result<_, _>>()?)
}

#[derive(Serialize)]
struct Listed {
    id: String,
    uuid: String,
    project: ProjectName,
    name: String,
    checkpoints: u64,
    last: Option<String>,
    last_name: Option<String>,
}

fn list(screen: &mut Screen, folder: &Path, project: Option<&ProjectName>) -> Result<Exit, Failure> {
    let mut listed = Vec::new();
    let mut table = Table::new(vec![
        Column::new("ID"),
        Column::new("NAME").least(8),
        Column::new("PROJECT").least(8).missed(2),
        Column::new("CHECKPOINTS").right_aligned(),
        Column::new("LAST").missed(1),
        Column::new("CALLED").least(8).missed(3),
    ]);
    for notebook in notebooks(folder, project)? {
        let checkpoints = notebook.notebook_checkpoints()?;
        let last = checkpoints.last();
        let name = notebook.name()?.unwrap_or_default();
        table.row(vec![
            Field::new(inert(notebook.short_id())),
            Field::new(inert(&name)),
            Field::new(inert(notebook.project().as_str())),
            Field::new(number::count(checkpoints.len() as u64)),
            Field::new(last.map_or_else(String::new, |last| clock::local(last.time))),
            Field::new(last.and_then(|last| last.name.as_deref()).map(inert).unwrap_or_default()),
        ]);
        listed.push(Listed {
            id: notebook.short_id().to_owned(),
            uuid: notebook.id().to_string(),
            project: notebook.project().clone(),
            name,
            checkpoints: checkpoints.len() as u64,
            last: last.map(|last| clock::json(last.time)),
            last_name: last.and_then(|last| last.name.clone()),
        });
    }
    if screen.json {
        screen.document(&listed)?;
    } else if listed.is_empty() {
        screen.note("there is no notebook yet; `neptune notebook upload FILE` keeps one")?;
    } else {
        for line in table.lay(screen.width).lines {
            screen.line(line)?;
        }
    }
    Ok(Exit::Fine)
}

/// The notebook that `id` names.
fn find(folder: &Path, id: &str) -> Result<StoredExperiment, Failure> {
    drop(reading::open(folder)?);
    Ok(reading::reading_session(folder)?.get(id)?)
}

fn show(screen: &mut Screen, folder: &Path, arguments: &cli::NotebookShow) -> Result<Exit, Failure> {
    let notebook = find(folder, &arguments.id)?;
    let checkpoints = notebook.notebook_checkpoints()?;
    let chosen = notebook.notebook_checkpoint(arguments.checkpoint)?;
    let cells = notebook.notebook_cells(&chosen)?;
    if screen.json {
        let told: Vec<_> = checkpoints.iter().map(Told::of).collect();
        let cells: Vec<_> = cells.cells.iter().map(told_cell).collect();
        screen.document(&serde_json::json!({
            "id": notebook.short_id(), "uuid": notebook.id().to_string(), "project": notebook.project(),
            "checkpoints": told, "checkpoint": chosen.number, "cells": cells,
        }))?;
        return Ok(Exit::Fine);
    }
    let title = painted(BOLD, inert(notebook.short_id()));
    let name = notebook.name()?.unwrap_or_default();
    screen.line(format_args!("{title}  {}  {}", inert(&name), painted(DIM, inert(notebook.project().as_str()))))?;
    for checkpoint in &checkpoints {
        let mark = if checkpoint.number == chosen.number { painted(GOOD, "*") } else { " ".to_owned() };
        let texts = [&checkpoint.name, &checkpoint.description].into_iter().flatten();
        let said: Vec<String> = texts.map(|text| inert(text)).collect();
        let said = said.join("  ");
        let size = number::bytes(checkpoint.file.size);
        screen.line(format_args!("{mark} {}  {}  {size}  {said}", checkpoint.number, clock::local(checkpoint.time)))?;
    }
    for (place, cell) in (1..).zip(&cells.cells) {
        print_cell(screen, place, cell)?;
    }
    Ok(Exit::Fine)
}

fn told_cell(cell: &Cell) -> serde_json::Value {
    serde_json::json!({ "kind": cell.kind, "id": cell.id, "source": cell.source, "outputs": cell.outputs })
}

fn print_cell(screen: &mut Screen, place: u64, cell: &Cell) -> Result<(), Failure> {
    screen.line("")?;
    screen.line(painted(DIM, format_args!("[{place}] {}", inert(&cell.kind))))?;
    for line in inert_lines(&cell.source) {
        screen.line(line)?;
    }
    for output in &cell.outputs {
        let lines: Vec<String> = inert_lines(output).collect();
        for line in lines.iter().take(OUTPUT_LINES) {
            screen.line(painted(DIM, format_args!("  | {line}")))?;
        }
        if let Some(more) = lines.len().checked_sub(OUTPUT_LINES).filter(|more| *more > 0) {
            let more = number::counted(more as u64, "more line", "more lines");
            screen.line(painted(DIM, format_args!("  | ... {more}")))?;
        }
    }
    Ok(())
}

fn get(screen: &mut Screen, folder: &Path, arguments: &cli::NotebookGet) -> Result<Exit, Failure> {
    let notebook = find(folder, &arguments.id)?;
    let checkpoint = notebook.notebook_checkpoint(arguments.checkpoint)?;
    let bytes = notebook.notebook_bytes(&checkpoint)?;
    whole::write(&arguments.output, |mut file| {
        std::io::Write::write_all(&mut file, &bytes).map_err(|error| Failure::file("write", &arguments.output, &error))
    })?;
    let output = arguments.output.display().to_string();
    if screen.json {
        screen.document(&serde_json::json!({
            "id": notebook.short_id(), "checkpoint": Told::of(&checkpoint), "file": output,
        }))?;
    } else {
        let size = number::bytes(bytes.len() as u64);
        screen.line(format_args!("{}  checkpoint {}  {size}", inert(&output), checkpoint.number))?;
    }
    Ok(Exit::Fine)
}

/// The cells that `name` means: those of a file, of `ID`, or of `ID@CHECKPOINT`.
fn cells_of(folder: &Path, name: &str) -> Result<Cells, Failure> {
    let file = Path::new(name);
    if file.extension().is_some_and(|ending| ending == "ipynb") {
        let bytes = std::fs::read(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::not_found(format!("FileNotFound: there is no notebook {name}")),
            _ => Failure::file("read", file, &error),
        })?;
        return Ok(Cells::of(&bytes)?);
    }
    let (id, number) = match name.rsplit_once('@') {
        Some((id, number)) => {
            let wrong = |_| Failure::wrong(format!("{name:?} has no number of a checkpoint behind the @"));
            (id, Some(number.parse().map_err(wrong)?))
        }
        None => (name, None),
    };
    let notebook = find(folder, id)?;
    let checkpoint = notebook.notebook_checkpoint(number)?;
    Ok(notebook.notebook_cells(&checkpoint)?)
}
