//! `GET /projects`.

use axum::{Json, extract};
use neptune_store::ExperimentQuery;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, State};

#[derive(Serialize, ToSchema)]
pub(super) struct Projects {
    /// By name.
    projects: Vec<Project>,
}

#[derive(Serialize, ToSchema)]
struct Project {
    /// `workspace/name`.
    name: String,
    /// The first part of its short ids.
    key: String,
    /// How many experiments it has, without those in the trash.
    experiments: u64,
    /// How many of them run.
    running: u64,
    /// How many of them failed.
    failed: u64,
}

/// Every project.
#[utoipa::path(get, path = "/projects", responses((status = 200, body = Projects)))]
pub(super) async fn projects(extract::State(state): extract::State<State>) -> Result<Json<Projects>, Problem> {
    let projects = state.readers.read(|store| {
        let projects = store.projects()?.into_iter().map(|project| {
            let count = |states: &[&str]| {
                let query = ExperimentQuery::default().project(project.name.clone()).states(states.iter().copied());
                Ok::<_, Problem>(store.experiments(&query.limit(0))?.total)
            };
            let (experiments, running, failed) = (count(&[])?, count(&["running"])?, count(&["failed"])?);
            Ok(Project { name: project.name.to_string(), key: project.key, experiments, running, failed })
        });
        projects.collect::<Result<Vec<_>, Problem>>()
    });
    Ok(Json(Projects { projects: projects.await? }))
}
