//! [`Log`]: the experiment that the relay logs to, opened with the first line. A program that prints nothing costs nothing.
//!
//! Opening it may take long, when the store is busy; lines wait for it meanwhile, and nobody who prints does.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use neptune_format::{LostReason, Timestamp};

use super::wire::{Order, Which};
use crate::{
    error::Result,
    experiment::{Experiment, Series},
    session::{Durability, Mode, Session},
};

/// Bytes of lines that wait while the experiment is being opened, of one stream.
const MOST_WAITING: usize = 64 << 20;

/// How long the relay tries to put everything into the store. The rest stays in its journal for the next session.
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Closed,
    Opening,
    Open(Experiment),
    /// It cannot be opened, or has ended.
    Over,
}

/// Where lines go.
#[derive(Debug)]
pub(super) struct Log {
    order: Order,
    phase: Mutex<Phase>,
    changed: Condvar,
}

impl Log {
    pub(super) fn new(order: Order) -> Arc<Self> {
        Arc::new(Self { order, phase: Mutex::default(), changed: Condvar::new() })
    }

    /// The lines of a stream.
    pub(super) fn lines_of(self: &Arc<Self>, which: Which) -> LoggedLines {
        LoggedLines { log: Arc::clone(self), which, series: Goal::Unknown, waiting: Vec::new(), bytes: 0, lost: 0 }
    }

    /// Ends the experiment, when it was opened; waits for the store.
    pub(super) fn finish(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        while matches!(*phase, Phase::Opening) {
            phase = self.changed.wait(phase).unwrap_or_else(PoisonError::into_inner);
        }
        if let Phase::Open(experiment) = std::mem::replace(&mut *phase, Phase::Over) {
            drop(phase);
            match experiment.stop() {
                Ok(lost) if !lost.is_empty() => {
                    super::relay::complain(&format!("lines of the console were not kept: {lost}"));
                }
                Ok(_) => {}
                Err(error) => super::relay::complain(&error.to_string()),
            }
        }
    }

    /// The series of a stream, when the experiment is open; begins to open it when nobody did.
    fn series(self: &Arc<Self>, which: Which, waits: bool) -> Goal {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*phase, Phase::Closed) {
            *phase = Phase::Opening;
            let log = Arc::clone(self);
            let opening = thread::Builder::new().name("neptune:open".into()).spawn(move || log.open());
            if opening.is_err() {
                *phase = Phase::Over;
            }
        }
        while waits && matches!(*phase, Phase::Opening) {
            phase = self.changed.wait(phase).unwrap_or_else(PoisonError::into_inner);
        }
        match &*phase {
            Phase::Closed | Phase::Opening => Goal::Unknown,
            Phase::Over => Goal::None,
            Phase::Open(experiment) => {
                let path = format!("{}/{}", self.order.namespace, which.name());
                experiment.series::<String>(&path).map_or(Goal::None, Goal::Series)
            }
        }
    }

    fn open(&self) {
        let (opened, trouble) = match self.start() {
            Ok(experiment) => (Phase::Open(experiment), None),
            Err(error) => (Phase::Over, Some(error)),
        };
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        self.changed.notify_all();
        // Behind the lock: whoever reads standard error may have us wait, and nobody else is to wait for that.
        if let Some(error) = trouble {
            super::relay::complain(&format!("what is printed is not kept: {error}"));
        }
    }

    fn start(&self) -> Result<Experiment> {
        let order = &self.order;
        let mode = if order.is_offline { Mode::Offline } else { Mode::Embedded };
        let durability = if order.is_power_safe { Durability::Disk } else { Durability::Process };
        let session = Session::builder().folder(&order.folder).mode(mode).durability(durability);
        let session = session.open_beside_another(order.project.clone())?;
        session.edit(&order.experiment.to_string()).known_in(order.project.clone()).stop_deadline(DEADLINE).start()
    }
}

/// Where the lines of a stream go, as far as it is known.
#[derive(Debug)]
enum Goal {
    Unknown,
    Series(Series<String>),
    None,
}

/// The lines of one stream.
#[derive(Debug)]
pub(super) struct LoggedLines {
    log: Arc<Log>,
    which: Which,
    series: Goal,
    /// What came before the experiment was open.
    waiting: Vec<(i64, String)>,
    bytes: usize,
    lost: u64,
}

impl LoggedLines {
    /// Keeps a line.
    pub(super) fn add(&mut self, time: i64, line: &str) {
        match &self.series {
            Goal::Series(series) => series.log_document(None, Timestamp::from_micros(time), line),
            Goal::None => {}
            Goal::Unknown if self.bytes < MOST_WAITING => {
                self.bytes += line.len() + size_of::<(i64, String)>();
                self.waiting.push((time, line.to_owned()));
            }
            Goal::Unknown => self.lost += 1,
        }
    }

    /// Whether lines wait for the experiment.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts the lines that wait where they belong, once that is known; with `waits`, not before.
    pub(super) fn settle(&mut self, waits: bool) {
        if self.waiting.is_empty() {
            return;
        }
        self.series = self.log.series(self.which, waits);
        if matches!(self.series, Goal::Unknown) {
            return;
        }
        for (time, line) in std::mem::take(&mut self.waiting) {
            self.add(time, &line);
        }
        self.bytes = 0;
        if self.lost > 0
            && let Goal::Series(series) = &self.series
        {
            let lost = std::mem::take(&mut self.lost);
            series.count_lost(LostReason::Overrun, lost, || "the store took too long to open".to_owned());
        }
    }
}
