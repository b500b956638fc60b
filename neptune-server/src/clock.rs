//! The time now. The only place of this crate that reads the clock.

use neptune_core::Timestamp;

#[expect(clippy::disallowed_methods, reason = "this is the clock of this crate")]
pub(crate) fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
