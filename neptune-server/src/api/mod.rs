//! The HTTP API: everything that the pages show, as JSON.
//!
//! Requests are answered from the store alone; those that change something go through a session of neptune-core, as every other
//! program does.

mod asked;
mod changes;
mod console;
mod difference;
mod experiment;
mod experiments;
mod file;
mod files;
mod live;
mod overviews;
mod paths;
mod points;
mod problem;
mod projects;
mod timings;
mod value;
mod zip;

use std::{path::Path, sync::Arc};

use axum::{
    Json, Router,
    http::{Method, StatusCode},
    routing::get,
};
use tokio::sync::Semaphore;
use utoipa::{
    OpenApi,
    openapi::{ContentBuilder, Ref, ResponseBuilder},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use problem::Problem;

use crate::{readers::Readers, watch::Watch};

/// What every request is answered from.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) readers: Arc<Readers>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) folder: Arc<Path>,
    /// Turns for changing something.
    pub(crate) changing: Arc<Semaphore>,
    /// Turns for writing archives.
    pub(crate) archives: Arc<Semaphore>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "neptune",
    description = "Experiments, their variables and their series. Times are microseconds since the epoch, UTC. Numbers that \
                   JSON cannot say are the strings `NaN`, `inf` and `-inf`."
))]
struct Described;

/// Everything below `/api/v1`.
pub(crate) fn router(state: State) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(projects::projects))
        .routes(routes!(paths::paths))
        .routes(routes!(experiments::experiments))
        .routes(routes!(experiment::experiment, changes::change))
        .routes(routes!(experiment::variables))
        .routes(routes!(points::points))
        .routes(routes!(console::console))
        .routes(routes!(timings::timings))
        .routes(routes!(difference::difference))
        .routes(routes!(files::artifacts))
        .routes(routes!(files::sources))
        .routes(routes!(file::file))
        .routes(routes!(zip::zip))
        .routes(routes!(overviews::overviews))
        .routes(routes!(live::live))
        .routes(routes!(changes::abort))
        .routes(routes!(changes::trash))
        .routes(routes!(changes::restore))
        .split_for_parts();
    let document = Arc::new(with_problems(document));
    router
        .route("/openapi.json", get(move || async move { Json(document.as_ref().clone()) }))
        .fallback(|| async { nothing_in_the_api() })
        .method_not_allowed_fallback(|method: Method| async move { not_this(&method) })
        .with_state(state)
}

/// Says of every address that whatever else it answers is a [`Problem`].
fn with_problems(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new()
        .description("What went wrong: 400, 413, 415 and 422 with the request, 401 and 403 with who asks, 409, 500, 503 and 507 here")
        .content("application/json", problem)
        .build();
    for path in document.paths.paths.values_mut() {
        for operation in [&mut path.get, &mut path.post, &mut path.patch].into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), problem.clone().into());
        }
    }
    document
}

pub(crate) fn not_this(method: &Method) -> Problem {
    let why = format!("{method} is not for this address; /api/v1/openapi.json says what is");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, why)
}

pub(crate) fn nothing_in_the_api() -> Problem {
    Problem::not_found("there is no such address in the API; see /api/v1/openapi.json")
}
