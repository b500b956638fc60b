//! [`Monitor`]: the thread that reads the hardware now and then, and logs what it found.
//!
//! It holds the experiment only while it logs, never while it reads, and logs nothing once [`Monitor::stop`] returned.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use neptune_format::WriterId;

use super::{
    gpu::{self, Gpus},
    machine::Machine,
    names,
    reading::Reading,
};
use crate::{
    clock, config,
    experiment::{ExperimentHandle, WeakHandle},
    fork,
};

/// How long after its start an experiment is first read, at most: a short one costs a thread that sleeps, and has no
/// readings.
const FIRST: Duration = Duration::from_secs(1);

/// The least time between readings: processors count their time in hundredths of a second, so a share over less is noise.
const LEAST: Duration = Duration::from_millis(250);

/// The most time between them, which is as good as never.
const MOST: Duration = Duration::from_hours(365 * 24);

/// How long the end of an experiment waits for a last reading, at most: a driver may hang.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the hardware is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readings {
    /// Not at all.
    Off,
    /// Once in so long.
    Every(Duration),
}

impl Default for Readings {
    fn default() -> Self {
        Self::every(Duration::from_secs(3))
    }
}

impl Readings {
    pub(crate) fn every(time: Duration) -> Self {
        Self::Every(time.clamp(LEAST, MOST))
    }
}

/// The running thread of one experiment.
pub(crate) struct Monitor {
    generation: u32,
    shared: Arc<Shared>,
}

struct Shared {
    experiment: WeakHandle,
    namespace: String,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// How far the thread is. The lock is held while a reading is logged, and never while one is taken.
#[derive(Default)]
struct Progress {
    phase: Phase,
    /// How many readings were logged.
    readings: u64,
    /// The driver of the GPUs was called and has not answered yet.
    asks_driver: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// The hardware is read now and then.
    #[default]
    Running,
    /// A last reading, and no more.
    Ending,
    /// Nothing is logged any more.
    Over,
}

impl Monitor {
    /// Starts the thread. `folder` is where experiments are kept, whose free space is watched.
    pub(crate) fn start(
        experiment: WeakHandle,
        writer: WriterId,
        folder: PathBuf,
        every: Duration,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            experiment,
            namespace: names::namespace(writer),
            progress: Mutex::default(),
            changed: Condvar::new(),
        });
        let work = Work { shared: Arc::clone(&shared), folder, library: config::nvml_library(), every };
        thread::Builder::new().name("neptune:hardware".into()).spawn(move || work.run())?;
        Ok(Self { generation: fork::generation(), shared })
    }

    /// Has a last reading taken, when there was one before, and ends the thread. Waits for that reading, but not for a
    /// driver that hangs.
    pub(crate) fn stop(&self) {
        let mut progress = self.shared.lock();
        if progress.phase == Phase::Running {
            progress.phase = Phase::Ending;
        }
        self.shared.changed.notify_all();
        let deadline = clock::monotonic() + PATIENCE;
        while progress.readings > 0 && progress.phase != Phase::Over {
            let left = deadline.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                break;
            }
            progress = self.shared.changed.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let hangs = progress.readings > 0 && progress.phase != Phase::Over && progress.asks_driver;
        progress.phase = Phase::Over;
        drop(progress);
        if hangs && let Some(experiment) = self.shared.experiment.upgrade() {
            let sentence = "the NVIDIA driver does not answer";
            experiment.atom(&format!("{}/{}", self.shared.namespace, gpu::STATE)).assign(sentence);
            experiment.notice(|| format!("{sentence}: readings of the hardware are missing; see `nvidia-smi`"));
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // A forked child has no such thread, and the lock may be held by the one of its parent.
        if fork::generation() == self.generation {
            self.shared.end();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is logged from here on.
    fn end(&self) {
        self.lock().phase = Phase::Over;
        self.changed.notify_all();
    }

    /// Waits until `due`, or until the experiment ends; says whether it does.
    fn rest_until(&self, due: Instant) -> bool {
        let mut progress = self.lock();
        loop {
            let left = due.saturating_duration_since(clock::monotonic());
            let is_ending = progress.phase != Phase::Running;
            if is_ending || left.is_zero() {
                return is_ending;
            }
            progress = self.changed.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Calls the driver of the GPUs.
    fn ask_driver<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.lock().asks_driver = true;
        let answer = ask();
        self.lock().asks_driver = false;
        answer
    }

    /// Logs what was found; says whether anybody still wants to know.
    fn log(&self, found: &Reading) -> bool {
        // Let go of behind the lock: it may be the last one, and what it ends takes the lock.
        let Some(experiment) = self.experiment.upgrade() else { return false };
        let mut progress = self.lock();
        let is_wanted = progress.phase != Phase::Over;
        if is_wanted {
            self.log_to(&experiment, found);
            progress.readings += 1;
        }
        is_wanted
    }

    fn log_to(&self, experiment: &ExperimentHandle, found: &Reading) {
        let path = |name: &str| format!("{}/{name}", self.namespace);
        for (name, value) in &found.atoms {
            experiment.atom(&path(name)).assign(value.clone());
        }
        // Looked up each time: a handle to a series would keep the experiment.
        let points: Vec<_> = found
            .points
            .iter()
            .filter_map(|(name, value)| Some((experiment.series::<f64>(&path(name)).ok()?, *value)))
            .collect();
        experiment.append_points(None, points.iter().map(|(series, value)| (series, *value)));
        for notice in &found.notices {
            experiment.notice(|| notice.clone());
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    folder: PathBuf,
    library: Option<OsString>,
    every: Duration,
}

impl Work {
    fn run(self) {
        let mut due = clock::monotonic() + FIRST.min(self.every);
        // Rates are measured from shortly before the first reading.
        if self.shared.rest_until(due.checked_sub(LEAST).unwrap_or(due)) {
            return;
        }
        let mut found = Reading::default();
        let mut machine = match Machine::new(&self.folder, &mut found) {
            Ok(machine) => machine,
            Err(error) => {
                found.notices.push(format!("the hardware cannot be read: {error}"));
                self.shared.log(&found);
                return;
            }
        };
        let mut gpus = self.shared.ask_driver(|| Gpus::find(self.library.as_deref(), &mut found));
        // Goes before the GPUs: whoever waits does not wait until the driver's library is unloaded.
        let _done = Done(&self.shared);
        let mut is_first = true;
        loop {
            let is_last = self.shared.rest_until(due);
            if is_last && (is_first || machine.age() < LEAST) {
                return;
            }
            machine.read(&mut found);
            self.shared.ask_driver(|| gpus.read(&mut found));
            if !self.shared.log(&found) || is_last {
                return;
            }
            is_first = false;
            found = Reading::default();
            // What takes longer than its interval is not made up for.
            due = (due + self.every).max(clock::monotonic() + LEAST);
        }
    }
}

/// Says that the thread has nothing left to log, however that came.
struct Done<'a>(&'a Shared);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
