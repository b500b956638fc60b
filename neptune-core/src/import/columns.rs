//! [`Columns`]: the entries of a channel, as they stand in one object: `{"x": [0, 1], "y": [0.5, 0.25]}`.
//!
//! What is a list may also be the one thing in it, as some languages write a list of one.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use neptune_format::Timestamp;

use super::{
    fault::Stop,
    files::{Files, Unusable},
    lexer::{MOST_TEXT, Token},
    reader::Reader,
};
use crate::image::{IMAGE_SIZE_LIMIT_MB, Image, MOST_BYTES};

/// What is said about an image is kept in its point, beside its name; this leaves room for both.
const MOST_CAPTION: usize = 64 << 10;

/// What a channel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Metric,
    Text,
    Image,
}

impl Kind {
    const fn what(self) -> &'static str {
        match self {
            Self::Metric => "a number",
            Self::Text => "a text",
            Self::Image => "the path of an image file",
        }
    }
}

/// The keys of an entry. Those of images are behind the others, and the name of the channel is the last.
const KEYS: [&str; 6] = ["x", "y", "timestamp", "image_name", "description", "name"];
const NAME: usize = 5;

/// What is written in an entry.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) name: Option<String>,
    x: Vec<Option<f64>>,
    timestamp: Vec<Option<Timestamp>>,
    y: Values,
    image_name: Vec<Option<String>>,
    description: Vec<Option<String>>,
    has: u32,
    /// How many of the metric were no finite numbers.
    pub(super) not_finite: u64,
}

/// What the entries hold. `None` stands for what was noted, and for what is no finite number.
#[derive(Debug, Default)]
struct Values {
    numbers: Vec<Option<f64>>,
    texts: Vec<Option<String>>,
    images: Vec<Option<PathBuf>>,
}

/// One entry of them.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) value: Value<'a>,
}

/// What an entry holds.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Number(f64),
    Text(&'a str),
    Image { file: &'a Path, name: Option<&'a str>, description: Option<&'a str> },
}

impl Columns {
    fn clear(&mut self) {
        self.name = None;
        self.x.clear();
        self.timestamp.clear();
        self.y.numbers.clear();
        self.y.texts.clear();
        self.y.images.clear();
        self.image_name.clear();
        self.description.clear();
        self.has = 0;
        self.not_finite = 0;
    }

    /// Reads one value that is an entry of its own: only a `y`.
    pub(super) fn read_value<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        kind: Kind,
        files: &Files,
    ) -> Result<(), Stop> {
        self.clear();
        self.has = 1 << 1;
        self.read_y(reader, kind, files)
    }

    /// Reads an object of entries; `is_named` says whether it names its channel.
    /// Says whether it can be used; what is wrong with it was noted.
    pub(super) fn read<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        kind: Kind,
        files: &Files,
        is_named: bool,
    ) -> Result<bool, Stop> {
        self.clear();
        reader.peek()?;
        let place = reader.place();
        let keys = match (kind, is_named) {
            (Kind::Image, true) => &KEYS[..],
            (Kind::Image, false) => &KEYS[..NAME],
            (_, false) => &KEYS[..3],
            (_, true) => &["x", "y", "timestamp", "name"],
        };
        let otherwise = if is_named { "" } else { "a name in a namespace is written with a slash, \"train/loss\"" };
        reader.begin()?;
        let mut seen = 0;
        while let Some(known) = reader.known_key(keys, &mut seen, otherwise)? {
            let known = keys.get(known).and_then(|key| KEYS.iter().position(|other| other == key)).unwrap_or_default();
            self.has |= 1 << known;
            match KEYS[known] {
                "name" => {
                    let expected = "the name of the channel";
                    self.name = reader.text(expected, MOST_TEXT)?.map(str::to_owned);
                }
                "y" => each(reader, |reader| self.read_y(reader, kind, files))?,
                "x" => each(reader, |reader| {
                    self.x.push(optional(reader, |reader| reader.number("a number, the step"))?);
                    Ok(())
                })?,
                "timestamp" => each(reader, |reader| {
                    self.timestamp.push(optional(reader, read_time)?);
                    Ok(())
                })?,
                name => {
                    let captions = if name == "description" { &mut self.description } else { &mut self.image_name };
                    each(reader, |reader| {
                        captions.push(optional(reader, |reader| {
                            Ok(reader.text("a text", MOST_CAPTION)?.map(str::to_owned))
                        })?);
                        Ok(())
                    })?;
                }
            }
        }
        // The path is that of the object again.
        let count = self.len();
        if self.has & 0b10 == 0 {
            reader.fault_at(place, "`y` is missing: what is logged", false);
            return Ok(false);
        }
        let lengths = [self.x.len(), count, self.timestamp.len(), self.image_name.len(), self.description.len()];
        for (column, length) in lengths.into_iter().enumerate() {
            if self.has & (1 << column) != 0 && length != count {
                let key = KEYS[column];
                reader.fault_at(place, format!("`{key}` has {length} entries and `y` has {count}"), false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read_y<R: Read>(&mut self, reader: &mut Reader<R>, kind: Kind, files: &Files) -> Result<(), Stop> {
        match kind {
            Kind::Metric => {
                let number = match reader.peek()? {
                    // As Python and JavaScript write numbers that are not finite.
                    Token::NotFinite | Token::Null => {
                        reader.pass();
                        self.not_finite += 1;
                        None
                    }
                    _ => reader.number(kind.what())?,
                };
                self.y.numbers.push(number);
            }
            Kind::Text => self.y.texts.push(reader.text(kind.what(), MOST_TEXT)?.map(str::to_owned)),
            Kind::Image => {
                let name = reader.text(kind.what(), MOST_TEXT)?.map(str::to_owned);
                self.y.images.push(name.and_then(|name| find_image(reader, &name, files)));
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        // Only one of them is filled.
        self.y.numbers.len() + self.y.texts.len() + self.y.images.len()
    }

    /// The entries in their order: what holds something, and the step that each says.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Option<Row<'_>>, Option<f64>)> {
        (0..self.len()).map(|row| {
            let number = self.y.numbers.get(row).copied().flatten().map(Value::Number);
            let text = || self.y.texts.get(row)?.as_deref().map(Value::Text);
            let image = || {
                Some(Value::Image {
                    file: self.y.images.get(row)?.as_deref()?,
                    name: self.image_name.get(row).and_then(Option::as_deref),
                    description: self.description.get(row).and_then(Option::as_deref),
                })
            };
            let time = self.timestamp.get(row).copied().flatten();
            let value = number.or_else(text).or_else(image);
            (value.map(|value| Row { time, value }), self.x.get(row).copied().flatten())
        })
    }
}

/// Calls `one` for each item of a list, or for what stands there instead of one.
pub(super) fn each<R: Read>(
    reader: &mut Reader<R>,
    mut one: impl FnMut(&mut Reader<R>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if reader.peek()? != Token::BeginList {
        return one(reader);
    }
    reader.begin()?;
    while reader.item()? {
        one(reader)?;
    }
    Ok(())
}

/// What `read` reads, or nothing where `null` stands.
fn optional<R: Read, T>(
    reader: &mut Reader<R>,
    read: impl FnOnce(&mut Reader<R>) -> Result<Option<T>, Stop>,
) -> Result<Option<T>, Stop> {
    if reader.peek()? == Token::Null {
        reader.pass();
        return Ok(None);
    }
    read(reader)
}

/// A time, in seconds since 1970.
fn read_time<R: Read>(reader: &mut Reader<R>) -> Result<Option<Timestamp>, Stop> {
    /// The end of the year 9999. Later times are milliseconds, or no times.
    const LAST: f64 = 253_402_300_799.0;
    let Some(seconds) = reader.number("a time in seconds since 1970, as `date +%s` prints it")? else {
        return Ok(None);
    };
    if !(0.0..=LAST).contains(&seconds) {
        reader.fault("no time between 1970 and 9999; it is said in seconds since 1970");
        return Ok(None);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let micros = (seconds * 1e6).round() as i64;
    Ok(Some(Timestamp::from_micros(micros)))
}

/// The image file that was named, which is looked into the first time.
fn find_image<R: Read>(reader: &mut Reader<R>, name: &str, files: &Files) -> Option<PathBuf> {
    let found = match files.find(name) {
        Ok(found) => found,
        Err(unusable) => {
            note(reader, unusable);
            return None;
        }
    };
    if !files.looks_into_images {
        return Some(found.path);
    }
    let size = found.path.metadata().map_or(0, |metadata| metadata.len());
    if size > MOST_BYTES {
        reader.fault(format!("an image of {size} bytes; at most {IMAGE_SIZE_LIMIT_MB} MB are kept"));
        return None;
    }
    if let Err(error) = Image::open(&found.path) {
        reader.fault(error.to_string());
        return None;
    }
    Some(found.path)
}

/// Notes that a file cannot be used.
pub(super) fn note<R: Read>(reader: &mut Reader<R>, unusable: Unusable) {
    match unusable {
        Unusable::Missing(message) => reader.missing_file(message),
        Unusable::Other(message) => reader.fault(message),
    }
}
