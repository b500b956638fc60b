//! `neptune ls`: experiments as a table.
//!
//! When something is cut off, left out or missing everywhere, it is said.

use std::path::Path;

use neptune_core::{Timestamp, VariableType};
use neptune_store::{
    ExperimentQuery, ExperimentTable, Filter, Store,
    query::{Cell, Direction, ExperimentRow, Sort},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    cli, clock,
    failure::{Exit, Failure},
    inert::inert,
    metrics, number, reading,
    screen::{BOLD, DIM, Screen, style_of_state},
    table::{Column, Field, Table},
    tabular, value,
};

/// What every row has, whatever the columns.
const ALWAYS: [&str; 4] = ["sys/name", "sys/state", "sys/creation_time", "sys/tags"];

/// How many experiments are asked for their series to choose columns.
const ASKED: usize = 50;

/// How many experiments are shown at most, when nobody says how many.
const LIMIT: u64 = 20;
/// What is in the trash.
const TRASHED: &str = "sys/trashed = true";

/// The namespace that a title leaves out.
const LOGS: &str = "logs/";

pub(crate) fn run(screen: &mut Screen, folder: &Path, ls: &cli::Ls) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    if ls.projects {
        projects(screen, &store)?;
    } else {
        experiments(screen, &store, ls)?;
    }
    Ok(Exit::Fine)
}

fn experiments(screen: &mut Screen, store: &Store, ls: &cli::Ls) -> Result<(), Failure> {
    let now = clock::now();
    let mut query = ExperimentQuery::default().ids(&ls.id).states(&ls.state).owners(&ls.owner).tags(&ls.tag);
    query = query.offset(ls.offset).now(now);
    query.project.clone_from(&ls.project);
    query.min_running_time = ls.min_running_time;
    query.hidden = ls.all;
    query.filter = filter(ls)?;
    query.sort = ls.sort.iter().map(|text| sort(text)).collect::<Result<_, _>>()?;
    query.limit = ls.limit;
    if ls.output.csv || ls.output.parquet.is_some() {
        tabular::write(screen, &store.leaderboard(&query.columns(&ls.columns))?, &ls.output)?;
        return Ok(());
    }
    query.limit.get_or_insert(LIMIT);
    let mut asked_for: Vec<String> = ls.columns.clone();
    let sorted_by: Vec<String> = query.sort.iter().map(|sort| sort.path.clone()).collect();
    if asked_for.is_empty() {
        let rows = store.experiments(&query)?.rows;
        asked_for = usual_columns(store, &rows, sorted_by.clone())?;
    }
    let shown = asked_for.len();
    asked_for.extend(sorted_by);
    let table = store.experiments(&query.columns(ALWAYS.iter().map(ToString::to_string).chain(asked_for)))?;

    if screen.json {
        return screen.document(&Listed::of(&table, shown, ls.offset));
    }
    if table.rows.is_empty() {
        return screen.note(nothing(&table, ls));
    }
    let (laid, titles) = laid(&table, shown, ls, now, screen.width);
    for line in laid.lines {
        screen.line(line)?;
    }
    if !laid.missed.is_empty() && !ls.columns.is_empty() {
        let missed = laid.missed.join(", ");
        screen.note(format_args!("no room for {missed}; use a wider terminal, fewer columns, or --json"))?;
    }
    for title in missing(&table, titles) {
        screen.note(format_args!("none of these experiments has {title}"))?;
    }
    if (table.rows.len() as u64) < table.total {
        screen.note(cut_off(&table, ls))?;
    }
    Ok(())
}

/// What the command line asks for.
fn filter(ls: &cli::Ls) -> Result<Option<Filter>, Failure> {
    let parsed = |text: &str| text.parse::<Filter>().map_err(neptune_store::Error::from);
    let asked = ls.filter.as_deref().map(parsed).transpose()?;
    if !ls.trashed {
        return Ok(asked);
    }
    let trashed = parsed(TRASHED)?;
    Ok(Some(match asked {
        Some(asked) => Filter::And(vec![trashed, asked]),
        None => trashed,
    }))
}

/// `loss`, `loss:asc` or `loss:desc`.
fn sort(text: &str) -> Result<Sort, Failure> {
    match text.rsplit_once(':') {
        None => Ok(Sort::new(text, Direction::Ascending)),
        Some((path, "asc")) => Ok(Sort::new(path, Direction::Ascending)),
        Some((path, "desc")) => Ok(Sort::new(path, Direction::Descending)),
        Some((path, _)) => Err(Failure::wrong(format!(
            "cannot sort by {text:?}: behind the colon stands asc or desc; write {path}:desc, or {text}:asc when the colon \
             belongs to the path"
        ))),
    }
}

/// What the table is sorted by, and the series that tell the most.
fn usual_columns(store: &Store, rows: &[ExperimentRow], sorted_by: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut series = Vec::new();
    for row in rows.iter().take(ASKED) {
        let variables = store.variables(&store.experiment(row.id)?, "")?;
        let numbers = variables.into_iter().filter(|variable| variable.kind == VariableType::FLOAT_SERIES);
        series.push(numbers.map(|variable| variable.path).collect());
    }
    let mut columns: Vec<String> = sorted_by.into_iter().filter(|path| !ALWAYS.contains(&path.as_str())).collect();
    for path in metrics::columns(&series) {
        // A series that is sorted by may be named by the older word for it.
        if !columns.iter().any(|column| column == path || Some(column.as_str()) == path.strip_prefix(LOGS)) {
            columns.push(path.to_owned());
        }
    }
    Ok(columns)
}

/// The table and, for each cell behind the usual ones, its title.
fn laid(
    table: &ExperimentTable,
    shown: usize,
    ls: &cli::Ls,
    now: Timestamp,
    room: Option<usize>,
) -> (crate::table::Laid, Vec<String>) {
    let is_chosen = !ls.columns.is_empty();
    let titles: Vec<String> = table.columns[ALWAYS.len()..].iter().map(|path| inert(path)).collect();
    let mut columns = vec![Column::new("ID"), Column::new("NAME").least(12), Column::new("STATE")];
    if !is_chosen {
        columns.push(Column::new("CREATED"));
        columns.push(Column::new("TAGS").least(6).missed(0));
    }
    for (index, title) in titles.iter().take(shown).enumerate() {
        let title = title.strip_prefix(LOGS).unwrap_or(title);
        let cells = table.rows.iter().filter_map(|row| row.cells.get(ALWAYS.len() + index)?.as_ref());
        let column = Column::new(title).least(8).missed(0);
        let is_text = cells.into_iter().any(|cell| !matches!(cell, Cell::Float(_) | Cell::Int(_) | Cell::File(_)));
        columns.push(if is_text { column } else { column.right_aligned() });
    }
    let mut lines = Table::new(columns);
    for row in &table.rows {
        let [name, state, created, tags] = [0, 1, 2, 3].map(|index| row.cells.get(index).and_then(Option::as_ref));
        let state = reading::text_of(state);
        let mut fields = vec![
            Field::new(inert(&row.short_id)).style(BOLD),
            Field::new(inert(reading::text_of(name))),
            Field::new(inert(state)).style(style_of_state(state)),
        ];
        if !is_chosen {
            let created = match created {
                Some(Cell::Datetime(created)) => clock::age(now, *created),
                _ => String::new(),
            };
            fields.push(Field::new(created).style(DIM));
            fields.push(Field::new(tags.map(value::shown_cell).unwrap_or_default()));
        }
        let cells = row.cells.iter().skip(ALWAYS.len()).take(shown);
        fields.extend(cells.map(|cell| Field::new(cell.as_ref().map(value::shown_cell).unwrap_or_default())));
        lines.row(fields);
    }
    (lines.lay(room), titles)
}

/// The titles of what no experiment of the table has.
fn missing(table: &ExperimentTable, mut titles: Vec<String>) -> Vec<String> {
    let mut index = ALWAYS.len();
    titles.retain(|_| {
        let is_missing = table.rows.iter().all(|row| row.cells.get(index).is_none_or(Option::is_none));
        index += 1;
        is_missing
    });
    titles.sort();
    titles.dedup();
    titles
}

fn nothing(table: &ExperimentTable, ls: &cli::Ls) -> String {
    if table.total > 0 {
        return cut_off(table, ls);
    }
    if ls.trashed {
        return "the trash is empty".to_owned();
    }
    let asks = [&ls.id, &ls.state, &ls.owner, &ls.tag].iter().any(|asked| !asked.is_empty());
    if asks || ls.filter.is_some() || ls.min_running_time.is_some() {
        return "no experiment matches the filter".to_owned();
    }
    match &ls.project {
        Some(project) => format!("{project} has no experiments yet"),
        None => "there are no experiments yet".to_owned(),
    }
}

fn cut_off(table: &ExperimentTable, ls: &cli::Ls) -> String {
    let (shown, total) = (number::count(table.rows.len() as u64), number::count(table.total));
    let more = if ls.offset + (table.rows.len() as u64) < table.total { "--limit" } else { "--offset" };
    format!("{shown} of {total} experiments; {more} shows others")
}

/// The table in JSON.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    total: u64,
    offset: u64,
    experiments: Vec<ListedExperiment<'a>>,
}

#[derive(Debug, Serialize)]
struct ListedExperiment<'a> {
    id: &'a str,
    uuid: String,
    project: &'a str,
    name: Value,
    state: Value,
    created: Value,
    tags: Value,
    columns: Map<String, Value>,
}

impl<'a> Listed<'a> {
    fn of(table: &'a ExperimentTable, shown: usize, offset: u64) -> Self {
        let experiments = table.rows.iter().map(|row| {
            let cell = |index: usize| row.cells.get(index)?.as_ref().map(value::json_cell);
            let columns = (ALWAYS.len()..ALWAYS.len() + shown)
                .filter_map(|index| Some((table.columns.get(index)?.clone(), cell(index).unwrap_or_default())));
            ListedExperiment {
                id: &row.short_id,
                uuid: row.id.to_string(),
                project: row.project.as_str(),
                name: cell(0).unwrap_or_default(),
                state: cell(1).unwrap_or_default(),
                created: cell(2).unwrap_or_default(),
                tags: cell(3).unwrap_or_else(|| Value::Array(Vec::new())),
                columns: columns.collect(),
            }
        });
        Self { total: table.total, offset, experiments: experiments.collect() }
    }
}

fn projects(screen: &mut Screen, store: &Store) -> Result<(), Failure> {
    let projects = store.projects()?;
    if screen.json {
        let listed: Vec<Value> = projects
            .iter()
            .map(|project| {
                serde_json::json!({
                    "name": project.name.as_str(), "key": project.key, "experiments": project.experiments,
                })
            })
            .collect();
        return screen.document(&listed);
    }
    if projects.is_empty() {
        return screen.note("there are no projects yet");
    }
    let mut table = Table::new(vec![
        Column::new("PROJECT").least(12),
        Column::new("KEY"),
        Column::new("EXPERIMENTS").right_aligned(),
    ]);
    for project in projects {
        table.row(vec![
            Field::new(inert(project.name.as_str())).style(BOLD),
            Field::new(inert(&project.key)),
            Field::new(number::count(project.experiments)),
        ]);
    }
    for line in table.lay(screen.width).lines {
        screen.line(line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_says_its_direction_behind_a_colon() {
        for (text, path, direction) in [
            ("loss", "loss", Direction::Ascending),
            ("loss:asc", "loss", Direction::Ascending),
            ("train/loss:desc", "train/loss", Direction::Descending),
            ("gpu:0:desc", "gpu:0", Direction::Descending),
        ] {
            assert_eq!(sort(text).unwrap(), Sort::new(path, direction));
        }
    }

    #[test]
    fn a_direction_that_is_none_is_refused_with_the_way_out() {
        let Err(Failure::Said { exit, message }) = sort("gpu:0") else { panic!("gpu:0 was taken") };
        assert_eq!(exit, Exit::Wrong);
        assert!(message.contains("gpu:desc") && message.contains("gpu:0:asc"), "{message}");
    }
}
