//! [`Project`]: the experiments that belong together.

use neptune_format::ProjectName;
#[cfg(feature = "embedded")]
use neptune_store::{ExperimentQuery, ExperimentTable, Table};

#[cfg(feature = "embedded")]
use crate::{
    error::{Error, ErrorKind, Result},
    stored::StoredExperiment,
};
use crate::{experiment::ExperimentBuilder, session::Session};

/// A project of a session.
#[derive(Debug, Clone)]
pub struct Project {
    session: Session,
    name: ProjectName,
}

impl Project {
    pub(crate) const fn new(session: Session, name: ProjectName) -> Self {
        Self { session, name }
    }

    /// The name, `workspace/name`.
    pub const fn name(&self) -> &ProjectName {
        &self.name
    }

    /// A new experiment of this project, to be described and started.
    pub fn experiment(&self) -> ExperimentBuilder {
        self.session.experiment().in_project(self.name.clone())
    }
}

#[cfg(feature = "embedded")]
impl Project {
    /// An experiment of this project, by short id or UUID, to read.
    ///
    /// # Errors
    /// `NotFound`, with the nearest short ids, when there is none in this project.
    pub fn get(&self, id: &str) -> Result<StoredExperiment> {
        let found = self.session.get(id)?;
        if found.project() == &self.name {
            return Ok(found);
        }
        let (name, other) = (&self.name, found.project());
        Err(Error::new(ErrorKind::NotFound, format!("there is no experiment {id:?} in {name}; it is of {other}")))
    }

    /// The experiments of this project that `query` asks for, to read: by id, state, owner, tags, running time, or by the
    /// query language. Columns of the query mean nothing here.
    ///
    /// Several values of one are alternatives, except for tags, of which an experiment must have all; whatever is asked for
    /// must hold. Without an order, the newest experiment is first. A project without experiments has none, also when it
    /// does not exist yet.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// use neptune_core::ExperimentQuery;
    ///
    /// let project = session.project("ada/mnist")?;
    /// project.experiment().tags(["cnn"]).start()?.stop()?;
    /// let query = ExperimentQuery::default().states(["succeeded", "running"]).tags(["cnn"]);
    /// for experiment in project.get_experiments(query.filter("NOT loss > 0.5".parse()?))? {
    ///     println!("{}: {:?}", experiment.short_id(), experiment.parameters()?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Invalid` for a state that is none; when the store cannot be read.
    pub fn get_experiments(&self, query: ExperimentQuery) -> Result<Vec<StoredExperiment>> {
        let query = self.queried(query.columns([""; 0]));
        let store = self.session.reader()?;
        let found = or_none(store.experiments(&query))?.map_or_else(Vec::new, |table| table.rows);
        let experiments = found.into_iter().map(|row| {
            let key = store.experiment(row.id)?;
            Ok(StoredExperiment::new(self.session.clone(), key))
        });
        experiments.collect()
    }

    /// The experiments of this project that `query` describes, as a table of the variables that it names.
    ///
    /// What other threads and processes logged is found up to a fraction of a second ago.
    ///
    /// # Errors
    /// `NotFound` when nothing was logged to the project yet; `Invalid` for a state that is none; when the store cannot be
    /// read.
    pub fn experiments(&self, query: ExperimentQuery) -> Result<ExperimentTable> {
        Ok(self.session.reader()?.experiments(&self.queried(query))?)
    }

    /// The experiments of this project that `query` asks for as a [`Table`] with the columns of the Neptune client: `id`,
    /// `name`, `created`, `finished`, `owner`, `notes`, `running_time` (seconds), `size` (bytes of files), `tags`, and then
    /// `channel_NAME`, the last value of each log, `parameter_NAME` and `property_NAME`.
    ///
    /// There is a column for each log, parameter and property that one of the experiments has, or for those alone that the
    /// query names as columns. An experiment that lacks it has no value there. Where experiments have different types, all are
    /// text. A project without experiments gives no rows, also when it does not exist yet.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// # let project = session.project("ada/mnist")?;
    /// let experiment = project.experiment().params(&serde_json::json!({"rate": 0.1})).start()?;
    /// experiment.log_metric("loss", 0.5);
    /// experiment.stop()?;
    /// let leaderboard = project.leaderboard(neptune_core::ExperimentQuery::default())?;
    /// assert!(leaderboard.names().skip(9).eq(["channel_loss", "parameter_rate"]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Project::get_experiments`].
    pub fn leaderboard(&self, query: ExperimentQuery) -> Result<Table> {
        let store = self.session.reader()?;
        let query = self.queried(query);
        if let Some(table) = or_none(store.leaderboard(&query))? {
            return Ok(table);
        }
        // No experiment has this id, so the table has its columns and no rows.
        let mut none = query.ids([""]);
        none.project = None;
        Ok(store.leaderboard(&none)?)
    }

    /// The query, of this project and now.
    fn queried(&self, mut query: ExperimentQuery) -> ExperimentQuery {
        query.project = Some(self.name.clone());
        query.now(crate::clock::now())
    }
}

/// `None` where the project does not exist yet.
#[cfg(feature = "embedded")]
fn or_none<T>(found: neptune_store::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == neptune_store::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
