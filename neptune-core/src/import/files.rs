//! [`Files`]: the files that a JSON file names, and which of them it may name.
//!
//! A file that somebody else wrote must not take a key or a password into an experiment: what it names lies in its own folder,
//! or in one that the caller allows, also behind links.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::code;

/// What makes a path a pattern.
const SIGNS: [char; 3] = ['*', '?', '['];

/// Where the files are that a JSON file names.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The folder of the JSON file, from which relative paths begin.
    folder: PathBuf,
    /// The folders that a file may lie in, without links: the one of the JSON file, then those that the caller allows.
    allowed: Vec<PathBuf>,
    /// Whether images are opened when they are named, to see that they are some.
    pub(super) looks_into_images: bool,
}

/// A file or a folder that is there and may be named.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Its path within the folder that allows it, with `/`. Empty of that folder itself.
    pub(super) within: String,
    pub(super) is_folder: bool,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Missing(String),
    Other(String),
}

impl Files {
    /// The files beside `json`, and those in `allowed`. Folders that are not there allow nothing.
    pub(super) fn beside(json: &Path, allowed: &[PathBuf]) -> Self {
        let folder = match json.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => json.to_owned(),
        };
        let folders = std::iter::once(&folder).chain(allowed);
        let allowed = folders.filter_map(|folder| fs::canonicalize(folder).ok()).collect();
        Self { folder, allowed, looks_into_images: true }
    }

    /// The same, with images that were looked into before.
    pub(super) fn without_a_look(&self) -> Self {
        Self { looks_into_images: false, ..self.clone() }
    }

    /// Whether a path may stand for several.
    pub(super) fn is_pattern(path: &str) -> bool {
        path.contains(SIGNS)
    }

    /// The file or folder at `path`.
    pub(super) fn find(&self, path: &str) -> Result<Found, Unusable> {
        let missing = || {
            let folder = self.folder.display();
            Unusable::Missing(format!("FileNotFound: there is no file or folder {path:?}, seen from {folder}"))
        };
        if path.is_empty() {
            return Err(Unusable::Other("the name of a file is empty".to_owned()));
        }
        let whole = self.folder.join(path);
        let real = fs::canonicalize(&whole).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory => missing(),
            _ => Unusable::Other(format!("{path:?} cannot be read: {error}")),
        })?;
        self.check(&real, path)
    }

    fn check(&self, real: &Path, shown: &str) -> Result<Found, Unusable> {
        let within = self.allowed.iter().find_map(|folder| real.strip_prefix(folder).ok());
        let Some(within) = within else {
            return Err(Unusable::Other(format!(
                "{shown:?} lies outside of the folder of this file; allow the folder that it lies in with --files-from"
            )));
        };
        let names: Option<Vec<&str>> = within.iter().map(|name| name.to_str()).collect();
        let within = names.ok_or_else(|| Unusable::Other(format!("the name of {shown:?} is not UTF-8")))?.join("/");
        let metadata =
            fs::metadata(real).map_err(|error| Unusable::Other(format!("{shown:?} cannot be read: {error}")))?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(Unusable::Other(format!("{shown:?} is neither a file nor a folder")));
        }
        Ok(Found { path: real.to_owned(), within, is_folder: metadata.is_dir() })
    }

    /// The files that a pattern of paths matches, each with its path within the folder that allows it, in order. What cargo
    /// built, git and neptune are left out.
    pub(super) fn matching(&self, pattern: &str) -> Result<Vec<(String, PathBuf)>, Unusable> {
        let first = pattern.find(SIGNS).unwrap_or(pattern.len());
        let (folder, names) = match pattern.get(..first).and_then(|plain| plain.rfind('/')) {
            Some(0) => ("/", pattern.get(1..)),
            Some(end) => (pattern.get(..end).unwrap_or_default(), pattern.get(end + 1..)),
            None => (".", Some(pattern)),
        };
        let names = names.unwrap_or_default();
        let matches = code::glob(names).map_err(|error| Unusable::Other(error.to_string()))?;
        let depth = if names.contains("**") { usize::MAX } else { names.matches('/').count() };
        let Found { path, within, is_folder } = self.find(folder)?;
        let is_wanted = |name: &str, is_folder: bool| {
            if is_folder {
                name.matches('/').count() < depth && !code::is_aside(&path.join(name), Path::new(""))
            } else {
                matches.is_match(name)
            }
        };
        let files = if is_folder { self.below(&path, is_wanted)? } else { Vec::new() };
        if files.is_empty() {
            let folder = self.folder.display();
            return Err(Unusable::Missing(format!(
                "FileNotFound: there is no file that {pattern:?} matches, seen from {folder}"
            )));
        }
        let whole = |name: String| if within.is_empty() { name } else { format!("{within}/{name}") };
        Ok(files.into_iter().map(|(name, file)| (whole(name), file)).collect())
    }

    /// The files in a folder that was found, each with its path in it, in order.
    pub(super) fn in_folder(&self, folder: &Path) -> Result<Vec<(String, PathBuf)>, Unusable> {
        self.below(folder, |_, _| true)
    }

    /// The files below a folder that are wanted, by their paths in it, as are the folders that are looked into; in order.
    /// Links are followed to files that may be named, and to no folders, which might go around in circles.
    fn below(&self, folder: &Path, is_wanted: impl Fn(&str, bool) -> bool) -> Result<Vec<(String, PathBuf)>, Unusable> {
        let unreadable = |path: &Path, error: io::Error| {
            Unusable::Other(format!("the folder {} cannot be read: {error}", path.display()))
        };
        let mut files = Vec::new();
        let mut folders = vec![(String::new(), folder.to_owned())];
        while let Some((name, folder)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
                let entry = entry.map_err(|error| unreadable(&folder, error))?;
                let kind = entry.file_type().map_err(|error| unreadable(&folder, error))?;
                let file_name = entry.file_name();
                let shown = entry.path().display().to_string();
                let Some(file_name) = file_name.to_str() else {
                    return Err(Unusable::Other(format!("the name of {shown:?} is not UTF-8")));
                };
                let name = if name.is_empty() { file_name.to_owned() } else { format!("{name}/{file_name}") };
                if !is_wanted(&name, kind.is_dir()) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push((name, entry.path()));
                } else if kind.is_file() {
                    files.push((name, entry.path()));
                } else if let Ok(real) = fs::canonicalize(entry.path())
                    && real.is_file()
                {
                    files.push((name, self.check(&real, &shown)?.path));
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_of_other_folders_are_out_of_reach_also_by_links() {
        let here = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let secret = other.path().join("secret");
        fs::write(&secret, "x").unwrap();
        fs::create_dir(here.path().join("a")).unwrap();
        fs::write(here.path().join("a/b.txt"), "x").unwrap();
        symlink(&secret, here.path().join("link")).unwrap();
        symlink(other.path(), here.path().join("folder")).unwrap();
        symlink("a", here.path().join("same")).unwrap();

        let json = here.path().join("run.json");
        let files = Files::beside(&json, &[]);
        for name in ["link", "folder/secret", secret.to_str().unwrap(), "..", "/dev/null", "/"] {
            let Unusable::Other(message) = files.find(name).unwrap_err() else { panic!("{name} is there") };
            assert!(message.contains("outside") && message.contains("--files-from"), "{message}");
        }
        assert_eq!(files.find("same/../a/./b.txt").unwrap().within, "a/b.txt");
        assert!(files.find("a").unwrap().is_folder);
        for name in ["b.txt", "a/b.txt/c", "a\0b", "nothing/../.."] {
            assert!(matches!(files.find(name).unwrap_err(), Unusable::Missing(_)), "{name:?}");
        }
        assert!(files.in_folder(here.path()).is_err(), "the folder has a link that leads out");

        let files = Files::beside(&json, &[other.path().to_owned()]);
        assert_eq!(files.find("link").unwrap().within, "secret");
        let names: Vec<_> = files.in_folder(here.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a/b.txt", "link"], "a link to a folder is not followed");
    }
}
