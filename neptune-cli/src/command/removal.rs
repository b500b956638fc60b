//! `neptune trash`, `neptune restore` and `neptune delete`.
//!
//! The experiments are looked up before anything is done, so that a wrong id changes nothing.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use neptune_core::Session;
use neptune_store::{
    Store,
    read::{ExperimentKey, VariableValue},
};
use serde::Serialize;

use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{self, BOLD, Screen, painted},
};

/// The result in JSON: what was done to whom.
#[derive(Debug, Serialize)]
struct Done<'a> {
    done: &'a str,
    experiments: Vec<Named<'a>>,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    id: &'a str,
    uuid: String,
}

pub(crate) fn trash(screen: &mut Screen, folder: &Path, ids: &[String]) -> Result<Exit, Failure> {
    change(screen, folder, ids, "moved to the trash", Session::trash)
}

pub(crate) fn restore(screen: &mut Screen, folder: &Path, ids: &[String]) -> Result<Exit, Failure> {
    change(screen, folder, ids, "restored", Session::restore)
}

pub(crate) fn delete(screen: &mut Screen, folder: &Path, delete: &cli::Delete) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let found = found(&store, &delete.ids)?;
    if !delete.yes && !agreed(&store, &found)? {
        screen.note("nothing was deleted")?;
        return Ok(Exit::Failed);
    }
    drop(store);
    let session = reading::editing_session(folder)?;
    session.delete(found.iter().map(|key| key.uuid.to_string()))?;
    told(screen, "deleted", &found)
}

fn change(
    screen: &mut Screen,
    folder: &Path,
    ids: &[String],
    done: &str,
    change: impl FnOnce(&Session, Vec<String>) -> neptune_core::Result<()>,
) -> Result<Exit, Failure> {
    let found = found(&reading::open(folder)?, ids)?;
    change(&reading::editing_session(folder)?, found.iter().map(|key| key.uuid.to_string()).collect())?;
    told(screen, done, &found)
}

fn found(store: &Store, ids: &[String]) -> Result<Vec<ExperimentKey>, Failure> {
    let mut found: Vec<ExperimentKey> = Vec::new();
    for id in ids {
        let key = reading::find(store, id)?;
        if !found.contains(&key) {
            found.push(key);
        }
    }
    Ok(found)
}

fn told(screen: &mut Screen, done: &str, found: &[ExperimentKey]) -> Result<Exit, Failure> {
    if screen.json {
        let experiments = found.iter().map(|key| Named { id: &key.short_id, uuid: key.uuid.to_string() }).collect();
        screen.document(&Done { done, experiments })?;
    } else {
        for key in found {
            screen.line(format_args!("{} {done}", painted(BOLD, inert(&key.short_id))))?;
        }
    }
    Ok(Exit::Fine)
}

/// Asks on the terminal; where there is none, nobody can agree.
fn agreed(store: &Store, found: &[ExperimentKey]) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::wrong("deleting is for good: say --yes where nobody can be asked"));
    }
    for key in found {
        let name = match store.variable(key, "sys/name") {
            Ok(variable) => match variable.value {
                VariableValue::Atom(value) => value.as_str().map(|name| format!("  {}", inert(name))),
                _ => None,
            },
            Err(_) => None,
        };
        screen::say(format_args!("{}{}", inert(&key.short_id), name.unwrap_or_default()));
    }
    let experiments = number::counted(found.len() as u64, "experiment", "experiments");
    screen::say(format_args!("delete {experiments} for good? [y/N]"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::from)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
