//! [`Repository`]: what git knows of the code.

use neptune_format::{AtomValue, Timestamp};
use serde_json::{Map, json};

use super::{
    command::{Git, Said, Trouble},
    secrets,
    status::Status,
};

/// The longest diff that is kept, in bytes.
pub(super) const MOST_DIFF: usize = 1 << 20;

/// The longest message of a commit that is kept, in bytes.
const MOST_MESSAGE: usize = 1 << 14;

/// What git is read of its lists.
const MOST_LIST: usize = 1 << 22;

/// A diff is one that is the same on every machine, and runs no program that a repository names.
const DIFF: [&str; 7] =
    ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/"];

/// What git knows of the code.
#[derive(Default)]
pub(super) struct Repository {
    status: Option<Status>,
    commit: Option<Commit>,
    remotes: Vec<(String, String)>,
    /// What differs from the commit in tracked files.
    pub(super) changes: Option<Diff>,
    /// What the commits contain that the upstream branch does not have.
    pub(super) unpushed: Option<Diff>,
    /// Why something is missing.
    trouble: Option<String>,
}

/// A diff as text.
pub(super) struct Diff {
    pub(super) text: Vec<u8>,
    pub(super) is_cut: bool,
}

struct Commit {
    id: String,
    author: String,
    email: String,
    seconds: i64,
    message: String,
}

impl Repository {
    /// Asks git. `is_ours` says which untracked names are neptune's own.
    pub(super) fn look(git: &Git<'_>, is_ours: impl Fn(&str) -> bool) -> Self {
        let mut found = Self::default();
        if let Err(trouble) = found.ask(git, is_ours) {
            found.trouble = Some(match trouble {
                Trouble::NoGit => "git is not installed".to_owned(),
                Trouble::TooLong => "git did not answer in time".to_owned(),
                Trouble::Refused(complaint) if complaint.contains("not a git repository") => "no repository".to_owned(),
                Trouble::Refused(complaint) => secrets::without_credentials(&format!("git: {complaint}")),
            });
        }
        found
    }

    fn ask(&mut self, git: &Git<'_>, is_ours: impl Fn(&str) -> bool) -> Result<(), Trouble> {
        const COMMIT: [&str; 4] = ["log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%ae%x00%ct%x00%B"];
        const STATUS: [&str; 6] =
            ["status", "--porcelain=v2", "--branch", "--no-renames", "--untracked-files=normal", "-z"];
        let said = git.run(&STATUS, MOST_LIST);
        let said = match said {
            Ok(said) => said,
            // Without the state of its files, which takes the longest, the commit is known all the same.
            Err(Trouble::TooLong) => {
                self.commit = commit_of(&git.run(&COMMIT, MOST_LIST)?.bytes);
                return Err(Trouble::TooLong);
            }
            Err(other) => return Err(other),
        };
        let status = Status::read(&said.bytes, is_ours);
        let has_commit = status.commit.is_some();
        let (is_dirty, is_ahead) = (status.is_dirty, status.ahead.is_some_and(|ahead| ahead > 0));
        self.status = Some(status);
        if has_commit {
            self.commit = commit_of(&git.run(&COMMIT, MOST_LIST)?.bytes);
        }
        // It complains when there is none.
        if let Ok(said) = git.run(&["config", "-z", "--get-regexp", r"^remote\..*\.url$"], MOST_LIST) {
            self.remotes = remotes_in(&said.bytes);
        }
        if is_dirty {
            // Before the first commit, what was added is all that there is.
            let what: &[&str] = if has_commit { &["HEAD", "--"] } else { &["--cached", "--"] };
            self.changes = Some(diff(git, what)?);
        }
        if is_ahead {
            self.unpushed = Some(diff(git, &["@{upstream}...HEAD", "--"])?);
        }
        Ok(())
    }

    /// What identifies the code, as far as git knows it.
    pub(super) fn identity(&self) -> impl Iterator<Item = &[u8]> {
        let commit = self.commit.as_ref().map(|commit| commit.id.as_bytes());
        commit.into_iter().chain(self.changes.as_ref().map(|diff| diff.text.as_slice()))
    }

    /// What is logged of it, by name.
    pub(super) fn atoms(&self) -> Vec<(String, AtomValue)> {
        let mut atoms = Vec::new();
        let mut put = |name: &str, value: AtomValue| atoms.push((name.to_owned(), value));
        if let Some(commit) = &self.commit {
            put("commit", commit.id.as_str().into());
            put("message", commit.message.as_str().into());
            put("author", commit.author.as_str().into());
            put("author_email", commit.email.as_str().into());
            put("date", Timestamp::from_micros(commit.seconds.saturating_mul(1_000_000)).into());
        }
        if let Some(status) = &self.status {
            put("dirty", status.is_dirty.into());
            for (name, value) in [("branch", &status.branch), ("upstream", &status.upstream)] {
                if let Some(value) = value {
                    put(name, value.as_str().into());
                }
            }
            for (name, value) in [("ahead", status.ahead), ("behind", status.behind)] {
                if let Some(value) = value {
                    put(name, value.into());
                }
            }
            if !status.untracked.is_empty() {
                put("untracked", AtomValue::Json(json!(status.untracked).to_string()));
            }
            if status.more_untracked > 0 {
                put("untracked_left_out", status.more_untracked.into());
            }
        }
        if !self.remotes.is_empty() {
            let remotes: Map<_, _> =
                self.remotes.iter().map(|(name, address)| (name.clone(), address.as_str().into())).collect();
            put("remotes", AtomValue::Json(json!(remotes).to_string()));
        }
        if let Some(trouble) = &self.trouble {
            put("trouble", trouble.as_str().into());
        }
        atoms
    }
}

fn commit_of(said: &[u8]) -> Option<Commit> {
    let said = String::from_utf8_lossy(said);
    let mut fields = said.splitn(5, '\0').map(str::to_owned);
    let (id, author, email) = (fields.next()?, fields.next()?, fields.next()?);
    let seconds = fields.next()?.parse().ok()?;
    let message = fields.next()?;
    let message = message.trim_end();
    let message = message.get(..message.floor_char_boundary(MOST_MESSAGE)).unwrap_or_default().to_owned();
    Some(Commit { id, author, email, seconds, message })
}

/// The remotes by name, with their addresses.
fn remotes_in(said: &[u8]) -> Vec<(String, String)> {
    let said = String::from_utf8_lossy(said);
    let remote = |entry: &str| {
        let (key, address) = entry.split_once('\n')?;
        let name = key.strip_prefix("remote.")?.strip_suffix(".url")?;
        Some((name.to_owned(), secrets::without_credentials(address)))
    };
    said.split('\0').filter_map(remote).collect()
}

fn diff(git: &Git<'_>, what: &[&str]) -> Result<Diff, Trouble> {
    let Said { bytes: mut text, is_cut } = git.run(&[&DIFF, what].concat(), MOST_DIFF)?;
    if is_cut {
        // Up to the end of a line, so that what is there reads as it was.
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.truncate(end);
        text.extend_from_slice(format!("# cut by neptune: the diff is longer than {MOST_DIFF} bytes\n").as_bytes());
    }
    Ok(Diff { text, is_cut })
}
