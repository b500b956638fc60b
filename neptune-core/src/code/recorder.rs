//! [`Recorder`]: the thread that finds out about the code of a program and logs it.
//!
//! It holds the experiment only while it logs, and logs nothing once [`Recorder::finish`] returned. Files are kept before they are
//! logged, and the digest is logged last, so a process that dies leaves whole files, and no digest without everything else.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use neptune_format::{AtomValue, ExperimentId, WriterId};
use serde_json::{Map, json};

use super::{
    Circumstances, CodeSettings, Sources, build, build_id, cargo,
    command::Git,
    git::{Diff, Repository},
    names,
    placement::{Asking, Placement},
    snapshot::{self, Chooser, LeftOut, Snapshot},
};
use crate::{clock, experiment::WeakHandle, fork, session::Session};

/// How long git may take in all.
const PATIENCE_WITH_GIT: Duration = Duration::from_secs(20);

/// How long the end of an experiment waits for the thread once it was told to end, which may be about to keep a file.
const LAST: Duration = Duration::from_secs(1);

/// The longest lock file that is kept, in bytes.
const MOST_LOCK: u64 = 4 << 20;

/// The longest list of dependencies that is kept, in bytes; the lock file has them all the same.
const MOST_DEPENDENCIES: usize = 1 << 19;

/// The running thread of one experiment.
#[derive(Debug)]
pub(crate) struct Recorder {
    generation: u32,
    shared: Arc<Shared>,
    done: Receiver<()>,
}

/// What the thread is told to record.
pub(crate) struct Task {
    pub(crate) experiment: WeakHandle,
    pub(crate) id: ExperimentId,
    pub(crate) writer: WriterId,
    pub(crate) session: Session,
    /// Whether this process gave the experiment its identity.
    pub(crate) is_maker: bool,
    pub(crate) settings: CodeSettings,
    pub(crate) circumstances: Circumstances,
}

#[derive(Debug)]
struct Shared {
    experiment: WeakHandle,
    /// The experiment ends: what does not matter much is not waited for.
    is_ending: AtomicBool,
    /// Nothing is logged any more.
    is_over: AtomicBool,
    /// Held while something is logged.
    logging: Mutex<()>,
}

impl Recorder {
    pub(crate) fn start(task: Task) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            experiment: task.experiment.clone(),
            is_ending: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            logging: Mutex::new(()),
        });
        let (finished, done) = sync_channel(1);
        let work = Work { shared: Arc::clone(&shared), task };
        thread::Builder::new().name("neptune:code".into()).spawn(move || {
            work.run();
            finished.send(()).ok();
        })?;
        Ok(Self { generation: fork::generation(), shared, done })
    }

    /// Waits until everything is recorded, for `patience` at most; says whether it is. Nothing is recorded afterwards, but for a
    /// file that takes longer than a second to keep.
    pub(crate) fn finish(&self, patience: Duration) -> bool {
        // A forked child has no such thread, and its lock may be held by the one of its parent.
        if fork::generation() != self.generation {
            return true;
        }
        self.shared.is_ending.store(true, Ordering::Release);
        // It is disconnected when the thread has ended in any way.
        let is_done = !matches!(self.done.recv_timeout(patience), Err(std::sync::mpsc::RecvTimeoutError::Timeout));
        self.shared.is_over.store(true, Ordering::Release);
        // It ends soon, and has git end: a process that exits at once would leave that behind.
        if !is_done {
            self.done.recv_timeout(LAST).ok();
        }
        is_done
    }
}

impl Shared {
    /// Whether nobody wants to know any more.
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire) || self.experiment.is_gone()
    }

    /// Does something with the experiment, unless that is over.
    fn with<T>(&self, log: impl FnOnce(&crate::experiment::ExperimentHandle) -> T) -> Option<T> {
        // Let go of behind the lock: it may be the last one, and what it ends takes the lock.
        let experiment = self.experiment.upgrade()?;
        let logging = self.logging.lock().unwrap_or_else(PoisonError::into_inner);
        let logged = if self.is_over() { None } else { Some(log(&experiment)) };
        drop(logging);
        logged
    }

    fn put(&self, path: &str, value: AtomValue) {
        // What a program logs to a path of this name itself stays.
        self.with(|experiment| experiment.atom(path).try_assign(value).ok());
    }

    fn put_all(&self, namespace: &str, atoms: Vec<(String, AtomValue)>) {
        for (name, value) in atoms {
            self.put(&format!("{namespace}/{name}"), value);
        }
    }

    /// Keeps bytes as a file.
    fn keep(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let kept = self.with(|experiment| experiment.keep_file(path, bytes));
        kept.unwrap_or(Ok(())).map_err(|error| error.to_string())
    }

    fn notice(&self, notice: String) {
        self.with(|experiment| experiment.notice(|| notice));
    }
}

struct Work {
    shared: Arc<Shared>,
    task: Task,
}

/// What was found of the code.
struct Found {
    repository: Option<Repository>,
    lock: Option<Vec<u8>>,
    snapshot: Snapshot,
}

impl Work {
    fn run(self) {
        let environment = names::environment(self.task.writer);
        self.shared.put_all(&environment, self.task.circumstances.atoms());
        self.shared.put_all(&environment, build::atoms());
        for name in &self.task.circumstances.refused {
            let notice = format!("the variable {name} is not recorded: its name looks like that of a secret");
            self.shared.notice(notice);
        }
        let is_over = || self.shared.is_over();
        let found = self.look(&is_over);
        if is_over() {
            return;
        }
        let digest = found.digest();
        let asking = Asking {
            session: &self.task.session,
            experiment: self.task.id,
            writer: self.task.writer,
            is_maker: self.task.is_maker,
            digest: &digest,
        };
        let is_wanted = || !self.shared.is_ending.load(Ordering::Acquire) && !is_over();
        if let Placement::At(namespace) = asking.place(&is_wanted) {
            self.record(found, &namespace, &digest);
        }
        self.shared.put(&format!("{environment}/{}", names::CODE), digest.into());
        if let Some(executable) = &self.task.circumstances.executable
            && let Ok(Some(id)) = build_id::of(executable, &is_over)
        {
            self.shared.put(&format!("{environment}/build/id"), id.into());
        }
    }

    /// Finds out about the code. Logs nothing.
    fn look(&self, is_over: &dyn Fn() -> bool) -> Found {
        let Circumstances { executable, home, working_folder, .. } = &self.task.circumstances;
        let neptune = std::fs::canonicalize(self.task.session.folder());
        let neptune = neptune.unwrap_or_else(|_| self.task.session.folder().to_owned());
        let compiled = executable.as_deref().and_then(cargo::compiled_of);
        // A program that was built here knows where its code is, wherever it runs.
        let package = home.as_deref().or_else(|| cargo::package(compiled.as_ref()?.first()?));
        let Some(folder) = package.or(working_folder.as_deref()) else { return Found::nothing() };
        let lock_folder = package.and_then(cargo::workspace);
        let lock = lock_folder.and_then(|folder| snapshot::read(&folder.join(cargo::LOCK), MOST_LOCK).ok());
        let snapshot = match &self.task.settings.sources {
            Sources::Off => Snapshot::default(),
            Sources::Named(patterns) => Chooser::named(folder, patterns, &neptune, is_over),
            Sources::Usual => match package {
                Some(package) => {
                    let base = lock_folder.unwrap_or(package);
                    Chooser::usual(base, home.as_deref(), compiled.as_deref(), &neptune, is_over)
                }
                None => Snapshot::default(),
            },
        };
        let repository = self.task.settings.has_git.then(|| {
            let until = clock::monotonic() + PATIENCE_WITH_GIT;
            Repository::look(&Git::new(folder, until, is_over), |file| file.starts_with(&neptune))
        });
        Found { repository, lock, snapshot }
    }

    /// Logs what was found below `namespace`.
    fn record(&self, found: Found, namespace: &str, digest: &str) {
        let Found { repository, lock, snapshot } = found;
        let mut left_out = snapshot.left_out;
        if let Some(repository) = repository {
            self.shared.put_all(&format!("{namespace}/git"), repository.atoms());
            for (name, diff) in [("head", &repository.changes), ("upstream", &repository.unpushed)] {
                self.record_diff(&format!("{namespace}/diff/{name}.patch"), diff.as_ref(), &mut left_out);
            }
            for name in &repository.secret {
                left_out.add(name, "what was changed in it is in no diff: its name looks like that of a secret");
            }
        }
        if let Some(lock) = lock {
            let path = format!("{namespace}/{}", cargo::LOCK);
            if let Err(reason) = self.shared.keep(&path, &lock) {
                left_out.add(&path, reason);
            }
            if let Some(dependencies) = dependencies(&lock) {
                self.shared.put(&format!("{namespace}/dependencies"), dependencies);
            }
        }
        for (name, file) in &snapshot.files {
            if self.shared.is_over() {
                return;
            }
            let kept = file.content().and_then(|bytes| self.shared.keep(&format!("{namespace}/files/{name}"), &bytes));
            if let Err(reason) = kept {
                left_out.add(name, reason);
            }
        }
        if let Some(notice) = left_out.notice() {
            self.shared.notice(notice);
        }
        if let Some(left_out) = left_out.atom() {
            self.shared.put(&format!("{namespace}/left_out"), left_out);
        }
        self.shared.put(&format!("{namespace}/{}", names::DIGEST), digest.into());
    }

    fn record_diff(&self, path: &str, diff: Option<&Diff>, left_out: &mut LeftOut) {
        let Some(diff) = diff.filter(|diff| !diff.text.is_empty()) else { return };
        if let Err(reason) = self.shared.keep(path, &diff.text) {
            left_out.add(path, reason);
        } else if diff.is_cut {
            left_out.add(path, "its end: it is longer than a diff that is kept");
        }
    }
}

impl Found {
    fn nothing() -> Self {
        Self { repository: None, lock: None, snapshot: Snapshot::default() }
    }

    /// What identifies the code: the commit, what differs from it, the files and the lock file.
    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |kind: u8, bytes: &[u8]| {
            hasher.update(&[kind]);
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for part in self.repository.iter().flat_map(Repository::identity) {
            add(1, part);
        }
        if let Some(lock) = &self.lock {
            add(2, lock);
        }
        for (name, file) in &self.snapshot.files {
            add(3, name.as_bytes());
            add(4, file.object().as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The packages of a lock file in JSON: their versions by name.
fn dependencies(lock: &[u8]) -> Option<AtomValue> {
    let lock = std::str::from_utf8(lock).ok()?;
    let packages: Map<_, _> = cargo::dependencies(lock)
        .into_iter()
        .map(|(name, versions)| (name.to_owned(), versions.into_iter().collect::<Vec<_>>().join(", ").into()))
        .collect();
    let text = json!(packages).to_string();
    (text.len() <= MOST_DEPENDENCIES).then_some(AtomValue::Json(text))
}
