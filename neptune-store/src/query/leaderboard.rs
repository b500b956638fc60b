//! The leaderboard: experiments in rows, and everything that people compare in columns, with the names of the Neptune client.
//!
//! The variables of each experiment are read once, in the order in which they lie in the store, so nobody needs to know
//! beforehand which columns there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neptune_format::{Container, Content, VariableType};
use rusqlite::Connection;

use super::{
    cell::{self, Cell},
    fetch,
    page::{Page, Projects},
    resolve::{Asked, Place, Places},
    table::ExperimentQuery,
};
use crate::{
    error::Result,
    read::{is_log, name_of, running_micros},
    store::Store,
    table::{CellType, Column, Table, column_of_cells},
};

/// The variables that every leaderboard shows, with the names and types of their columns. Between notes and tags come
/// others; see [`Store::leaderboard`].
const SYSTEM: [(&str, &str, CellType); 6] = [
    ("name", "sys/name", CellType::String),
    ("created", "sys/creation_time", CellType::Datetime),
    ("finished", "sys/completion_time", CellType::Datetime),
    ("owner", "sys/owner", CellType::String),
    ("notes", "sys/description", CellType::String),
    ("tags", "sys/tags", CellType::Set),
];

/// Behind which of [`SYSTEM`] the columns `running_time` and `size` stand.
const NOTES: usize = 4;

impl Store {
    /// The experiments that `query` asks for as one table with the columns of the Neptune client, in this order:
    ///
    /// | column | what |
    /// |---|---|
    /// | `id` | the short id |
    /// | `name`, `created`, `finished`, `owner`, `notes` | `sys/name`, and so on; `finished` is missing while it runs |
    /// | `running_time` | how long it ran, in seconds; of one that runs until [`ExperimentQuery::now`] |
    /// | `size` | the bytes of its files, each as often as it was logged |
    /// | `tags` | the tags |
    /// | `channel_NAME` | the last value of each log of numbers or text, by the name of [`Store::logs`] |
    /// | `parameter_NAME` | the value of each parameter |
    /// | `property_NAME` | the value of each property |
    /// | `min(NAME)` and the like | of a log, where the query names it; see [`ExperimentQuery::columns`] |
    ///
    /// There is a column for each log, parameter and property that any of these experiments has, by name; or, where the query
    /// names columns, for those only. Where an experiment lacks it, its value is missing. A column in which experiments have
    /// different types has numbers where all are numbers, and otherwise text.
    ///
    /// All is in memory at once: limit the query where there are many experiments.
    ///
    /// # Errors
    /// As [`Store::experiments`].
    pub fn leaderboard(&self, query: &ExperimentQuery) -> Result<Table> {
        // Nothing is written: when it is dropped, this only ends the moment that all statements see.
        let moment = self.connection.unchecked_transaction()?;
        let mut places = Places::new(&moment);
        let page = Page::select(&moment, query, &mut places)?;
        let experiments: Vec<i64> = page.rows.iter().map(|row| row.id).collect();
        let wanted = wanted(query, &mut places)?;

        let mut projects = Projects::new(&moment);
        let ids = page.rows.iter().map(|row| Ok(format!("{}-{}", projects.get(row.project)?.short_key, row.number)));
        let mut columns = vec![Column::new("id", ids.collect::<Result<Vec<String>>>()?)];
        columns.extend(system(&moment, &experiments, &mut places)?);
        let ran = running_micros(&moment, &experiments, query.now)?;
        let ran = experiments.iter().map(|id| ran.get(id).copied().unwrap_or(0) as f64 / 1e6).collect::<Vec<f64>>();
        let Gathered { variables, sizes } = gather(&moment, &experiments, wanted.as_ref())?;
        let behind_notes = 1 + NOTES + 1;
        columns.splice(behind_notes..behind_notes, [Column::new("running_time", ran), Column::new("size", sizes)]);
        columns.extend(named(variables, experiments.len()));
        columns.extend(self.figures(query, &experiments, &mut places)?);
        Table::new(columns)
    }

    /// The figures that the query names as columns.
    fn figures(&self, query: &ExperimentQuery, experiments: &[i64], places: &mut Places<'_>) -> Result<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        for name in &query.columns {
            if let Some(Asked::Figure(figure, path)) = places.asked(name)?
                && !columns.iter().any(|column| column.name() == name)
            {
                let cells = experiments.iter().map(|experiment| self.figure(figure, *experiment, path));
                columns.push(column_of_cells(name, cells.collect::<Result<_>>()?, CellType::Float));
            }
        }
        Ok(columns)
    }
}

/// The paths of the columns that the query names; `None` when it names none.
fn wanted(query: &ExperimentQuery, places: &mut Places<'_>) -> Result<Option<BTreeSet<i64>>> {
    if query.columns.is_empty() {
        return Ok(None);
    }
    let mut paths = BTreeSet::new();
    for name in &query.columns {
        if let Some(Place::Path(path)) = places.place(name)? {
            paths.insert(path);
        }
    }
    Ok(Some(paths))
}

fn system(connection: &Connection, experiments: &[i64], places: &mut Places<'_>) -> Result<Vec<Column>> {
    let paths = SYSTEM.map(|(_, path, _)| places.place(path));
    let paths = paths
        .into_iter()
        .map(|place| Ok(place?.and_then(|place| if let Place::Path(path) = place { Some(path) } else { None })));
    let mut rows = fetch::cells(connection, experiments, &paths.collect::<Result<Vec<_>>>()?, u64::MAX)?;
    let columns = SYSTEM.iter().enumerate().map(|(index, (name, _, kind))| {
        let mut cells: Vec<Option<Cell>> = rows.iter_mut().map(|row| row[index].take()).collect();
        if *kind == CellType::Set {
            // An experiment to which no tag was ever given has none.
            for cell in &mut cells {
                cell.get_or_insert_with(|| Cell::Set(Vec::new()));
            }
        }
        column_of_cells(*name, cells, *kind)
    });
    Ok(columns.collect())
}

/// The prefix of a column. They come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Channel,
    Parameter,
    Property,
}

impl Kind {
    /// What a variable is in a leaderboard, if it is in it.
    fn of(path: &str, kind: VariableType) -> Option<Self> {
        if kind.container == Container::Series {
            let is_shown = matches!(kind.content, Content::Float | Content::String) && is_log(path, kind);
            return is_shown.then_some(Self::Channel);
        }
        let is_atom = kind.container == Container::Atom;
        [Self::Parameter, Self::Property].into_iter().find(|kind| is_atom && path.starts_with(kind.namespace()))
    }

    const fn namespace(self) -> &'static str {
        match self {
            Self::Channel => "",
            Self::Parameter => "parameters/",
            Self::Property => "properties/",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Channel => "channel_",
            Self::Parameter => "parameter_",
            Self::Property => "property_",
        }
    }
}

/// The cells of a column by row; those at the end may be left out.
type Cells = Vec<Option<Cell>>;

struct Gathered {
    variables: BTreeMap<(Kind, String), Cells>,
    sizes: Vec<i64>,
}

fn gather(connection: &Connection, experiments: &[i64], wanted: Option<&BTreeSet<i64>>) -> Result<Gathered> {
    let file = VariableType::atom(Content::File).code();
    let mut variables: HashMap<(i64, Kind), Cells> = HashMap::new();
    let mut sizes = vec![0_i64; experiments.len()];
    let mut paths: HashMap<i64, String> = HashMap::new();
    let mut name_of_path = connection.prepare_cached("SELECT name FROM path WHERE id = $1")?;
    let mut statement = connection
        .prepare_cached("SELECT path_id, type, number, integer, text FROM variable WHERE experiment_id = $1")?;
    for (at, experiment) in experiments.iter().enumerate() {
        let mut rows = statement.query([experiment])?;
        while let Some(row) = rows.next()? {
            let (path, code): (i64, u8) = (row.get(0)?, row.get(1)?);
            if code == file {
                sizes[at] = sizes[at].saturating_add(row.get::<_, Option<i64>>(3)?.unwrap_or(0));
            }
            if wanted.is_some_and(|wanted| !wanted.contains(&path)) {
                continue;
            }
            let Some(kind) = VariableType::from_code(code) else { continue };
            let name = match paths.entry(path) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(name_of_path.query_row([path], |row| row.get(0))?)
                }
            };
            let Some(kind) = Kind::of(name, kind) else { continue };
            if let Some(cell) = cell::read(row, 1)? {
                let cells = variables.entry((path, kind)).or_default();
                cells.resize(at, None);
                cells.push(Some(cell));
            }
        }
    }
    // A path may be a log of one experiment and a parameter of another.
    let variables = variables
        .into_iter()
        .map(|((path, kind), cells)| ((kind, paths.get(&path).cloned().unwrap_or_default()), cells));
    Ok(Gathered { variables: variables.collect(), sizes })
}

/// The columns of variables, by prefix and name.
fn named(mut variables: BTreeMap<(Kind, String), Cells>, rows: usize) -> Vec<Column> {
    let channels: BTreeSet<String> =
        variables.keys().filter(|(kind, _)| *kind == Kind::Channel).map(|(_, path)| path.clone()).collect();
    let mut columns = BTreeMap::new();
    while let Some(((kind, path), mut cells)) = variables.pop_first() {
        cells.resize(rows, None);
        let name = match kind {
            Kind::Channel => name_of(&path, |other| channels.contains(other)),
            _ => path.strip_prefix(kind.namespace()).unwrap_or(&path).to_owned(),
        };
        let title = format!("{}{name}", kind.prefix());
        columns.insert((kind, name), column_of_cells(title, cells, CellType::Float));
    }
    columns.into_values().collect()
}

#[cfg(test)]
mod tests {
    use neptune_format::AtomValue;

    use super::{
        super::sample::{Held, NOW, Sample, sample},
        *,
    };

    fn table(sample: &Sample, query: ExperimentQuery) -> Table {
        sample.store.leaderboard(&query.now(NOW)).unwrap()
    }

    /// The cells of a column, `-` where there is none.
    fn column(table: &Table, name: &str) -> String {
        let column = table.column(name).unwrap_or_else(|| panic!("no column {name} in\n{table}"));
        let cells =
            (0..table.len()).map(|row| column.cell(row).map_or_else(|| "-".to_owned(), |cell| cell.to_string()));
        cells.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_columns_are_those_of_the_neptune_client() {
        let sample = sample();
        sample.ran(1, 100, Some(40));
        sample.ran(2, 30, None);
        sample.put(1, "properties/data", &"v1".into());
        sample.put(2, "val/acc", &Held::Series(0.9));
        sample.put(2, "monitoring/1234/cpu", &Held::Series(7.0));
        let file = neptune_format::File { object: neptune_format::ObjectId::from_bytes([1; 32]), size: 7 };
        sample.put(2, "artifacts/a", &Held::Atom(AtomValue::File(file)));
        let table = table(&sample, ExperimentQuery::default());
        let channels = ["channel_loss", "channel_note", "channel_parameters/lr", "channel_val/acc"];
        assert!(table.names().skip(9).eq(channels.into_iter().chain(["parameter_lr", "property_data"])), "{table}");
        assert_eq!(column(&table, "id"), "CIF-1 MNI-3 MNI-2 MNI-1");
        assert_eq!(column(&table, "running_time"), "0.0 0.0 30.0 60.0");
        assert_eq!(column(&table, "size"), "0 0 7 0");
        assert_eq!(column(&table, "tags"), "  cnn2 cnn, fast");
        assert_eq!(column(&table, "channel_loss"), "- NaN 0.25 0.5");
        assert_eq!(column(&table, "parameter_lr"), "- - 1.0 0.1");
        assert_eq!(column(&table, "property_data"), "- - - v1");
        assert!(matches!(table.column("created").unwrap().cell(3), Some(Cell::Datetime(_))));
    }

    #[test]
    fn of_a_log_and_a_series_of_its_name_the_series_is_called_by_it() {
        let mut sample = Sample::new();
        sample.experiment(1, &[("logs/loss", Held::Series(1.0))]);
        sample.experiment(1, &[("loss", Held::Series(2.0))]);
        let table = table(&sample, ExperimentQuery::default());
        assert_eq!(
            (column(&table, "channel_loss"), column(&table, "channel_logs/loss")),
            ("2.0 -".into(), "- 1.0".into())
        );
    }

    #[test]
    fn a_query_that_names_columns_gets_these_only_and_its_rows() {
        let sample = sample();
        let query = ExperimentQuery::default().columns(["loss", "epochs", "nowhere"]).ids(["MNI-1", "MNI-2"]).limit(1);
        let table = table(&sample, query);
        assert_eq!(table.names().skip(9).collect::<Vec<_>>(), ["channel_loss"]);
        assert_eq!(column(&table, "id"), "MNI-2");
    }

    #[test]
    fn without_experiments_there_are_the_columns_that_all_have() {
        let table = table(&Sample::new(), ExperimentQuery::default());
        assert_eq!((table.len(), table.columns().len()), (0, 9));
    }
}
