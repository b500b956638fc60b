//! `GET /experiments/{id}/zip`: all artifacts, or all sources, as one archive.

use axum::{
    body::Body,
    extract,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use neptune_core::{Mode, Session};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    experiment::find,
};
use crate::{content, pieces};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    what: Tree,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Tree {
    Artifacts,
    Sources,
}

/// A ZIP archive of the artifacts or of the sources, written while it is read. It breaks off when a file is missing or damaged.
#[utoipa::path(get, path = "/experiments/{id}/zip", params(Id, Wanted), responses((status = 200, content_type = "application/zip", body = Vec<u8>), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn zip(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(Wanted { what }): Query<Wanted>,
) -> Result<Response, Problem> {
    let turn = state.archives.clone().try_acquire_owned();
    let turn = turn.map_err(|_busy| Problem::unavailable("other archives are being written; try again soon"))?;
    let key = state.readers.read(move |store| find(store, &id)).await?;
    let short_id = key.short_id.clone();
    let folder = state.folder;
    let experiment = spawn_blocking(move || {
        let session = Session::builder().folder(folder.as_ref()).project("local/default").mode(Mode::ReadOnly);
        session.without_code().open()?.get(&key.uuid.to_string())
    });
    let experiment = experiment.await.map_err(|panicked| Problem::internal(panicked.to_string()))??;
    let body: Body = pieces::of_writer(move |to| {
        let _turn = turn;
        let written = match what {
            Tree::Artifacts => experiment.write_artifacts_zip("", to),
            Tree::Sources => experiment.write_sources_zip("", to),
        };
        written.map(drop).map_err(std::io::Error::other)
    });
    let name = match what {
        Tree::Artifacts => format!("{short_id}-artifacts.zip"),
        Tree::Sources => format!("{short_id}-sources.zip"),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, content::disposition("attachment", &name)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}
