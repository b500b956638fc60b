//! Which experiment it is that begins: a new one, one that exists, or one that goes on from another.

use neptune_format::{ExperimentId, ProjectName, Record, Timestamp};

use super::variables::Variables;
use crate::{
    clock, config,
    error::{Error, ErrorKind, Result},
    session::{Mode, Session},
};

/// Which experiment a writer logs to, and what is known of it.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) id: ExperimentId,
    pub(super) existing: Existing,
    /// Whether it is new, and nobody named it beforehand.
    pub(super) is_maker: bool,
    /// What its journal says of where it comes from.
    pub(super) forked: Option<Record>,
}

/// What is known of the experiment that is attached to.
#[derive(Debug, Default)]
pub(super) struct Existing {
    pub(super) project: Option<ProjectName>,
    pub(super) variables: Variables,
    /// The latest time of a change and of an end that the store has of it, by whatever clock. Who attaches knows of them, and
    /// so begins behind them: else a clock that was ahead would have an old rewind cover what is logged now.
    pub(super) latest: Timestamp,
}

impl Session {
    /// A new experiment, which may go on from another; or the one of an id, given here or by the environment.
    /// An experiment that is `known_in` a project is not looked up.
    pub(super) fn beginning(
        &self,
        fork: Option<(String, f64)>,
        id: Option<String>,
        known_in: Option<ProjectName>,
    ) -> Result<Beginning> {
        if let Some((parent, step)) = fork {
            if let Some(id) = id {
                let message = format!("a fork is a new experiment and cannot be {id}; fork without an id");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            let (parent, existing) = self.parent(&parent, step)?;
            let forked = Some(Record::Forked { parent, step, time: clock::now() });
            return Ok(Beginning { id: ExperimentId::new(), existing, is_maker: true, forked });
        }
        let id = id.map_or_else(config::experiment, |id| Ok(Some(id)))?;
        let is_maker = id.is_none();
        let (id, existing) = match (id, known_in) {
            (Some(id), Some(project)) => (id.parse()?, Existing { project: Some(project), ..Existing::default() }),
            (Some(id), None) => self.resolve(&id)?,
            (None, _) => (ExperimentId::new(), Existing::default()),
        };
        Ok(Beginning { id, existing, is_maker, forked: None })
    }

    /// The experiment of an id, and what is known of it.
    #[cfg(feature = "embedded")]
    pub(super) fn resolve(&self, id: &str) -> Result<(ExperimentId, Existing)> {
        if self.mode() == Mode::Offline {
            return Ok((id.parse()?, Existing::default()));
        }
        if self.mode() == Mode::Debug {
            return Ok((id.parse().unwrap_or_else(|_| ExperimentId::new()), Existing::default()));
        }
        let store = self.store()?;
        let key = match (store.find(id), id.parse()) {
            (Ok(key), _) => key,
            // Processes that agreed on a UUID: the first one to get here makes the experiment.
            (Err(_), Ok(new)) if store.is_deleted(new)? => {
                let message = format!("the experiment {new} was deleted; its identity cannot be used again");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            (Err(_), Ok(new)) => return Ok((new, Existing::default())),
            (Err(error), Err(_)) => return Err(error.into()),
        };
        // It may have been killed a moment ago: it goes on from all that it had logged. Others are drained in the background.
        if self.inner.folder.writers().is_ok_and(|writers| writers.iter().any(|writer| writer.experiment == key.uuid)) {
            drop(self.recover(|_| ()));
        }
        let existing = store.variables(&key, "")?.into_iter().filter_map(|variable| {
            let value = match variable.value {
                neptune_store::read::VariableValue::Atom(value) => Some(value),
                _ => None,
            };
            Some((neptune_format::VariablePath::new(&variable.path).ok()?, variable.kind, value))
        });
        let variables = Variables::with_existing(existing);
        let ends = store.writers(&key)?.into_iter().filter_map(|writer| writer.closed);
        let changes = store.revisions(&key)?.into_iter().map(|revision| revision.time);
        let latest = ends.chain(changes).max().unwrap_or_default();
        Ok((key.uuid, Existing { project: Some(key.project.clone()), variables, latest }))
    }

    #[cfg(not(feature = "embedded"))]
    pub(super) fn resolve(&self, id: &str) -> Result<(ExperimentId, Existing)> {
        match id.parse() {
            Err(_) if self.mode() == Mode::Debug => Ok((ExperimentId::new(), Existing::default())),
            parsed => Ok((parsed?, Existing::default())),
        }
    }

    /// The experiment to go on from, and what is known of the series that are taken over.
    fn parent(&self, id: &str, step: f64) -> Result<(ExperimentId, Existing)> {
        match self.mode() {
            Mode::Offline => Ok((id.parse()?, Existing::default())),
            Mode::Debug => Ok((id.parse().unwrap_or_else(|_| ExperimentId::new()), Existing::default())),
            _ => self.stored_parent(id, step),
        }
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    fn stored_parent(&self, id: &str, _step: f64) -> Result<(ExperimentId, Existing)> {
        Ok((id.parse()?, Existing::default()))
    }
}

#[cfg(feature = "embedded")]
mod embedded {
    use std::{thread, time::Duration};

    use neptune_format::{ExperimentId, Position, VariablePath};
    use neptune_store::read::VariableValue;

    use super::{super::variables::Variables, Existing};
    use crate::{
        clock,
        error::{Error, ErrorKind, Result},
        journal::{Reader, Reading},
        session::Session,
    };

    /// How long others are waited for who log to the experiment: some times what a drain takes to look again.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// How often it is looked whether they are drained.
    const LOOK: Duration = Duration::from_millis(5);

    impl Session {
        pub(super) fn stored_parent(&self, id: &str, step: f64) -> Result<(ExperimentId, Existing)> {
            let key = self.store()?.find(id)?;
            // What dead processes left is drained by this one.
            self.resolve(&key.uuid.to_string())?;
            self.wait_for_writers(key.uuid)?;
            let variables = self.store()?.variables(&key, "")?.into_iter().filter_map(|variable| {
                // Where a series begins behind the step, or has no points, the name is free.
                let is_taken_over = matches!(&variable.value, VariableValue::Series(series) if series.first_step <= step)
                    && !neptune_store::has_own_steps(&variable.path);
                is_taken_over.then(|| Some((VariablePath::new(&variable.path).ok()?, variable.kind, None)))?
            });
            let variables = Variables::with_existing(variables);
            Ok((key.uuid, Existing { project: Some(key.project), variables, ..Existing::default() }))
        }

        /// Waits until the store has what was logged to an experiment before this call, by processes that live.
        fn wait_for_writers(&self, experiment: ExperimentId) -> Result<()> {
            let began = clock::monotonic();
            let store = self.store()?;
            let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| {
                Error::new(ErrorKind::Unavailable, "cannot look into the journals of the experiment").because(error)
            };
            for folder in self.inner.folder.writers().map_err(|error| unavailable(error.into()))? {
                if folder.experiment != experiment {
                    continue;
                }
                let writer = folder.writer;
                let mut reader = Reader::new(folder, None);
                let mut end = store.position(writer)?;
                // A journal that vanishes meanwhile is in the store.
                while let Ok(batch) = reader.read(end, Reading::Alive)
                    && !batch.is_empty()
                {
                    end = batch.end;
                }
                let is_behind = |position: Position| position < end;
                while is_behind(store.position(writer)?) && began.elapsed() < PATIENCE {
                    thread::park_timeout(LOOK);
                }
            }
            Ok(())
        }
    }
}
