//! What a program is made of is recorded beside its experiment, hurts nobody, and tells no secrets.

mod git;
mod processes;
mod sources;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use neptune_core::{
    AtomValue,
    store::{objects, read::VariableValue},
};
use neptune_tests::{Folder, Trainer, programs};

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

    /// The program, in a folder of its own: cargo writes the list of its files beside the one that it built.
    fn program(&self) -> PathBuf {
        let program = self.folder.path().with_file_name("program").join("neptune-test-child");
        if !program.exists() {
            fs::create_dir_all(program.parent().unwrap()).unwrap();
            let built = programs().join("neptune-test-child");
            fs::hard_link(&built, &program).or_else(|_| fs::copy(&built, &program).map(drop)).unwrap();
        }
        program
    }

    /// Starts a program whose package is in `home`.
    fn start_in(&self, home: &Path, path: Option<&OsStr>, settings: &[&str]) -> (Trainer, String) {
        self.start_with(home, path, settings, &[])
    }

    /// As [`Code::start_in`], with more variables in the environment.
    fn start_with(
        &self,
        home: &Path,
        path: Option<&OsStr>,
        settings: &[&str],
        more: &[(&str, &OsStr)],
    ) -> (Trainer, String) {
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
        let environment = [&environment[..], more].concat();
        let folder = self.folder.path().to_str().unwrap();
        let mut trainer = Trainer::start_at(&self.program(), "code", [&[folder], settings].concat(), &environment);
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
