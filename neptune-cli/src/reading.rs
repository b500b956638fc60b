//! Opening the folder, and finding an experiment in it.
//!
//! A command that reads makes no folder and no store. Where it may write, it first drains what dead processes left, so that a
//! dead experiment is not shown as running.

use std::{io, path::Path};

use neptune_core::{Experiment, Mode, Session, SessionBuilder, StoredExperiment, recovery::Recovered};
use neptune_store::{
    ErrorKind, ExperimentQuery, Store, StoreOptions,
    query::Cell,
    read::{ExperimentKey, Variable, VariableValue},
};

use crate::{failure::Failure, number, progress::Progress, screen};

/// The experiment that was made last.
const LATEST: &str = "latest";

/// Opens the store in `folder` for a command that reads.
pub(crate) fn open(folder: &Path) -> Result<Store, Failure> {
    let store = match Store::open_existing(folder, StoreOptions::default()) {
        Ok(store) => store,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_store(folder, error)),
        Err(error) => return Err(error.into()),
    };
    if store.is_writable() {
        recover_quietly(folder);
    }
    Ok(store)
}

/// A session in `folder`, which must exist.
///
/// Nothing of the environment is used but what the command line took from it, and nothing is drained in the background: that
/// would do the work of the command, which then could not tell what became of it.
pub(crate) fn session(folder: &Path) -> Result<Session, Failure> {
    if let Err(error) = std::fs::read_dir(folder) {
        return Err(match error.kind() {
            io::ErrorKind::NotFound => Failure::not_found(format!(
                "there is no folder {}; log an experiment there first, or name another folder with --dir or NEPTUNE_DIR",
                folder.display()
            )),
            _ => Failure::file("look into", folder, &error),
        });
    }
    Ok(builder(folder).mode(Mode::Offline).open()?)
}

/// Settings of a session in `folder`, none of which is taken from the environment. What a program gets or gives back needs no limit.
fn builder(folder: &Path) -> SessionBuilder {
    Session::builder().folder(folder).project("local/default").without_code().storage_limit(u64::MAX)
}

/// A session in `folder`, where [`open`] found a store, to read: also where nothing can be written.
pub(crate) fn reading_session(folder: &Path) -> Result<Session, Failure> {
    Ok(builder(folder).mode(Mode::ReadOnly).open()?)
}

/// An experiment of the store in `folder`, to read.
pub(crate) fn stored(folder: &Path, key: &ExperimentKey) -> Result<StoredExperiment, Failure> {
    Ok(reading_session(folder)?.get(&key.uuid.to_string())?)
}

/// An experiment of the store in `folder`, to change.
pub(crate) fn edited(folder: &Path, key: &ExperimentKey) -> Result<Experiment, Failure> {
    Ok(builder(folder).mode(Mode::Embedded).open()?.edit(&key.uuid.to_string()).start()?)
}

/// A session in `folder`, where [`open`] found a store, to change experiments.
pub(crate) fn editing_session(folder: &Path) -> Result<Session, Failure> {
    Ok(Session::builder().folder(folder).project("local/default").mode(Mode::Embedded).open()?)
}

/// A session in `folder`, which must hold a store or journals.
pub(crate) fn session_of_something(folder: &Path) -> Result<Session, Failure> {
    let session = session(folder)?;
    match Store::open_existing(folder, StoreOptions::default()) {
        Err(error) if error.kind() == ErrorKind::NotFound && session.survey()?.journals.is_empty() => Err(error.into()),
        // Whatever else is wrong with the store, the command says it.
        _ => Ok(session),
    }
}

/// Drains what dead processes left, with a bar when it takes long.
pub(crate) fn recover(session: &Session) -> Result<Vec<Recovered>, Failure> {
    let mut bar = Progress::new("draining");
    let recovered = session.recover(|now| {
        bar.at(now.journals_done, now.journals, || number::counted(now.records, "record", "records"));
    })?;
    Ok(recovered)
}

/// As [`recover`], for commands that are about something else: what goes wrong is said and nothing more.
pub(crate) fn recover_quietly(folder: &Path) {
    let recovered = session(folder).and_then(|session| recover(&session));
    match recovered {
        Ok(recovered) => {
            let waiting = recovered.iter().filter(|journal| journal.obstacle.is_some()).count() as u64;
            if waiting > 0 {
                let journals = number::counted(waiting, "journal", "journals");
                screen::say(format_args!("warning: {journals} could not be drained; see `neptune doctor`"));
            }
        }
        Err(Failure::Said { message, .. }) => {
            screen::say(format_args!("warning: what dead programs left could not be drained: {message}"));
        }
        Err(Failure::Closed) => {}
    }
}

/// Where there is no store there may be journals that nobody has drained yet.
fn no_store(folder: &Path, error: neptune_store::Error) -> Failure {
    let waiting = if folder.is_dir() {
        session(folder).and_then(|session| Ok(session.survey()?)).map_or(0, |survey| survey.journals.len())
    } else {
        0
    };
    if waiting == 0 {
        return error.into();
    }
    let journals = number::counted(waiting as u64, "journal was", "journals were");
    let folder = folder.display();
    Failure::not_found(format!(
        "there is no store in {folder} yet, but {journals} logged there; run `neptune sync` first"
    ))
}

/// The experiment that `id` names: a short id, a UUID, or `latest`.
pub(crate) fn find(store: &Store, id: &str) -> Result<ExperimentKey, Failure> {
    if id != LATEST {
        return Ok(store.find(id)?);
    }
    let table = store.experiments(&ExperimentQuery::default().limit(1))?;
    let newest = table.rows.first().ok_or_else(|| Failure::not_found("there is no experiment in this store yet"))?;
    Ok(store.experiment(newest.id)?)
}

/// The state of an experiment that no process has run yet. It is not kept: there is no `sys/state`.
pub(crate) const NEW: &str = "new";

/// The state of an experiment, in a word. What is no run, such as a notebook, has none.
pub(crate) fn state(store: &Store, experiment: &ExperimentKey) -> Result<String, Failure> {
    match store.variable(experiment, "sys/state") {
        Ok(Variable { value: VariableValue::Atom(value), .. }) => Ok(value.as_str().unwrap_or_default().to_owned()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ if store.variable(experiment, "sys/kind").is_ok() => Ok(String::new()),
        _ => Ok(NEW.to_owned()),
    }
}

/// Why an experiment failed, when it did and somebody said why.
pub(crate) fn failure(store: &Store, experiment: &ExperimentKey) -> Result<Option<String>, Failure> {
    match store.variable(experiment, "sys/failure") {
        Ok(Variable { value: VariableValue::Atom(value), .. }) => Ok(value.as_str().map(str::to_owned)),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(None),
    }
}

/// The text in a cell, or none.
pub(crate) fn text_of(cell: Option<&Cell>) -> &str {
    match cell {
        Some(Cell::String(text)) => text,
        _ => "",
    }
}
