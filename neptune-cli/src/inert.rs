//! Text that was logged, made harmless for a terminal.
//!
//! Whatever comes out of here holds no control character, and none that changes the direction of the text around it: names,
//! tags and texts are data of other people, and an escape code in one must not clear a screen or forge a line.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands for the end of a text that was cut.
const ELLIPSIS: char = '\u{2026}';

/// Whether `character` could do something to a terminal besides being shown.
pub(crate) fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{2028}' | '\u{2029}' // separators of lines and paragraphs
            | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') // direction
}

/// `text` on one line.
pub(crate) fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// `text` line by line, without empty lines at its end. A tab is four spaces.
pub(crate) fn inert_lines(text: &str) -> impl Iterator<Item = String> {
    text.trim_end().lines().map(|line| inert(&line.replace('\t', "    ")))
}

/// JSON without active characters; it means the same as before.
///
/// A serializer escapes those below the space itself, so the ones that are left are inside of strings.
pub(crate) fn inert_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_active(character) {
            write!(shown, "\\u{:04x}", u32::from(character)).expect("a String takes all that is written to it");
        } else {
            shown.push(character);
        }
    }
    shown
}

/// `text` in at most `width` columns of a terminal, with an ellipsis where something was cut off.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut shown = String::new();
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        shown.push(character);
    }
    if width > 0 {
        shown.push(ELLIPSIS);
    }
    shown
}

/// As [`cut`], but the end of `text` stays.
pub(crate) fn cut_front(text: &str, width: usize) -> String {
    let mut taken = 0;
    let mut start = text.len();
    let whole = text.width() <= width;
    let room = if whole { width } else { width.saturating_sub(1) };
    for (at, character) in text.char_indices().rev() {
        taken += character.width().unwrap_or(0);
        if taken > room {
            break;
        }
        start = at;
    }
    let mut shown = String::new();
    if !whole && width > 0 {
        shown.push(ELLIPSIS);
    }
    shown.push_str(&text[start..]);
    shown
}

/// How many columns of a terminal `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Writes UTF-8 to a terminal, with the active characters escaped but for ends of lines.
#[derive(Debug)]
pub(crate) struct InertWriter<W> {
    inner: W,
    /// The beginning of a character whose rest has not come yet.
    partial: Vec<u8>,
}

impl<W: Write> InertWriter<W> {
    pub(crate) const fn new(inner: W) -> Self {
        Self { inner, partial: Vec::new() }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            write!(self.inner, "{}{end}", inert(line))?;
        }
        Ok(())
    }
}

impl<W: Write> Write for InertWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let mut rest = pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.put(text)?;
                    break;
                }
                Err(error) => {
                    let (whole, behind) = rest.split_at(error.valid_up_to());
                    self.put(&String::from_utf8_lossy(whole))?;
                    let Some(wrong) = error.error_len() else {
                        self.partial = behind.to_vec();
                        break;
                    };
                    self.put("\u{fffd}")?;
                    rest = &behind[wrong..];
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACK: &str = "a\u{1b}[2J\u{9b}31m\r\u{7f}\u{202e}\nb\u{e4}";

    #[test]
    fn escape_codes_are_shown_and_not_obeyed() {
        let shown = inert(ATTACK);
        assert_eq!(shown, "a\\u{1b}[2J\\u{9b}31m\\r\\u{7f}\\u{202e}\\nb\u{e4}");
        assert!(!shown.chars().any(is_active));
        assert_eq!(inert("\u{2028}\u{2069}"), "\\u{2028}\\u{2069}");
    }

    #[test]
    fn the_lines_of_a_text_stay_lines_and_nothing_else_does() {
        let lines: Vec<_> = inert_lines("a\tb\r\n\u{1b}c\rd\n\n").collect();
        assert_eq!(lines, ["a    b", "\\u{1b}c\\rd"]);
    }

    #[test]
    fn json_means_the_same_without_active_characters() {
        let json = inert_json(&serde_json::to_string_pretty(&vec![ATTACK]).unwrap());
        assert!(!json.chars().any(|character| character != '\n' && is_active(character)), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [ATTACK]);
    }

    #[test]
    fn a_text_is_cut_by_what_it_takes_on_a_terminal() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab\u{2026}");
        // Each of these takes two columns.
        assert_eq!(cut("\u{4e2d}\u{6587}", 4), "\u{4e2d}\u{6587}");
        assert_eq!(cut("\u{4e2d}\u{6587}\u{5b57}", 4), "\u{4e2d}\u{2026}");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_front("abcd", 3), "\u{2026}cd");
        assert_eq!(cut_front("abc", 3), "abc");
        assert_eq!(cut_front("\u{4e2d}\u{6587}\u{5b57}", 4), "\u{2026}\u{5b57}");
        assert_eq!(cut_front("abc", 0), "");
    }

    #[test]
    fn a_character_that_comes_in_pieces_is_still_seen() {
        let mut writer = InertWriter::new(Vec::new());
        for byte in ATTACK.as_bytes() {
            writer.write_all(&[*byte]).unwrap();
        }
        assert_eq!(String::from_utf8(writer.inner).unwrap(), "a\\u{1b}[2J\\u{9b}31m\\r\\u{7f}\\u{202e}\nb\u{e4}");
        let mut writer = InertWriter::new(Vec::new());
        writer.write_all(b"x\xffy").unwrap();
        assert_eq!(String::from_utf8(writer.inner).unwrap(), "x\u{fffd}y");
    }
}
