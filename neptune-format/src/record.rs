//! Everything a writer can say besides points: the rare records, serialised with postcard.
//!
//! Variants are only ever added at the end, and a variant never changes: the number of a variant and the order of its
//! fields are the format.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ExperimentId, ProjectName, RevisionId},
    path::VariablePath,
    value::{AtomValue, Content, Timestamp},
};

/// How a writer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// It was stopped on purpose, with its work done.
    Succeeded,
    /// It failed: an error, a panic, or it was dropped or died without being stopped.
    Failed,
    /// Somebody stopped it before its work was done.
    Aborted,
}

/// A record of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Record {
    /// The first record of every writer. Creates the experiment when it is new.
    Opened {
        /// The project of the experiment.
        project: ProjectName,
        /// When the writer began.
        time: Timestamp,
        /// The machine.
        host: String,
        /// The process.
        pid: u32,
        /// Who ran it.
        owner: String,
    },
    /// Names a series: points of `series` in this journal belong to `path` from here on.
    Define {
        /// The number of the series in this journal.
        series: u32,
        /// The path of the variable.
        path: VariablePath,
        /// What its points hold.
        content: Content,
    },
    /// Sets an atom.
    Assign {
        /// The path of the variable.
        path: VariablePath,
        /// Its new value.
        value: AtomValue,
    },
    /// Adds members to a set.
    AddMembers {
        /// The path of the set.
        path: VariablePath,
        /// What is added.
        members: Vec<String>,
    },
    /// Removes members from a set; those that are not in it are ignored.
    RemoveMembers {
        /// The path of the set.
        path: VariablePath,
        /// What is removed.
        members: Vec<String>,
    },
    /// Replaces the members of a set.
    ResetMembers {
        /// The path of the set.
        path: VariablePath,
        /// What it holds from here on.
        members: Vec<String>,
    },
    /// Deletes a variable and everything it held. Its path may then take another type.
    Delete {
        /// The path of the variable.
        path: VariablePath,
    },
    /// A thread of the writer panicked. Kept so that a process that dies of it can be explained.
    Panicked {
        /// When.
        time: Timestamp,
        /// The message, with the place in the source.
        message: String,
    },
    /// The last record of a writer that ended in good order.
    Closed {
        /// When.
        time: Timestamp,
        /// How it ended.
        outcome: Outcome,
        /// Why, when it did not succeed.
        reason: Option<String>,
    },
    /// The first record of a writer that only edits: it changes variables, and neither its life nor its end changes the
    /// state of the experiment. What it makes, when there is no such experiment, has no state: it is no run.
    Editing {
        /// The project of the experiment.
        project: ProjectName,
        /// When the writer began.
        time: Timestamp,
        /// The machine.
        host: String,
        /// The process.
        pid: u32,
        /// Who edits.
        owner: String,
    },
    /// Deletes points, until [`Record::Undo`]. It covers those with `first <= step <= last` whose time is not later than
    /// `time`, by whatever writer they were logged and whenever they reach the store. Of its own writer it covers those
    /// that stand before it in the journal, and none that stand behind it.
    DeletePoints {
        /// What names this change.
        revision: RevisionId,
        /// The series; `None` for every series that is on the steps of the experiment, which is to rewind it.
        path: Option<VariablePath>,
        /// The least step that is deleted. Rewinding to a step deletes from the next greater double on.
        first: f64,
        /// The greatest step that is deleted; infinite when there is no bound.
        last: f64,
        /// When.
        time: Timestamp,
    },
    /// Gives a variable another path, for all writers of the experiment, until [`Record::Undo`].
    Rename {
        /// What names this change.
        revision: RevisionId,
        /// The path that it has.
        from: VariablePath,
        /// The path that it gets. No variable may be there.
        to: VariablePath,
        /// When.
        time: Timestamp,
    },
    /// The experiment begins with the series of another, up to a step. Stands directly behind [`Record::Opened`] in the
    /// journal of the first writer.
    Forked {
        /// The other experiment.
        parent: ExperimentId,
        /// The greatest step that is taken over.
        step: f64,
        /// When.
        time: Timestamp,
    },
    /// Undoes a change that [`Record::DeletePoints`] or [`Record::Rename`] made.
    Undo {
        /// Which.
        revision: RevisionId,
        /// When.
        time: Timestamp,
    },
}

impl Record {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a record holds only types that postcard can serialise")
    }

    /// The bytes of the texts in the record: what it takes at least, known without encoding it.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Opened { host, owner, .. } | Self::Editing { host, owner, .. } => {
                host.len().saturating_add(owner.len())
            }
            Self::Assign { value: AtomValue::String(text) | AtomValue::Json(text), .. }
            | Self::Panicked { message: text, .. }
            | Self::Closed { reason: Some(text), .. } => text.len(),
            Self::AddMembers { members, .. }
            | Self::RemoveMembers { members, .. }
            | Self::ResetMembers { members, .. } => {
                members.iter().fold(0, |bytes, member| bytes.saturating_add(member.len()))
            }
            _ => 0,
        }
    }

    /// The record in `bytes`, all of them.
    ///
    /// # Errors
    /// When the bytes are not a record of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        match postcard::take_from_bytes(bytes)? {
            (record, []) => Ok(record),
            (_, _) => Err(postcard::Error::DeserializeBadEncoding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let path = VariablePath::new("train/loss").unwrap();
        let records = [
            Record::Opened {
                project: "a/b".parse().unwrap(),
                time: Timestamp::from_micros(-1),
                host: "h".into(),
                pid: 7,
                owner: "o".into(),
            },
            Record::Define { series: 3, path: path.clone(), content: Content::Float },
            Record::Assign { path: path.clone(), value: AtomValue::Float(f64::INFINITY) },
            Record::AddMembers { path, members: vec!["x".into(), String::new()] },
            Record::Closed { time: Timestamp::from_micros(9), outcome: Outcome::Failed, reason: None },
            Record::Editing {
                project: "a/b".parse().unwrap(),
                time: Timestamp::from_micros(1),
                host: "h".into(),
                pid: 8,
                owner: "o".into(),
            },
            Record::DeletePoints {
                revision: RevisionId::from_bytes([7; 16]),
                path: None,
                first: 3.0_f64.next_up(),
                last: f64::INFINITY,
                time: Timestamp::from_micros(2),
            },
            Record::Rename {
                revision: RevisionId::from_bytes([8; 16]),
                from: VariablePath::new("a").unwrap(),
                to: VariablePath::new("b").unwrap(),
                time: Timestamp::from_micros(3),
            },
            Record::Forked { parent: ExperimentId::from_bytes([9; 16]), step: -0.5, time: Timestamp::from_micros(4) },
            Record::Undo { revision: RevisionId::from_bytes([8; 16]), time: Timestamp::from_micros(5) },
        ];
        for record in records {
            assert_eq!(Record::decode(&record.encode()).unwrap(), record);
        }
    }

    #[test]
    fn trailing_bytes_and_bad_paths_are_refused() {
        let mut bytes = Record::Delete { path: VariablePath::new("ab").unwrap() }.encode();
        bytes.push(0);
        assert!(Record::decode(&bytes).is_err());
        bytes.pop();
        *bytes.last_mut().unwrap() = b'/';
        assert!(Record::decode(&bytes).is_err());
    }
}
