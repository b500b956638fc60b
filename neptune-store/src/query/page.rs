//! [`Page`]: which experiments a query keeps, in its order, without their cells.
//!
//! The order is total, so that pages of one moment neither repeat nor leave out an experiment.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write as _,
};

use neptune_format::ProjectName;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::{
    figure::HAS_FIGURES,
    filter::{AttributeType, Filter},
    resolve::{Asked, Place, Places},
    selection,
    sql::{Condition, type_is},
    table::{Direction, ExperimentQuery},
    typing,
};
use crate::{
    error::{Error, ErrorKind, Result},
    read::running_sql,
};

/// The most sorts of a query. Each joins a table, of which SQLite takes 64.
const MAX_SORTS: usize = 16;

/// The experiments of a page, as the store numbers them.
pub(super) struct Page {
    pub(super) total: u64,
    pub(super) rows: Vec<Found>,
}

pub(super) struct Found {
    pub(super) id: i64,
    pub(super) uuid: [u8; 16],
    pub(super) number: i64,
    pub(super) project: i64,
}

impl Page {
    pub(super) fn select(connection: &Connection, query: &ExperimentQuery, places: &mut Places<'_>) -> Result<Self> {
        let mut condition = Condition::default();
        match &query.project {
            Some(project) => {
                let project = condition.bind(project_id(connection, project)?);
                condition.sql = format!("e.project_id = {project}");
            }
            None => condition.sql.push_str("1 = 1"),
        }
        selection::select(connection, query, places, &mut condition)?;
        if !query.hidden {
            leave_out_hidden(query.filter.as_ref(), places, &mut condition)?;
        }
        let kept = condition.parameters.len();
        // Within a project the number tells what is newer as well as the id does, and there is an index in its order.
        let newest = if query.project.is_some() { "e.number DESC" } else { "e.id DESC" };
        let (joins, order) = ordered(query, newest, places, &mut condition)?;
        let limit = condition.bind(signed(query.limit.unwrap_or(u64::MAX)));
        let offset = condition.bind(signed(query.offset));
        let Condition { sql, parameters } = condition;

        let mut rows = Vec::new();
        if query.limit != Some(0) {
            let mut statement = connection.prepare(&format!(
                "SELECT e.id, e.uuid, e.number, e.project_id FROM experiment e {joins} \
                 WHERE {sql} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
            ))?;
            let found = statement.query_map(params_from_iter(&parameters), |row| {
                Ok(Found { id: row.get(0)?, uuid: row.get(1)?, number: row.get(2)?, project: row.get(3)? })
            })?;
            rows = found.collect::<rusqlite::Result<_>>()?;
        }
        // A page that is not full is the last one; one without rows may also lie behind the last.
        let found = u64::try_from(rows.len()).expect("what is in memory is counted by 64 bits");
        let is_last = query.limit.is_none_or(|limit| found < limit) && (found > 0 || query.offset == 0);
        let total = if is_last {
            query.offset + found
        } else {
            let mut statement = connection.prepare(&format!("SELECT count(*) FROM experiment e WHERE {sql}"))?;
            let total: i64 = statement.query_row(params_from_iter(&parameters[..kept]), |row| row.get(0))?;
            total.unsigned_abs()
        };
        Ok(Self { total, rows })
    }
}

/// What makes an experiment hidden: a variable, and the condition on its row `v`.
const HIDDEN: [(&str, &str); 2] = [("sys/trashed", "v.integer = 1"), ("sys/kind", "v.text IS NOT NULL")];

/// Leaves out what is in the trash or of another kind, unless the filter says something of that itself.
fn leave_out_hidden(filter: Option<&Filter>, places: &mut Places<'_>, condition: &mut Condition) -> Result<()> {
    for (name, is_hidden) in HIDDEN {
        let Some(Place::Path(path)) = places.exact(name)? else { continue };
        let mut named = false;
        if let Some(filter) = filter {
            filter.each_name(&mut |name| -> Result<()> {
                named |= places.place(name)? == Some(Place::Path(path));
                Ok(())
            })?;
        }
        if !named {
            let path = condition.bind(path);
            let hidden = format!("SELECT 1 FROM variable v WHERE v.path_id = {path} AND v.experiment_id = e.id");
            write!(condition.sql, " AND NOT EXISTS ({hidden} AND {is_hidden})").ok();
        }
    }
    Ok(())
}

/// Makes SQLite look up the value to sort by in the narrow index, where the values of one path lie side by side. Left
/// alone it looks into the wide row of every experiment, each of which lies on a page of its own.
const SIDE_BY_SIDE: &str = "INDEXED BY variable_of_path";

/// The joins and the terms of ORDER BY for the sorts of `query`; without any, the order is `otherwise`.
fn ordered(
    query: &ExperimentQuery,
    otherwise: &str,
    places: &mut Places<'_>,
    condition: &mut Condition,
) -> Result<(String, String)> {
    let sorts = &query.sort;
    if sorts.len() > MAX_SORTS {
        let count = sorts.len();
        return Err(Error::new(ErrorKind::Invalid, format!("a query has at most {MAX_SORTS} sorts, not {count}")));
    }
    let mut joins = Vec::new();
    let mut terms = Vec::new();
    for (index, sort) in sorts.iter().enumerate() {
        let direction = match sort.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        match places.asked(&sort.path)? {
            None => {}
            Some(Asked::Place(Place::ShortId)) => {
                let key = "(SELECT p.short_key FROM project p WHERE p.id = e.project_id)";
                terms.push(format!("{key} {direction}, e.number {direction}"));
            }
            Some(Asked::Place(Place::RunningTime)) => {
                let now = condition.bind(query.now.as_micros());
                let running = running_sql(&now, "1 = 1");
                joins.push(format!("LEFT JOIN ({running}) s{index} ON s{index}.experiment_id = e.id"));
                terms.push(format!("s{index}.micros IS NULL, s{index}.micros {direction}"));
            }
            Some(Asked::Figure(figure, path)) => {
                let s = format!("s{index}");
                let Some(value) = figure.sql(&s) else { return Err(no_order(&sort.path)) };
                let path = condition.bind(path);
                let (kind, is_there) = HAS_FIGURES;
                joins.push(format!(
                    "LEFT JOIN variable {s} ON {s}.path_id = {path} AND {s}.experiment_id = e.id \
                     AND {} AND {s}.{is_there}",
                    type_is(&format!("{s}.type"), &[kind])
                ));
                terms.push(format!("{value} IS NULL, {value} {direction}"));
            }
            Some(Asked::Place(Place::Path(path))) => {
                let s = format!("s{index}");
                let path = condition.bind(path);
                joins.push(format!(
                    "LEFT JOIN variable {s} {SIDE_BY_SIDE} ON {s}.path_id = {path} AND {s}.experiment_id = e.id"
                ));
                // The integer tells apart what lies beyond 2^53, where a number rounds it.
                let is_nan = type_is(&format!("{s}.type"), typing::stored(AttributeType::Float));
                terms.push(format!(
                    "CASE WHEN {s}.number IS NOT NULL THEN 0 WHEN {s}.text IS NULL THEN 3 \
                     WHEN {is_nan} THEN 2 ELSE 1 END, \
                     {s}.number {direction}, {s}.integer {direction}, {s}.text {direction}"
                ));
            }
        }
    }
    terms.push(if sorts.is_empty() { otherwise } else { "e.number DESC, e.id DESC" }.to_owned());
    Ok((joins.join(" "), terms.join(", ")))
}

fn no_order(sort: &str) -> Error {
    let message = format!("cannot sort by {sort}, which is a step; sort by min(...) or max(...) of the series");
    Error::new(ErrorKind::Invalid, message)
}

/// SQL counts with a sign. No store has that many experiments.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn project_id(connection: &Connection, name: &ProjectName) -> Result<i64> {
    let mut statement = connection.prepare_cached("SELECT id FROM project WHERE name = $1")?;
    if let Some(id) = statement.query_row([name.as_str()], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    let mut statement = connection.prepare("SELECT name FROM project")?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let nearest = names.iter().min_by_key(|other| strsim::osa_distance(name.as_str(), other));
    let hint = nearest.map_or_else(String::new, |nearest| format!("; the nearest name is {nearest}"));
    Err(Error::new(ErrorKind::NotFound, format!("there is no project {name}{hint}")))
}

pub(super) struct Project {
    pub(super) name: ProjectName,
    pub(super) short_key: String,
}

/// The projects of a page, each looked up once.
pub(super) struct Projects<'a> {
    connection: &'a Connection,
    known: HashMap<i64, Project>,
}

impl<'a> Projects<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    pub(super) fn get(&mut self, id: i64) -> Result<&Project> {
        match self.known.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let mut statement =
                    self.connection.prepare_cached("SELECT name, short_key FROM project WHERE id = $1")?;
                let (name, short_key): (String, String) =
                    statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let name = name.parse().map_err(|error| Error::corrupt("the store names a project").because(error))?;
                Ok(place.insert(Project { name, short_key }))
            }
        }
    }
}
