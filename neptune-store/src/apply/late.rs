//! Points that come late: another writer deleted them before they were drained.

use neptune_format::{Content, Timestamp};

use super::{points::step_behind, revisions::Deletion};
use crate::chunk::Points;

/// Points that came late, by the deletion that covers them.
#[derive(Debug, Default)]
pub(super) struct Late {
    deletions: Vec<Deletion>,
    covered: Vec<(i64, Points)>,
    /// The greatest step among those that were given none: so each of them has one of its own, should they come back.
    last_step: Option<f64>,
}

impl Late {
    /// For points of a series that `deletions` of other writers may cover.
    pub(super) const fn new(deletions: Vec<Deletion>) -> Self {
        Self { deletions, covered: Vec::new(), last_step: None }
    }

    /// Where a point goes that is covered, and at which step; `None` when it is not.
    #[inline]
    pub(super) fn place(
        &mut self,
        content: Content,
        step: Option<f64>,
        last_step: Option<f64>,
        time: Timestamp,
    ) -> Option<(f64, &mut Points)> {
        if self.deletions.is_empty() {
            return None;
        }
        self.look(content, step, last_step, time)
    }

    #[cold]
    fn look(
        &mut self,
        content: Content,
        step: Option<f64>,
        last_step: Option<f64>,
        time: Timestamp,
    ) -> Option<(f64, &mut Points)> {
        let behind = if self.last_step > last_step { self.last_step } else { last_step };
        let at = step.unwrap_or_else(|| step_behind(behind));
        let deletion = self.deletions.iter().find(|deletion| deletion.covers(at, time.as_micros()))?.id;
        if step.is_none() {
            self.last_step = Some(at);
        }
        let known = self.covered.iter().position(|(id, _)| *id == deletion);
        if known.is_none() {
            self.covered.push((deletion, Points::none_of(content)?));
        }
        let place = known.unwrap_or(self.covered.len() - 1);
        self.covered.get_mut(place).map(|(_, points)| (at, points))
    }

    pub(super) fn into_covered(self) -> Vec<(i64, Points)> {
        self.covered
    }
}
