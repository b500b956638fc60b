//! [`KnownPath`]: which variables the experiments of a project have.

use neptune_format::{ProjectName, VariableType};
use rusqlite::{ToSql, types::Null};

use super::ExperimentKey;
use crate::{error::Result, query::project_id, store::Store};

/// A path at which experiments have a variable of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPath {
    /// The path.
    pub path: String,
    /// The type.
    pub kind: VariableType,
    /// How many experiments have it.
    pub experiments: u64,
}

impl Store {
    /// Every variable that an experiment of `project`, or of any, has: by path, and those of one path by type.
    ///
    /// Every variable of these experiments is looked at: it takes the longer, the more there are.
    ///
    /// # Errors
    /// `NotFound` when the project does not exist; its message names the nearest.
    pub fn paths(&self, project: Option<&ProjectName>) -> Result<Vec<KnownPath>> {
        match project.map(|name| project_id(&self.connection, name)).transpose()? {
            Some(project) => self.known_paths("WHERE e.project_id = $1", project),
            None => self.known_paths("WHERE $1 IS NULL", Null),
        }
    }

    /// Every variable that one of these experiments has: by path, and those of one path by type.
    ///
    /// # Errors
    /// Only those of the disk.
    pub fn paths_of(&self, experiments: &[ExperimentKey]) -> Result<Vec<KnownPath>> {
        let ids: Vec<_> = experiments.iter().map(|experiment| experiment.id.to_string()).collect();
        self.known_paths("WHERE e.id IN (SELECT value FROM json_each($1))", format!("[{}]", ids.join(",")))
    }

    fn known_paths(&self, within: &str, parameter: impl ToSql) -> Result<Vec<KnownPath>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT p.name, found.type, found.experiments
             FROM (SELECT v.path_id, v.type, COUNT(*) AS experiments
                   FROM variable v JOIN experiment e ON e.id = v.experiment_id {within} GROUP BY v.path_id, v.type) found
             JOIN path p ON p.id = found.path_id ORDER BY p.name, found.type"
        ))?;
        let mut rows = statement.query([parameter])?;
        let mut paths = Vec::new();
        while let Some(row) = rows.next()? {
            // A type of a newer version is left out.
            if let Some(kind) = VariableType::from_code(row.get(1)?) {
                paths.push(KnownPath { path: row.get(0)?, kind, experiments: row.get::<_, i64>(2)?.cast_unsigned() });
            }
        }
        Ok(paths)
    }
}
