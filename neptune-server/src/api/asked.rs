//! What a request brings: [`Query`], [`Path`] and [`Body`], whose refusals are [`Problem`]s as every other answer is.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path as AnyPath, Request},
    http::request::Parts,
};
use axum_extra::extract::Query as AnyQuery;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::Problem;

/// Which experiment.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes the parameter, which is taken out of the path by its place")]
pub(super) struct Id {
    /// A short id such as `MNI-12`, a UUID, or `latest`.
    id: String,
}

/// What stands behind the `?`. A name may be repeated.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AnyQuery::from_request_parts(parts, state).await {
            Ok(AnyQuery(query)) => Ok(Self(query)),
            Err(refused) => Err(Problem::new(refused.status(), refused.body_text())),
        }
    }
}

/// What stands in the path.
pub(super) struct Path<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AnyPath::from_request_parts(parts, state).await {
            Ok(AnyPath(path)) => Ok(Self(path)),
            Err(refused) => Err(Problem::new(refused.status(), refused.body_text())),
        }
    }
}

/// A document of JSON, which says that it is one: a page of another site cannot say so without being asked first.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(document)) => Ok(Self(document)),
            Err(refused) => Err(Problem::new(refused.status(), refused.body_text())),
        }
    }
}
