//! The files below a folder, without what cargo built and what belongs to git or neptune, through no link to a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files and folders that are looked at. More are not the sources of a program.
const MOST: usize = 200_000;

/// What was found below a folder.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The files, in order.
    pub(super) files: Vec<PathBuf>,
    /// Folders that could not be read, and why.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    /// Whether there was too much.
    pub(super) is_cut: bool,
}

/// The files below `folder`. `neptune` is the folder where experiments are kept; `is_over` is asked now and then.
pub(super) fn walk(folder: &Path, neptune: &Path, is_over: &dyn Fn() -> bool) -> Walked {
    let mut walked = Walked::default();
    let mut folders = vec![folder.to_owned()];
    let mut seen = 0;
    while let Some(next) = folders.pop() {
        if is_over() {
            return walked;
        }
        let entries = match fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) => {
                walked.unreadable.push((next, error.to_string()));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    walked.unreadable.push((next, error.to_string()));
                    break;
                }
            };
            seen += 1;
            if seen > MOST {
                walked.is_cut = true;
                walked.files.sort();
                return walked;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.extend(Some(path).filter(|path| !is_aside(path, neptune))),
                // Of links, those to files; pipes and devices have no end.
                Ok(_) if path.is_file() => walked.files.push(path),
                _ => {}
            }
        }
    }
    walked.files.sort();
    walked
}

/// Whether a folder holds what was made and not written.
pub(crate) fn is_aside(folder: &Path, neptune: &Path) -> bool {
    // Cargo marks its folder so, wherever that is.
    let is_cache = folder.join("CACHEDIR.TAG").is_file();
    let is_target = folder.ends_with("target") && folder.with_file_name("Cargo.toml").is_file();
    is_cache || is_target || folder.ends_with(".git") || folder.ends_with(".neptune") || folder == neptune
}
