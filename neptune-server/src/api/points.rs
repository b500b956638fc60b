//! `GET /experiments/{id}/points`: a series point by point.

use axum::{
    Json,
    extract::{self, Path},
};
use axum_extra::extract::Query;
use neptune_store::Values;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    experiment::find,
    value::{Number, numbers},
};

/// The most points of one answer.
const MOST: usize = 100_000;

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
    /// Whether there are more behind the last one: an answer has 100,000 at most.
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
#[utoipa::path(get, path = "/experiments/{id}/points", params(Wanted), responses((status = 200, body = Points), (status = 404, body = Problem)))]
pub(super) async fn points(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Points>, Problem> {
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        let points = if let Some(tail) = wanted.tail {
            store.series_tail(&key, &wanted.path, tail.min(MOST))?
        } else {
            let range = wanted.from.unwrap_or(f64::NEG_INFINITY)..=wanted.to.unwrap_or(f64::INFINITY);
            store.series(&key, &wanted.path, range)?
        };
        let has_more = points.len() > MOST;
        let (mut steps, mut times) = (points.steps, points.times);
        steps.truncate(MOST);
        times.truncate(MOST);
        let values = match points.values {
            Values::Float(mut values) => {
                values.truncate(MOST);
                Column::Numbers(numbers(values))
            }
            Values::Text(mut texts) => {
                texts.truncate(MOST);
                Column::Texts(texts)
            }
        };
        Ok(Points { steps: numbers(steps), times, values, has_more })
    });
    Ok(Json(found.await?))
}
