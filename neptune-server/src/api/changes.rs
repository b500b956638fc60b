//! What people change from the page: name, description and tags; the trash; a request to end.

use std::sync::Arc;

use axum::{Json, extract, http::StatusCode};
use neptune_core::{Mode, Session};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::{
    Problem, State,
    asked::{Body, Id, Path},
    experiment::find,
};

/// What to change; what is not named stays.
#[derive(Deserialize, ToSchema)]
pub(super) struct Change {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    add_tags: Vec<String>,
    #[serde(default)]
    remove_tags: Vec<String>,
}

/// Changes what people say about an experiment, whether it runs or has ended.
#[utoipa::path(patch, path = "/experiments/{id}", params(Id), request_body = Change, responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<StatusCode, Problem> {
    with_session(state, id, move |session, id| {
        let experiment = session.edit(id).start()?;
        if let Some(name) = change.name {
            experiment.set_name(name);
        }
        if let Some(description) = change.description {
            experiment.set_description(description);
        }
        experiment.add_tags(change.add_tags);
        experiment.remove_tags(change.remove_tags);
        let lost = experiment.stop()?;
        if lost.is_empty() {
            return Ok(());
        }
        Err(Problem::invalid(format!("not all of it was kept: {lost}")))
    })
    .await
}

/// Why somebody asks for something, for those who look later.
#[derive(Deserialize, ToSchema)]
pub(super) struct Reason {
    /// Shown with the experiment.
    #[serde(default)]
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Asked {
    /// How many processes were asked; none when no process on this machine logs to it.
    processes: usize,
}

/// Asks the processes that log to an experiment to end. They end when they come to it.
#[utoipa::path(post, path = "/experiments/{id}/abort", params(Id), request_body = Reason, responses((status = 200, body = Asked), (status = 404, body = Problem)))]
pub(super) async fn abort(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Body(reason): Body<Reason>,
) -> Result<Json<Asked>, Problem> {
    let reason = if reason.reason.is_empty() { "asked for in the web UI".to_owned() } else { reason.reason };
    let folder = state.folder;
    let uuid = state.readers.read(move |store| Ok(find(store, &id)?.uuid.to_string())).await?;
    let turn = turn(&state.changing).await?;
    let asked = blocking(turn, move || Ok(session(&folder, Mode::Offline)?.request_abort(&uuid, &reason)?)).await?;
    Ok(Json(Asked { processes: asked }))
}

/// Nothing.
#[derive(Deserialize, ToSchema)]
pub(super) struct Nothing {}

/// Puts an experiment into the trash, from which it can be restored.
#[utoipa::path(post, path = "/experiments/{id}/trash", params(Id), request_body = Nothing, responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn trash(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Result<StatusCode, Problem> {
    with_session(state, id, |session, id| Ok(session.trash([id])?)).await
}

/// Takes an experiment out of the trash.
#[utoipa::path(post, path = "/experiments/{id}/restore", params(Id), request_body = Nothing, responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn restore(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Result<StatusCode, Problem> {
    with_session(state, id, |session, id| Ok(session.restore([id])?)).await
}

/// Does something to an experiment that is in the store.
async fn with_session(
    state: State,
    id: String,
    work: impl FnOnce(&Session, &str) -> Result<(), Problem> + Send + 'static,
) -> Result<StatusCode, Problem> {
    let folder = state.folder;
    let uuid = state.readers.read(move |store| Ok(find(store, &id)?.uuid.to_string())).await?;
    let turn = turn(&state.changing).await?;
    blocking(turn, move || work(&session(&folder, Mode::Embedded)?, &uuid)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn session(folder: &std::path::Path, mode: Mode) -> neptune_core::Result<Session> {
    Session::builder().folder(folder).project("local/default").mode(mode).without_code().open()
}

/// Waits for a turn to change something.
async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(turns).acquire_owned().await.map_err(|closed| Problem::internal(closed.to_string()))
}

async fn blocking<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    working.await.map_err(|panicked| Problem::internal(panicked.to_string()))?
}
