//! `GET /experiments`: the table.

use axum::{Json, extract};
use neptune_store::{ExperimentQuery, query::Direction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, State, asked::Query, value::AnyValue};
use crate::clock;

/// The most rows of one answer.
const MOST: u64 = 10_000;

/// The most cells of one answer: 200 columns of the most rows.
const MOST_CELLS: u64 = 2_000_000;

/// The most bytes of text in the cells of one answer.
const MOST_TEXT: u64 = 64 << 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only experiments of this project.
    project: Option<String>,
    /// Only these, by short id or UUID; may be repeated.
    #[serde(default)]
    id: Vec<String>,
    /// In the query language.
    filter: Option<String>,
    /// A variable, with `-` before it for the greatest first; may be repeated.
    #[serde(default)]
    sort: Vec<String>,
    /// A variable to show; may be repeated.
    #[serde(default)]
    column: Vec<String>,
    /// How many rows at most, 100 when it is not given, 10,000 at most.
    limit: Option<u64>,
    /// How many rows to leave out at the beginning.
    #[serde(default)]
    offset: u64,
    /// Also those in the trash, and notebooks.
    #[serde(default)]
    hidden: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Experiments {
    /// How many there are, on all pages.
    total: u64,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize, ToSchema)]
struct Row {
    /// The short id, such as `MNI-12`.
    id: String,
    uuid: String,
    project: String,
    /// One for each column; null where the experiment lacks the variable.
    cells: Vec<Option<AnyValue>>,
}

/// Experiments in rows, variables in columns: of a series its last value. An answer has 2,000,000 cells and 64 MiB of text at
/// most: a page with more is refused.
#[utoipa::path(get, path = "/experiments", params(Wanted), responses((status = 200, body = Experiments), (status = 400, body = Problem)))]
pub(super) async fn experiments(
    extract::State(state): extract::State<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Experiments>, Problem> {
    let query = query(wanted)?;
    let table = state.readers.read(move |store| Ok(store.experiments(&query)?)).await?;
    let rows = table.rows.into_iter().map(|row| Row {
        id: row.short_id,
        uuid: row.id.to_string(),
        project: row.project.to_string(),
        cells: row.cells.into_iter().map(|cell| cell.map(AnyValue::cell)).collect(),
    });
    Ok(Json(Experiments { total: table.total, columns: table.columns, rows: rows.collect() }))
}

fn query(wanted: Wanted) -> Result<ExperimentQuery, Problem> {
    let mut query = ExperimentQuery::default()
        .ids(wanted.id)
        .columns(wanted.column)
        .limit(wanted.limit.unwrap_or(100).min(MOST))
        .most_cells(MOST_CELLS)
        .most_text(MOST_TEXT)
        .offset(wanted.offset)
        .hidden(wanted.hidden)
        .now(clock::now());
    if let Some(project) = wanted.project.filter(|project| !project.is_empty()) {
        query = query.project(project.parse().map_err(|error| Problem::invalid(format!("{error}")))?);
    }
    if let Some(filter) = wanted.filter.filter(|filter| !filter.trim().is_empty()) {
        query = query.filter(filter.parse().map_err(|error| Problem::invalid(format!("{error}")))?);
    }
    for sort in &wanted.sort {
        query = match sort.strip_prefix('-') {
            Some(path) => query.sort(path, Direction::Descending),
            None => query.sort(sort, Direction::Ascending),
        };
    }
    Ok(query)
}
