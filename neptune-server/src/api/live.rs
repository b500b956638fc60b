//! `GET /live`: an event for each change of the store, as server-sent events.

use std::convert::Infallible;

use axum::{
    extract,
    response::sse::{Event, KeepAlive, Sse},
};
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};

use super::State;

/// An event `change` within a quarter of a second after something was written, whose data counts the changes. It does not say
/// what changed: ask again for what you show.
#[utoipa::path(get, path = "/live", responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn live(
    extract::State(state): extract::State<State>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = WatchStream::from_changes(state.watch.listen().await);
    let events = changes.map(|change| Ok(Event::default().event("change").data(change.to_string())));
    Sse::new(events).keep_alive(KeepAlive::default())
}
