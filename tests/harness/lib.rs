//! What every end-to-end test uses: a folder of its own, child processes to kill, and a look at what is stored.

pub mod cost;
mod example;

use std::{
    ffi::OsStr,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use neptune_core::{
    Mode, Session, SessionBuilder, stopwatch,
    store::{ExperimentQuery, Points, Store, StoreOptions, read::ExperimentKey},
};

pub use example::Example;

/// A neptune folder that is removed with the test.
#[derive(Debug)]
pub struct Folder {
    _temporary: tempfile::TempDir,
    path: PathBuf,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// A new, empty folder.
    pub fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let path = temporary.path().join("neptune");
        Self { _temporary: temporary, path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Settings of a session here, whatever the environment says. It records nothing of the code: that of the tests is always
    /// the same.
    pub fn builder(&self) -> SessionBuilder {
        Session::builder().folder(&self.path).project("tests/e2e").mode(Mode::Embedded).without_code()
    }

    /// An embedded session here.
    pub fn session(&self) -> Session {
        self.builder().open().expect("the folder of a test can be used")
    }

    /// The only experiment here, of whatever project, once it was started; waits for it.
    pub fn started_experiment(&self) -> ExperimentKey {
        wait_for("an experiment", || {
            let store = Store::open_existing(&self.path, StoreOptions::default()).ok()?;
            let table = store.experiments(&ExperimentQuery::default()).ok()?;
            store.find(&table.rows.first()?.short_id).ok()
        })
    }

    /// The store here.
    pub fn store(&self) -> Store {
        Store::open(&self.path, StoreOptions::default()).expect("the store of a test can be opened")
    }

    /// The only experiment here.
    pub fn only_experiment(&self) -> ExperimentKey {
        self.store().find("E2E-1").expect("there is one experiment")
    }

    /// The whole series at `path` of the only experiment.
    pub fn series(&self, path: &str) -> Points {
        self.store()
            .series(&self.only_experiment(), path, f64::NEG_INFINITY..=f64::INFINITY)
            .expect("the series can be read")
    }

    /// The text of the atom at `path` of the only experiment.
    pub fn text(&self, path: &str) -> String {
        use neptune_core::store::read::VariableValue;
        let variable = self.store().variable(&self.only_experiment(), path).expect("the variable is there");
        match variable.value {
            VariableValue::Atom(value) => value.as_str().expect("the variable is text").to_owned(),
            other => panic!("{path} is {other:?}"),
        }
    }

    /// Every file under the folder whose name ends with `ending`.
    pub fn files(&self, ending: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the folder can be listed") {
                let path = entry.expect("the entry can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().ends_with(ending) {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

/// A child process that logs, to be talked to by lines and killed.
#[derive(Debug)]
pub struct Trainer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Trainer {
    /// Starts `scenario` of the test child with `arguments`.
    pub fn start<S: AsRef<OsStr>>(scenario: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        Self::start_with(scenario, arguments, [])
    }

    /// As [`Trainer::start`], with variables in the environment: these, and no others that begin with `NEPTUNE_`. Nothing of its
    /// code is recorded, unless they say so.
    pub fn start_with<S: AsRef<OsStr>, const N: usize>(
        scenario: &str,
        arguments: impl IntoIterator<Item = S>,
        environment: [(&str, &OsStr); N],
    ) -> Self {
        Self::start_at(&programs().join("neptune-test-child"), scenario, arguments, &environment)
    }

    /// As [`Trainer::start_with`], of a test child that lies elsewhere.
    pub fn start_at<S: AsRef<OsStr>>(
        program: &Path,
        scenario: &str,
        arguments: impl IntoIterator<Item = S>,
        environment: &[(&str, &OsStr)],
    ) -> Self {
        let mut command = Command::new(program);
        command.arg(scenario).args(arguments);
        Self::spawn(command, environment)
    }

    /// Starts the example `name`, which logs to `folder`.
    ///
    /// # Panics
    /// When it was not built: `cargo test` and `cargo nextest run` build the examples of the packages that they test.
    pub fn example<S: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = S>, folder: &Folder) -> Self {
        let mut command = Command::new(programs().join("examples").join(name));
        command.args(arguments).stderr(Stdio::null());
        Self::spawn(command, &[("NEPTUNE_DIR", folder.path().as_os_str())])
    }

    /// Runs `scenario` of the test child to its end, with variables in the environment as [`Trainer::start_with`] has them; what it
    /// said on both streams.
    pub fn output<S: AsRef<OsStr>>(
        scenario: &str,
        arguments: impl IntoIterator<Item = S>,
        environment: &[(&str, &OsStr)],
    ) -> Output {
        let mut command = Command::new(programs().join("neptune-test-child"));
        command.arg(scenario).args(arguments).stdin(Stdio::null());
        Self::isolate(&mut command, environment);
        command.output().expect("the test child can be started")
    }

    fn spawn(mut command: Command, environment: &[(&str, &OsStr)]) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Self::isolate(&mut command, environment);
        let mut child = command.spawn().expect("the test child can be started");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, lines }
    }

    fn isolate(command: &mut Command, environment: &[(&str, &OsStr)]) {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NEPTUNE_")) {
            command.env_remove(name);
        }
        command.env("NEPTUNE_CODE", "off").envs(environment.iter().copied());
    }

    /// The next line that the child says; empty when it is gone.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the output of the child can be read");
        line.trim_end().to_owned()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it SIGKILL; what it said until then can still be read with [`line`](Self::line).
    pub fn signal_kill(&mut self) {
        self.child.kill().expect("the child can be killed");
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("the child can be killed");
        self.wait();
    }

    /// Waits until it ends by itself, and until nobody can print in its place any more: until what it printed is kept.
    pub fn wait(mut self) -> ExitStatus {
        let status = self.child.wait().expect("the child can be waited for");
        io::copy(&mut self.lines, &mut io::sink()).expect("the output of the child can be read");
        status
    }
}

impl Drop for Trainer {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// The folder of the programs that were built beside this test.
///
/// # Panics
/// When the test does not know where it is.
pub fn programs() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a test knows where it is");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder
}

/// Looks for something until it is there, for a minute at most.
///
/// # Panics
/// When it is not there then.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(found) = look() {
            return found;
        }
        pause(Duration::from_millis(10));
    }
    panic!("{what} did not come within a minute");
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the copy can be made");
    for entry in std::fs::read_dir(from).expect("the folder can be listed") {
        let entry = entry.expect("the entry can be read").path();
        let target = to.join(entry.file_name().expect("an entry has a name"));
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).expect("the file can be copied");
        }
    }
}

/// Waits so long; a thread that was woken before, as by one that it waited for, waits on.
pub fn pause(time: Duration) {
    let began = stopwatch::ticks();
    let passed = || Duration::from_nanos(stopwatch::nanos(stopwatch::ticks().saturating_sub(began)));
    while let Some(left) = time.checked_sub(passed()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}
