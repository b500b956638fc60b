//! `GET /experiments/{id}/timings`: how long the spans of a program took.

use axum::{Json, extract};
use neptune_store::read::Timing;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, State,
    asked::{Id, Path},
    experiment::find,
    value::Number,
};

#[derive(Serialize, ToSchema)]
pub(super) struct Timings {
    /// By path.
    spans: Vec<Span>,
}

/// How long a span took, over the whole time. Times are seconds; null where nothing was logged.
#[derive(Serialize, ToSchema)]
struct Span {
    /// Its name behind those of the spans around it.
    path: String,
    /// How often it was entered.
    count: Number,
    /// All of it together.
    total: Number,
    mean: Option<Number>,
    /// The mean of the medians of the windows that were logged, weighted by their counts.
    p50: Option<Number>,
    /// The greatest of the 99th percentiles of the windows.
    p99: Option<Number>,
    max: Option<Number>,
    /// Of a span that waits: how long it did something, on the average.
    busy: Option<Number>,
    /// Of a span that waits: how long it waited, on the average.
    idle: Option<Number>,
}

impl From<Timing> for Span {
    fn from(timing: Timing) -> Self {
        Self {
            path: timing.path,
            count: Number(timing.count),
            total: Number(timing.total),
            mean: timing.mean.map(Number),
            p50: timing.p50.map(Number),
            p99: timing.p99.map(Number),
            max: timing.max.map(Number),
            busy: timing.busy.map(Number),
            idle: timing.idle.map(Number),
        }
    }
}

/// How long the spans of an experiment took.
#[utoipa::path(get, path = "/experiments/{id}/timings", params(Id), responses((status = 200, body = Timings), (status = 404, body = Problem)))]
pub(super) async fn timings(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Json<Timings>, Problem> {
    let timings = state.readers.read(move |store| Ok(store.timings(&find(store, &id)?)?)).await?;
    Ok(Json(Timings { spans: timings.into_iter().map(Span::from).collect() }))
}
