//! `POST /overviews`: many series of many experiments in as many points as a screen has, in one request.

use axum::{Json, extract};
use neptune_core::VariableType;
use neptune_store::{Store, read::Bucket};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, State,
    asked::Body,
    experiment::find,
    value::{Number, numbers},
};

/// The most series of one request.
const MOST_SERIES: usize = 1_000;

/// The most buckets of a series: no screen is wider.
const MOST_BUCKETS: usize = 8_192;

/// The most buckets of all series of an answer together: 200 MB of JSON at the worst.
const MOST_TOGETHER: usize = 2_000_000;

#[derive(Deserialize, ToSchema)]
pub(super) struct Wanted {
    /// At most 1,000.
    series: Vec<Named>,
    /// The first step; from the beginning when it is not given.
    from: Option<f64>,
    /// The last step; to the end when it is not given.
    to: Option<f64>,
    /// In how many pieces, at most 8,192, and 2,000,000 for all series together. Where there are no more points than that, each point is a piece.
    buckets: usize,
}

#[derive(Deserialize, ToSchema)]
struct Named {
    /// A short id, a UUID, or `latest`.
    experiment: String,
    path: String,
    /// The first step of this one; that of all when it is not given.
    from: Option<f64>,
    /// The last step of this one; that of all when it is not given.
    to: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Overviews {
    /// In the order of the request. A series that is not there, or not one of numbers, has no buckets.
    series: Vec<Overview>,
}

/// A series in pieces, in columns of one length. A line through the first, the least, the greatest and the last point of each
/// piece looks the same as one through all points.
#[derive(Serialize, ToSchema, Default)]
struct Overview {
    /// How many points are in each.
    count: Vec<u64>,
    /// How many of them are NaN or infinite; only `first` and `last` may be one of these.
    nonfinite: Vec<u64>,
    /// How many of these are positive infinity; empty where no point is infinite.
    positive_infinite: Vec<u64>,
    /// How many of these are negative infinity; empty where no point is infinite.
    negative_infinite: Vec<u64>,
    first_step: Vec<Number>,
    last_step: Vec<Number>,
    /// Microseconds since the epoch, UTC.
    first_time: Vec<i64>,
    last_time: Vec<i64>,
    first: Vec<Number>,
    last: Vec<Number>,
    /// Null where no point is finite.
    minimum_step: Vec<Option<f64>>,
    minimum: Vec<Option<f64>>,
    maximum_step: Vec<Option<f64>>,
    maximum: Vec<Option<f64>>,
    mean: Vec<Option<f64>>,
}

impl Overview {
    fn of(buckets: &[Bucket]) -> Self {
        let has_infinite = buckets.iter().any(|bucket| bucket.infinite != [0; 2]);
        let infinite =
            |sign: usize| buckets.iter().filter(|_| has_infinite).map(|bucket| bucket.infinite[sign]).collect();
        let all = |of: fn(&Bucket) -> f64| numbers(buckets.iter().map(of).collect());
        Self {
            count: buckets.iter().map(|bucket| bucket.count).collect(),
            nonfinite: buckets.iter().map(|bucket| bucket.nonfinite).collect(),
            positive_infinite: infinite(0),
            negative_infinite: infinite(1),
            first_step: all(|bucket| bucket.first_step),
            last_step: all(|bucket| bucket.last_step),
            first_time: buckets.iter().map(|bucket| bucket.first_time).collect(),
            last_time: buckets.iter().map(|bucket| bucket.last_time).collect(),
            first: all(|bucket| bucket.first),
            last: all(|bucket| bucket.last),
            minimum_step: buckets.iter().map(|bucket| bucket.minimum.map(|(step, _)| step)).collect(),
            minimum: buckets.iter().map(|bucket| bucket.minimum.map(|(_, value)| value)).collect(),
            maximum_step: buckets.iter().map(|bucket| bucket.maximum.map(|(step, _)| step)).collect(),
            maximum: buckets.iter().map(|bucket| bucket.maximum.map(|(_, value)| value)).collect(),
            mean: buckets.iter().map(|bucket| bucket.mean().filter(|mean| mean.is_finite())).collect(),
        }
    }
}

/// Series of numbers, in few points each.
#[utoipa::path(post, path = "/overviews", request_body = Wanted, responses((status = 200, body = Overviews), (status = 400, body = Problem)))]
pub(super) async fn overviews(
    extract::State(state): extract::State<State>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Overviews>, Problem> {
    if wanted.series.len() > MOST_SERIES {
        return Err(Problem::invalid(format!(
            "{} series are too many; ask for {MOST_SERIES} at once",
            wanted.series.len()
        )));
    }
    let found = state.readers.read(move |store| {
        let series = wanted.series.iter().map(|named| overview(store, named, &wanted));
        series.collect::<Result<Vec<_>, _>>()
    });
    Ok(Json(Overviews { series: found.await? }))
}

fn overview(store: &Store, named: &Named, wanted: &Wanted) -> Result<Overview, Problem> {
    let key = find(store, &named.experiment)?;
    // Not every experiment has every series. Looking for names near to it would take long.
    if store.kind_of(&key, &named.path)? != Some(VariableType::FLOAT_SERIES) {
        return Ok(Overview::default());
    }
    let buckets = wanted.buckets.min(MOST_BUCKETS).min(MOST_TOGETHER / wanted.series.len().max(1));
    let from = named.from.or(wanted.from).unwrap_or(f64::NEG_INFINITY);
    let range = from..=named.to.or(wanted.to).unwrap_or(f64::INFINITY);
    Ok(Overview::of(&store.overview(&key, &named.path, range, buckets)?))
}
