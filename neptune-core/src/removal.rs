//! Trash, restore and delete.
//!
//! The trash is a word: an atom `sys/trashed`. Deleting is one transaction of the store, which also remembers the identity, and
//! then the removal of files that nobody finds any more. Wherever it dies, an experiment is whole or gone.

use std::{fs, io};

use neptune_format::{ExperimentId, ObjectId};
use neptune_store::{Store, read::ExperimentKey};

use crate::{
    clock,
    error::{Error, ErrorKind, Result},
    journal::{Lock, WriterFolder},
    session::Session,
};

/// What says that an experiment is in the trash.
const TRASHED: &str = "sys/trashed";

impl Session {
    /// Puts experiments into the trash, by short id or UUID: lists and queries leave them out, unless they ask for
    /// `sys/trashed`. Nothing is removed, and what runs goes on. Already in the trash is as good.
    ///
    /// # Errors
    /// `NotFound` when there is no such experiment; then those before it are in the trash. `Unsupported` offline.
    pub fn trash<I: AsRef<str>>(&self, ids: impl IntoIterator<Item = I>) -> Result<()> {
        self.change_each(ids, |session, id| {
            let experiment = session.edit(id).start()?;
            experiment.atom(TRASHED).assign(true);
            experiment.stop().map(drop)
        })
    }

    /// Takes experiments out of the trash, by short id or UUID. One that is not in it stays as it is.
    ///
    /// # Errors
    /// As [`Session::trash`].
    pub fn restore<I: AsRef<str>>(&self, ids: impl IntoIterator<Item = I>) -> Result<()> {
        self.change_each(ids, |session, id| {
            let experiment = session.edit(id).start()?;
            experiment.delete(TRASHED);
            experiment.stop().map(drop)
        })
    }

    fn change_each<I: AsRef<str>>(
        &self,
        ids: impl IntoIterator<Item = I>,
        change: impl Fn(&Self, &str) -> Result<()>,
    ) -> Result<()> {
        self.check_may_change()?;
        self.check_has_store()?;
        ids.into_iter().try_for_each(|id| change(self, id.as_ref()))
    }

    /// Removes experiments for good, by short id or UUID, in the trash or not: what was logged, what dead processes of
    /// theirs left in journals, and the files that no other experiment needs. The room in the store's file is used
    /// again; `neptune gc` gives it back to the disk. Neither a short id nor a UUID of a deleted experiment is ever used
    /// again: a journal of it that comes later, from another machine or offline, is thrown away when it is drained.
    ///
    /// All are looked up, and looked at for who logs to them, before the first is removed; each is removed at once or,
    /// when the process is killed, not at all.
    ///
    /// # Errors
    /// `NotFound` when there is no such experiment; `Busy` when a process of this machine logs to one or edits it, with
    /// its number; when the store cannot be written.
    pub fn delete<I: AsRef<str>>(&self, ids: impl IntoIterator<Item = I>) -> Result<()> {
        self.check_may_change()?;
        let mut store = self.store()?;
        // Nobody drains a journal of the dead into an experiment meanwhile.
        let _alone = self.recovery_lock()?;
        let mut found: Vec<ExperimentKey> = Vec::new();
        for id in ids {
            let experiment = store.find(id.as_ref())?;
            if !found.contains(&experiment) {
                found.push(experiment);
            }
        }
        for experiment in &found {
            self.check_nobody_writes(&store, experiment)?;
        }
        let mut objects = Vec::new();
        for experiment in &found {
            // Again, now that the store is locked: who comes later finds the experiment gone.
            let other = self.store()?;
            objects.extend(
                store.delete_experiment(experiment, clock::now(), || self.check_nobody_writes(&other, experiment))?,
            );
            self.remove_journals(experiment.uuid)?;
            fail::fail_point!("delete-journals");
        }
        self.reclaim_deleted(&objects)
    }

    fn check_nobody_writes(&self, store: &Store, experiment: &ExperimentKey) -> Result<()> {
        for folder in self.journals_of(experiment.uuid)? {
            if Lock::is_held(&folder.lock())
                .map_err(|error| unavailable("cannot look at the lock of a journal", error))?
            {
                let writers = store.writers(experiment)?;
                let of = writers.iter().find(|writer| writer.writer == folder.writer);
                let of = of.map(|writer| format!(" {} on {}", writer.pid, writer.host)).unwrap_or_default();
                let id = &experiment.short_id;
                return Err(Error::new(
                    ErrorKind::Busy,
                    format!(
                        "the process{of} is writing to {id}; stop it first, or ask it to with `neptune abort {id}`"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn journals_of(&self, experiment: ExperimentId) -> Result<Vec<WriterFolder>> {
        let mut writers = self
            .inner
            .folder
            .writers()
            .map_err(|error| unavailable("cannot look into the folder of journals", error))?;
        writers.retain(|writer| writer.experiment == experiment);
        Ok(writers)
    }

    /// Removes what dead processes left of a deleted experiment. What is left here by a kill goes when it is recovered.
    fn remove_journals(&self, experiment: ExperimentId) -> Result<()> {
        for folder in self.journals_of(experiment)? {
            // One that lives came after the experiment was gone; it is told so, and its journal goes when it is dead.
            if let Ok(Some(lock)) = Lock::take(&folder.lock()) {
                folder.remove().map_err(|error| unavailable("cannot remove a journal", error))?;
                drop(lock);
            }
        }
        let quarantined =
            self.inner.folder.quarantine().map_err(|error| unavailable("cannot look into the quarantine", error))?;
        let prefix = experiment.to_string();
        for segment in quarantined {
            if segment.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)) {
                match fs::remove_file(&segment) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(unavailable("cannot remove a segment that was set aside", error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Removes the files of `objects` that nobody else needs. Where others hold the folder for long, `neptune gc` does it.
    fn reclaim_deleted(&self, objects: &[ObjectId]) -> Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        match self.reclaim_some(objects) {
            Err(error) if error.kind() != ErrorKind::Unavailable => Err(error),
            _ => Ok(()),
        }
    }
}

fn unavailable(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, what).because(error)
}
