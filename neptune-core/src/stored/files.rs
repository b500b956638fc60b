//! Files of an experiment: its artifacts and its sources, to list and to download.

use std::path::{Path, PathBuf};

use neptune_format::{AtomValue, File, ObjectId};
use neptune_store::{objects, read, read::VariableValue};

use super::StoredExperiment;
use crate::{
    download,
    error::{Error, ErrorKind, Result},
};

/// A file of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// Its path among the artifacts, or among the sources, such as `data/images/1.png`.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// The BLAKE3 hash of its content.
    pub digest: ObjectId,
}

impl Artifact {
    /// The last name of its path.
    pub fn name(&self) -> &str {
        last_name(&self.path)
    }
}

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    Artifacts,
    Sources,
}

impl Tree {
    /// The namespaces of its files. A path is that behind the first one that fits.
    const fn namespaces(self) -> &'static [&'static str] {
        match self {
            Self::Artifacts => &["artifacts/"],
            // Besides the files there are differences to the last commit, under `diff/`.
            Self::Sources => &["source_code/files/", "source_code/"],
        }
    }

    /// What it is called, alone and in the name of an archive of everything.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Artifacts => "artifacts",
            Self::Sources => "sources",
        }
    }
}

impl StoredExperiment {
    /// The artifacts at and below `path`, in the order of their paths: one of a file, several of a folder, all of `""`.
    ///
    /// When they were logged is not known: the store keeps of an artifact what it is.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
    /// let experiment = session.experiment().start()?;
    /// experiment.log_artifact(&b"0.93"[..], Some("results/accuracy.txt"))?;
    /// let stored = experiment.stored()?;
    /// let artifacts = stored.artifacts("results")?;
    /// assert_eq!((artifacts[0].path.as_str(), artifacts[0].size), ("results/accuracy.txt", 4));
    /// stored.download_artifact("results/accuracy.txt", Some(&folder.path().join("out")))?;
    /// assert_eq!(std::fs::read(folder.path().join("out/accuracy.txt"))?, b"0.93");
    /// # experiment.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `FileNotFound`, with the nearest paths, when nothing is there, but for `""`; otherwise when the store cannot be read.
    pub fn artifacts(&self, path: &str) -> Result<Vec<Artifact>> {
        self.files(Tree::Artifacts, path)
    }

    /// The artifact at `path`.
    ///
    /// # Errors
    /// `FileNotFound`, with the nearest paths, when there is none, as when it is a folder.
    pub fn artifact(&self, path: &str) -> Result<Artifact> {
        let all = self.all_files(Tree::Artifacts)?;
        match all.iter().find(|file| file.path == trimmed(path)) {
            Some(file) => Ok(file.clone()),
            None => Err(self.no_file(Tree::Artifacts, path, &all)),
        }
    }

    /// The source files at and below `path`, in the order of their paths, as [`StoredExperiment::artifacts`] has artifacts.
    /// Paths are those of the files when they were kept; differences to the last commit are below `diff/`.
    ///
    /// # Errors
    /// As [`StoredExperiment::artifacts`].
    pub fn sources(&self, path: &str) -> Result<Vec<Artifact>> {
        self.files(Tree::Sources, path)
    }

    /// Writes the artifact at `path` into `destination_dir` under its last name, and returns where it is. The folder is made
    /// when it is not there; without one it is the current one. A file of this name is replaced. It appears when it is whole, and
    /// its content is checked against what was logged.
    ///
    /// # Errors
    /// `FileNotFound` when there is no such artifact, or its content is missing; `NotADirectory` when `destination_dir` is
    /// something else; `Corrupt` when the content is damaged; `Unavailable` when it cannot be read or written, because the disk
    /// is full for example. What had its name is still there then.
    pub fn download_artifact(&self, path: &str, destination_dir: Option<&Path>) -> Result<PathBuf> {
        let artifact = self.artifact(path)?;
        let folder = download::folder(destination_dir)?;
        let target = download::within(&folder, artifact.name())?;
        let what = self.what(Tree::Artifacts, &artifact);
        let source = self.content_of(&artifact);
        download::write_out(&what, &source, Some(artifact.digest), &target, &mut |_| ())?;
        Ok(target)
    }

    /// The files of `tree` at and below `path`.
    pub(super) fn files(&self, tree: Tree, path: &str) -> Result<Vec<Artifact>> {
        let all = self.all_files(tree)?;
        let found: Vec<_> = all.iter().filter(|file| is_at_or_below(&file.path, path)).cloned().collect();
        if found.is_empty() && !trimmed(path).is_empty() {
            return Err(self.no_file(tree, path, &all));
        }
        Ok(found)
    }

    /// The artifacts at and below any of `paths`, each once.
    pub(crate) fn artifacts_at<P: AsRef<str>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Vec<Artifact>> {
        let all = self.all_files(Tree::Artifacts)?;
        let mut chosen = vec![false; all.len()];
        for path in paths {
            let path = path.as_ref();
            let mut is_there = trimmed(path).is_empty();
            for (_, chosen) in all.iter().zip(&mut chosen).filter(|(file, _)| is_at_or_below(&file.path, path)) {
                *chosen = true;
                is_there = true;
            }
            if !is_there {
                return Err(self.no_file(Tree::Artifacts, path, &all));
            }
        }
        Ok(all.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(file, _)| file).collect())
    }

    fn all_files(&self, tree: Tree) -> Result<Vec<Artifact>> {
        let (store, key) = self.open()?;
        let namespaces = tree.namespaces();
        let Some(widest) = namespaces.last() else { return Ok(Vec::new()) };
        let variables = store.variables(key, widest)?;
        let file = |variable: read::Variable| {
            let VariableValue::Atom(AtomValue::File(File { object, size })) = variable.value else { return None };
            let path = namespaces.iter().find_map(|namespace| variable.path.strip_prefix(namespace))?;
            Some(Artifact { path: path.to_owned(), size, digest: object })
        };
        let mut files: Vec<_> = variables.into_iter().filter_map(file).collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// The file that holds the content.
    pub(super) fn content_of(&self, artifact: &Artifact) -> PathBuf {
        objects::file_of(self.session.folder(), artifact.digest)
    }

    /// What a file is, for messages.
    pub(super) fn what(&self, tree: Tree, artifact: &Artifact) -> String {
        format!("{}/{} of {}", tree.name(), artifact.path, self.short_id())
    }

    fn no_file(&self, tree: Tree, path: &str, known: &[Artifact]) -> Error {
        let near = read::suggestion(path, known.iter().map(|file| file.path.as_str()));
        let (tree, id) = (tree.name(), self.short_id());
        let is_folder = known.iter().any(|file| is_at_or_below(&file.path, path)) && !path.is_empty();
        let nothing = if is_folder { "a folder, not a file," } else { "nothing" };
        Error::new(ErrorKind::FileNotFound, format!("there is {nothing} at {path:?} among the {tree} of {id}{near}"))
    }
}

/// Whether a file is at `path`, or in the folder at `path`; `""` is the folder of everything.
fn is_at_or_below(file: &str, path: &str) -> bool {
    let path = trimmed(path);
    path.is_empty() || file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A folder may be written with a slash at its end. A slash alone is not everything: it names nothing.
pub(super) fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    }
}

pub(super) fn last_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}
