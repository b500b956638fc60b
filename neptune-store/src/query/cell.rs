//! [`Cell`]: what a table shows of a variable.
//!
//! A series shows its last value. What is printed of a cell never holds a control character, so that text that was
//! logged cannot take over a terminal.

use std::fmt;

use neptune_format::{Container, Content, Timestamp, VariableType};
use rusqlite::{Row, types::ValueRef};

/// One value in a table. [`Display`](fmt::Display) prints it on one line for a terminal.
///
/// ```
/// use neptune_store::query::Cell;
/// assert_eq!(Cell::Set(vec!["cnn".into(), "mnist".into()]).to_string(), "cnn, mnist");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// A number; of a series its last value. May be NaN or infinite.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text; of a series its last.
    String(String),
    /// A point in time.
    Datetime(Timestamp),
    /// A JSON document, as text; of a series of images or histograms its last, as such a document.
    Json(String),
    /// The length of a file in bytes.
    File(u64),
    /// The members of a set, in order.
    Set(Vec<String>),
}

/// The cell in a row of `variable` with the columns `type, number, integer, text` from `first` on. It is `None` for a
/// series without points and for a type of a newer version. A set comes without its members.
///
/// Only what the type needs is read: a table has a million cells.
pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Cell>> {
    let (number, integer, text) = (first + 1, first + 2, first + 3);
    let Some(kind) = u8::try_from(row.get::<_, i64>(first)?).ok().and_then(VariableType::from_code) else {
        return Ok(None);
    };
    if kind.container == Container::Set {
        return Ok(Some(Cell::Set(Vec::new())));
    }
    Ok(match kind.content {
        Content::Float => match row.get::<_, Option<f64>>(number)? {
            Some(value) => Some(Cell::Float(value)),
            // NaN is in words: see the schema.
            None => (row.get_ref(text)? != ValueRef::Null).then_some(Cell::Float(f64::NAN)),
        },
        Content::Int => row.get::<_, Option<_>>(integer)?.map(Cell::Int),
        Content::Bool => row.get::<_, Option<i64>>(integer)?.map(|value| Cell::Bool(value != 0)),
        Content::Datetime => row.get::<_, Option<_>>(integer)?.map(|time| Cell::Datetime(Timestamp::from_micros(time))),
        Content::String => row.get::<_, Option<_>>(text)?.map(Cell::String),
        Content::Json | Content::Image | Content::Histogram => row.get::<_, Option<_>>(text)?.map(Cell::Json),
        Content::File => row.get::<_, Option<i64>>(integer)?.map(|size| Cell::File(size.cast_unsigned())),
        _ => None,
    })
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(value) => write_float(f, *value),
            Self::Int(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::File(bytes) => write!(f, "{bytes} bytes"),
            Self::String(text) | Self::Json(text) => write_plain(f, text),
            Self::Datetime(time) => match jiff::Timestamp::from_microsecond(time.as_micros()) {
                Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
                // Beyond the year 9999, where calendars end.
                Err(_) => write!(f, "{} us", time.as_micros()),
            },
            Self::Set(members) => {
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write_plain(f, member)?;
                }
                Ok(())
            }
        }
    }
}

/// As short as it can be read back. A number that was logged as `f32` is printed as that: 0.1, not 0.10000000149011612.
fn write_float(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    #[expect(clippy::cast_possible_truncation, reason = "whether it loses anything is what is asked")]
    let narrow = value as f32;
    if f64::from(narrow).to_bits() == value.to_bits() { write!(f, "{narrow:?}") } else { write!(f, "{value:?}") }
}

fn write_plain(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    for character in text.chars() {
        if character.is_control() {
            write!(f, "{}", character.escape_default())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_printed_on_one_line() {
        for (cell, text) in [
            (Cell::Float(0.25), "0.25"),
            (Cell::Float(0.1), "0.1"),
            (Cell::Float(f64::from(0.1_f32)), "0.1"),
            (Cell::Float(1e-10), "1e-10"),
            (Cell::Float(f64::NAN), "NaN"),
            (Cell::Float(f64::NEG_INFINITY), "-inf"),
            (Cell::Int(-3), "-3"),
            (Cell::Bool(true), "true"),
            (Cell::String("a\n\u{1b}[31mb".into()), "a\\n\\u{1b}[31mb"),
            (Cell::Datetime(Timestamp::from_micros(1_795_338_000_123_456)), "2026-11-22T09:00:00Z"),
            (Cell::Datetime(Timestamp::from_micros(i64::MAX)), "9223372036854775807 us"),
            (Cell::Json("{}".into()), "{}"),
            (Cell::Set(vec!["a".into(), "b\t".into()]), "a, b\\t"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }
}
