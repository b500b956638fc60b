//! `neptune sync`: drains what dead or offline programs left behind into the store.
//!
//! What could not be drained stays where it is, and is named with its reason.

use std::{collections::HashMap, path::Path};

use neptune_core::{ExperimentId, recovery::Recovered};
use neptune_store::{Store, StoreOptions};
use serde::Serialize;

use crate::{
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{BAD, BOLD, ODD, Screen, painted},
};

pub(crate) fn run(screen: &mut Screen, folder: &Path) -> Result<Exit, Failure> {
    let session = reading::session_of_something(folder)?;
    let drained = Drained::of(&reading::recover(&session)?, folder)?;
    // What is left belongs to processes that live, or has an obstacle.
    let alive = session.survey()?.journals.iter().filter(|journal| journal.alive).count() as u64;
    if screen.json {
        screen.document(&Synced { experiments: &drained.experiments, alive })?;
    } else {
        drained.print(screen)?;
        if alive > 0 {
            let journals = number::counted(alive, "journal is", "journals are");
            screen.note(format_args!("{journals} left to the programs that are logging now"))?;
        }
    }
    Ok(if drained.has_obstacles() { Exit::Failed } else { Exit::Fine })
}

/// What was drained, by experiment.
#[derive(Debug)]
pub(crate) struct Drained {
    experiments: Vec<Experiment>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Experiment {
    /// The short id; the UUID of an experiment that never reached the store.
    id: String,
    uuid: String,
    journals: u64,
    records: u64,
    damaged: u64,
    /// Journals that were thrown away, because the experiment was deleted.
    deleted: u64,
    obstacles: Vec<String>,
}

/// The result in JSON.
#[derive(Serialize)]
struct Synced<'a> {
    experiments: &'a [Experiment],
    alive: u64,
}

impl Drained {
    pub(crate) fn of(recovered: &[Recovered], folder: &Path) -> Result<Self, Failure> {
        if recovered.is_empty() {
            return Ok(Self { experiments: Vec::new() });
        }
        let store = Store::open_existing(folder, StoreOptions::default())?;
        let name = |experiment| match store.experiment(experiment) {
            Ok(found) => found.short_id,
            Err(_) => experiment.to_string(),
        };
        Ok(Self { experiments: summed(recovered, name) })
    }

    pub(crate) fn has_obstacles(&self) -> bool {
        self.experiments.iter().any(|experiment| !experiment.obstacles.is_empty())
    }

    pub(crate) fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        if self.experiments.is_empty() {
            return screen.line("nothing to drain");
        }
        for experiment in &self.experiments {
            let records = number::counted(experiment.records, "record", "records");
            let journals = number::counted(experiment.journals, "journal", "journals");
            let id = painted(BOLD, inert(&experiment.id));
            let mut line = format!("{id}  {records} drained from {journals}");
            if experiment.damaged > 0 {
                let damaged = number::counted(experiment.damaged, "damaged stretch", "damaged stretches");
                line.push_str(&painted(ODD, format_args!(", {damaged} set aside")));
            }
            if experiment.deleted > 0 {
                line.push_str("; the experiment was deleted, and what was left of it is thrown away");
            }
            screen.line(line)?;
            for obstacle in &experiment.obstacles {
                screen.line(format_args!("  {}", painted(BAD, format_args!("not drained: {}", inert(obstacle)))))?;
            }
        }
        Ok(())
    }
}

impl Serialize for Drained {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.experiments.serialize(serializer)
    }
}

/// The journals of each experiment together, in the order in which the experiments began.
fn summed(recovered: &[Recovered], name: impl Fn(ExperimentId) -> String) -> Vec<Experiment> {
    let mut experiments: Vec<Experiment> = Vec::new();
    let mut places: HashMap<ExperimentId, usize> = HashMap::new();
    for journal in recovered {
        let place = *places.entry(journal.experiment).or_insert(experiments.len());
        if place == experiments.len() {
            experiments.push(Experiment {
                id: name(journal.experiment),
                uuid: journal.experiment.to_string(),
                journals: 0,
                records: 0,
                damaged: 0,
                deleted: 0,
                obstacles: Vec::new(),
            });
        }
        let sum = &mut experiments[place];
        sum.journals += 1;
        sum.records += journal.records;
        sum.damaged += journal.damaged;
        sum.deleted += u64::from(journal.deleted);
        sum.obstacles.extend(journal.obstacle.clone());
    }
    experiments
}
