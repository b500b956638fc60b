//! [`Problem`]: what went wrong, as an answer.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What, where, and the way out.
    error: String,
    #[serde(skip)]
    status: u16,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { error: error.into(), status: status.as_u16() }
    }

    /// Whether nothing is wrong but what was asked.
    pub(crate) fn is_of_the_request(&self) -> bool {
        (400..500).contains(&self.status)
    }

    pub(crate) fn invalid(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(crate) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    pub(crate) fn internal(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }
}

impl From<neptune_store::Error> for Problem {
    fn from(error: neptune_store::Error) -> Self {
        use neptune_store::ErrorKind as Kind;
        let status = match error.kind() {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Busy | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<neptune_core::Error> for Problem {
    fn from(error: neptune_core::Error) -> Self {
        use neptune_core::ErrorKind as Kind;
        let status = match error.kind() {
            Kind::Invalid | Kind::TypeConflict | Kind::NotADirectory => StatusCode::BAD_REQUEST,
            Kind::NotFound | Kind::FileNotFound => StatusCode::NOT_FOUND,
            Kind::Busy | Kind::Immutable | Kind::Unsupported => StatusCode::CONFLICT,
            Kind::Unavailable | Kind::Deadline => StatusCode::SERVICE_UNAVAILABLE,
            Kind::StorageLimitReached => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}
