//! [`Snapshot`]: the files of which a copy is kept, chosen and hashed.
//!
//! Nothing outside of the folder is taken, through no `..` and no link. What is left out is counted, with the reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use neptune_format::{AtomValue, ObjectId, VariablePath};
use rustix::fs::{Mode, OFlags};
use serde_json::json;

use super::{
    cargo, names,
    pattern::Pattern,
    secrets,
    walk::{is_aside, walk},
};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    files: usize,
    bytes_of_one: u64,
    bytes: u64,
}

/// When nothing was said: sources are smaller.
const USUAL: Limits = Limits { files: 2_000, bytes_of_one: 1 << 20, bytes: 16 << 20 };

/// When files were named.
const NAMED: Limits = Limits { files: 10_000, bytes_of_one: 16 << 20, bytes: 256 << 20 };

/// What was left out of a snapshot.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    count: u64,
    /// The first of them, each with the reason.
    first: Vec<(String, String)>,
}

impl LeftOut {
    pub(super) fn add(&mut self, name: &str, reason: impl Into<String>) {
        const MOST: usize = 100;
        self.count += 1;
        if self.first.len() < MOST {
            self.first.push((name.to_owned(), reason.into()));
        }
    }

    /// What is logged of it, if there is anything.
    pub(super) fn atom(&self) -> Option<AtomValue> {
        let first: Vec<_> = self.first.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect();
        (self.count > 0).then(|| AtomValue::Json(json!({ "count": self.count, "first": first }).to_string()))
    }

    /// A line about it, if there is anything.
    pub(super) fn notice(&self) -> Option<String> {
        let (name, reason) = self.first.first()?;
        let more = self.count - 1;
        let more = if more > 0 { format!("; and {more} more, see source_code/left_out") } else { String::new() };
        Some(format!("of the sources {name:?} was left out: {reason}{more}"))
    }
}

/// A file of which a copy is kept.
#[derive(Debug)]
pub(super) struct Chosen {
    path: PathBuf,
    object: ObjectId,
    size: u64,
}

impl Chosen {
    /// What identifies the content that it had when it was chosen.
    pub(super) const fn object(&self) -> &ObjectId {
        &self.object
    }

    /// What is in the file, if that is what was in it when it was chosen.
    pub(super) fn content(&self) -> Result<Vec<u8>, String> {
        let content = read(&self.path, self.size);
        let is_same = |content: &Vec<u8>| ObjectId::from_bytes(*blake3::hash(content).as_bytes()) == self.object;
        match content {
            Ok(content) if is_same(&content) => Ok(content),
            Err(error) if error.kind() != io::ErrorKind::FileTooLarge => Err(error.to_string()),
            _ => Err("it changed while it was to be kept".to_owned()),
        }
    }
}

/// The files of which a copy is kept, by the names they have then.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) files: BTreeMap<String, Chosen>,
    pub(super) left_out: LeftOut,
}

/// Chooses files below one folder.
pub(super) struct Chooser<'a> {
    base: &'a Path,
    /// The folder without links.
    real_base: PathBuf,
    /// Where experiments are kept.
    neptune: &'a Path,
    is_over: &'a dyn Fn() -> bool,
    limits: Limits,
    bytes: u64,
    found: Snapshot,
}

impl<'a> Chooser<'a> {
    fn new(base: &'a Path, neptune: &'a Path, is_over: &'a dyn Fn() -> bool, limits: Limits) -> Self {
        let real_base = fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
        Self { base, real_base, neptune, is_over, limits, bytes: 0, found: Snapshot::default() }
    }

    /// What the program was compiled of, as far as it lies in the folder: the files that cargo listed, with the manifests of
    /// their packages; or without a list those of the package at `home`.
    pub(super) fn usual(
        base: &'a Path,
        home: Option<&Path>,
        compiled: Option<&[PathBuf]>,
        neptune: &'a Path,
        is_over: &'a dyn Fn() -> bool,
    ) -> Snapshot {
        let mut chooser = Self::new(base, neptune, is_over, USUAL);
        let mut files: BTreeSet<PathBuf> = BTreeSet::new();
        let mut manifests: BTreeSet<PathBuf> =
            ["rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml"].map(|name| base.join(name)).into();
        manifests.extend(base.ancestors().take(1).chain(home).map(|folder| folder.join(cargo::MANIFEST)));
        if let Some(compiled) = compiled {
            // Not what was made while it was built.
            let is_source = |file: &&PathBuf| {
                let folders = file.ancestors().skip(1).take_while(|folder| *folder != base);
                file.starts_with(base) && !folders.into_iter().any(|folder| is_aside(folder, neptune))
            };
            let compiled = compiled.iter().filter(is_source);
            files.extend(compiled.clone().cloned());
            manifests.extend(compiled.filter_map(|file| Some(cargo::package(file)?.join(cargo::MANIFEST))));
        } else if let Some(home) = home {
            manifests.insert(home.join("build.rs"));
            let sources = walk(&home.join("src"), neptune, is_over).files;
            files.extend(sources.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")));
        }
        files.extend(manifests.into_iter().filter(|file| file.is_file()));
        for file in files {
            chooser.add_found(&file);
        }
        chooser.found
    }

    /// What was named.
    pub(super) fn named(
        base: &'a Path,
        patterns: &[Pattern],
        neptune: &'a Path,
        is_over: &'a dyn Fn() -> bool,
    ) -> Snapshot {
        let mut chooser = Self::new(base, neptune, is_over, NAMED);
        let mut whole: Option<Vec<PathBuf>> = None;
        for pattern in patterns {
            match pattern {
                Pattern::Path(name) => chooser.add_named(name),
                Pattern::Matching(regex) => {
                    let files = whole.get_or_insert_with(|| chooser.walk(base));
                    let files = files.iter().filter(|file| regex.is_match(&chooser.name_of(file)));
                    let files: Vec<PathBuf> = files.cloned().collect();
                    if files.is_empty() {
                        chooser.found.left_out.add(regex.as_str(), "no file has such a name");
                    }
                    for file in files {
                        chooser.add_found(&file);
                    }
                }
            }
        }
        chooser.found
    }

    fn add_named(&mut self, name: &str) {
        let path = self.base.join(name);
        match path.metadata() {
            Ok(found) if found.is_dir() => {
                for file in self.walk(&path) {
                    self.add_found(&file);
                }
            }
            Ok(found) if found.is_file() => self.add(&path),
            Ok(_) => self.found.left_out.add(name, "it is neither a file nor a folder"),
            Err(error) => self.found.left_out.add(name, error.to_string()),
        }
    }

    fn walk(&mut self, folder: &Path) -> Vec<PathBuf> {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if !real.starts_with(&self.real_base) {
            let name = self.name_of(folder);
            self.found.left_out.add(&name, OUTSIDE);
            return Vec::new();
        }
        let walked = walk(folder, self.neptune, self.is_over);
        for (folder, reason) in walked.unreadable {
            let name = self.name_of(&folder);
            self.found.left_out.add(&name, reason);
        }
        if walked.is_cut {
            self.found.left_out.add(&self.name_of(folder), "there are too many files below it");
        }
        walked.files
    }

    /// A file that was not named itself.
    fn add_found(&mut self, path: &Path) {
        // A link has the name that somebody gave it.
        let is_secret = looks_secret(path) || fs::canonicalize(path).is_ok_and(|real| looks_secret(&real));
        if is_secret {
            let name = self.name_of(path);
            self.found
                .left_out
                .add(&name, "its name looks like that of a secret; name the file itself to have it kept");
        } else {
            self.add(path);
        }
    }

    fn add(&mut self, path: &Path) {
        let name = self.name_of(path);
        if (self.is_over)() || self.found.files.contains_key(&name) {
            return;
        }
        match self.chosen(path, &name) {
            Ok(chosen) => {
                self.bytes += chosen.size;
                self.found.files.insert(name, chosen);
            }
            Err(reason) => self.found.left_out.add(&name, reason),
        }
    }

    fn chosen(&self, path: &Path, name: &str) -> Result<Chosen, String> {
        VariablePath::within(&format!("{}/files", names::CODE), name).map_err(|error| error.to_string())?;
        let real = fs::canonicalize(path).map_err(|error| error.to_string())?;
        if !real.starts_with(&self.real_base) {
            return Err(OUTSIDE.to_owned());
        }
        let Limits { files, bytes_of_one, bytes } = self.limits;
        if self.found.files.len() >= files {
            return Err(format!("there are more than {files} files"));
        }
        let too_much = || format!("all files together have more than {bytes} bytes");
        // Before it is read: whoever names a folder of data has thousands of these.
        if real.metadata().is_ok_and(|file| file.len() <= bytes_of_one && self.bytes + file.len() > bytes) {
            return Err(too_much());
        }
        let content = read(&real, bytes_of_one).map_err(|error| error.to_string())?;
        let size = content.len() as u64;
        if self.bytes + size > bytes {
            return Err(too_much());
        }
        let object = ObjectId::from_bytes(*blake3::hash(&content).as_bytes());
        Ok(Chosen { path: real, object, size })
    }

    /// The path within the folder, with `/` between its names; that of a name that is not text cannot be used.
    fn name_of(&self, path: &Path) -> String {
        let names = path.strip_prefix(self.base).unwrap_or(path).components();
        let names = names.filter(|name| !matches!(name, std::path::Component::CurDir));
        names.map(|name| name.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    }
}

/// Why a file elsewhere is left out.
const OUTSIDE: &str = "it lies outside of the folder, or a link leads there";

/// Reads a file of `most` bytes at most.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // What is no file may have no end, or wait for somebody already when it is opened.
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let file = File::from(file);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes"));
    if found.len() > most {
        return Err(too_large());
    }
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(too_large());
    }
    Ok(content)
}

/// Whether a file is one of those that usually hold secrets, or settings of cargo with one in them.
fn looks_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_of_cargo = || path.parent().is_some_and(|folder| folder.ends_with(".cargo"));
    secrets::is_file_of_secret(&name)
        || is_of_cargo()
            && read(path, USUAL.bytes_of_one)
                .is_ok_and(|settings| secrets::has_secret_setting(&String::from_utf8_lossy(&settings)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(base: &Path) -> Snapshot {
        let patterns = [Pattern::named("src").unwrap()];
        Chooser::named(base, &patterns, Path::new("/nowhere"), &|| false)
    }

    #[test]
    fn a_file_that_changes_while_it_is_to_be_kept_is_not_taken_for_the_one_that_was_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("src/main.rs");
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(&file, "before").unwrap();
        let snapshot = chosen(folder.path());
        let [main] = &snapshot.files.values().collect::<Vec<_>>()[..] else { panic!("{snapshot:?}") };
        assert_eq!(main.content().unwrap(), b"before");
        for content in ["behind", "before and behind", ""] {
            fs::write(&file, content).unwrap();
            assert!(main.content().unwrap_err().contains("changed"), "{content:?}");
        }
        fs::remove_file(&file).unwrap();
        assert!(main.content().unwrap_err().contains("No such file"));
    }

    #[test]
    fn a_pipe_that_stands_in_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(read(&pipe, 10).unwrap_err().to_string(), "it is no file");
        assert_eq!(read(Path::new("/dev/zero"), 10).unwrap_err().to_string(), "it is no file");
        fs::write(folder.path().join("file"), "12345678901").unwrap();
        assert!(read(&folder.path().join("file"), 10).unwrap_err().to_string().contains("more than 10 bytes"));
        assert_eq!(read(&folder.path().join("file"), 11).unwrap().len(), 11);
    }
}
