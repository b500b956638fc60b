//! `GET /experiments/{id}/points`: a series point by point.
//!
//! It is read piece by piece, and no further than an answer needs.

use std::ops::Range;

use axum::{Json, extract};
use neptune_store::{Store, Values, read::ExperimentKey};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    experiment::find,
    value::{Number, numbers},
};

/// The most points of one answer.
const MOST: usize = 100_000;

/// The most bytes of text of one answer, but for its last point.
const MOST_BYTES: usize = 32 << 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The path of the series.
    path: String,
    /// The first step.
    from: Option<f64>,
    /// The last step.
    to: Option<f64>,
    /// Only so many of the last points, whatever their steps.
    tail: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Points {
    /// In order, each once.
    steps: Vec<Number>,
    /// When each was logged.
    times: Vec<i64>,
    values: Column,
    /// Whether there are more behind the last one: an answer has 100,000 at most, and 32 MiB of text.
    has_more: bool,
}

/// What was logged: numbers, or text. Of images and histograms the documents that describe them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Column {
    Numbers(Vec<Number>),
    Texts(Vec<String>),
}

/// The points of a series, in the order of their steps.
#[utoipa::path(get, path = "/experiments/{id}/points", params(Id, Wanted), responses((status = 200, body = Points), (status = 404, body = Problem)))]
pub(super) async fn points(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Points>, Problem> {
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        match wanted.tail {
            Some(tail) => last(store, &key, &wanted.path, tail.min(MOST)),
            None => first(store, &key, &wanted),
        }
    });
    Ok(Json(found.await?))
}

/// The points of a range from its beginning, as many as an answer has.
fn first(store: &Store, key: &ExperimentKey, wanted: &Wanted) -> Result<Points, Problem> {
    let (mut from, to) = (wanted.from.unwrap_or(f64::NEG_INFINITY), wanted.to.unwrap_or(f64::INFINITY));
    let mut answer = Answer::default();
    loop {
        let piece = store.piece_from(key, &wanted.path, from)?;
        let Some(end) = piece.steps.last().copied() else { return Ok(answer.told(false)) };
        let inside = piece.steps.partition_point(|step| *step <= to);
        let is_last = inside < piece.steps.len();
        if !answer.add(piece, 0..inside) {
            return Ok(answer.told(true));
        }
        if is_last {
            return Ok(answer.told(false));
        }
        from = end.next_up();
    }
}

/// The last `count` points.
fn last(store: &Store, key: &ExperimentKey, path: &str, count: usize) -> Result<Points, Problem> {
    // Its type, also of one that has no points.
    let mut pieces = vec![store.piece_before(key, path, f64::INFINITY)?];
    let (mut found, mut bytes) = (0, 0);
    while let Some(piece) = pieces.last()
        && let Some(start) = piece.steps.first().copied()
    {
        found += piece.len();
        bytes += bytes_of(&piece.values);
        if found >= count || bytes >= MOST_BYTES {
            break;
        }
        pieces.push(store.piece_before(key, path, start)?);
    }
    let mut skipped = found.saturating_sub(count);
    let mut answer = Answer::default();
    for piece in pieces.into_iter().rev() {
        let length = piece.len();
        let start = skipped.min(length);
        skipped -= start;
        answer.add(piece, start..length);
    }
    Ok(answer.told(false))
}

fn bytes_of(values: &Values) -> usize {
    match values {
        Values::Float(_) => 0,
        Values::Text(texts) => texts.iter().map(String::len).sum(),
    }
}

#[derive(Default)]
struct Answer {
    steps: Vec<f64>,
    times: Vec<i64>,
    values: Option<Values>,
    bytes: usize,
}

impl Answer {
    /// Adds some points of a piece; whether all of them had room.
    fn add(&mut self, piece: neptune_store::Points, range: Range<usize>) -> bool {
        let room = MOST - self.steps.len();
        let (start, mut count) = (range.start, range.len().min(room));
        match (&mut self.values, piece.values) {
            (Some(Values::Float(ours)), Values::Float(theirs)) => {
                ours.extend(theirs.into_iter().skip(start).take(count));
            }
            (Some(Values::Text(ours)), Values::Text(theirs)) => {
                let before = ours.len();
                for text in theirs.into_iter().skip(start).take(count) {
                    if self.bytes >= MOST_BYTES {
                        break;
                    }
                    self.bytes += text.len();
                    ours.push(text);
                }
                count = ours.len() - before;
            }
            (none, values) => {
                *none = Some(match values {
                    Values::Float(_) => Values::Float(Vec::new()),
                    Values::Text(_) => Values::Text(Vec::new()),
                });
                return self.add(neptune_store::Points { values, ..piece }, range);
            }
        }
        self.steps.extend(piece.steps.iter().skip(start).take(count));
        self.times.extend(piece.times.iter().skip(start).take(count));
        count == range.len()
    }

    fn told(self, has_more: bool) -> Points {
        let values = match self.values {
            Some(Values::Text(texts)) => Column::Texts(texts),
            Some(Values::Float(values)) => Column::Numbers(numbers(values)),
            None => Column::Numbers(Vec::new()),
        };
        Points { steps: numbers(self.steps), times: self.times, values, has_more }
    }
}
