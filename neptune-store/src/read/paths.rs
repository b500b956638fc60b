//! [`KnownPath`]: which variables the experiments of a project have.

use neptune_format::{ProjectName, VariableType};
use rusqlite::{Connection, ToSql, types::Null};

use super::ExperimentKey;
use crate::{error::Result, query::project_id, store::Store};

/// The experiments of a project, for a scan of the variables of all. The sum keeps the scan in the order of the paths: without
/// it the variables are looked up one experiment after another.
const OF_PROJECT: &str = "JOIN experiment e ON e.id = v.experiment_id + 0 WHERE e.project_id = $1";

/// The experiments of every project.
const OF_ALL: &str = "WHERE $1 IS NULL";

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
    /// Every variable of these experiments is counted: it takes the longer, the more there are.
    ///
    /// # Errors
    /// `NotFound` when the project does not exist; its message names the nearest.
    pub fn paths(&self, project: Option<&ProjectName>) -> Result<Vec<KnownPath>> {
        let snapshot = self.connection.unchecked_transaction()?;
        let Some(name) = project else { return path_by_path(&snapshot, OF_ALL, Null) };
        let project = project_id(&snapshot, name)?;
        let (ours, all) = snapshot.query_row(
            "SELECT COUNT(*) FILTER (WHERE project_id = $1), COUNT(*) FROM experiment",
            [project],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        if ours == all {
            path_by_path(&snapshot, OF_ALL, Null)
        } else if ours >= all / LARGE {
            path_by_path(&snapshot, OF_PROJECT, project)
        } else {
            experiment_by_experiment(&snapshot, "WHERE e.project_id = $1", project)
        }
    }

    /// Every variable that one of these experiments has: by path, and those of one path by type.
    ///
    /// # Errors
    /// Only those of the disk.
    pub fn paths_of(&self, experiments: &[ExperimentKey]) -> Result<Vec<KnownPath>> {
        let ids: Vec<_> = experiments.iter().map(|experiment| experiment.id.to_string()).collect();
        let ids = format!("[{}]", ids.join(","));
        experiment_by_experiment(&self.connection, "WHERE e.id IN (SELECT value FROM json_each($1))", ids)
    }
}

/// A project with at least one in so many experiments of the store is large: then it is faster to look at those of all.
const LARGE: i64 = 4;

/// Counts along the index of paths, where the variables of a path lie together. Nearly every path has one type, and to count
/// those takes a third of what it takes to sort all by type.
fn path_by_path(connection: &Connection, of: &str, parameter: impl ToSql + Copy) -> Result<Vec<KnownPath>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT p.name, p.id, found.experiments, found.least, found.greatest
         FROM (SELECT v.path_id, COUNT(*) AS experiments, MIN(v.type) AS least, MAX(v.type) AS greatest
               FROM variable v {of} GROUP BY v.path_id) found
         JOIN path p ON p.id = found.path_id ORDER BY p.name"
    ))?;
    let mut by_type = connection.prepare_cached(&format!(
        "SELECT v.type, COUNT(*) FROM variable v {of} AND v.path_id = $2 GROUP BY v.type ORDER BY v.type"
    ))?;
    let mut rows = statement.query([parameter])?;
    let mut paths = Vec::new();
    while let Some(row) = rows.next()? {
        let (path, id): (String, i64) = (row.get(0)?, row.get(1)?);
        let (experiments, least, greatest): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        if least == greatest {
            paths.extend(known(path, least, experiments));
            continue;
        }
        let mut rows = by_type.query((parameter, id))?;
        while let Some(row) = rows.next()? {
            paths.extend(known(path.clone(), row.get(0)?, row.get(1)?));
        }
    }
    Ok(paths)
}

/// Counts along the experiments, when they are few among those of the store.
fn experiment_by_experiment(connection: &Connection, within: &str, parameter: impl ToSql) -> Result<Vec<KnownPath>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT p.name, found.type, found.experiments
         FROM (SELECT v.path_id, v.type, COUNT(*) AS experiments
               FROM variable v JOIN experiment e ON e.id = v.experiment_id {within} GROUP BY v.path_id, v.type) found
         JOIN path p ON p.id = found.path_id ORDER BY p.name, found.type"
    ))?;
    let mut rows = statement.query([parameter])?;
    let mut paths = Vec::new();
    while let Some(row) = rows.next()? {
        paths.extend(known(row.get(0)?, row.get(1)?, row.get(2)?));
    }
    Ok(paths)
}

/// What is at a path; nothing when it is of a type of a newer version.
fn known(path: String, code: i64, experiments: i64) -> Option<KnownPath> {
    let kind = VariableType::from_code(u8::try_from(code).ok()?)?;
    Some(KnownPath { path, kind, experiments: experiments.cast_unsigned() })
}
