//! What a program is made of is recorded beside its experiment, hurts nobody, and tells no secrets.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use neptune_core::{
    AtomValue, ErrorKind,
    store::{objects, read::VariableValue},
};
use neptune_tests::{Folder, Trainer, wait_for};

/// A folder with code, and one beside it for experiments.
struct Code {
    folder: Folder,
    home: PathBuf,
}

/// The atoms of the only experiment, by path.
#[derive(Debug)]
struct Found(BTreeMap<String, AtomValue>, PathBuf);

impl Code {
    fn new() -> Self {
        let folder = Folder::new();
        let home = folder.path().parent().unwrap().join("code");
        fs::create_dir(&home).unwrap();
        Self { folder, home }
    }

    /// A repository with one commit of `src/main.rs`.
    fn repository() -> Self {
        let code = Self::new();
        code.write("src/main.rs", "fn main() {}\n");
        code.git(&["init", "-q", "-b", "main"]);
        code.commit("the first\n\nwith a body");
        code
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        git_in(&self.home, arguments);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// Starts a program whose package is in `home`.
    fn start_in(&self, home: &Path, path: Option<&OsStr>, settings: &[&str]) -> (Trainer, String) {
        let path = path.map_or_else(|| std::env::var_os("PATH").unwrap(), OsStr::to_owned);
        let environment = [
            ("NEPTUNE_CODE", OsStr::new("on")),
            ("CARGO_MANIFEST_DIR", home.as_os_str()),
            ("CARGO_PKG_NAME", OsStr::new("trainer")),
            ("CARGO_PKG_VERSION", OsStr::new("1.2.3")),
            ("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null")),
            ("GIT_CEILING_DIRECTORIES", self.home.parent().unwrap().as_os_str()),
            ("PATH", path.as_os_str()),
            ("RAYON_NUM_THREADS", OsStr::new("3")),
            ("MY_SETTING", OsStr::new("see https://ada:secret@host/x")),
            ("MY_API_KEY", OsStr::new("secret")),
        ];
        let folder = self.folder.path().to_str().unwrap();
        let mut trainer = Trainer::start_with("code", [&[folder], settings].concat(), environment);
        let id = trainer.line();
        assert!(!id.is_empty(), "the program did not start");
        (trainer, id)
    }

    /// Runs a program whose package is here to its end.
    fn run(&self, settings: &[&str]) -> Found {
        self.run_in(&self.home, None, settings)
    }

    fn run_in(&self, home: &Path, path: Option<&OsStr>, settings: &[&str]) -> Found {
        let (mut trainer, _) = self.start_in(home, path, settings);
        assert_eq!(trainer.line(), "lost nothing");
        assert!(trainer.wait().success());
        self.found()
    }

    fn found(&self) -> Found {
        let (store, key) = (self.folder.store(), self.folder.only_experiment());
        let atoms = store.variables(&key, "").unwrap().into_iter().filter_map(|variable| match variable.value {
            VariableValue::Atom(value) => Some((variable.path, value)),
            _ => None,
        });
        Found(atoms.collect(), self.folder.path().to_owned())
    }
}

fn git_in(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"];
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(identity).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let done = git.output().unwrap();
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Found {
    /// The text of what is at `path`; of a file its content.
    fn text(&self, path: &str) -> String {
        match self.0.get(path) {
            None => String::new(),
            Some(AtomValue::File(file)) => {
                let content = fs::read(objects::file_of(&self.1, file.object)).unwrap();
                assert_eq!(content.len() as u64, file.size);
                String::from_utf8(content).unwrap()
            }
            Some(AtomValue::Bool(value)) => value.to_string(),
            Some(AtomValue::Int(value)) => value.to_string(),
            Some(value) => value.as_str().unwrap().to_owned(),
        }
    }

    fn git(&self, name: &str) -> String {
        self.text(&format!("source_code/git/{name}"))
    }

    /// The names below `prefix`.
    fn below(&self, prefix: &str) -> Vec<&str> {
        self.0.keys().filter_map(|path| path.strip_prefix(prefix)).collect()
    }

    /// What is recorded of the only process.
    fn environment(&self, name: &str) -> String {
        let ending = format!("/environment/{name}");
        let path = self.0.keys().find(|path| path.starts_with("monitoring/") && path.ends_with(&ending));
        path.map(|path| self.text(path)).unwrap_or_default()
    }
}

#[test]
fn a_clean_repository_gives_its_commit_its_branch_and_its_remotes_without_credentials() {
    let code = Code::repository();
    code.git(&["remote", "add", "origin", "https://ada:ghp_secret@example.org/ada/net.git"]);
    let found = code.run(&[]);
    assert_eq!(found.git("commit").len(), 40);
    assert_eq!(found.git("message"), "the first\n\nwith a body");
    assert_eq!((found.git("author"), found.git("author_email")), ("Ada".into(), "ada@example.org".into()));
    assert_eq!((found.git("branch"), found.git("dirty")), ("main".into(), "false".into()));
    assert_eq!(found.git("remotes"), r#"{"origin":"https://example.org/ada/net.git"}"#);
    assert!(matches!(found.0["source_code/git/date"], AtomValue::Datetime(time) if time.as_micros() > 0));
    assert_eq!(found.below("source_code/diff/"), [""; 0]);
    assert_eq!((found.git("untracked"), found.git("trouble")), (String::new(), String::new()));
    assert_eq!(found.text("source_code/digest").len(), 64);
}

#[test]
fn what_was_changed_and_not_committed_is_kept_as_a_diff_with_the_names_of_untracked_files() {
    let code = Code::repository();
    code.write("src/main.rs", "fn main() { train() }\n");
    code.write("notes.txt", "only the name is kept");
    code.git(&["config", "diff.external", "false"]);
    let before = fs::metadata(code.home.join(".git/index")).unwrap().modified().unwrap();
    let found = code.run(&[]);
    assert_eq!((found.git("dirty"), found.git("untracked")), ("true".into(), r#"["notes.txt"]"#.into()));
    let diff = found.text("source_code/diff/head.patch");
    assert!(diff.contains("-fn main() {}\n+fn main() { train() }\n"), "{diff}");
    assert!(!diff.contains("only the name"), "{diff}");
    let after = fs::metadata(code.home.join(".git/index")).unwrap().modified().unwrap();
    assert_eq!(before, after, "the index of the user is not touched");
    assert!(!code.home.join(".git/index.lock").exists());
}

#[test]
fn commits_that_were_not_pushed_are_kept_as_a_diff_against_the_upstream_branch() {
    let code = Code::repository();
    let away = code.home.with_file_name("away.git");
    git_in(&code.home, &["clone", "-q", "--bare", ".", away.to_str().unwrap()]);
    code.git(&["remote", "add", "origin", away.to_str().unwrap()]);
    code.git(&["fetch", "-q", "origin"]);
    code.git(&["branch", "-q", "-u", "origin/main"]);
    code.write("src/main.rs", "fn main() { pushed() }\n");
    code.commit("the second");
    let found = code.run(&[]);
    assert_eq!((found.git("upstream"), found.git("ahead")), ("origin/main".into(), "1".into()));
    assert_eq!((found.git("behind"), found.git("dirty")), ("0".into(), "false".into()));
    assert!(found.text("source_code/diff/upstream.patch").contains("+fn main() { pushed() }"));
    assert_eq!(found.below("source_code/diff/"), ["upstream.patch"]);
}

#[test]
fn a_detached_head_and_a_repository_without_commits_have_what_they_have() {
    let code = Code::repository();
    code.git(&["checkout", "-q", "--detach"]);
    let found = code.run(&[]);
    assert_eq!((found.git("commit").len(), found.git("branch")), (40, String::new()));

    let code = Code::new();
    code.git(&["init", "-q", "-b", "main"]);
    code.write("a.rs", "staged\n");
    code.git(&["add", "a.rs"]);
    let found = code.run(&[]);
    assert_eq!((found.git("commit"), found.git("branch"), found.git("trouble")), ("".into(), "main".into(), "".into()));
    assert_eq!(found.git("dirty"), "true");
    assert!(found.text("source_code/diff/head.patch").contains("+staged"));
}

#[test]
fn without_a_repository_or_without_git_one_atom_says_so() {
    let code = Code::new();
    let found = code.run(&[]);
    assert_eq!(found.below("source_code/git/"), ["trouble"]);
    assert_eq!(found.git("trouble"), "no repository");

    let code = Code::repository();
    let empty = code.home.with_file_name("empty");
    fs::create_dir(&empty).unwrap();
    let found = code.run_in(&code.home, Some(empty.as_os_str()), &[]);
    assert_eq!(found.git("trouble"), "git is not installed");
    assert_eq!(found.below("source_code/git/"), ["trouble"]);

    let found = Code::repository().run(&["without-git"]);
    assert_eq!(found.below("source_code/git/"), [""; 0]);
}

#[test]
fn a_git_that_hangs_does_not_hold_up_the_end_and_is_gone_with_all_that_it_started() {
    let code = Code::repository();
    let programs = code.home.with_file_name("programs");
    fs::create_dir(&programs).unwrap();
    let told = programs.join("told");
    // Its child holds the pipe open.
    let script =
        format!("#!/bin/sh\n/bin/sleep 86399 &\necho $! > {0}.part\n/bin/mv {0}.part {0}\nwait\n", told.display());
    fs::write(programs.join("git"), script).unwrap();
    fs::set_permissions(programs.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let (mut trainer, _) = code.start_in(&code.home, Some(programs.as_os_str()), &["deadline=4", "waits"]);
    let child = wait_for("the child of git", || fs::read_to_string(&told).ok());
    fs::write(code.folder.path().with_extension("enough"), "").unwrap();
    assert_eq!(trainer.line(), "lost nothing");
    assert!(trainer.wait().success());
    let found = code.found();
    assert_eq!(found.text("source_code/digest"), "", "what is not whole has no digest");
    assert_eq!(found.environment("package"), "trainer 1.2.3", "what was known is recorded");
    assert_eq!(found.text("sys/state"), "succeeded");
    wait_for("the end of the child", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z")).then_some(())
    });
}

#[test]
fn a_subfolder_a_worktree_and_a_submodule_are_of_their_repository() {
    let code = Code::repository();
    let commit = code.run(&["without-sources"]).git("commit");

    let other = Code::repository();
    let found = other.run_in(&other.home.join("src"), None, &[]);
    assert_eq!((found.git("branch"), found.git("commit").len()), ("main".into(), 40));

    let worktree = code.home.with_file_name("worktree");
    code.git(&["worktree", "add", "-q", "-b", "side", worktree.to_str().unwrap()]);
    let id = code.folder.only_experiment().uuid.to_string();
    let found = code.run_in(&worktree, None, &[&format!("id={id}"), "without-sources"]);
    let own =
        found.below("source_code/").into_iter().find_map(|path| path.strip_suffix("/git/branch")).map(str::to_owned);
    assert_eq!(own, None, "the same commit without changes is the same code");
    assert_eq!(found.git("commit"), commit);

    let outer = Code::repository();
    outer.git(&["submodule", "add", "-q", code.home.to_str().unwrap(), "inner"]);
    outer.commit("with a submodule");
    fs::write(outer.home.join("inner/src/main.rs"), "changed in the submodule\n").unwrap();
    let found = outer.run(&[]);
    assert_eq!((found.git("dirty"), found.git("trouble")), ("true".into(), String::new()));
    assert!(found.text("source_code/diff/head.patch").contains("-dirty"));
}

#[test]
fn a_diff_that_is_too_long_is_cut_at_a_line_and_says_so() {
    let code = Code::repository();
    code.write("src/main.rs", &"a long line of code\n".repeat(100_000));
    let found = code.run(&[]);
    let diff = found.text("source_code/diff/head.patch");
    assert!((1 << 20) - 100 < diff.len() && diff.len() < (1 << 20) + 100, "{}", diff.len());
    assert!(diff.ends_with("+a long line of code\n# cut by neptune: the diff is longer than 1048576 bytes\n"));
    assert!(found.text("source_code/left_out").contains("head.patch"));
}

/// A package with a few files, and some that are not to be found.
fn package() -> Code {
    let code = Code::new();
    for (name, text) in [
        ("Cargo.toml", "[package]\n"),
        ("src/main.rs", "fn main() {}\n"),
        ("src/net/layer.rs", "struct Layer;\n"),
        ("src/kernel.cu", "__global__\n"),
        ("configs/a.toml", "lr = 1\n"),
        ("configs/.env", "TOKEN=secret\n"),
        ("target/debug/main.rs", "built"),
        (".git/config.rs", "of git"),
        (".neptune/x.rs", "of neptune"),
        ("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55"),
        ("cache/y.rs", "built"),
    ] {
        code.write(name, text);
    }
    let lock =
        "[[package]]\nname = \"rand\"\nversion = \"0.9.0\"\n\n[[package]]\nname = \"trainer\"\nversion = \"1.2.3\"\n";
    code.write("Cargo.lock", lock);
    code
}

#[test]
fn when_nothing_is_said_the_sources_of_the_package_are_kept() {
    let code = package();
    let found = code.run(&["without-git"]);
    assert_eq!(found.below("source_code/files/"), ["Cargo.toml", "src/main.rs", "src/net/layer.rs"]);
    assert_eq!(found.text("source_code/files/src/net/layer.rs"), "struct Layer;\n");
    assert!(found.text("source_code/Cargo.lock").contains("0.9.0"));
    assert_eq!(found.text("source_code/dependencies"), r#"{"rand":"0.9.0","trainer":"1.2.3"}"#);
    assert_eq!(found.text("source_code/left_out"), "");
}

#[test]
fn files_folders_globs_and_expressions_choose_what_is_kept() {
    let files = |settings: &[&str]| {
        let found = package().run(&[&["without-git"], settings].concat());
        let files: Vec<String> = found.below("source_code/files/").into_iter().map(str::to_owned).collect();
        (files, found.text("source_code/left_out"))
    };
    assert_eq!(files(&["source=Cargo.toml", "source=src/net"]).0, ["Cargo.toml", "src/net/layer.rs"]);
    assert_eq!(files(&["source=**/*.rs"]).0, ["src/main.rs", "src/net/layer.rs"]);
    assert_eq!(files(&["source=src/*"]).0, ["src/kernel.cu", "src/main.rs"]);
    assert_eq!(files(&[r"matching=\.(cu|toml)$"]).0, ["Cargo.toml", "configs/a.toml", "src/kernel.cu"]);
    assert_eq!(files(&["without-sources"]).0, [""; 0]);
    let (found, left_out) = files(&["source=configs", "source=missing.rs", "source=*.py"]);
    assert_eq!(found, ["configs/a.toml"]);
    for reason in ["\"count\":3", "\"configs/.env\"", "\"missing.rs\"", "no file has such a name"] {
        assert!(left_out.contains(reason), "{left_out}");
    }
    assert_eq!(files(&["source=configs/.env"]).0, ["configs/.env"], "who names it wants it");
}

#[test]
fn links_lead_neither_around_in_a_circle_nor_out_of_the_folder() {
    let code = package();
    let secret = code.home.with_file_name("secret.rs");
    fs::write(&secret, "elsewhere").unwrap();
    symlink("..", code.home.join("src/loop")).unwrap();
    symlink(&secret, code.home.join("src/leak.rs")).unwrap();
    symlink("main.rs", code.home.join("src/same.rs")).unwrap();
    symlink("nothing", code.home.join("src/dangling.rs")).unwrap();
    symlink(code.home.parent().unwrap(), code.home.join("out")).unwrap();
    assert!(Command::new("mkfifo").arg(code.home.join("src/pipe.rs")).status().unwrap().success());
    let found = code.run(&["without-git", "source=src", "source=out", "source=src/pipe.rs", "source=src/dangling.rs"]);
    let wanted = ["src/kernel.cu", "src/main.rs", "src/net/layer.rs", "src/same.rs"];
    assert_eq!(found.below("source_code/files/"), wanted);
    let left_out = found.text("source_code/left_out");
    for name in ["src/leak.rs", "\"out\"", "src/pipe.rs", "src/dangling.rs", "\"count\":4"] {
        assert!(left_out.contains(name), "{left_out}");
    }
}

#[test]
fn a_file_that_is_too_large_is_left_out_and_told() {
    let code = package();
    fs::File::create(code.home.join("src/huge.rs")).unwrap().set_len((1 << 20) + 1).unwrap();
    let found = code.run(&["without-git"]);
    assert!(found.text("source_code/left_out").contains("it has more than 1048576 bytes"));
    assert_eq!(found.below("source_code/files/").len(), 3);
    assert_eq!(found.text("sys/state"), "succeeded");
}

#[test]
fn secrets_of_the_command_line_and_of_the_environment_are_not_recorded() {
    let code = package();
    let arguments = ["--token", "very-secret", "--password=very-secret", "--lr", "0.1", "https://u:very-secret@host/x"];
    let variables = ["variable=MY_SETTING", "variable=MY_API_KEY"];
    let found = code.run(&[&["without-git"], &arguments[..], &variables].concat());
    for (path, value) in &found.0 {
        assert!(!format!("{value:?}").contains("secret"), "{path} tells: {value:?}");
    }
    let recorded = found.environment("arguments");
    assert!(recorded.contains(r#""--token","***","--password=***","--lr","0.1","https://host/x""#), "{recorded}");
    assert_eq!(found.environment("variables/RAYON_NUM_THREADS"), "3");
    assert_eq!(found.environment("variables/MY_SETTING"), "see https://host/x");
    assert_eq!(found.environment("variables/MY_API_KEY"), "");
}

#[test]
fn how_the_program_was_built_and_run_is_recorded() {
    let found = package().run(&["without-git"]);
    assert_eq!(found.environment("package"), "trainer 1.2.3");
    assert!(found.environment("build/rustc").starts_with("rustc 1."));
    assert!(found.environment("build/target").contains('-'));
    assert!(!found.environment("build/profile").is_empty());
    assert!(found.environment("executable").ends_with("neptune-test-child"));
    assert!(Path::new(&found.environment("working_folder")).is_absolute());
    let id = found.environment("build/id");
    assert!(id.starts_with("gnu:") || id.starts_with("blake3:"), "{id}");
}

#[test]
fn a_process_with_the_same_code_records_it_once_and_one_with_other_code_under_its_own_name() {
    let code = package();
    let first = code.run(&["without-git"]).text("source_code/digest");
    let id = format!("id={}", code.folder.only_experiment().uuid);
    let found = code.run(&["without-git", &id]);
    let digests = |found: &Found| found.0.keys().filter(|path| path.ends_with("/digest")).count();
    let processes = |found: &Found| found.0.keys().filter(|path| path.ends_with("/environment/source_code")).count();
    assert_eq!((digests(&found), processes(&found)), (1, 2));

    code.write("src/main.rs", "fn main() { changed() }\n");
    let found = code.run(&["without-git", &id]);
    assert_eq!((digests(&found), processes(&found)), (2, 3));
    assert_eq!(found.text("source_code/digest"), first);
    assert_eq!(found.text("source_code/files/src/main.rs"), "fn main() {}\n", "nothing is written over");
    let own = found.0.keys().find(|path| path.ends_with("/files/src/main.rs") && path.split('/').count() == 5).unwrap();
    assert_eq!(found.text(own), "fn main() { changed() }\n");

    // Who has the code of the third records nothing again.
    let found = code.run(&["without-git", &id]);
    assert_eq!((digests(&found), processes(&found)), (2, 4));
}

#[test]
fn ranks_that_start_together_record_their_code_once() {
    let code = package();
    let id = "id=0197c2a4-7f3e-7cc0-9d1b-2f6a3e0c5b11";
    let settings = ["without-git", id, "waits", "deadline=60"];
    let ranks: Vec<_> = (0..4).map(|_| code.start_in(&code.home, None, &settings).0).collect();
    fs::write(code.folder.path().with_extension("enough"), "").unwrap();
    for mut rank in ranks {
        assert_eq!(rank.line(), "lost nothing");
        assert!(rank.wait().success());
    }
    let found = code.found();
    let told: Vec<_> = found.0.keys().filter(|path| path.ends_with("/environment/source_code")).collect();
    assert_eq!(told.len(), 4);
    assert!(!found.text("source_code/digest").is_empty());
}

#[test]
fn a_process_that_is_killed_leaves_whole_files_only() {
    let code = package();
    let (mut trainer, _) =
        code.start_in(&code.home, None, &["without-git", "source=src", "kill=object-written", "waits"]);
    assert_eq!(trainer.line(), "", "it was killed");
    trainer.wait();
    drop(code.folder.session());
    let found = wait_for("its recovery", || Some(code.found()).filter(|found| found.text("sys/state") == "failed"));
    assert_eq!(found.text("source_code/digest"), "");
    for name in found.below("source_code/files/") {
        assert_eq!(found.text(&format!("source_code/files/{name}")), fs::read_to_string(code.home.join(name)).unwrap());
    }
    assert!(found.below("source_code/files/").len() < 3);
}

#[test]
fn who_only_edits_and_who_wants_nothing_recorded_records_nothing() {
    let code = package();
    let before = code.run(&[]).0.len();
    let id = format!("id={}", code.folder.only_experiment().uuid);
    assert_eq!(code.run(&["edit", &id]).0.len(), before);

    let folder = Folder::new();
    folder.session().experiment().start().unwrap().stop().unwrap();
    let variables = folder.store().variables(&folder.only_experiment(), "").unwrap();
    assert!(
        variables
            .iter()
            .all(|variable| !variable.path.contains("environment") && !variable.path.contains("source_code"))
    );
}

#[test]
fn an_offline_experiment_brings_its_code_along() {
    let code = package();
    let (mut trainer, _) = code.start_in(&code.home, None, &["offline", "without-git"]);
    assert_eq!(trainer.line(), "lost nothing");
    assert!(trainer.wait().success());
    code.folder.session().recover(|_| ()).unwrap();
    assert_eq!(code.found().text("source_code/files/src/main.rs"), "fn main() {}\n");
}

#[test]
fn a_pattern_that_cannot_be_used_is_invalid_at_the_start() {
    let folder = Folder::new();
    let session = folder.session();
    for names in [["../secret.rs"], ["src/../../x"], ["a[b"], [""]] {
        assert_eq!(session.experiment().sources(names).start().unwrap_err().kind(), ErrorKind::Invalid, "{names:?}");
    }
    assert_eq!(session.experiment().sources_matching("(").start().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_program_finds_its_repository_from_the_current_folder_when_no_package_is_known() {
    let code = Code::repository();
    // Not beside the list of its files that cargo wrote.
    let program = code.home.with_file_name("program");
    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("neptune-test-child");
    fs::hard_link(&built, &program).or_else(|_| fs::copy(&built, &program).map(drop)).unwrap();
    let mut command = Command::new(&program);
    command.arg("code").arg(code.folder.path()).current_dir(code.home.join("src"));
    command.env_remove("CARGO_MANIFEST_DIR").env("NEPTUNE_CODE", "on");
    assert!(command.output().unwrap().status.success());
    let found = code.found();
    assert_eq!(found.git("commit").len(), 40);
    assert_eq!(found.below("source_code/files/"), [""; 0], "whose files these are is not known");
}
