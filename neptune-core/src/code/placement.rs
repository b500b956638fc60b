//! Where the code of a process is logged, so that no process writes over what another logged.
//!
//! The process that makes an experiment has `source_code/`. One that joins it or resumes it logs nothing again where the code is the
//! same, and has `source_code/WRITER/` where it is other code.

use neptune_format::{ExperimentId, WriterId};

use super::names;
use crate::session::Session;

/// Where the code goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// To this namespace.
    At(String),
    /// Nowhere: it is there already.
    There,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) session: &'a Session,
    pub(super) experiment: ExperimentId,
    pub(super) writer: WriterId,
    /// Whether this process gave the experiment its identity.
    pub(super) is_maker: bool,
    /// What identifies its code.
    pub(super) digest: &'a str,
}

impl Asking<'_> {
    /// Finds the place. Waits for the process that was there first, which may be about to log the same code; not for long, and
    /// not when `is_wanted` says that the experiment ends.
    pub(super) fn place(&self, is_wanted: &dyn Fn() -> bool) -> Placement {
        if self.is_maker {
            return Placement::At(names::CODE.to_owned());
        }
        self.place_among_others(is_wanted).unwrap_or_else(|| Placement::At(names::own_code(self.writer)))
    }

    #[cfg(feature = "embedded")]
    fn place_among_others(&self, is_wanted: &dyn Fn() -> bool) -> Option<Placement> {
        use std::{thread, time::Duration};

        use crate::{clock, session::Mode};

        /// Ranks start together, and the first has logged its code in a second or two.
        const PATIENCE: Duration = Duration::from_secs(10);
        const PAUSE: Duration = Duration::from_millis(100);
        // Offline nobody knows of the others.
        if self.session.mode() != Mode::Embedded {
            return None;
        }
        let began = clock::monotonic();
        loop {
            let store = self.session.store().ok()?;
            let key = store.experiment(self.experiment).ok()?;
            let known = store.variables(&key, "source_code/").ok()?;
            let digests = known.iter().filter(|variable| variable.path.ends_with("/digest"));
            let is_same = |value: &neptune_store::read::VariableValue| match value {
                neptune_store::read::VariableValue::Atom(value) => value.as_str() == Some(self.digest),
                _ => false,
            };
            if digests.clone().any(|variable| is_same(&variable.value)) {
                return Some(Placement::There);
            }
            // Who prepared it without running it has recorded no code.
            let first = store.writers(&key).ok()?.into_iter().find(|writer| !writer.edits)?;
            if first.writer == self.writer {
                return Some(Placement::At(names::CODE.to_owned()));
            }
            let is_there = known.iter().any(|variable| variable.path == "source_code/digest");
            if is_there || first.closed.is_some() || began.elapsed() > PATIENCE || !is_wanted() {
                return None;
            }
            thread::park_timeout(PAUSE);
        }
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_self, reason = "the same shape as with a store")]
    fn place_among_others(&self, _is_wanted: &dyn Fn() -> bool) -> Option<Placement> {
        None
    }
}
