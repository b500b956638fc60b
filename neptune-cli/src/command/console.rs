//! `neptune console`: what the processes of an experiment printed, merged by time.
//!
//! Lines are read piece by piece, so a log of any length takes little memory, unless only its end is wanted.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    thread,
    time::Duration,
};

use neptune_core::{Timestamp, VariableType};
use neptune_store::{
    Store, Values,
    read::{ExperimentKey, VariableValue},
};
use serde::Serialize;

use crate::{
    cli, clock,
    failure::{Exit, Failure},
    inert::inert,
    reading,
    screen::{DIM, ODD, Screen, painted},
};

/// Lines that are read of a stream at once: about as many as are kept together.
const PIECE: f64 = 16_384.0;

/// How often an experiment that is followed is looked at for having died.
const RECOVER: Duration = Duration::from_secs(2);

/// The state of an experiment that goes on.
const RUNNING: &str = "running";

/// The process and the stream whose lines are kept at `path`.
pub(crate) fn stream_of(path: &str) -> Option<(&str, &str)> {
    let (writer, stream) = path.strip_prefix("monitoring/")?.split_once('/')?;
    matches!(stream, "stdout" | "stderr").then_some((writer, stream))
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, wanted: &cli::Console) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let experiment = reading::find(&store, &wanted.id)?;
    let mut console = Console { store: &store, experiment, wanted, streams: BTreeMap::new() };
    let mut state = reading::state(&store, &console.experiment)?;
    console.look()?;
    match wanted.lines {
        Some(most) => console.print_last(screen, most)?,
        None => console.print(screen)?,
    }
    if console.streams.is_empty() && !wanted.follow {
        screen.note("nothing that was printed is kept")?;
    }
    let mut since_recovery = Duration::ZERO;
    while wanted.follow && state == RUNNING {
        screen.flush()?;
        // Nobody unparks this thread.
        thread::park_timeout(wanted.interval);
        since_recovery += wanted.interval;
        if since_recovery >= RECOVER && store.is_writable() {
            since_recovery = Duration::ZERO;
            reading::recover_quietly(folder);
        }
        // The state before the lines: when it has ended, these are the last ones.
        state = reading::state(&store, &console.experiment)?;
        console.look()?;
        console.print(screen)?;
    }
    Ok(Exit::Fine)
}

struct Console<'a> {
    store: &'a Store,
    experiment: ExperimentKey,
    wanted: &'a cli::Console,
    /// By path.
    streams: BTreeMap<String, Stream>,
}

/// The lines of one stream of one process, and how far they were read.
struct Stream {
    next: f64,
    last: f64,
    read: VecDeque<Line>,
}

struct Line {
    path: String,
    number: f64,
    time: Timestamp,
    text: String,
}

impl Console<'_> {
    /// Looks for streams, and for how far they go now.
    fn look(&mut self) -> Result<(), Failure> {
        for variable in self.store.variables(&self.experiment, "monitoring/")? {
            let Some((_, name)) = stream_of(&variable.path) else { continue };
            let is_wanted = match self.wanted.only {
                None => true,
                Some(cli::Stream::Stdout) => name == "stdout",
                Some(cli::Stream::Stderr) => name == "stderr",
            };
            let VariableValue::Series(series) = variable.value else { continue };
            if is_wanted && variable.kind == VariableType::STRING_SERIES {
                let first = Stream { next: series.first_step, last: series.last_step, read: VecDeque::new() };
                self.streams.entry(variable.path).or_insert(first).last = series.last_step;
            }
        }
        Ok(())
    }

    /// The next line of all streams, by time.
    fn next(&mut self) -> Result<Option<Line>, Failure> {
        for (path, stream) in &mut self.streams {
            while stream.read.is_empty() && stream.next <= stream.last {
                let end = (stream.next + PIECE - 1.0).min(stream.last);
                let points = self.store.series(&self.experiment, path, stream.next..=end)?;
                stream.next = end + 1.0;
                let Values::Text(texts) = points.values else { continue };
                let lines = points.steps.into_iter().zip(points.times).zip(texts);
                stream.read.extend(lines.map(|((number, time), text)| Line {
                    path: path.clone(),
                    number,
                    time: Timestamp::from_micros(time),
                    text,
                }));
            }
        }
        let waiting = self.streams.values_mut().filter(|stream| !stream.read.is_empty());
        let first = waiting.min_by_key(|stream| stream.read.front().map(|line| line.time));
        Ok(first.and_then(|stream| stream.read.pop_front()))
    }

    fn print(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        while let Some(line) = self.next()? {
            self.print_line(screen, &line)?;
        }
        Ok(())
    }

    /// Prints the last `most` lines.
    fn print_last(&mut self, screen: &mut Screen, most: usize) -> Result<(), Failure> {
        for stream in self.streams.values_mut() {
            stream.next = stream.next.max(stream.last + 1.0 - most as f64);
        }
        let mut last = VecDeque::new();
        while let Some(line) = self.next()? {
            last.push_back(line);
            if last.len() > most {
                last.pop_front();
            }
        }
        last.iter().try_for_each(|line| self.print_line(screen, line))
    }

    fn print_line(&self, screen: &mut Screen, line: &Line) -> Result<(), Failure> {
        let (process, stream) = stream_of(&line.path).unwrap_or_default();
        if screen.json {
            let time = clock::json(line.time);
            let told = Told { process, stream, number: line.number, time, line: &line.text };
            return screen.json_line(&told);
        }
        let text = inert(&line.text.replace('\t', "    "));
        if self.wanted.text {
            return screen.line(text);
        }
        let several = self.streams.keys().filter_map(|path| stream_of(path)).any(|(other, _)| other != process);
        let process = if several { format!("  {}", inert(process)) } else { String::new() };
        let before = painted(DIM, format_args!("{}{process}", clock::local_millis(line.time)));
        let stream = if stream == "stderr" { painted(ODD, "err") } else { painted(DIM, "out") };
        screen.line(format_args!("{before}  {stream}  {text}").to_string().trim_end())
    }
}

/// A line in JSON.
#[derive(Serialize)]
struct Told<'a> {
    process: &'a str,
    stream: &'a str,
    number: f64,
    time: String,
    line: &'a str,
}
