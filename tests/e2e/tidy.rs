//! The rules of the house that no compiler holds.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace").to_owned()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 50, "only {} files were found", found.len());
    found
}

/// The workspace crates that a crate depends on, outside of its tests.
fn dependencies(package: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]" && line.starts_with("neptune-") {
            found.push(line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn crates_depend_only_along_the_allowed_edges() {
    let allowed: [(&str, &[&str]); 9] = [
        ("neptune-format", &[]),
        ("neptune-store", &["neptune-format"]),
        ("neptune-core", &["neptune-format", "neptune-store"]),
        ("neptune-tracing", &["neptune-core"]),
        ("integrations/neptune-burn", &["neptune-core"]),
        ("integrations/neptune-candle", &["neptune-core"]),
        ("integrations/neptune-polars", &["neptune-core"]),
        ("neptune-server", &["neptune-core", "neptune-store"]),
        ("neptune-cli", &["neptune-core", "neptune-store", "neptune-server"]),
    ];
    for (package, allowed) in allowed {
        for dependency in dependencies(package) {
            assert!(allowed.contains(&dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
    let core = fs::read_to_string(root().join("neptune-core/Cargo.toml")).unwrap();
    assert!(core.contains("neptune-store = { workspace = true, optional = true }"), "a trainer may do without SQL");
    assert!(!core.contains("tokio"), "neptune-core has no async runtime");
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with `//! `", path.display());
    }
}

#[test]
fn every_file_has_one_idea() {
    const MOST: usize = 500;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        let production = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = production.lines().count();
        assert!(lines <= MOST, "{} has {lines} lines; split it", path.display());
    }
}

#[test]
fn sources_are_ascii() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            assert!(line.is_ascii(), "{}:{number} is not ASCII: {line}", path.display());
        }
    }
}

/// A chunk that is removed hands its bytes on to those that share them.
#[test]
fn chunks_are_removed_in_one_place() {
    let words = ["DELETE FROM", " chunk"].concat();
    for path in sources() {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&words) || name == "neptune-store/src/apply/rows.rs", "{name} removes chunks");
    }
}

#[test]
fn unsafe_code_stands_in_its_few_places() {
    let allowed = [
        "neptune-core/src/clock.rs",
        "neptune-core/src/console/ffi.rs",
        "neptune-core/src/fork.rs",
        "neptune-core/src/journal/mapping.rs",
        "neptune-core/src/journal/ring.rs",
        "tests/child/code.rs",
        "tests/child/console.rs",
        "neptune-core/src/signal.rs",
        "tests/child/lifecycle.rs",
        "tests/child/main.rs",
        "benches/src/floor.rs",
    ];
    for path in sources() {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let word = ["unsafe", " {"].concat();
        if text.contains(&word) || text.contains(&word.replace(" {", " fn")) {
            assert!(
                allowed.contains(&name.as_str()) || name == "tests/e2e/tidy.rs",
                "{name} has unsafe code; it belongs in the journal's mapping"
            );
        }
    }
}
