//! [`Reader`]: the values of a JSON file, one behind the other, and all that is wrong with them.
//!
//! A value of the wrong kind is noted with its path, and reading goes on behind it. What is no JSON ends the reading.

use std::{fmt::Write as _, io::Read};

use serde_json::{Number, Value};

use super::{
    fault::{Fault, Place, Stop},
    lexer::{Lexer, MOST_TEXT, Token},
};

/// How many faults are told of one file. Others are counted: one mistake in a loop makes thousands.
const MOST_FAULTS: usize = 20;

/// How deep lists and objects may lie in one another.
const DEEPEST: usize = 100;

/// What of a text is shown in a message.
const SHOWN: usize = 40;

/// A list or an object that is being read.
#[derive(Debug)]
struct Level {
    /// Where in it the reader is.
    at: At,
    is_first: bool,
}

#[derive(Debug)]
enum At {
    Key(String),
    Known(&'static str),
    Index(u64),
}

#[derive(Debug)]
pub(super) struct Reader<R> {
    lexer: Lexer<R>,
    /// The token that was looked at and not taken.
    ahead: Option<Token>,
    /// Where the token begins that was looked at last.
    place: Place,
    levels: Vec<Level>,
    faults: Vec<Fault>,
    more_faults: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            lexer: Lexer::new(input),
            ahead: None,
            place: Place { line: 1, column: 1 },
            levels: Vec::new(),
            faults: Vec::new(),
            more_faults: 0,
        }
    }

    /// What was wrong, and how much more there was.
    pub(super) fn into_faults(self) -> (Vec<Fault>, u64) {
        (self.faults, self.more_faults)
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Notes that something is wrong with the value that was looked at last.
    pub(super) fn fault(&mut self, message: impl Into<String>) {
        self.fault_at(self.place, message, false);
    }

    /// Notes that the file is missing that the text names that was read last.
    pub(super) fn missing_file(&mut self, message: impl Into<String>) {
        self.fault_at(self.place, message, true);
    }

    pub(super) fn fault_at(&mut self, place: Place, message: impl Into<String>, is_missing_file: bool) {
        if self.faults.len() == MOST_FAULTS {
            self.more_faults += 1;
            return;
        }
        let Place { line, column } = place;
        self.faults.push(Fault { path: self.path(), line, column, message: message.into(), is_missing_file });
    }

    /// Where the value begins that was looked at last.
    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// The JSON path of the value that is read now.
    pub(super) fn path(&self) -> String {
        let mut path = "$".to_owned();
        for level in &self.levels {
            let key = match &level.at {
                At::Index(index) => {
                    write!(path, "[{index}]").expect("a String takes all that is written to it");
                    continue;
                }
                At::Key(key) => key.as_str(),
                At::Known(key) => key,
            };
            let key = shortened(key);
            let mut characters = key.chars();
            let is_word =
                characters.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '$'))
                    && characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
            if is_word {
                path.push('.');
                path.push_str(&key);
            } else {
                write!(path, "[{key:?}]").expect("a String takes all that is written to it");
            }
        }
        path
    }

    /// The token that comes next.
    pub(super) fn peek(&mut self) -> Result<Token, Stop> {
        if let Some(token) = self.ahead {
            return Ok(token);
        }
        let (token, place) = self.lexer.token()?;
        (self.ahead, self.place) = (Some(token), place);
        Ok(token)
    }

    fn take(&mut self) -> Result<Token, Stop> {
        let token = self.peek()?;
        self.ahead = None;
        Ok(token)
    }

    fn unexpected(&self, expected: &str, found: Token) -> Stop {
        let found = match found {
            Token::End => "the end of the file".to_owned(),
            found => self.shown(found),
        };
        Stop::syntax(self.place, format!("expected {expected}, found {found}"))
    }

    /// Goes into the list or object that is next.
    pub(super) fn begin(&mut self) -> Result<(), Stop> {
        let at = if self.take()? == Token::BeginList { At::Index(0) } else { At::Known("") };
        if self.levels.len() == DEEPEST {
            return Err(Stop::syntax(
                self.place,
                format!("lists and objects lie deeper than {DEEPEST} in one another"),
            ));
        }
        self.levels.push(Level { at, is_first: true });
        Ok(())
    }

    /// Goes to the next item of a list. At its end it leaves the list and says false.
    pub(super) fn item(&mut self) -> Result<bool, Stop> {
        if !self.separate(Token::EndList, "`,` or `]`")? {
            return Ok(false);
        }
        if let Some(Level { at: At::Index(index), is_first }) = self.levels.last_mut() {
            *index += u64::from(!*is_first);
            *is_first = false;
        }
        Ok(true)
    }

    /// Goes to the value of the next key of an object. At its end it leaves the object and says nothing.
    pub(super) fn key(&mut self) -> Result<Option<String>, Stop> {
        if !self.any_key()? {
            return Ok(None);
        }
        let key = self.lexer.text().to_owned();
        if let Some(level) = self.levels.last_mut() {
            *level = Level { at: At::Key(key.clone()), is_first: false };
        }
        self.colon()?;
        Ok(Some(key))
    }

    /// As [`Reader::key`], of an object with the given keys only: says which. `seen` has a bit for each that was there
    /// before. What is unknown or there twice is noted and skipped; `otherwise` says what to do about an unknown key.
    pub(super) fn known_key(
        &mut self,
        keys: &[&'static str],
        seen: &mut u32,
        otherwise: &str,
    ) -> Result<Option<usize>, Stop> {
        while self.any_key()? {
            let text = self.lexer.text();
            let known = keys.iter().position(|key| *key == text);
            let at = known.map_or_else(|| At::Key(text.to_owned()), |known| At::Known(keys[known]));
            if let Some(level) = self.levels.last_mut() {
                *level = Level { at, is_first: false };
            }
            match known {
                Some(known) if *seen & (1 << known) == 0 => {
                    *seen |= 1 << known;
                    self.colon()?;
                    return Ok(Some(known));
                }
                Some(_) => self.fault("this key is there twice"),
                None => {
                    let message = unknown_key(self.lexer.text(), keys, otherwise);
                    self.fault(message);
                }
            }
            self.colon()?;
            self.skip()?;
        }
        Ok(None)
    }

    fn any_key(&mut self) -> Result<bool, Stop> {
        if !self.separate(Token::EndObject, "`,` or `}`")? {
            return Ok(false);
        }
        match self.take()? {
            Token::Text => Ok(true),
            Token::EndObject => Err(Stop::syntax(self.place, "a comma in front of the end; leave it out")),
            found => Err(self.unexpected("a key within quotation marks", found)),
        }
    }

    fn colon(&mut self) -> Result<(), Stop> {
        match self.take()? {
            Token::Colon => Ok(()),
            found => Err(self.unexpected("`:` behind the key", found)),
        }
    }

    /// Takes the comma between two values, or the end.
    fn separate(&mut self, end: Token, expected: &str) -> Result<bool, Stop> {
        let token = self.peek()?;
        if token == end {
            self.ahead = None;
            self.levels.pop();
            return Ok(false);
        }
        if self.levels.last().is_some_and(|level| level.is_first) {
            return Ok(true);
        }
        if token != Token::Comma {
            return Err(self.unexpected(expected, token));
        }
        self.ahead = None;
        if end == Token::EndList && self.peek()? == Token::EndList {
            return Err(Stop::syntax(self.place, "a comma in front of the end; leave it out"));
        }
        Ok(true)
    }

    /// Skips a value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        match self.peek()? {
            Token::BeginObject => {
                self.begin()?;
                while self.any_key()? {
                    if let Some(level) = self.levels.last_mut() {
                        *level = Level { at: At::Known(""), is_first: false };
                    }
                    self.colon()?;
                    self.skip()?;
                }
                Ok(())
            }
            Token::BeginList => {
                self.begin()?;
                while self.item()? {
                    self.skip()?;
                }
                Ok(())
            }
            Token::Text | Token::Number | Token::NotFinite | Token::Bool(_) | Token::Null => self.take().map(drop),
            found => Err(self.unexpected("a value", found)),
        }
    }

    /// Notes that another value was expected, and skips this one.
    pub(super) fn expected(&mut self, expected: &str) -> Result<(), Stop> {
        let token = self.peek()?;
        if matches!(token, Token::EndObject | Token::EndList | Token::Colon | Token::Comma | Token::End) {
            return Err(self.unexpected(expected, token));
        }
        let message = format!("expected {expected}, found {}", self.shown(token));
        self.fault(message);
        self.skip()
    }

    /// A text of at most `most` bytes; `None` when it is something else, which was noted.
    pub(super) fn text(&mut self, expected: &str, most: usize) -> Result<Option<&str>, Stop> {
        if self.peek()? != Token::Text {
            self.expected(expected)?;
            return Ok(None);
        }
        self.ahead = None;
        let length = self.lexer.length();
        let most = most.min(MOST_TEXT);
        if length > most as u64 {
            self.fault(format!("a text of {length} bytes; at most {most} are kept"));
            return Ok(None);
        }
        Ok(Some(self.lexer.text()))
    }

    /// A finite number; `None` when it is something else, which was noted.
    pub(super) fn number(&mut self, expected: &str) -> Result<Option<f64>, Stop> {
        if self.peek()? != Token::Number {
            self.expected(expected)?;
            return Ok(None);
        }
        self.ahead = None;
        let number = self.lexer.text().parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            let message = format!("{} is beyond what a 64 bit float holds", shortened(self.lexer.text()));
            self.fault(message);
        }
        Ok(number)
    }

    /// Goes behind a value that was looked at, and is neither a list nor an object.
    pub(super) const fn pass(&mut self) {
        self.ahead = None;
    }

    /// What is written where a number or a word was looked at.
    pub(super) fn written(&self) -> &str {
        self.lexer.text()
    }

    /// Any value; `None` when something in it was noted.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Stop> {
        Ok(Some(match self.peek()? {
            Token::BeginObject => {
                self.begin()?;
                let mut fields = serde_json::Map::new();
                while let Some(key) = self.key()? {
                    if fields.contains_key(&key) {
                        self.fault("this key is there twice");
                    }
                    let value = self.value()?.unwrap_or_default();
                    fields.insert(key, value);
                }
                Value::Object(fields)
            }
            Token::BeginList => {
                self.begin()?;
                let mut items = Vec::new();
                while self.item()? {
                    items.push(self.value()?.unwrap_or_default());
                }
                Value::Array(items)
            }
            Token::Text => return Ok(self.text("a text", MOST_TEXT)?.map(|text| Value::String(text.to_owned()))),
            Token::Number => {
                self.ahead = None;
                let number = serde_json::from_str::<Number>(self.lexer.text()).ok();
                if number.is_none() {
                    let message = format!("{} is beyond what a 64 bit float holds", shortened(self.lexer.text()));
                    self.fault(message);
                }
                return Ok(number.map(Value::Number));
            }
            Token::Bool(value) => {
                self.ahead = None;
                Value::Bool(value)
            }
            Token::Null => {
                self.ahead = None;
                Value::Null
            }
            _ => {
                self.expected("a value")?;
                return Ok(None);
            }
        }))
    }

    /// Reads that nothing comes any more.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        match self.take()? {
            Token::End => Ok(()),
            found => {
                let found = self.shown(found);
                let message = format!("{found} stands behind the end of the experiment; one file is one experiment");
                Err(Stop::syntax(self.place, message))
            }
        }
    }

    fn shown(&self, token: Token) -> String {
        match token {
            Token::BeginObject => "an object".to_owned(),
            Token::BeginList => "a list".to_owned(),
            Token::EndObject => "`}`".to_owned(),
            Token::EndList => "`]`".to_owned(),
            Token::Colon => "`:`".to_owned(),
            Token::Comma => "`,`".to_owned(),
            Token::Text => format!("{:?}", shortened(self.lexer.text())),
            Token::Number | Token::NotFinite => shortened(self.lexer.text()),
            Token::Bool(value) => value.to_string(),
            Token::Null => "null".to_owned(),
            Token::End => "the end".to_owned(),
        }
    }
}

fn unknown_key(key: &str, keys: &[&'static str], otherwise: &str) -> String {
    /// Names are alike from here on; found by trying.
    const ALIKE: f64 = 0.7;
    let shown = shortened(key);
    let alike = keys.iter().map(|known| (strsim::jaro_winkler(&shown, known), known));
    let nearest = alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((_, nearest)) => format!("; did you mean {nearest:?}?"),
        None => format!("; there are {}", keys.join(", ")),
    };
    let otherwise = if otherwise.is_empty() { String::new() } else { format!("; {otherwise}") };
    format!("unknown key {shown:?}{hint}{otherwise}")
}

/// The beginning of `text`, short enough for a message.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}
