//! The JSON file of one experiment: what stands under each key.
//!
//! The file is read twice, by the same code: first to find all that is wrong with it, then to log what it holds. Only one
//! channel is held in memory at a time, and of lists of entries only one entry.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
    path::PathBuf,
};

use neptune_format::{ExperimentId, Step, Timestamp, VariablePath};
use serde_json::Value as Json;

use super::{
    columns::{Columns, Kind, Value, each, note},
    fault::{Fault, Stop},
    files::{Files, Unusable},
    lexer::{MOST_TEXT, Token},
    reader::{Reader, shortened},
};

/// The keys of an experiment; those that begin with `send_` are the older words.
const KEYS: [&str; 16] = [
    "$schema",
    "id",
    "name",
    "description",
    "params",
    "properties",
    "tags",
    "upload_source_files",
    "log_metric",
    "send_metric",
    "log_text",
    "send_text",
    "log_image",
    "send_image",
    "log_artifact",
    "send_artifact",
];

/// How long a UUID is, as `uuidgen` writes it.
const HYPHENATED: usize = 36;

/// What is known of the experiment besides its entries.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) id: Option<ExperimentId>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) params: serde_json::Map<String, Json>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) tags: Vec<String>,
    /// What the files of the sources and the artifacts become, and where they are.
    pub(super) files: Vec<(VariablePath, PathBuf)>,
    pub(super) artifacts: u64,
    pub(super) channels: Vec<Channel>,
    pub(super) entries: u64,
    /// How many values of metrics were no finite numbers, and the path of the first.
    pub(super) not_finite: Option<(u64, String)>,
}

/// A series of the experiment.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) path: VariablePath,
    pub(super) kind: Kind,
    /// The step of an entry that says none: the one behind the greatest before it.
    next_step: f64,
}

/// An entry of a channel.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Which of the channels.
    pub(super) channel: usize,
    pub(super) path: &'a VariablePath,
    pub(super) kind: Kind,
    pub(super) step: f64,
    pub(super) time: Option<Timestamp>,
    pub(super) value: Value<'a>,
}

/// What becomes of an entry.
pub(super) type Sink<'a> = dyn FnMut(Entry<'_>) -> Result<(), Stop> + 'a;

/// Reads a file. Entries go to `sink` until something is wrong with the file.
pub(super) fn read<R: Read>(input: R, files: &Files, sink: &mut Sink<'_>) -> Result<Contents, Wrong> {
    let mut document = Document {
        reader: Reader::new(input),
        files,
        sink,
        columns: Columns::default(),
        by_name: HashMap::new(),
        params: HashSet::new(),
        taken: HashSet::new(),
        found: Contents::default(),
    };
    let read = document.experiment();
    let Document { mut reader, found, .. } = document;
    match read {
        Ok(()) => {}
        Err(Stop::Syntax { place, message }) => reader.fault_at(place, message, false),
        Err(stop) => return Err(Wrong::Stopped(stop)),
    }
    if reader.has_faults() {
        let (faults, more) = reader.into_faults();
        return Err(Wrong::Faults(faults, more));
    }
    Ok(found)
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Wrong {
    /// What is wrong with it, and how much more.
    Faults(Vec<Fault>, u64),
    /// It cannot be read, or not be kept.
    Stopped(Stop),
}

struct Document<'a, 'b, R> {
    reader: Reader<R>,
    files: &'a Files,
    sink: &'a mut Sink<'b>,
    columns: Columns,
    /// The channels by their names.
    by_name: HashMap<String, usize>,
    /// The paths of parameters, of which none may be there twice.
    params: HashSet<VariablePath>,
    /// The paths of files.
    taken: HashSet<VariablePath>,
    found: Contents,
}

impl<R: Read> Document<'_, '_, R> {
    fn experiment(&mut self) -> Result<(), Stop> {
        if self.reader.peek()? != Token::BeginObject {
            self.reader.expected("an object, the experiment")?;
            return self.reader.end();
        }
        self.reader.begin()?;
        let mut seen = 0;
        while let Some(known) = self.reader.known_key(&KEYS, &mut seen, "")? {
            match KEYS[known] {
                "$schema" => self.reader.skip()?,
                "id" => self.id()?,
                "name" => self.found.name = self.reader.text("a text", MOST_TEXT)?.map(str::to_owned),
                "description" => self.found.description = self.reader.text("a text", MOST_TEXT)?.map(str::to_owned),
                "params" => self.params()?,
                "properties" => self.properties()?,
                "tags" => self.tags()?,
                "upload_source_files" => self.sources()?,
                "log_metric" | "send_metric" => self.channels(Kind::Metric)?,
                "log_text" | "send_text" => self.channels(Kind::Text)?,
                "log_image" | "send_image" => self.channels(Kind::Image)?,
                _ => self.artifacts()?,
            }
        }
        self.reader.end()
    }

    fn id(&mut self) -> Result<(), Stop> {
        let expected = "a UUID, as `uuidgen` prints it";
        if let Some(text) = self.reader.text(expected, MOST_TEXT)? {
            // The ways to write one without its hyphens are for other purposes.
            if text.len() == HYPHENATED
                && let Ok(id) = text.parse()
            {
                self.found.id = Some(id);
            } else {
                let message = format!("{:?} is no UUID; `uuidgen` makes one", shortened(text));
                self.reader.fault(message);
            }
        }
        Ok(())
    }

    /// Goes into an object of any keys; or says that there is none.
    fn begins_object(&mut self, expected: &str) -> Result<bool, Stop> {
        if self.reader.peek()? == Token::BeginObject {
            self.reader.begin()?;
            return Ok(true);
        }
        self.reader.expected(expected)?;
        Ok(false)
    }

    fn params(&mut self) -> Result<(), Stop> {
        if self.begins_object("an object of parameters")? {
            self.found.params = self.param_fields("parameters")?;
        }
        Ok(())
    }

    /// The parameters of an object that was begun, whose path is `namespace`.
    fn param_fields(&mut self, namespace: &str) -> Result<serde_json::Map<String, Json>, Stop> {
        let mut fields = serde_json::Map::new();
        while let Some(key) = self.reader.key()? {
            if fields.contains_key(&key) {
                self.reader.fault("this key is there twice");
            }
            let path = format!("{namespace}/{key}");
            let value = if self.reader.peek()? == Token::BeginObject {
                // Noted here, because a namespace that is none makes paths that are none.
                self.reader.begin()?;
                Json::Object(self.param_fields(&path)?)
            } else {
                self.param(&path)?
            };
            fields.insert(key, value);
        }
        Ok(fields)
    }

    fn param(&mut self, path: &str) -> Result<Json, Stop> {
        match VariablePath::new(path) {
            Ok(path) => {
                if !self.params.insert(path) {
                    self.reader.fault("another parameter has this path already");
                }
            }
            Err(error) => self.reader.fault(error.to_string()),
        }
        let place = self.reader.place();
        let value = self.reader.value()?.unwrap_or_default();
        // What is no text, number or bool is kept as JSON, in one record.
        if value.is_array() && value.to_string().len() > MOST_TEXT {
            self.reader.fault_at(place, format!("a list that takes more than {MOST_TEXT} bytes"), false);
        }
        Ok(value)
    }

    fn properties(&mut self) -> Result<(), Stop> {
        if !self.begins_object("an object of texts")? {
            return Ok(());
        }
        let mut known = HashSet::new();
        while let Some(key) = self.reader.key()? {
            if let Err(error) = VariablePath::within("properties", &key) {
                self.reader.fault(error.to_string());
            }
            let value = match self.reader.peek()? {
                // What is written as a number is as good as a text.
                Token::Number => {
                    self.reader.pass();
                    Some(self.reader.written().to_owned())
                }
                Token::Bool(value) => {
                    self.reader.pass();
                    Some(value.to_string())
                }
                _ => self.reader.text("a text", MOST_TEXT)?.map(str::to_owned),
            };
            if !known.insert(key.clone()) {
                self.reader.fault("this key is there twice");
            }
            self.found.properties.extend(value.map(|value| (key, value)));
        }
        Ok(())
    }

    fn tags(&mut self) -> Result<(), Stop> {
        let tags = &mut self.found.tags;
        each(&mut self.reader, |reader| {
            tags.extend(reader.text("a text, the tag", MOST_TEXT)?.map(str::to_owned));
            Ok(())
        })
    }

    fn sources(&mut self) -> Result<(), Stop> {
        let Self { reader, files, found, taken, .. } = self;
        each(reader, |reader| {
            let Some(path) = reader.text("the path of a file", MOST_TEXT)?.map(str::to_owned) else { return Ok(()) };
            let all = match all_files(files, &path, None) {
                // A name may have such a sign in it.
                Err(Unusable::Missing(_)) if Files::is_pattern(&path) => files.matching(&path),
                all => all,
            };
            match all {
                Ok(all) => take(reader, found, taken, SOURCES, all),
                Err(unusable) => note(reader, unusable),
            }
            Ok(())
        })
    }

    fn artifacts(&mut self) -> Result<(), Stop> {
        let Self { reader, files, found, taken, .. } = self;
        each(reader, |reader| {
            let (path, destination) = match reader.peek()? {
                Token::BeginObject => artifact(reader)?,
                _ => (reader.text("the path of a file", MOST_TEXT)?.map(str::to_owned), None),
            };
            let Some(path) = path else { return Ok(()) };
            let destination = destination.unwrap_or_else(|| own_name(files, &path));
            match all_files(files, &path, Some(&destination)) {
                Ok(all) => {
                    found.artifacts += all.len() as u64;
                    take(reader, found, taken, ARTIFACTS, all);
                }
                Err(unusable) => note(reader, unusable),
            }
            Ok(())
        })
    }

    /// Channels: an object with one under each name, or a list of entries that name theirs.
    fn channels(&mut self, kind: Kind) -> Result<(), Stop> {
        match self.reader.peek()? {
            Token::BeginList => {
                self.reader.begin()?;
                while self.reader.item()? {
                    if self.reader.peek()? != Token::BeginObject {
                        self.reader
                            .expected("an entry with its `name`, such as {\"name\": \"loss\", \"x\": 0, \"y\": 1}")?;
                        continue;
                    }
                    let place = self.reader.place();
                    let is_usable = self.columns.read(&mut self.reader, kind, self.files, true)?;
                    let Some(name) = self.columns.name.take() else {
                        self.reader.fault_at(place, "`name` is missing: the channel of this entry", false);
                        continue;
                    };
                    if let Some(channel) = self.channel(name, kind)
                        && is_usable
                    {
                        self.keep(channel)?;
                    }
                }
                Ok(())
            }
            Token::BeginObject => {
                let mut known = HashSet::new();
                self.reader.begin()?;
                while let Some(name) = self.reader.key()? {
                    if !known.insert(name.clone()) {
                        self.reader.fault("this key is there twice");
                    }
                    self.reader.peek()?;
                    match self.channel(name, kind) {
                        Some(channel) => self.entries(channel, kind)?,
                        None => self.reader.skip()?,
                    }
                }
                Ok(())
            }
            _ => self.reader.expected("an object with a channel under each name"),
        }
    }

    /// The entries of one channel: a list of them, one, or the columns of all.
    fn entries(&mut self, channel: usize, kind: Kind) -> Result<(), Stop> {
        if self.reader.peek()? != Token::BeginList {
            return self.entry(channel, kind);
        }
        self.reader.begin()?;
        while self.reader.item()? {
            self.entry(channel, kind)?;
        }
        Ok(())
    }

    fn entry(&mut self, channel: usize, kind: Kind) -> Result<(), Stop> {
        let is_usable = if self.reader.peek()? == Token::BeginObject {
            self.columns.read(&mut self.reader, kind, self.files, false)?
        } else {
            self.columns.read_value(&mut self.reader, kind, self.files)?;
            true
        };
        if is_usable { self.keep(channel) } else { Ok(()) }
    }

    /// The channel of this name, made when it is new; or notes why there can be none.
    fn channel(&mut self, name: String, kind: Kind) -> Option<usize> {
        if let Some(&known) = self.by_name.get(&name) {
            if self.found.channels[known].kind != kind {
                self.reader.fault("another kind of channel has this name already; choose another");
                return None;
            }
            return Some(known);
        }
        match VariablePath::within("logs", &name) {
            Ok(path) => {
                let channel = self.found.channels.len();
                self.found.channels.push(Channel { path, kind, next_step: 0.0 });
                self.by_name.insert(name, channel);
                Some(channel)
            }
            Err(error) => {
                self.reader.fault(error.to_string());
                None
            }
        }
    }

    /// Hands out the entries that were read.
    fn keep(&mut self, number: usize) -> Result<(), Stop> {
        let Some(channel) = self.found.channels.get_mut(number) else { return Ok(()) };
        if self.columns.not_finite > 0 {
            let path = self.reader.path();
            self.found.not_finite.get_or_insert((0, path)).0 += self.columns.not_finite;
        }
        let mut rows = 0;
        for (row, x) in self.columns.rows() {
            let step = x.unwrap_or(channel.next_step);
            let behind = Step::new(step).map_or(step, |step| step.next().get());
            channel.next_step = channel.next_step.max(behind);
            let Some(row) = row else { continue };
            rows += 1;
            if !self.reader.has_faults() {
                let Channel { path, kind, .. } = &*channel;
                (self.sink)(Entry { channel: number, path, kind: *kind, step, time: row.time, value: row.value })?;
            }
        }
        self.found.entries += rows;
        Ok(())
    }
}

const SOURCES: &str = "source_code/files";
const ARTIFACTS: &str = "artifacts";

/// An artifact with its destination.
fn artifact<R: Read>(reader: &mut Reader<R>) -> Result<(Option<String>, Option<String>), Stop> {
    let place = reader.place();
    reader.begin()?;
    let (mut path, mut destination, mut seen) = (None, None, 0);
    while let Some(known) = reader.known_key(&["path", "destination"], &mut seen, "")? {
        let text = reader.text("a text", MOST_TEXT)?.map(str::to_owned);
        if known == 0 {
            path = text;
        } else {
            destination = text;
        }
    }
    if seen & 1 == 0 {
        reader.fault_at(place, "`path` is missing: the file", false);
    }
    Ok((path, destination))
}

/// The files at `path`, each under its name: a file, or those of a folder.
fn all_files(files: &Files, path: &str, name: Option<&str>) -> Result<Vec<(String, PathBuf)>, Unusable> {
    let found = files.find(path)?;
    let name = name.map_or(found.within, str::to_owned);
    if !found.is_folder {
        return Ok(vec![(name, found.path)]);
    }
    let within = files.in_folder(&found.path)?;
    let whole = |inner: String| if name.is_empty() { inner } else { format!("{name}/{inner}") };
    Ok(within.into_iter().map(|(inner, file)| (whole(inner), file)).collect())
}

/// Takes files in, each below `namespace`.
fn take<R: Read>(
    reader: &mut Reader<R>,
    found: &mut Contents,
    taken: &mut HashSet<VariablePath>,
    namespace: &str,
    files: Vec<(String, PathBuf)>,
) {
    for (name, file) in files {
        let path = match VariablePath::within(namespace, &name) {
            Ok(path) => path,
            Err(error) => {
                reader.fault(error.to_string());
                continue;
            }
        };
        if taken.insert(path.clone()) {
            found.files.push((path, file));
        } else if namespace == ARTIFACTS {
            reader.fault(format!("another artifact is {name:?} already; say the `destination` of one"));
        }
    }
}

/// What a file or folder is called, also that at `.` and `..`.
fn own_name(files: &Files, path: &str) -> String {
    let name = last_name(path);
    let found = if matches!(name, "." | "..") { files.find(path).ok() } else { None };
    let real = found.and_then(|found| Some(found.path.file_name()?.to_str()?.to_owned()));
    real.unwrap_or_else(|| name.to_owned())
}

/// The last name in a path, whatever the system that wrote it.
fn last_name(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}
