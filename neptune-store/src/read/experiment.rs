//! Experiments, projects and writers by name.

use neptune_format::{ExperimentId, LostReason, LostReport, ProjectName, Timestamp, WriterId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::nearest;
use crate::{
    error::{Error, ErrorKind, Result},
    store::Store,
};

/// An experiment that was found in a store. Good for that store only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentKey {
    pub(crate) id: i64,
    /// The identity of the experiment.
    pub uuid: ExperimentId,
    /// The short id, such as `MNI-12`.
    pub short_id: String,
    /// The project of the experiment.
    pub project: ProjectName,
}

/// A project and how many experiments it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSummary {
    /// The name, `workspace/name`.
    pub name: ProjectName,
    /// The first part of its short ids.
    pub key: String,
    /// How many experiments it has.
    pub experiments: u64,
}

/// A writer of an experiment, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterSummary {
    /// The writer.
    pub writer: WriterId,
    /// The experiment it logs to.
    pub experiment: ExperimentId,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// When it began.
    pub opened: Timestamp,
    /// When it ended; `None` while it has not said that it did.
    pub closed: Option<Timestamp>,
    /// Whether it only edits: then it is no part of the run.
    pub edits: bool,
}

const EXPERIMENT: &str = "SELECT e.id, e.uuid, p.short_key, e.number, p.name
                          FROM experiment e JOIN project p ON p.id = e.project_id";

fn key_of(row: &Row<'_>) -> rusqlite::Result<Result<ExperimentKey>> {
    let name: String = row.get(4)?;
    let short_id = format!("{}-{}", row.get::<_, String>(2)?, row.get::<_, i64>(3)?);
    let (id, uuid) = (row.get(0)?, ExperimentId::from_bytes(row.get(1)?));
    Ok(name
        .parse()
        .map(|project| ExperimentKey { id, uuid, short_id, project })
        .map_err(|error| Error::corrupt(format!("a project has the name {name:?}")).because(error)))
}

/// The experiment with this short id or UUID, if there is one.
pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<ExperimentKey>> {
    match id.parse() {
        Ok(uuid) => by_uuid(connection, uuid),
        Err(_) => by_short_id(connection, id),
    }
}

fn by_uuid(connection: &Connection, uuid: ExperimentId) -> Result<Option<ExperimentKey>> {
    let mut statement = connection.prepare_cached(&format!("{EXPERIMENT} WHERE e.uuid = $1"))?;
    statement.query_row([uuid.as_bytes()], key_of).optional()?.transpose()
}

fn by_short_id(connection: &Connection, id: &str) -> Result<Option<ExperimentKey>> {
    let parts = id.rsplit_once('-').and_then(|(key, number)| Some((key, number.parse::<i64>().ok()?)));
    let Some((key, number)) = parts else { return Ok(None) };
    let mut statement = connection.prepare_cached(&format!("{EXPERIMENT} WHERE p.short_key = $1 AND e.number = $2"))?;
    statement.query_row((key.to_uppercase(), number), key_of).optional()?.transpose()
}

impl Store {
    /// The experiment with this short id (`MNI-12`) or UUID.
    ///
    /// # Errors
    /// `NotFound`, with the nearest short ids, when there is none.
    pub fn find(&self, id: &str) -> Result<ExperimentKey> {
        if let Ok(uuid) = id.parse::<ExperimentId>() {
            return self.experiment(uuid);
        }
        if let Some(found) = by_short_id(&self.connection, id)? {
            return Ok(found);
        }
        let known = self
            .connection
            .prepare(&format!("{EXPERIMENT} ORDER BY e.id DESC LIMIT 1000"))?
            .query_map([], key_of)?
            .map(|row| Ok(row??.short_id))
            .collect::<Result<Vec<_>>>()?;
        Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no experiment {id:?}{}", nearest::suggestion(id, known.iter().map(String::as_str))),
        ))
    }

    /// The experiment with this identity.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn experiment(&self, experiment: ExperimentId) -> Result<ExperimentKey> {
        by_uuid(&self.connection, experiment)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no experiment {experiment} in this store"))
        })
    }

    /// Every project, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn projects(&self) -> Result<Vec<ProjectSummary>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT p.name, p.short_key, COUNT(e.id) FROM project p LEFT JOIN experiment e ON e.project_id = p.id
             GROUP BY p.id ORDER BY p.name",
        )?;
        let mut rows = statement.query([])?;
        let mut projects = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            projects.push(ProjectSummary {
                name: name
                    .parse()
                    .map_err(|error| Error::corrupt(format!("a project has the name {name:?}")).because(error))?,
                key: row.get(1)?,
                experiments: row.get::<_, i64>(2)?.cast_unsigned(),
            });
        }
        Ok(projects)
    }

    /// The writers that have not closed, oldest first. Some may be dead: only the lock of their journal tells.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open_writers(&self) -> Result<Vec<WriterSummary>> {
        self.writers_where("w.closed_us IS NULL", None)
    }

    /// The writers of an experiment, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn writers(&self, experiment: &ExperimentKey) -> Result<Vec<WriterSummary>> {
        self.writers_where("e.id = $1", Some(experiment.id))
    }

    fn writers_where(&self, condition: &str, experiment_id: Option<i64>) -> Result<Vec<WriterSummary>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT w.uuid, e.uuid, w.host, w.pid, w.opened_us, w.closed_us, w.edits
             FROM writer w JOIN experiment e ON e.id = w.experiment_id WHERE {condition} ORDER BY w.id"
        ))?;
        let writer = |row: &Row<'_>| {
            Ok(WriterSummary {
                writer: WriterId::from_bytes(row.get(0)?),
                experiment: ExperimentId::from_bytes(row.get(1)?),
                host: row.get(2)?,
                pid: row.get(3)?,
                opened: Timestamp::from_micros(row.get(4)?),
                closed: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_micros),
                edits: row.get(6)?,
            })
        };
        let writers = match experiment_id {
            Some(id) => statement.query_map([id], writer)?.collect::<rusqlite::Result<_>>()?,
            None => statement.query_map([], writer)?.collect::<rusqlite::Result<_>>()?,
        };
        Ok(writers)
    }

    /// What was logged to an experiment and is not in the store, by reason.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn lost(&self, experiment: &ExperimentKey) -> Result<LostReport> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT reason, SUM(count) FROM lost WHERE experiment_id = $1 GROUP BY reason")?;
        let mut rows = statement.query([experiment.id])?;
        let mut lost = LostReport::default();
        while let Some(row) = rows.next()? {
            if let Some(reason) = LostReason::from_name(&row.get::<_, String>(0)?) {
                lost.add(reason, row.get::<_, i64>(1)?.cast_unsigned());
            }
        }
        Ok(lost)
    }
}
