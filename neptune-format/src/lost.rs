//! What was not kept, and why: the account of guarantee G1.
//!
//! A logging call never fails; it counts. The counts reach the user from `flush` and `stop`, and stand on the page of the
//! experiment.

use std::fmt;

/// Why something that was logged is not in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum LostReason {
    /// The disk had no room for another segment of the journal.
    DiskFull = 0,
    /// Logging outran the machine: no segment was ready in time.
    Overrun = 1,
    /// The record was larger than a record may be.
    TooLarge = 2,
    /// The variable has another type.
    TypeConflict = 3,
    /// The path was not valid.
    InvalidPath = 4,
    /// A parameter was given a second, different value.
    Immutable = 5,
    /// The value was NaN or infinite where the call's contract skips it.
    NotFinite = 6,
    /// The experiment had been stopped.
    Stopped = 7,
    /// The call came from a process forked from the one that started the experiment.
    Forked = 8,
    /// The writer had no number left for another series.
    TooManySeries = 9,
    /// Bytes of the journal were damaged; the count is of damaged stretches, each one or more records.
    Damaged = 10,
    /// The step was NaN or infinite; or it was not behind the last one, where steps must increase.
    InvalidStep = 11,
    /// A metric was given something that is no number.
    NotANumber = 12,
    /// The folder of objects holds as much as it may: the bytes of an image were not kept.
    StorageLimit = 13,
    /// A rename, an undo or a fork came to the store when what it was about was gone or its name was taken.
    Conflict = 14,
}

impl LostReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 15] = [
        Self::DiskFull,
        Self::Overrun,
        Self::TooLarge,
        Self::TypeConflict,
        Self::InvalidPath,
        Self::Immutable,
        Self::NotFinite,
        Self::Stopped,
        Self::Forked,
        Self::TooManySeries,
        Self::Damaged,
        Self::InvalidStep,
        Self::NotANumber,
        Self::StorageLimit,
        Self::Conflict,
    ];

    /// The name of the reason in the store, in JSON and in the file of counts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DiskFull => "disk_full",
            Self::Overrun => "overrun",
            Self::TooLarge => "too_large",
            Self::TypeConflict => "type_conflict",
            Self::InvalidPath => "invalid_path",
            Self::Immutable => "immutable",
            Self::NotFinite => "not_finite",
            Self::Stopped => "stopped",
            Self::Forked => "forked",
            Self::TooManySeries => "too_many_series",
            Self::Damaged => "damaged",
            Self::InvalidStep => "invalid_step",
            Self::NotANumber => "not_a_number",
            Self::StorageLimit => "storage_limit",
            Self::Conflict => "conflict",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// What happened and what to do about it, as a sentence fragment.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::DiskFull => "the disk was full; free some space and logging resumes by itself",
            Self::Overrun => "logging outran the disk; log less often, or put NEPTUNE_DIR on a faster disk",
            Self::TooLarge => "a record was larger than 1 MiB; log it in parts or as a file",
            Self::TypeConflict => "the variable has another type; use another path",
            Self::InvalidPath => "the path was not valid; see the first warning",
            Self::Immutable => "a parameter is fixed once set; use a property for what changes",
            Self::NotFinite => "log_metric skips NaN and infinity; use a series handle to keep them",
            Self::Stopped => "the experiment had been stopped; attach to it again to log more",
            Self::Forked => "a forked process must attach to the experiment itself",
            Self::TooManySeries => "one writer can name at most 2^32 - 1 series",
            Self::Damaged => "bytes of the journal were damaged; they were set aside, see neptune doctor",
            Self::InvalidStep => {
                "a step is a finite number, and by the `send_` methods greater than the last of its log"
            }
            Self::NotANumber => "a metric takes numbers; see the first warning for the place",
            Self::StorageLimit => {
                "files take as much room as they may; delete artifacts and run neptune gc, or raise NEPTUNE_STORAGE_LIMIT"
            }
            Self::Conflict => {
                "a rename, undo or fork found its name taken, or nothing to work on; see neptune revisions and try again"
            }
        }
    }
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much was not kept, by reason.
///
/// ```
/// use neptune_format::{LostReason, LostReport};
/// let mut lost = LostReport::default();
/// assert!(lost.is_empty());
/// lost.add(LostReason::NotFinite, 2);
/// assert_eq!(lost.to_string(), "2 not_finite");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LostReport {
    counts: [u64; LostReason::ALL.len()],
}

impl LostReport {
    /// Adds `count` under `reason`.
    pub fn add(&mut self, reason: LostReason, count: u64) {
        if let Some(total) = self.counts.get_mut(usize::from(reason as u8)) {
            *total = total.saturating_add(count);
        }
    }

    /// How many were not kept for `reason`.
    pub fn count(&self, reason: LostReason) -> u64 {
        self.counts.get(usize::from(reason as u8)).copied().unwrap_or(0)
    }

    /// How many were not kept in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether everything was kept.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// The reasons with a count above zero, in the order of [`LostReason::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (LostReason, u64)> + '_ {
        LostReason::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for LostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (index, (reason, count)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_number_and_its_name() {
        for (number, reason) in LostReason::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(reason as u8), number);
            assert_eq!(LostReason::from_name(reason.name()), Some(reason));
        }
    }
}
