//! What the processes of an experiment printed, merged by time, in pages from either end.
//!
//! A cursor is a place in each stream, so a page is the same however many lines are added meanwhile, and no line is missed or
//! told twice. Streams are read piece by piece, and no further than a page needs: memory does not grow with the log.

use std::{cmp::Ordering, collections::BTreeMap};

use neptune_core::VariableType;
use neptune_store::{
    Result, Store, Values,
    read::{ExperimentKey, VariableValue},
};
use serde::{Deserialize, Serialize};

/// The most bytes of text of a page, so that few lines of great length are enough for one.
const MOST_BYTES: usize = 8 << 20;

/// How many lines and bytes are looked through for a page: about two seconds. The next page goes on from there.
const MOST_READ: (u64, usize) = (4_000_000, 512 << 20);

/// A line that was printed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) process: String,
    pub(crate) stream: Stream,
    pub(crate) number: f64,
    pub(crate) time: i64,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// A place between two lines: in each stream the first line behind it. A stream that is not in it has all its lines behind it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cursor(BTreeMap<String, [Option<f64>; 2]>);

/// Where a page is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    End,
    Before(Cursor),
    After(Cursor),
}

/// A line by its process, its stream and its number there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineName {
    process: String,
    stream: Stream,
    number: f64,
}

impl LineName {
    /// The line that `PROCESS/STREAM/NUMBER` names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (path, number) = text.rsplit_once('/')?;
        let path = format!("monitoring/{path}");
        let (process, stream) = named(&path)?;
        Some(Self { process: process.to_owned(), stream, number: number.parse().ok()? })
    }
}

/// The place before a line; `None` when there is no such line.
pub(crate) fn place_of(store: &Store, experiment: &ExperimentKey, line: &LineName) -> Result<Option<Cursor>> {
    let streams = streams(store, experiment, None, &Place::End)?;
    let own = streams.iter().position(|stream| stream.process == line.process && stream.stream == line.stream);
    let Some(own) = own else { return Ok(None) };
    let found = store.series(experiment, &streams[own].path, line.number..=line.number)?;
    let Some(time) = found.times.first() else { return Ok(None) };
    let mut cursor = Cursor::default();
    for (at, stream) in streams.iter().enumerate() {
        // Of lines at the same time those of the first stream come first.
        let place = match at.cmp(&own) {
            Ordering::Less => first_since(store, experiment, stream, time.saturating_add(1))?,
            Ordering::Equal => line.number,
            Ordering::Greater => first_since(store, experiment, stream, *time)?,
        };
        cursor.0.entry(stream.process.clone()).or_default()[stream.stream as usize] = Some(place);
    }
    Ok(Some(cursor))
}

/// The place before the first line at `time` or later, in a stream that is to be read from its end. Its pieces are looked through
/// by halves, so a long stream takes a few reads.
fn first_since(store: &Store, experiment: &ExperimentKey, stream: &StreamScan, time: i64) -> Result<f64> {
    // All lines before `low` are older; behind `high` none is.
    let (mut low, mut high) = (stream.first, stream.at);
    while low < high {
        let middle = f64::midpoint(low, high).floor().max(low);
        let points = store.piece_from(experiment, &stream.path, middle)?;
        match points.times.iter().position(|found| *found >= time) {
            Some(at) if at > 0 => return Ok(points.steps[at]),
            None if !points.steps.is_empty() => low = points.steps[points.steps.len() - 1].next_up(),
            _ if middle <= low => return Ok(low),
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Which lines are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) place: Place,
    pub(crate) stream: Option<Stream>,
    /// What a line has in it, in any case.
    pub(crate) search: Option<String>,
    pub(crate) limit: usize,
}

/// Lines in the order of time.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
    /// For the page before this one; `None` when no line is before it.
    pub(crate) before: Option<Cursor>,
    /// For the lines behind this page.
    pub(crate) after: Cursor,
}

/// The page of the console of an experiment that is `wanted`.
pub(crate) fn page(store: &Store, experiment: &ExperimentKey, wanted: Wanted) -> Result<Page> {
    let is_back = !matches!(wanted.place, Place::After(_));
    let mut scan = Scan {
        store,
        experiment,
        is_back,
        search: wanted.search.map(|text| text.to_lowercase()),
        limit: wanted.limit,
        streams: streams(store, experiment, wanted.stream, &wanted.place)?,
        found: BTreeMap::new(),
        bytes: 0,
        read: (0, 0),
    };
    let begun = scan.cursor(|stream| Some(stream.at));
    scan.run()?;
    let ended = scan.cursor(|stream| stream.end(is_back));
    let mut lines: Vec<Line> = scan.found.into_values().collect();
    Ok(match wanted.place {
        Place::After(before) => Page { lines, before: Some(before), after: ended },
        Place::End | Place::Before(_) => {
            lines.reverse();
            let is_all = ended.0.is_empty();
            Page { lines, before: (!is_all).then_some(ended), after: begun }
        }
    })
}

/// The streams of an experiment, each where it is read from.
fn streams(store: &Store, experiment: &ExperimentKey, only: Option<Stream>, place: &Place) -> Result<Vec<StreamScan>> {
    let mut streams = Vec::new();
    for variable in store.variables(experiment, "monitoring/")? {
        let Some((process, stream)) = named(&variable.path) else { continue };
        let VariableValue::Series(summary) = variable.value else { continue };
        if variable.kind != VariableType::STRING_SERIES || only.is_some_and(|only| only != stream) {
            continue;
        }
        let end = summary.last_step.next_up();
        let at = |cursor: &Cursor| cursor.0.get(process).and_then(|places| places[stream as usize]);
        let at = match place {
            Place::End => end,
            Place::Before(cursor) | Place::After(cursor) => at(cursor).unwrap_or(f64::NEG_INFINITY),
        };
        let is_back = !matches!(place, Place::After(_));
        // Of a stream that is read from its end it is known without a look, of another one only that it is not known.
        let edge = if is_back && at >= end { summary.last_time.as_micros().saturating_neg() } else { i64::MIN };
        let first = summary.first_step;
        let is_done = if is_back { at <= first } else { at >= end };
        let process = process.to_owned();
        streams.push(StreamScan {
            path: variable.path,
            process,
            stream,
            first,
            at,
            edge,
            is_done,
            lines: 0,
            left: None,
        });
    }
    Ok(streams)
}

/// The process and the stream whose lines are kept at `path`.
fn named(path: &str) -> Option<(&str, Stream)> {
    let (process, stream) = path.strip_prefix("monitoring/")?.split_once('/')?;
    match stream {
        "stdout" => Some((process, Stream::Stdout)),
        "stderr" => Some((process, Stream::Stderr)),
        _ => None,
    }
}

/// One stream, and how far it was read.
struct StreamScan {
    path: String,
    process: String,
    stream: Stream,
    /// Its first line.
    first: f64,
    /// The place that it was read to.
    at: f64,
    /// No line that is not read yet comes before this in the order in which lines are read.
    edge: i64,
    /// Whether there is nothing more, or nothing more is wanted.
    is_done: bool,
    /// How many lines were read.
    lines: u64,
    /// The first line that was found and did not get into the page.
    left: Option<f64>,
}

impl StreamScan {
    /// The place where the next page goes on; `None` at the beginning of the stream.
    fn end(&self, is_back: bool) -> Option<f64> {
        let at = match self.left {
            Some(left) if is_back => left.next_up(),
            Some(left) => left,
            None => self.at,
        };
        (at > self.first).then_some(at)
    }
}

/// Where a line stands among those that were found: by time, then by stream, then by number. Backwards all of it is turned.
type Order = (i64, i64, u64);

struct Scan<'a> {
    store: &'a Store,
    experiment: &'a ExperimentKey,
    is_back: bool,
    search: Option<String>,
    limit: usize,
    streams: Vec<StreamScan>,
    /// The first lines of those that were read and match, as many as a page has.
    found: BTreeMap<Order, Line>,
    bytes: usize,
    /// Lines and bytes that were read.
    read: (u64, usize),
}

impl Scan<'_> {
    fn run(&mut self) -> Result<()> {
        while let Some(next) = self.next() {
            let edge = self.streams[next].edge;
            let is_complete =
                self.is_full() && self.found.last_key_value().is_some_and(|((last, ..), _)| *last <= edge);
            if is_complete {
                return Ok(());
            }
            if self.read.0 >= MOST_READ.0 || self.read.1 >= MOST_READ.1 {
                self.leave_from(edge);
                return Ok(());
            }
            self.read_piece(next)?;
        }
        Ok(())
    }

    /// The stream whose next line may come first.
    fn next(&self) -> Option<usize> {
        let waiting = self.streams.iter().enumerate().filter(|(_, stream)| !stream.is_done);
        waiting.min_by_key(|(_, stream)| stream.edge).map(|(at, _)| at)
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.limit || self.bytes >= MOST_BYTES
    }

    fn read_piece(&mut self, at: usize) -> Result<()> {
        let stream = &self.streams[at];
        let points = if self.is_back {
            self.store.piece_before(self.experiment, &stream.path, stream.at)?
        } else {
            self.store.piece_from(self.experiment, &stream.path, stream.at)?
        };
        let (Values::Text(texts), Some(first), Some(last)) = (points.values, points.steps.first(), points.steps.last())
        else {
            self.streams[at].is_done = true;
            return Ok(());
        };
        let stream = &mut self.streams[at];
        stream.at = if self.is_back { *first } else { last.next_up() };
        stream.is_done = self.is_back && *first <= stream.first;
        let lines = points.steps.into_iter().zip(points.times).zip(texts);
        if self.is_back {
            lines.rev().for_each(|((number, time), text)| self.take(at, number, time, text));
        } else {
            lines.for_each(|((number, time), text)| self.take(at, number, time, text));
        }
        Ok(())
    }

    /// Looks at the next line of a stream.
    fn take(&mut self, at: usize, number: f64, time: i64, text: String) {
        self.read = (self.read.0 + 1, self.read.1 + text.len());
        let is_full = self.is_full();
        let stream = &mut self.streams[at];
        // A clock that is set back does not change the order of a stream.
        stream.edge = stream.edge_after(if self.is_back { time.saturating_neg() } else { time });
        stream.lines += 1;
        if stream.left.is_some() || self.search.as_ref().is_some_and(|wanted| !text.to_lowercase().contains(wanted)) {
            return;
        }
        let place = i64::try_from(at).unwrap_or(i64::MAX);
        let order = (stream.edge, if self.is_back { -place } else { place }, stream.lines);
        if is_full && self.found.last_key_value().is_some_and(|(last, _)| *last < order) {
            stream.left = Some(number);
            stream.is_done = true;
            return;
        }
        self.bytes += text.len();
        let line = Line { process: stream.process.clone(), stream: stream.stream, number, time, text };
        self.found.insert(order, line);
        while self.found.len() > self.limit || (self.bytes > MOST_BYTES && self.found.len() > 1) {
            self.leave_last();
        }
    }

    /// Takes the last line out of the page again.
    fn leave_last(&mut self) {
        let Some(((_, place, _), line)) = self.found.pop_last() else { return };
        self.bytes -= line.text.len();
        if let Some(stream) = usize::try_from(place.abs()).ok().and_then(|at| self.streams.get_mut(at)) {
            stream.left = Some(line.number);
            stream.is_done = true;
        }
    }

    /// Takes the lines out of the page that one which was not read might come before.
    fn leave_from(&mut self, edge: i64) {
        while self.found.last_key_value().is_some_and(|((last, ..), _)| *last > edge) {
            self.leave_last();
        }
    }

    fn cursor(&self, place: impl Fn(&StreamScan) -> Option<f64>) -> Cursor {
        let mut cursor = Cursor::default();
        for stream in &self.streams {
            if let Some(at) = place(stream).filter(|at| at.is_finite()) {
                cursor.0.entry(stream.process.clone()).or_default()[stream.stream as usize] = Some(at);
            }
        }
        cursor
    }
}

impl StreamScan {
    /// The edge behind a line at `time`. What was known before any line was read is only a bound.
    fn edge_after(&self, time: i64) -> i64 {
        if self.lines == 0 { time } else { self.edge.max(time) }
    }
}
