//! [`Repository`]: what git knows of the code.
//!
//! A submodule is a repository with settings of its own, so it is asked as one, and not by way of the one around it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

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
const DIFF: [&str; 7] = [
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--full-index",
    "--ignore-submodules=dirty",
];

/// How many submodules are looked into, and how deep: enough for those that a program is compiled of.
const MOST_SUBMODULES: usize = 100;
const DEEPEST: usize = 4;

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
    /// Files that differ and whose names look like those of secrets: what differs in them is in no diff.
    pub(super) secret: BTreeSet<String>,
    /// Why something is missing.
    trouble: Option<String>,
}

/// How many submodules may still be looked into, and how much deeper.
struct Left {
    submodules: usize,
    depth: usize,
}

/// A diff as text.
#[derive(Default)]
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
    /// Asks git. `is_ours` says which untracked files are neptune's own.
    pub(super) fn look(git: &Git<'_>, is_ours: impl Fn(&Path) -> bool) -> Self {
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

    fn ask(&mut self, git: &Git<'_>, is_ours: impl Fn(&Path) -> bool) -> Result<(), Trouble> {
        const COMMIT: [&str; 4] = ["log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%ae%x00%ct%x00%B"];
        let said = git.run(&[&STATUS[..], &["--untracked-files=normal"]].concat(), MOST_LIST);
        let said = match said {
            Ok(said) => said,
            // Without the state of its files, which takes the longest, the commit is known all the same.
            Err(Trouble::TooLong) => {
                self.commit = commit_of(&git.run(&COMMIT, MOST_LIST)?.bytes);
                return Err(Trouble::TooLong);
            }
            Err(other) => return Err(other),
        };
        let top = top_of(git)?;
        // The name that was being told when it was enough is not whole.
        let whole = said.bytes.iter().rposition(|byte| *byte == 0).map_or(0, |at| at + 1);
        let status = Status::read(said.bytes.get(..whole).unwrap_or_default(), |name| is_ours(&top.join(name)));
        if said.is_cut {
            self.trouble = Some("there are too many names for git to list all of them".to_owned());
        }
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
            self.add_changes(git, has_commit, "")?;
        }
        self.look_into_submodules(git, &top, "", &mut Left { submodules: MOST_SUBMODULES, depth: DEEPEST })?;
        if is_ahead {
            self.secret.extend(secret_names(git, "@{upstream}...HEAD", "")?);
            self.unpushed = Some(diff(git, "@{upstream}...HEAD", "")?);
        }
        Ok(())
    }

    /// Adds what differs from the commit, in a repository that lies `within` the outer one.
    fn add_changes(&mut self, git: &Git<'_>, has_commit: bool, within: &str) -> Result<(), Trouble> {
        // Before the first commit, what was added is all that there is.
        let what = if has_commit { "HEAD" } else { "--cached" };
        self.secret.extend(secret_names(git, what, within)?);
        let found = diff(git, what, within)?;
        let changes = self.changes.get_or_insert_default();
        if !changes.is_cut {
            changes.text.extend_from_slice(&found.text);
            changes.is_cut = found.is_cut;
        }
        changes.cut();
        Ok(())
    }

    /// Adds what was changed in the submodules that are checked out below `top`. Files there that are not tracked are not told.
    fn look_into_submodules(
        &mut self,
        git: &Git<'_>,
        top: &Path,
        within: &str,
        left: &mut Left,
    ) -> Result<(), Trouble> {
        let Some(shallower) = left.depth.checked_sub(1) else { return Ok(()) };
        left.depth = shallower;
        for (name, folder) in submodules_of(git, top)? {
            let Some(fewer) = left.submodules.checked_sub(1) else { break };
            left.submodules = fewer;
            let inner = git.within(&folder);
            let said = inner.run(&[&STATUS[..], &["--untracked-files=no"]].concat(), MOST_LIST)?;
            // One that is not there is found to be the repository around it.
            if top_of(&inner)? != folder {
                continue;
            }
            let status = Status::read(&said.bytes, |_| false);
            let within = format!("{within}{name}/");
            if status.is_dirty {
                if let Some(outer) = &mut self.status {
                    outer.is_dirty = true;
                }
                self.add_changes(&inner, status.commit.is_some(), &within)?;
            }
            self.look_into_submodules(&inner, &folder, &within, left)?;
        }
        left.depth += 1;
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
    let shortened = |text: String| text.get(..text.floor_char_boundary(MOST_MESSAGE)).unwrap_or_default().to_owned();
    let (id, author, email) = (fields.next()?, shortened(fields.next()?), shortened(fields.next()?));
    let seconds = fields.next()?.parse().ok()?;
    let message = shortened(fields.next()?.trim_end().to_owned());
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

/// How the state of a work tree is asked for. Of submodules git itself is to tell the commit alone.
const STATUS: [&str; 6] = ["status", "--porcelain=v2", "--branch", "--no-renames", "--ignore-submodules=dirty", "-z"];

/// The top folder of a work tree.
fn top_of(git: &Git<'_>) -> Result<PathBuf, Trouble> {
    let said = git.run(&["rev-parse", "--show-toplevel"], MOST_MESSAGE)?.bytes;
    let top = Path::new(OsStr::from_bytes(said.strip_suffix(b"\n").unwrap_or(&said)));
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| Trouble::Refused(error.to_string()));
    let (top, folder) = (real(top)?, real(git.folder)?);
    if !folder.starts_with(&top) {
        // A setting may have it anywhere: what lies there is none of the code.
        return Err(Trouble::Refused(
            "the work tree of the repository does not hold the folder of the code".to_owned(),
        ));
    }
    Ok(top)
}

/// The submodules that are checked out below `top`, by name.
fn submodules_of(git: &Git<'_>, top: &Path) -> Result<Vec<(String, PathBuf)>, Trouble> {
    let list = top.join(".gitmodules");
    let Some(file) = list.to_str().filter(|_| list.is_file()) else { return Ok(Vec::new()) };
    let said = match git.run(&["config", "-z", "--file", file, "--get-regexp", r"^submodule\..*\.path$"], MOST_LIST) {
        Ok(said) => said.bytes,
        // There are none, or the file is none that git can read.
        Err(Trouble::Refused(_)) => return Ok(Vec::new()),
        Err(trouble) => return Err(trouble),
    };
    let submodule = |entry: &str| {
        let (_, name) = entry.split_once('\n')?;
        let name = name.trim_end_matches('/');
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let folder = fs::canonicalize(top.join(name)).ok()?;
        let is_there = is_below && folder.starts_with(top) && folder != top && folder.join(".git").exists();
        is_there.then(|| (name.to_owned(), folder))
    };
    Ok(String::from_utf8_lossy(&said).split('\0').filter_map(submodule).collect())
}

/// The files that differ and whose names look like those of secrets.
fn secret_names(git: &Git<'_>, what: &str, within: &str) -> Result<Vec<String>, Trouble> {
    let secret = secrets::FILES.map(|file| format!(":(top,icase,glob)**/{file}"));
    let secret: Vec<&str> = secret.iter().map(String::as_str).collect();
    let said = git.run(&[&DIFF[..], &["--name-only", "-z", what, "--"], &secret[..]].concat(), MOST_LIST)?.bytes;
    let names = said.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| format!("{within}{}", String::from_utf8_lossy(name))).collect())
}

/// What differs, but in files whose names look like those of secrets.
fn diff(git: &Git<'_>, what: &str, within: &str) -> Result<Diff, Trouble> {
    let prefixes = [format!("--src-prefix=a/{within}"), format!("--dst-prefix=b/{within}")];
    let but = secrets::FILES.map(|file| format!(":(top,exclude,icase,glob)**/{file}"));
    let mut arguments = DIFF.to_vec();
    arguments.extend(prefixes.iter().map(String::as_str));
    arguments.extend([what, "--", ":(top)"]);
    arguments.extend(but.iter().map(String::as_str));
    let Said { bytes: text, is_cut } = git.run(&arguments, MOST_DIFF)?;
    let mut diff = Diff { text, is_cut };
    diff.cut();
    Ok(diff)
}

impl Diff {
    /// Where it is too long, says so at its end.
    fn cut(&mut self) {
        let note = format!("# cut by neptune: the diff is longer than {MOST_DIFF} bytes\n");
        if self.text.ends_with(note.as_bytes()) || !(self.is_cut || self.text.len() > MOST_DIFF) {
            return;
        }
        self.is_cut = true;
        self.text.truncate(MOST_DIFF);
        // Up to the end of a line, so that what is there reads as it was.
        let end = self.text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.text.truncate(end);
        self.text.extend_from_slice(note.as_bytes());
    }
}
