//! [`Lexer`]: the tokens of a JSON file of any length, each with the line and the column where it begins.
//!
//! Memory is bounded whatever the file holds: a text is kept up to [`MOST_TEXT`] bytes, and a number up to [`MOST_NUMBER`].

use std::{
    fmt,
    io::{self, Read},
};

use super::fault::{Place, Stop};

/// The longest text that is kept, in bytes: what fits into a record of 1 MiB beside the path of its variable.
pub(super) const MOST_TEXT: usize = (1 << 20) - (4 << 10);

/// The longest number, in characters. The decimals of a 64 bit float, written in full, are fewer than 1,100.
const MOST_NUMBER: usize = 1_200;

/// The longest word that is told from `true`, `NaN` and the others.
const MOST_WORD: usize = 40;

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// A token. What a text or a number says is in [`Lexer::text`] until the next token is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token {
    BeginObject,
    EndObject,
    BeginList,
    EndList,
    Colon,
    Comma,
    Text,
    Number,
    /// `NaN`, `Infinity` or `-Infinity`, which are no JSON, but which Python writes.
    NotFinite,
    Bool(bool),
    Null,
    /// The end of the file.
    End,
}

pub(super) struct Lexer<R> {
    input: R,
    buffer: Box<[u8]>,
    /// The bytes of the buffer that were not looked at yet.
    next: usize,
    filled: usize,
    place: Place,
    text: Vec<u8>,
    /// How long the text is, of which the beginning is kept.
    length: u64,
}

impl<R> fmt::Debug for Lexer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexer").field("place", &self.place).finish_non_exhaustive()
    }
}

impl<R: Read> Lexer<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; PIECE].into_boxed_slice(),
            next: 0,
            filled: 0,
            place: Place { line: 1, column: 1 },
            text: Vec::new(),
            length: 0,
        }
    }

    /// The text or number of the token that was read last, as it was written: of a text what its escapes mean.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// How many bytes the text has. Of one with more than [`MOST_TEXT`] only the beginning is kept.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The next token, and where it begins.
    pub(super) fn token(&mut self) -> Result<(Token, Place), Stop> {
        if self.place == (Place { line: 1, column: 1 }) {
            self.skip_byte_order_mark()?;
        }
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek()? {
            self.bump();
        }
        let place = self.place;
        let Some(byte) = self.peek()? else { return Ok((Token::End, place)) };
        let mark = match byte {
            b'{' => Token::BeginObject,
            b'}' => Token::EndObject,
            b'[' => Token::BeginList,
            b']' => Token::EndList,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => {
                self.bump();
                self.lex_text(place)?;
                return Ok((Token::Text, place));
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' => return Ok((self.lex_number(place)?, place)),
            _ => return Ok((self.lex_word(place)?, place)),
        };
        self.bump();
        Ok((mark, place))
    }

    /// Windows programs write one in front of UTF-8; what is UTF-16 is told by it.
    fn skip_byte_order_mark(&mut self) -> Result<(), Stop> {
        match self.peek()? {
            Some(0xef) => {
                for byte in [0xef, 0xbb, 0xbf] {
                    if self.peek()? != Some(byte) {
                        return Err(self.wrong("the file is not UTF-8"));
                    }
                    self.next += 1;
                }
                Ok(())
            }
            Some(0xff | 0xfe) => Err(self.wrong("the file is UTF-16; write it as UTF-8")),
            _ => Ok(()),
        }
    }

    fn lex_text(&mut self, begin: Place) -> Result<(), Stop> {
        self.text.clear();
        self.length = 0;
        loop {
            let Some(byte) = self.peek()? else {
                return Err(Stop::syntax(begin, "the file ends within this text"));
            };
            match byte {
                b'"' => {
                    self.bump();
                    return self.end_text(begin);
                }
                b'\\' => {
                    let place = self.place;
                    self.bump();
                    let character = self.lex_escape(place)?;
                    let mut bytes = [0; 4];
                    for byte in character.encode_utf8(&mut bytes).bytes() {
                        self.keep(byte);
                    }
                }
                0..0x20 => {
                    let what = match byte {
                        b'\n' => "a line break within a text; write \\n for it, or is a quotation mark missing?",
                        b'\t' => "a tab within a text; write \\t for it",
                        _ => "a control character within a text; write it as \\u and four digits",
                    };
                    return Err(self.wrong(what));
                }
                _ => {
                    self.keep(byte);
                    self.bump();
                }
            }
        }
    }

    fn end_text(&mut self, begin: Place) -> Result<(), Stop> {
        let Err(error) = std::str::from_utf8(&self.text) else { return Ok(()) };
        // One that was cut may have been cut within a character.
        if error.error_len().is_none() && self.length > self.text.len() as u64 {
            self.text.truncate(error.valid_up_to());
            return Ok(());
        }
        Err(Stop::syntax(begin, "this text is not UTF-8"))
    }

    fn keep(&mut self, byte: u8) {
        self.length += 1;
        if self.text.len() < MOST_TEXT {
            self.text.push(byte);
        }
    }

    fn lex_escape(&mut self, place: Place) -> Result<char, Stop> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.bump();
        }
        Ok(match byte {
            Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(quoted),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.lex_code_point(place),
            _ => {
                let message = "an unknown escape; a backslash is written \\\\, as in paths of Windows";
                return Err(Stop::syntax(place, message));
            }
        })
    }

    /// The character of `\uXXXX`, or of two of them that make one.
    fn lex_code_point(&mut self, place: Place) -> Result<char, Stop> {
        let half = || Stop::syntax(place, "half of a pair of surrogates, which is no character");
        let first = self.lex_hex(place)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        for expected in [b'\\', b'u'] {
            if self.peek()? != Some(expected) {
                return Err(half());
            }
            self.bump();
        }
        let second = self.lex_hex(place)?;
        if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
            return Err(half());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(half)
    }

    fn lex_hex(&mut self, place: Place) -> Result<u32, Stop> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek()?.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(Stop::syntax(place, "\\u is followed by four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.bump();
        }
        Ok(code)
    }

    fn lex_number(&mut self, place: Place) -> Result<Token, Stop> {
        self.text.clear();
        while let Some(byte @ (b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_')) = self.peek()? {
            if self.text.len() == MOST_NUMBER {
                return Err(Stop::syntax(place, format!("a number of more than {MOST_NUMBER} characters")));
            }
            self.text.push(byte);
            self.bump();
        }
        if self.text == b"-Infinity" {
            return Ok(Token::NotFinite);
        }
        if is_number(&self.text) {
            return Ok(Token::Number);
        }
        let shown: String = self.text().chars().take(MOST_WORD).collect();
        Err(Stop::syntax(place, format!("`{shown}` is no number of JSON")))
    }

    fn lex_word(&mut self, place: Place) -> Result<Token, Stop> {
        self.text.clear();
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_alphanumeric() || self.text.len() == MOST_WORD {
                break;
            }
            self.text.push(byte);
            self.bump();
        }
        match self.text.as_slice() {
            b"true" => Ok(Token::Bool(true)),
            b"false" => Ok(Token::Bool(false)),
            b"null" => Ok(Token::Null),
            b"NaN" | b"Infinity" => Ok(Token::NotFinite),
            b"" => {
                let found = match self.peek()? {
                    Some(b'\'') => "a text is written within \"double quotation marks\"".to_owned(),
                    Some(b'/' | b'#') => "JSON has no comments".to_owned(),
                    Some(byte) if byte.is_ascii_graphic() => format!("expected a value, found `{}`", char::from(byte)),
                    _ => "expected a value, found something else".to_owned(),
                };
                Err(Stop::syntax(place, found))
            }
            _ => Err(Stop::syntax(place, format!("expected a value, found `{}`", self.text()))),
        }
    }

    fn wrong(&self, message: &str) -> Stop {
        Stop::syntax(self.place, message)
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if self.next == self.filled {
            self.fill()?;
        }
        Ok(self.buffer.get(self.next..self.filled).and_then(|rest| rest.first().copied()))
    }

    #[cold]
    fn fill(&mut self) -> Result<(), Stop> {
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(filled) => {
                    (self.next, self.filled) = (0, filled.min(self.buffer.len()));
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Unreadable(error)),
            }
        }
    }

    /// Goes behind the byte that was looked at.
    #[inline]
    fn bump(&mut self) {
        let byte = self.buffer.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        if byte == b'\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else if byte & 0xc0 != 0x80 {
            // The bytes behind the first one of a character take no column.
            self.place.column += 1;
        }
    }
}

/// Whether this is a number as JSON writes it.
fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        text.get(count..).filter(|_| count > 0)
    }
    fn parts(text: &[u8]) -> Option<&[u8]> {
        let text = text.strip_prefix(b"-").unwrap_or(text);
        let mut rest = match text {
            [b'0', rest @ ..] => rest,
            _ => digits(text)?,
        };
        if let [b'.', fraction @ ..] = rest {
            rest = digits(fraction)?;
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            rest = digits(match exponent {
                [b'+' | b'-', exponent @ ..] => exponent,
                _ => exponent,
            })?;
        }
        Some(rest)
    }
    parts(text).is_some_and(<[u8]>::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(json: &[u8]) -> Result<Vec<(Token, String)>, String> {
        let mut lexer = Lexer::new(json);
        let mut found = Vec::new();
        loop {
            match lexer.token() {
                Ok((Token::End, _)) => return Ok(found),
                Ok((token, _)) => {
                    let text = if matches!(token, Token::Text | Token::Number) { lexer.text() } else { "" };
                    found.push((token, text.to_owned()));
                }
                Err(Stop::Syntax { place, message }) => {
                    return Err(format!("{}:{}: {message}", place.line, place.column));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn text(json: &str) -> String {
        tokens(json.as_bytes()).unwrap().remove(0).1
    }

    #[test]
    fn escapes_mean_what_json_says() {
        assert_eq!(text(r#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00""#), "a\"\\/\u{8}\u{c}\n\r\t\u{e4}\u{1f600}");
        for wrong in
            [r#""\ud83d""#, r#""\ud83d\u0041""#, r#""\ude00""#, r#""\u12g4""#, r#""\x41""#, "\"\\", "\"\u{1}\""]
        {
            tokens(wrong.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn numbers_are_those_of_json_and_no_others() {
        for right in ["0", "-0", "12", "1.5", "1e5", "1E+5", "-1.25e-10"] {
            assert_eq!(tokens(right.as_bytes()).unwrap(), [(Token::Number, right.to_owned())]);
        }
        for wrong in ["01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10", "1_000", "1-2", "-Inf", "1f"] {
            let error = tokens(wrong.as_bytes()).unwrap_err();
            assert_eq!(error, format!("1:1: `{wrong}` is no number of JSON"));
        }
        assert_eq!(tokens(b"[NaN,-Infinity,Infinity]").unwrap().iter().filter(|t| t.0 == Token::NotFinite).count(), 3);
        assert!(tokens(&[b'1'; MOST_NUMBER + 1]).unwrap_err().contains("more than 1200 characters"));
    }

    #[test]
    fn a_mistake_is_found_where_it_is() {
        assert_eq!(tokens("[\"\u{e4}\u{1f600}\", nul]".as_bytes()).unwrap_err(), "1:8: expected a value, found `nul`");
        assert_eq!(tokens(b"{\n  'a': 1}").unwrap_err(), "2:3: a text is written within \"double quotation marks\"");
        assert_eq!(tokens(b"[\n\n True]").unwrap_err(), "3:2: expected a value, found `True`");
        assert!(tokens(b"\"a\nb\"").unwrap_err().starts_with("1:3: a line break within a text"));
        assert_eq!(tokens(b"\"a").unwrap_err(), "1:1: the file ends within this text");
        assert_eq!(tokens(b"\"\xff\"").unwrap_err(), "1:1: this text is not UTF-8");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        assert_eq!(tokens(b"\xef\xbb\xbf[]").unwrap().len(), 2);
        assert_eq!(tokens(b"\xff\xfe[\0]\0").unwrap_err(), "1:1: the file is UTF-16; write it as UTF-8");
    }

    #[test]
    fn of_a_huge_text_the_beginning_is_kept_and_its_length_is_known() {
        let huge = format!("\"a{}\"", "\u{e4}".repeat(MOST_TEXT));
        let mut lexer = Lexer::new(huge.as_bytes());
        assert_eq!(lexer.token().unwrap().0, Token::Text);
        assert_eq!(lexer.length(), 2 * MOST_TEXT as u64 + 1);
        assert!(lexer.text().len() <= MOST_TEXT && lexer.text().starts_with("a\u{e4}"));
    }
}
