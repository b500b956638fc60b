//! What `git status` says, read.

/// Names of untracked files that are kept.
const MOST_UNTRACKED: usize = 1000;

/// Bytes of those names: they are kept in one record.
const MOST_BYTES: usize = 128 << 10;

/// The state of a work tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// `None` before the first commit.
    pub(super) commit: Option<String>,
    /// `None` with a detached head.
    pub(super) branch: Option<String>,
    pub(super) upstream: Option<String>,
    /// How many commits the upstream branch does not have, and has besides.
    pub(super) ahead: Option<u64>,
    pub(super) behind: Option<u64>,
    /// Whether a tracked file differs from the commit.
    pub(super) is_dirty: bool,
    /// Files and folders that are neither tracked nor ignored, in order; folders end in a slash.
    pub(super) untracked: Vec<String>,
    /// Of those, how many are not in the list.
    pub(super) more_untracked: u64,
}

impl Status {
    /// Reads what `git status --porcelain=v2 --branch --no-renames -z` says. `is_ours` says which untracked names are
    /// neptune's own.
    pub(super) fn read(said: &[u8], is_ours: impl Fn(&str) -> bool) -> Self {
        let (mut status, mut bytes) = (Self::default(), 0);
        for entry in said.split(|byte| *byte == 0) {
            let entry = String::from_utf8_lossy(entry);
            let Some((kind, rest)) = entry.split_once(' ') else { continue };
            match kind {
                "#" => status.header(rest),
                "?" if is_ours(rest) => {}
                "?" if status.untracked.len() < MOST_UNTRACKED && bytes + rest.len() <= MOST_BYTES => {
                    bytes += rest.len();
                    status.untracked.push(rest.to_owned());
                }
                "?" => status.more_untracked += 1,
                "1" | "2" | "u" => status.is_dirty = true,
                _ => {}
            }
        }
        status
    }

    fn header(&mut self, header: &str) {
        let Some((name, value)) = header.split_once(' ') else { return };
        let known = |nothing: &str| (value != nothing).then(|| value.to_owned());
        match name {
            "branch.oid" => self.commit = known("(initial)"),
            "branch.head" => self.branch = known("(detached)"),
            "branch.upstream" => self.upstream = Some(value.to_owned()),
            "branch.ab" => {
                let mut counts = value.split(' ').map(|count| count.trim_start_matches(['+', '-']).parse().ok());
                self.ahead = counts.next().flatten();
                self.behind = counts.next().flatten();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_of_a_work_tree_is_read() {
        let said = b"# branch.oid 0123\0# branch.head main\0# branch.upstream origin/main\0# branch.ab +2 -1\0\
                     1 .M N... 100644 100644 100644 a b src/main.rs\0? notes/\0? .neptune/\0? a b\0";
        let status = Status::read(said, |name| name == ".neptune/");
        let wanted = Status {
            commit: Some("0123".into()),
            branch: Some("main".into()),
            upstream: Some("origin/main".into()),
            ahead: Some(2),
            behind: Some(1),
            is_dirty: true,
            untracked: vec!["notes/".into(), "a b".into()],
            more_untracked: 0,
        };
        assert_eq!(status, wanted);
    }

    #[test]
    fn a_detached_head_and_no_commit_are_nothing() {
        assert_eq!(Status::read(b"# branch.oid (initial)\0# branch.head (detached)\0", |_| false), Status::default());
        assert_eq!(Status::read(b"\xff\0 \0#\0# x\0? \0", str::is_empty), Status::default());
    }

    #[test]
    fn too_many_untracked_files_are_counted() {
        let said = "? a\0".repeat(MOST_UNTRACKED + 7);
        assert_eq!(Status::read(said.as_bytes(), |_| false).more_untracked, 7);
    }
}
