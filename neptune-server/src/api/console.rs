//! `GET /experiments/{id}/console`: what the processes of an experiment printed.

use axum::{Json, extract};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    experiment::find,
    value::Number,
};
use crate::console::{self, Cursor, LineName, Place, Stream};

/// How many lines an answer has when nobody says otherwise.
const LINES: usize = 500;

/// The most lines of one answer.
const MOST: usize = 5_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only what was printed there.
    stream: Option<Stream>,
    /// Only lines that have this in them, in upper or lower case.
    search: Option<String>,
    /// The lines before this place: `before` of another answer to the same `stream`.
    before: Option<String>,
    /// The lines behind this place: `after` of another answer to the same `stream`.
    after: Option<String>,
    /// The lines from this one on: `PROCESS/STREAM/NUMBER` of a line.
    line: Option<String>,
    /// How many lines at most, 500 when it is not given.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Console {
    /// In the order of time. Where much is searched they may be fewer than wanted, even none, while there are more: go on.
    lines: Vec<Line>,
    /// The place before the first of them; null when nothing is before it.
    before: Option<String>,
    /// The place behind the last of them, where new lines will be.
    after: String,
}

/// A line that was printed.
#[derive(Serialize, ToSchema)]
struct Line {
    /// The process, as it is called in the paths of its variables.
    process: String,
    stream: Stream,
    /// Of the stream of the process.
    number: Number,
    /// When its end was read.
    time: i64,
    text: String,
}

/// The last lines, those before a place, those behind it, or those from one on; merged over processes and streams by time.
#[utoipa::path(get, path = "/experiments/{id}/console", params(Id, Wanted), responses((status = 200, body = Console), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn console(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Console>, Problem> {
    let (place, line) = match (wanted.before.as_deref(), wanted.after.as_deref(), wanted.line.as_deref()) {
        (None, None, None) => (Place::End, None),
        (Some(before), None, None) => (Place::Before(cursor(before)?), None),
        (None, Some(after), None) => (Place::After(cursor(after)?), None),
        (None, None, Some(line)) => (Place::End, Some(named(line)?)),
        _ => return Err(Problem::invalid("`before`, `after` and `line` are not for one request")),
    };
    let mut wanted = console::Wanted {
        place,
        stream: wanted.stream,
        search: wanted.search.filter(|text| !text.is_empty()),
        limit: wanted.limit.unwrap_or(LINES).clamp(1, MOST),
    };
    let page = state.readers.read(move |store| {
        let experiment = find(store, &id)?;
        if let Some(line) = line {
            let place = console::place_of(store, &experiment, &line)?;
            wanted.place = Place::After(place.ok_or_else(|| Problem::not_found("there is no such line"))?);
        }
        Ok(console::page(store, &experiment, wanted)?)
    });
    let page = page.await?;
    let line = |line: console::Line| Line {
        process: line.process,
        stream: line.stream,
        number: Number(line.number),
        time: line.time,
        text: line.text,
    };
    Ok(Json(Console {
        lines: page.lines.into_iter().map(line).collect(),
        before: page.before.as_ref().map(text),
        after: text(&page.after),
    }))
}

fn named(line: &str) -> Result<LineName, Problem> {
    let name = LineName::parse(line);
    name.ok_or_else(|| Problem::invalid("this names no line; take PROCESS/STREAM/NUMBER of one"))
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    serde_json::from_str(text)
        .map_err(|_no_cursor| Problem::invalid("this is no place in a console; take `before` or `after` of an answer"))
}

fn text(cursor: &Cursor) -> String {
    serde_json::to_string(cursor).expect("a map with texts as keys is JSON")
}
