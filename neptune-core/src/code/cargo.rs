//! What cargo left behind: the lock file of the program, and the list of the files that it was compiled of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

/// The nearest folder around `home`, itself among them, that has a lock file.
pub(super) fn workspace(home: &Path) -> Option<&Path> {
    home.ancestors().find(|folder| folder.join(LOCK).is_file())
}

/// The folder of the package that `file` belongs to: the nearest around it that has a manifest.
pub(super) fn package(file: &Path) -> Option<&Path> {
    file.ancestors().skip(1).find(|folder| folder.join(MANIFEST).is_file())
}

/// The name of a lock file.
pub(super) const LOCK: &str = "Cargo.lock";

/// The name of a manifest.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// The packages of a lock file by name, each with its versions in order: usually one. Of a package from a git repository the
/// version is followed by the commit.
pub(super) fn dependencies(lock: &str) -> BTreeMap<&str, BTreeSet<String>> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else { continue };
        let commit =
            field("source").filter(|source| source.starts_with("git+")).and_then(|source| source.rsplit_once('#'));
        let version = commit.map_or_else(|| version.to_owned(), |(_, commit)| format!("{version} ({commit})"));
        found.entry(name).or_default().insert(version);
    }
    found
}

/// The files that `executable` was compiled of, without those of other people's packages: cargo writes them beside it.
pub(super) fn compiled_of(executable: &Path) -> Option<Vec<PathBuf>> {
    /// The list of a program of a thousand files has a tenth of this.
    const MOST: u64 = 1 << 20;
    let list = [executable.with_extension("d"), without_hash(executable)?.with_extension("d")];
    let list = list.into_iter().find(|list| list.metadata().is_ok_and(|list| list.is_file() && list.len() <= MOST))?;
    let text = fs::read_to_string(list).ok()?;
    // `PROGRAM: FILE FILE ...`, as for make; other lines repeat it.
    let (_, files) = text.lines().next()?.split_once(": ")?;
    let files = words(files).into_iter().map(PathBuf::from).filter(|file| file.is_absolute());
    let files: Vec<PathBuf> = files.map(without_detours).collect();
    (!files.is_empty()).then_some(files)
}

/// The same file by a path without `..`, which the list has of what a source includes: `src/../data/digits.csv`. Where a link
/// makes `..` lead elsewhere the path stays.
fn without_detours(file: PathBuf) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in file.components() {
        match part {
            Component::ParentDir => drop(straight.pop()),
            Component::CurDir => {}
            part => straight.push(part),
        }
    }
    let is_same =
        fs::canonicalize(&straight).is_ok_and(|real| fs::canonicalize(&file).is_ok_and(|other| real == other));
    if is_same { straight } else { file }
}

/// Programs of tests have a hash in their names, those of examples too where they are built for one; the list is found at
/// either name.
fn without_hash(executable: &Path) -> Option<PathBuf> {
    let name = executable.file_name()?.to_str()?;
    Some(executable.with_file_name(name.rsplit_once('-').map_or(name, |(name, _)| name)))
}

/// What stands between spaces; a space in a name has a backslash before it.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let character = match character {
            ' ' => {
                words.push(String::new());
                continue;
            }
            '\\' if characters.peek() == Some(&' ') => characters.next().unwrap_or(' '),
            other => other,
        };
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_gives_names_and_versions() {
        let lock = "# generated\nversion = 4\n\n[[package]]\nname = \"rand\"\nversion = \"0.8.5\"\n\n[[package]]\nname = \"rand\"\n\
                    version = \"0.9.0\"\nsource = \"registry+https://x\"\ndependencies = [\n \"serde\",\n]\n\n[[package]]\n\
                    name = \"burn\"\nversion = \"0.22.0\"\nsource = \"git+https://u:p@host/burn?rev=a#0123abc\"\n";
        let found = dependencies(lock);
        let versions = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(found.len(), 2);
        assert_eq!(versions("rand"), ["0.8.5", "0.9.0"]);
        assert_eq!(versions("burn"), ["0.22.0 (0123abc)"]);
        assert!(dependencies("[[package]]\nname = \n").is_empty());
    }

    #[test]
    fn the_files_of_a_program_are_read_from_what_cargo_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let list = "/t/debug/train: /w/src/main.rs /w/src/my\\ model.rs\n";
        fs::write(folder.path().join("train.d"), list).unwrap();
        let wanted = ["/w/src/main.rs", "/w/src/my model.rs"].map(PathBuf::from).to_vec();
        for name in ["train", "train-0123456789abcdef"] {
            assert_eq!(compiled_of(&folder.path().join(name)), Some(wanted.clone()));
        }
        assert_eq!(compiled_of(&folder.path().join("other")), None);
    }

    #[test]
    fn what_a_source_includes_from_elsewhere_has_its_own_path_unless_a_link_leads_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for made in ["src", "data", "other/src"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        for file in ["data/digits.csv", "other/words.txt"] {
            fs::write(at(file), "1").unwrap();
        }
        std::os::unix::fs::symlink(at("other/src"), at("linked")).unwrap();
        let included = |name: &str| {
            fs::write(at("train.d"), format!("train: {}\n", at(name).display())).unwrap();
            compiled_of(&at("train")).unwrap()[0].clone()
        };
        assert_eq!(included("src/../data/digits.csv"), at("data/digits.csv"));
        assert_eq!(included("linked/../words.txt"), at("linked/../words.txt"));
        assert_eq!(included("src/../gone.csv"), at("src/../gone.csv"));
    }
}
