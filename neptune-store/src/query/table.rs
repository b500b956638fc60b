//! [`ExperimentTable`]: experiments in rows, variables in columns, filtered, sorted and cut into pages.
//!
//! A table is one moment of the store: what is written while it is made is in all of it or in none of it.

use std::{collections::HashMap, time::Duration};

use neptune_format::{ExperimentId, ProjectName, Timestamp};

use super::{
    cell::Cell,
    fetch,
    filter::Filter,
    page::{Page, Projects},
    resolve::{Asked, Place, Places},
};
use crate::{
    error::{Error, ErrorKind, Result},
    read::running_micros,
    store::Store,
    table::{CellType, Column, Table, column_of_cells},
};

/// Which experiments, which of their variables, and in which order.
///
/// ```
/// use neptune_store::{ExperimentQuery, query::Direction};
/// let query = ExperimentQuery::default()
///     .project("ada/mnist".parse()?)
///     .filter("train/loss < 0.3".parse()?)
///     .sort("train/loss", Direction::Ascending)
///     .columns(["sys/id", "train/loss"])
///     .limit(50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ExperimentQuery {
    /// Only experiments of this project.
    pub project: Option<ProjectName>,
    /// Only these experiments, by short id or UUID; all when empty. An id that nothing has is no error.
    pub ids: Vec<String>,
    /// Only experiments in one of these states, `running`, `succeeded`, `failed` or `aborted`; in any when empty.
    pub states: Vec<String>,
    /// Only experiments of one of these owners; of any when empty.
    pub owners: Vec<String>,
    /// Only experiments with all of these tags.
    pub tags: Vec<String>,
    /// Only experiments that ran at least this long; of one that runs, until [`ExperimentQuery::now`].
    pub min_running_time: Option<Duration>,
    /// Only experiments for which this holds.
    pub filter: Option<Filter>,
    /// The order: by the first of these, where it is equal by the second, and so on, at most 16. Experiments that are
    /// equal in all of them come with the highest number first. Without any, the newest experiment is first.
    pub sort: Vec<Sort>,
    /// The variables to show, each by its path or by an older word for it; or, of a series of numbers, `min(NAME)`,
    /// `max(NAME)` and `average(NAME)` of its finite values, and `argmin(NAME)` and `argmax(NAME)`, the first step with the least
    /// and with the greatest of them.
    pub columns: Vec<String>,
    /// How many rows at most.
    pub limit: Option<u64>,
    /// How many rows to leave out at the beginning.
    pub offset: u64,
    /// Whether what is hidden is found too: experiments in the trash (`sys/trashed`), and those of another kind
    /// (`sys/kind`), such as notebooks. A filter that names one of these variables finds them as well.
    pub hidden: bool,
    /// The time now: what relative times in the filter, such as `"-2h"`, count back from, and until when what still runs
    /// has run. By default the epoch.
    pub now: Timestamp,
    /// How many cells the page may have; any number without it. A page that has more is refused before it takes the memory.
    pub most_cells: Option<u64>,
    /// How many bytes of text the cells of the page may hold together; treated in the same way.
    pub most_text: Option<u64>,
}

/// One key of an order.
///
/// Numbers, times, and false before true come before text; NaN comes after both. Experiments without the variable come
/// last, whatever the direction. Text is ordered by its bytes; a set has no order. `sys/id` orders by project, then
/// number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sort {
    /// The variable, by its path or by an older word for it; or `min(NAME)`, `max(NAME)` or `average(NAME)` of a series of numbers.
    pub path: String,
    /// Which end is first.
    pub direction: Direction,
}

impl Sort {
    /// Orders by `path`.
    pub fn new(path: impl Into<String>, direction: Direction) -> Self {
        Self { path: path.into(), direction }
    }
}

/// Which end of an order is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The smallest.
    #[default]
    Ascending,
    /// The largest.
    Descending,
}

impl ExperimentQuery {
    /// Sets [`ExperimentQuery::project`].
    #[must_use]
    pub fn project(mut self, project: ProjectName) -> Self {
        self.project = Some(project);
        self
    }

    /// Sets [`ExperimentQuery::ids`].
    #[must_use]
    pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`ExperimentQuery::states`].
    #[must_use]
    pub fn states(mut self, states: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.states = states.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`ExperimentQuery::owners`].
    #[must_use]
    pub fn owners(mut self, owners: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.owners = owners.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`ExperimentQuery::tags`].
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`ExperimentQuery::min_running_time`].
    #[must_use]
    pub const fn min_running_time(mut self, time: Duration) -> Self {
        self.min_running_time = Some(time);
        self
    }

    /// Sets [`ExperimentQuery::filter`].
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Adds to the end of [`ExperimentQuery::sort`].
    #[must_use]
    pub fn sort(mut self, path: impl Into<String>, direction: Direction) -> Self {
        self.sort.push(Sort::new(path, direction));
        self
    }

    /// Sets [`ExperimentQuery::columns`].
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`ExperimentQuery::limit`].
    #[must_use]
    pub const fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets [`ExperimentQuery::offset`].
    #[must_use]
    pub const fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Sets [`ExperimentQuery::hidden`].
    #[must_use]
    pub const fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// Sets [`ExperimentQuery::now`].
    #[must_use]
    pub const fn now(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Sets [`ExperimentQuery::most_cells`].
    #[must_use]
    pub const fn most_cells(mut self, cells: u64) -> Self {
        self.most_cells = Some(cells);
        self
    }

    /// Sets [`ExperimentQuery::most_text`].
    #[must_use]
    pub const fn most_text(mut self, bytes: u64) -> Self {
        self.most_text = Some(bytes);
        self
    }
}

/// One page of experiments.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExperimentTable {
    /// How many experiments the filter keeps, on all pages.
    pub total: u64,
    /// The names of the columns, as they were asked for.
    pub columns: Vec<String>,
    /// The experiments of this page, in order.
    pub rows: Vec<ExperimentRow>,
}

/// One experiment of a table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExperimentRow {
    /// The identity of the experiment.
    pub id: ExperimentId,
    /// What people call it, such as `MNI-12`.
    pub short_id: String,
    /// The project it belongs to.
    pub project: ProjectName,
    /// One for each column; `None` where the experiment lacks the variable.
    pub cells: Vec<Option<Cell>>,
}

impl ExperimentTable {
    /// The same as a [`Table`] of columns: `id`, the short id, and then those that were asked for, each once. A column in which
    /// experiments have different types has numbers where all are numbers, and otherwise text.
    pub fn to_table(&self) -> Table {
        const ID: &str = "id";
        let ids: Vec<String> = self.rows.iter().map(|row| row.short_id.clone()).collect();
        let mut columns = vec![Column::new(ID, ids)];
        for (index, name) in self.columns.iter().enumerate() {
            if name != ID && !self.columns[..index].contains(name) {
                let cells = self.rows.iter().map(|row| row.cells.get(index).cloned().flatten()).collect();
                columns.push(column_of_cells(name, cells, CellType::Float));
            }
        }
        Table::new(columns).expect("every column has a row for each experiment and a name of its own")
    }
}

impl Store {
    /// The experiments that `query` asks for.
    ///
    /// # Errors
    /// `NotFound` when the project of the query does not exist; its message names the nearest. `Invalid` when a filter
    /// that was built rather than parsed compares what cannot be compared, and for a state that is none. A variable that nothing has is no error.
    pub fn experiments(&self, query: &ExperimentQuery) -> Result<ExperimentTable> {
        // Nothing is written: when it is dropped, this only ends the moment that all statements see.
        let moment = self.connection.unchecked_transaction()?;
        let mut places = Places::new(&moment);
        let page = Page::select(&moment, query, &mut places)?;
        let columns: Vec<_> = query.columns.iter().map(|name| places.asked(name)).collect::<Result<_>>()?;
        let paths: Vec<_> = columns
            .iter()
            .map(|place| match place {
                Some(Asked::Place(Place::Path(path))) => Some(*path),
                Some(Asked::Place(Place::ShortId | Place::RunningTime) | Asked::Figure(..)) | None => None,
            })
            .collect();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
        if let Some(most) = query.most_cells.filter(|most| (ids.len() * paths.len()) as u64 > *most) {
            let (rows, columns) = (ids.len(), paths.len());
            let message =
                format!("{rows} rows of {columns} columns are more than {most} cells; ask for fewer rows or columns");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let cells = fetch::cells(&moment, &ids, &paths, query.most_text.unwrap_or(u64::MAX))?;
        let ran = if columns.contains(&Some(Asked::Place(Place::RunningTime))) {
            running_micros(&moment, &ids, query.now)?
        } else {
            HashMap::new()
        };
        let mut projects = Projects::new(&moment);
        let rows = page
            .rows
            .into_iter()
            .zip(cells)
            .map(|(found, mut cells)| {
                let project = projects.get(found.project)?;
                let short_id = format!("{}-{}", project.short_key, found.number);
                for (cell, place) in cells.iter_mut().zip(&columns) {
                    match place {
                        Some(Asked::Place(Place::ShortId)) => *cell = Some(Cell::String(short_id.clone())),
                        Some(Asked::Figure(figure, path)) => *cell = self.figure(*figure, found.id, *path)?,
                        Some(Asked::Place(Place::RunningTime)) => {
                            *cell = ran.get(&found.id).map(|micros| Cell::Float(*micros as f64 / 1e6));
                        }
                        Some(Asked::Place(Place::Path(_))) | None => {}
                    }
                }
                let id = ExperimentId::from_bytes(found.uuid);
                Ok(ExperimentRow { id, short_id, project: project.name.clone(), cells })
            })
            .collect::<Result<_>>()?;
        Ok(ExperimentTable { total: page.total, columns: query.columns.clone(), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::sample::{Held, Sample, hours_ago, json, sample},
        *,
    };
    use crate::error::ErrorKind;

    fn ids(table: &ExperimentTable) -> Vec<&str> {
        table.rows.iter().map(|row| row.short_id.as_str()).collect()
    }

    fn printed(row: &ExperimentRow) -> Vec<String> {
        row.cells.iter().map(|cell| cell.as_ref().map_or_else(|| "-".to_owned(), Cell::to_string)).collect()
    }

    #[test]
    fn a_table_has_the_columns_that_were_asked_for() {
        let columns =
            ["sys/id", "loss", "logs/loss", "lr", "epochs", "flag", "state", "note", "tags", "config", "nowhere", "id"];
        let table = sample().table(ExperimentQuery::default().columns(columns));
        assert_eq!(table.columns, columns);
        assert_eq!(table.total, 4);
        let rows: Vec<_> = table.rows.iter().map(|row| printed(row).join("|")).collect();
        assert_eq!(
            rows,
            [
                "CIF-1|0.75|0.75|-|-|-|-|-|-|-|-|CIF-1",
                "MNI-3|NaN|NaN|inf|-|-|-|-||-|-|MNI-3",
                "MNI-2|0.25|0.25|1|20|false|failed|cnn|cnn2|-|-|MNI-2",
                "MNI-1|0.5|0.5|0.1|10|true|succeeded|50% of \"it\"|cnn, fast|{\"deep\":true}|-|MNI-1",
            ]
        );
        let last = &table.rows[3];
        assert_eq!((last.project.as_str(), last.id), ("ada/mnist", ExperimentId::from_bytes([1; 16])));
        assert_eq!(last.cells[8], Some(Cell::Set(vec!["cnn".into(), "fast".into()])));
    }

    #[test]
    fn a_page_becomes_a_table_with_each_column_once() {
        let table = sample().table(ExperimentQuery::default().columns(["loss", "seed", "id", "loss", "nowhere"]));
        let table = table.to_table();
        assert_eq!(table.names().collect::<Vec<_>>(), ["id", "loss", "seed", "nowhere"]);
        assert_eq!(table.column("loss").and_then(|loss| loss.cell(0)), Some(Cell::Float(0.75)));
        // One of them has text.
        assert_eq!(table.column("seed").and_then(|seed| seed.cell(3)), Some(Cell::String("9007199254740993".into())));
        assert!(table.column("nowhere").is_some_and(|nowhere| (0..4).all(|row| nowhere.is_missing(row))));
    }

    #[test]
    fn what_is_in_the_trash_or_no_run_is_left_out_unless_it_is_asked_for() {
        let mut sample = Sample::new();
        sample.experiment(1, &[("sys/name", "kept".into())]);
        sample.experiment(1, &[("sys/trashed", true.into())]);
        sample.experiment(1, &[("sys/trashed", false.into())]);
        sample.experiment(1, &[("sys/kind", "notebook".into())]);
        let found = |query: ExperimentQuery| {
            let table = sample.table(query);
            assert_eq!(table.total, table.rows.len() as u64);
            ids(&table).join(" ")
        };
        let filtered = |filter: &str| found(ExperimentQuery::default().filter(filter.parse().unwrap()));
        assert_eq!(found(ExperimentQuery::default()), "MNI-3 MNI-1");
        assert_eq!(found(ExperimentQuery::default().project("ada/mnist".parse().unwrap())), "MNI-3 MNI-1");
        assert_eq!(found(ExperimentQuery::default().hidden(true)), "MNI-4 MNI-3 MNI-2 MNI-1");
        assert_eq!(filtered("sys/trashed = true"), "MNI-2");
        assert_eq!(filtered("NOT trashed = true"), "MNI-3 MNI-1", "the notebook is still hidden");
        assert_eq!(filtered("sys/kind = \"notebook\""), "MNI-4");
        assert_eq!(filtered("sys/name MISSING"), "MNI-3");
        assert_eq!(filtered("sys/kind MISSING OR sys/trashed EXISTS"), "MNI-3 MNI-2 MNI-1");
    }

    #[test]
    fn a_cell_keeps_the_type_of_what_was_logged() {
        let mut sample = Sample::new();
        let seed = i64::MAX - 1;
        sample.experiment(
            1,
            &[("a", seed.into()), ("b", hours_ago(0)), ("c", json("[1]")), ("d", Held::Empty), ("e", Held::Set(&[]))],
        );
        sample.store.connection.execute("INSERT INTO path VALUES (99, 'new')", []).unwrap();
        sample
            .store
            .connection
            .execute("INSERT INTO variable (experiment_id, path_id, type) VALUES (1, 99, 63)", [])
            .unwrap();
        let table = sample.table(ExperimentQuery::default().columns(["a", "b", "c", "d", "e", "new"]));
        assert_eq!(
            table.rows[0].cells,
            [
                Some(Cell::Int(seed)),
                Some(Cell::Datetime(Timestamp::from_micros(1_795_338_000_000_000))),
                Some(Cell::Json("[1]".into())),
                None,
                Some(Cell::Set(Vec::new())),
                None,
            ]
        );
    }

    #[test]
    fn missing_values_come_last_whatever_the_direction() {
        let sample = sample();
        for (path, direction, order) in [
            ("loss", Direction::Ascending, ["MNI-2", "MNI-1", "CIF-1", "MNI-3"]),
            ("loss", Direction::Descending, ["CIF-1", "MNI-1", "MNI-2", "MNI-3"]),
            ("epochs", Direction::Ascending, ["MNI-1", "MNI-2", "MNI-3", "CIF-1"]),
            ("epochs", Direction::Descending, ["MNI-2", "MNI-1", "MNI-3", "CIF-1"]),
            ("state", Direction::Ascending, ["MNI-2", "MNI-1", "MNI-3", "CIF-1"]),
            ("state", Direction::Descending, ["MNI-1", "MNI-2", "MNI-3", "CIF-1"]),
            ("lr", Direction::Descending, ["MNI-3", "MNI-2", "MNI-1", "CIF-1"]),
            ("seed", Direction::Ascending, ["MNI-2", "MNI-1", "MNI-3", "CIF-1"]),
            ("seed", Direction::Descending, ["MNI-1", "MNI-2", "MNI-3", "CIF-1"]),
            ("nowhere", Direction::Ascending, ["MNI-3", "MNI-2", "CIF-1", "MNI-1"]),
            ("sys/id", Direction::Ascending, ["CIF-1", "MNI-1", "MNI-2", "MNI-3"]),
            ("sys/id", Direction::Descending, ["MNI-3", "MNI-2", "MNI-1", "CIF-1"]),
        ] {
            let table = sample.table(ExperimentQuery::default().sort(path, direction));
            assert_eq!(ids(&table), order, "{path} {direction:?}");
        }
    }

    #[test]
    fn nan_comes_behind_numbers_and_before_what_is_missing() {
        let mut sample = Sample::new();
        for held in [vec![("a", Held::Series(f64::NAN))], vec![("a", 1.0.into())], vec![("a", "text".into())], vec![]] {
            sample.experiment(1, &held);
        }
        for direction in [Direction::Ascending, Direction::Descending] {
            let table = sample.table(ExperimentQuery::default().sort("a", direction));
            assert_eq!(ids(&table), ["MNI-2", "MNI-3", "MNI-1", "MNI-4"], "{direction:?}");
        }
    }

    #[test]
    fn a_later_sort_orders_what_the_earlier_leave_equal_and_then_the_number() {
        let mut sample = Sample::new();
        for (a, b) in [(1, 1), (1, 2), (0, 1), (1, 1)] {
            sample.experiment(1, &[("a", a.into()), ("b", b.into())]);
        }
        let query = ExperimentQuery::default();
        let table = sample.table(query.clone().sort("a", Direction::Ascending).sort("b", Direction::Descending));
        assert_eq!(ids(&table), ["MNI-3", "MNI-2", "MNI-4", "MNI-1"]);
        assert_eq!(ids(&sample.table(query.sort("a", Direction::Descending))), ["MNI-4", "MNI-2", "MNI-1", "MNI-3"]);
    }

    #[test]
    fn pages_cover_all_rows_and_tell_the_total() {
        let mut sample = Sample::new();
        for number in 0..10 {
            sample.experiment(1, &[("a", (number % 2).into())]);
            sample.experiment(2, &[]);
        }
        let query = ExperimentQuery::default().project("ada/mnist".parse().unwrap()).filter("a = 1".parse().unwrap());
        let all = ["MNI-10", "MNI-8", "MNI-6", "MNI-4", "MNI-2"];
        assert_eq!(ids(&sample.table(query.clone())), all);
        for (offset, limit, page) in
            [(0, 2, &all[..2]), (2, 2, &all[2..4]), (4, 2, &all[4..]), (3, 2, &all[3..]), (9, 2, &[]), (0, 0, &[])]
        {
            let table = sample.table(query.clone().offset(offset).limit(limit));
            assert_eq!((ids(&table).as_slice(), table.total), (page, 5), "{offset}");
        }
        let table = sample.table(query.clone().offset(u64::MAX).limit(u64::MAX));
        assert_eq!((table.rows.len(), table.total), (0, 5));
        let sorted = query.sort("a", Direction::Ascending).limit(1);
        assert_eq!(ids(&sample.table(sorted.clone().offset(1))), ["MNI-8"]);
        assert_eq!(sample.table(sorted).total, 5);
    }

    #[test]
    fn a_project_that_does_not_exist_names_the_nearest() {
        let error = sample().store.experiments(&ExperimentQuery::default().project("ada/mnits".parse().unwrap()));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("ada/mnits") && error.to_string().contains("ada/mnist"), "{error}");
    }

    #[test]
    fn a_query_with_too_many_sorts_is_refused() {
        let mut query = ExperimentQuery::default();
        for _ in 0..100 {
            query = query.sort("loss", Direction::Ascending);
        }
        assert_eq!(sample().store.experiments(&query).unwrap_err().kind(), ErrorKind::Invalid);
        query.sort.truncate(16);
        assert_eq!(sample().table(query).total, 4);
    }
}
