//! `neptune abort`: asks the processes of a running experiment to end it, and waits until it has ended.
//!
//! Nothing is killed: a program hears of the request when it listens (`on_abort`), and follows when it can.

use std::{path::Path, thread, time::Duration};

use neptune_store::{Store, read::ExperimentKey};
use serde::Serialize;

use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number,
    progress::Progress,
    reading,
    screen::{BOLD, Screen, painted, style_of_state},
};

/// How often the experiment is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often it is looked at for having died: nobody else says so to the store.
const RECOVER: Duration = Duration::from_secs(2);

/// The state of an experiment that goes on.
const RUNNING: &str = "running";

/// What came of it.
#[derive(Debug, Serialize)]
struct Request<'a> {
    experiment: &'a str,
    /// How many processes were asked.
    asked: u64,
    state: String,
    /// Why, when it failed or was aborted and somebody said so.
    because: Option<String>,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, abort: &cli::Abort) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &abort.id)?;
    let asked = reading::session(folder)?.request_abort(&key.uuid.to_string(), &abort.reason)? as u64;
    if asked > 0 && !screen.json {
        let processes = number::counted(asked, "process was", "processes were");
        screen.note(format_args!("{processes} asked to abort {}", key.short_id))?;
    }
    let state = if asked > 0 { waited(&store, folder, &key, abort.wait)? } else { reading::state(&store, &key)? };
    let because = reading::failure(&store, &key)?;
    let experiment = key.short_id.as_str();
    let exit = if asked > 0 && state != RUNNING { Exit::Fine } else { Exit::NotAborted };
    let told = Request { experiment, asked, state, because };
    if screen.json {
        screen.document(&told)?;
    } else {
        told.print(screen, abort.wait)?;
    }
    Ok(exit)
}

/// The state in which the experiment is when it has ended, or when nobody waits any longer.
fn waited(store: &Store, folder: &Path, key: &ExperimentKey, wait: Duration) -> Result<String, Failure> {
    let mut bar = Progress::waiting("waiting for it to end");
    let (mut since_start, mut since_recovery) = (Duration::ZERO, Duration::ZERO);
    loop {
        let state = reading::state(store, key)?;
        if state != RUNNING || since_start >= wait {
            return Ok(state);
        }
        let pause = LOOK.min(wait.saturating_sub(since_start));
        // Nobody unparks this thread.
        thread::park_timeout(pause);
        since_start += pause;
        since_recovery += pause;
        bar.at(since_start.as_secs(), wait.as_secs().max(1), String::new);
        if since_recovery >= RECOVER && store.is_writable() {
            since_recovery = Duration::ZERO;
            reading::recover_quietly(folder);
        }
    }
}

impl Request<'_> {
    fn print(&self, screen: &mut Screen, wait: Duration) -> Result<(), Failure> {
        let id = painted(BOLD, inert(self.experiment));
        let state = painted(style_of_state(&self.state), inert(&self.state));
        let because = self.because.as_deref().map(|because| format!(": {}", inert(because.trim_end())));
        let because = because.unwrap_or_default();
        let is_running = self.state == RUNNING;
        match (self.asked, is_running) {
            (0, true) => screen.line(format_args!("{id} is {state}, but no process on this machine logs to it")),
            (0, false) if self.state.is_empty() => screen.line(format_args!("{id} is no run, so it cannot be aborted")),
            (0, false) => screen.line(format_args!("{id} does not run; its state is {state}{because}")),
            (_, false) => screen.line(format_args!("{id} has ended: {state}{because}")),
            (_, true) if wait.is_zero() => screen.line(format_args!("{id} still runs; nobody waited for it to end")),
            (_, true) => {
                screen.line(format_args!("{id} still runs"))?;
                screen.note(
                    "the request stays; its program may still come to it, or may not listen (`on_abort`, \
                     `abort_requested`)",
                )
            }
        }
    }
}
