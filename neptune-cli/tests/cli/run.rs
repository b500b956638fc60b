//! Running the program as people and scripts do, and what it prints then.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// The program, on the store in the folder `store`, with nobody at its standard input.
pub(crate) fn command(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neptune"));
    command.arg("--dir").arg(store).args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    command.env_remove("NEPTUNE_DIR").env_remove("NEPTUNE_PROJECT");
    command
}

/// Runs it.
pub(crate) fn neptune(store: &Path, arguments: &[&str]) -> Output {
    command(store, arguments).output().unwrap()
}

/// What it printed, when it ended well.
pub(crate) fn printed(store: &Path, arguments: &[&str]) -> String {
    printed_by(neptune(store, arguments), arguments)
}

/// What it said on standard error, when it ended with `code`.
pub(crate) fn said(store: &Path, arguments: &[&str], code: i32) -> String {
    said_by(neptune(store, arguments), arguments, code)
}

/// What it printed, as JSON.
pub(crate) fn json(store: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&printed(store, arguments)).unwrap()
}

/// The program in a folder of its own, with the store in `n` there: for what it reads and writes beside the store.
pub(crate) mod beside {
    use super::{Command, Output, Path, inert, printed_by, said_by};

    pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = super::command(&folder.join("n"), arguments);
        command.current_dir(folder);
        command
    }

    pub(crate) fn neptune(folder: &Path, arguments: &[&str]) -> Output {
        command(folder, arguments).output().unwrap()
    }

    pub(crate) fn printed(folder: &Path, arguments: &[&str]) -> String {
        inert(printed_by(neptune(folder, arguments), arguments))
    }

    pub(crate) fn said(folder: &Path, arguments: &[&str], code: i32) -> String {
        said_by(neptune(folder, arguments), arguments, code)
    }

    pub(crate) fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&printed(folder, arguments)).unwrap()
    }
}

pub(crate) fn printed_by(output: Output, arguments: &[&str]) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    assert!(!error.contains("u{1b}"), "{arguments:?}: what would colour it is told as text: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn said_by(output: Output, arguments: &[&str], code: i32) -> String {
    let error = inert(String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    error
}

/// The text, when there is nothing in it that a terminal would obey.
fn inert(text: String) -> String {
    assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "an escape code reached the terminal: {text}");
    text
}

/// A folder that cannot be written, not by root either, until this is dropped.
#[cfg(unix)]
pub(crate) struct Closed<'a>(&'a Path);

#[cfg(unix)]
impl<'a> Closed<'a> {
    /// `None` where root may not mount; then a test has nothing to show.
    pub(crate) fn new(folder: &'a Path) -> Option<Self> {
        let is_closed = if is_root(folder) {
            let mount = |arguments: &[&str]| {
                Command::new("mount").args(arguments).arg(folder).status().is_ok_and(|status| status.success())
            };
            let here = folder.to_str().unwrap();
            mount(&["--bind", here]) && mount(&["-o", "remount,bind,ro"])
        } else {
            set_mode(folder, 0o555);
            true
        };
        let closed = Self(folder);
        is_closed.then_some(closed)
    }
}

#[cfg(unix)]
impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if is_root(self.0) {
            Command::new("umount").arg(self.0).stderr(Stdio::null()).status().unwrap();
        } else {
            set_mode(self.0, 0o755);
        }
    }
}

/// Whether this process, which made `folder`, is root's.
#[cfg(unix)]
fn is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().unwrap().uid() == 0
}

#[cfg(unix)]
fn set_mode(folder: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
}
