//! `GET /experiments/{id}/artifacts` and `/sources`: which files an experiment has.

use axum::{Json, extract};
use neptune_core::AtomValue;
use neptune_store::read::VariableValue;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, State,
    asked::{Id, Path},
    experiment::find,
};

#[derive(Serialize, ToSchema)]
pub(super) struct Files {
    /// By name.
    files: Vec<FileOf>,
}

/// A file.
#[derive(Serialize, ToSchema)]
struct FileOf {
    /// What it is called among the others, such as `data/images/1.png`.
    name: String,
    /// Where it is in the experiment, such as `artifacts/data/images/1.png`: `/file` takes this.
    path: String,
    /// Its length in bytes.
    size: u64,
    /// The BLAKE3 hash of its content.
    hash: String,
}

/// The artifacts of an experiment.
#[utoipa::path(get, path = "/experiments/{id}/artifacts", params(Id), responses((status = 200, body = Files), (status = 404, body = Problem)))]
pub(super) async fn artifacts(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Json<Files>, Problem> {
    files(state, id, &["artifacts/"]).await
}

/// The source code of an experiment, and under `diff/` how it differed from its last commit.
#[utoipa::path(get, path = "/experiments/{id}/sources", params(Id), responses((status = 200, body = Files), (status = 404, body = Problem)))]
pub(super) async fn sources(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Json<Files>, Problem> {
    files(state, id, &["source_code/", "source_code/files/"]).await
}

/// The files in the first of `namespaces`. A name is what stands behind the last one that fits.
async fn files(state: State, id: String, namespaces: &'static [&'static str]) -> Result<Json<Files>, Problem> {
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        let variables = store.variables(&key, namespaces.first().unwrap_or(&""))?;
        let files = variables.into_iter().filter_map(|variable| {
            let VariableValue::Atom(AtomValue::File(file)) = variable.value else { return None };
            let name = namespaces.iter().rev().find_map(|namespace| variable.path.strip_prefix(namespace))?.to_owned();
            Some(FileOf { name, path: variable.path, size: file.size, hash: file.object.to_string() })
        });
        let mut files: Vec<FileOf> = files.collect();
        files.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Files { files })
    });
    Ok(Json(found.await?))
}
