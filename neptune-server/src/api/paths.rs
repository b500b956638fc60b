//! `GET /paths`: which variables the experiments of a project have, for choosing columns.

use axum::{Json, extract};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, State, asked::Query, experiment::find};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only of experiments of this project.
    project: Option<String>,
    /// Only of these experiments, by short id or UUID; may be repeated.
    #[serde(default)]
    experiment: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Paths {
    /// By path, and those of one path by type.
    paths: Vec<PathOf>,
}

#[derive(Serialize, ToSchema)]
struct PathOf {
    path: String,
    /// Such as `float_series`.
    r#type: String,
    /// How many experiments have it.
    experiments: u64,
}

/// Every variable that an experiment of the project has.
#[utoipa::path(get, path = "/paths", params(Wanted), responses((status = 200, body = Paths), (status = 404, body = Problem)))]
pub(super) async fn paths(
    extract::State(state): extract::State<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Paths>, Problem> {
    let project = wanted.project.filter(|project| !project.is_empty());
    let project = project.map(|name| name.parse()).transpose().map_err(|error| Problem::invalid(format!("{error}")))?;
    let paths = state.readers.read(move |store| {
        if wanted.experiment.is_empty() {
            return Ok(store.paths(project.as_ref())?);
        }
        let keys = wanted.experiment.iter().map(|id| find(store, id)).collect::<Result<Vec<_>, _>>()?;
        Ok(store.paths_of(&keys)?)
    });
    let paths = paths.await?.into_iter().map(|known| PathOf {
        path: known.path,
        r#type: known.kind.to_string(),
        experiments: known.experiments,
    });
    Ok(Json(Paths { paths: paths.collect() }))
}
