//! Versions of what is kept: a reader opens every version up to its own and refuses a newer one by name.

/// The version of the journal that this crate writes.
pub const JOURNAL: u16 = 1;

/// Whether this crate reads a journal of `version`.
pub const fn can_read_journal(version: u16) -> bool {
    1 <= version && version <= JOURNAL
}
