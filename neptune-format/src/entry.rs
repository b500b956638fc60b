//! Entries: what the body of a frame says, once its frame was found to be whole.

use crate::{frame::kind, record::Record, value::Timestamp};

/// Bytes of a point without a step; with one, eight more.
pub const POINT_NEXT: usize = 24;
/// Bytes of a point with a step.
pub const POINT_AT: usize = 32;
/// Bytes of a text point before its step, if any, and its text.
pub const TEXT_PREFIX: usize = 16;

/// What a frame says.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// A point of a number series.
    Float {
        /// The number of the series in its journal.
        series: u32,
        /// When it was logged.
        time: Timestamp,
        /// Its step; `None` for the step after the last.
        step: Option<f64>,
        /// Its value, as logged: NaN and infinities included.
        value: f64,
    },
    /// A point of a text series.
    Text {
        /// The number of the series in its journal.
        series: u32,
        /// When it was logged.
        time: Timestamp,
        /// Its step; `None` for the step after the last.
        step: Option<f64>,
        /// The text.
        text: &'a str,
    },
    /// Anything else.
    Record(Box<Record>),
    /// Nothing follows in this segment.
    End,
    /// Nothing.
    Skip,
}

/// Why a whole frame cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The kind is none that this version knows.
    #[error("a frame of unknown kind {0:#04x}, of a newer neptune")]
    UnknownKind(u8),
    /// The body is not what its kind says.
    #[error("the body of a frame is not a valid {0}")]
    Invalid(&'static str),
}

/// The body of a point without a step.
#[inline]
pub fn encode_float_next(series: u32, time: Timestamp, value: f64) -> [u8; POINT_NEXT] {
    let mut body = [0; POINT_NEXT];
    let (head, tail) = body.split_at_mut(8);
    head.copy_from_slice(&u64::from(series).to_le_bytes());
    let (when, what) = tail.split_at_mut(8);
    when.copy_from_slice(&time.as_micros().to_le_bytes());
    what.copy_from_slice(&value.to_bits().to_le_bytes());
    body
}

/// The body of a point with a step.
#[inline]
pub fn encode_float_at(series: u32, time: Timestamp, value: f64, step: f64) -> [u8; POINT_AT] {
    let mut body = [0; POINT_AT];
    let (head, tail) = body.split_at_mut(POINT_NEXT);
    head.copy_from_slice(&encode_float_next(series, time, value));
    tail.copy_from_slice(&step.to_bits().to_le_bytes());
    body
}

/// The kind and the body of a text point.
pub fn encode_text(series: u32, time: Timestamp, step: Option<f64>, text: &str) -> (u8, Vec<u8>) {
    let mut body = Vec::with_capacity(TEXT_PREFIX.saturating_add(8).saturating_add(text.len()));
    body.extend(u64::from(series).to_le_bytes());
    body.extend(time.as_micros().to_le_bytes());
    if let Some(step) = step {
        body.extend(step.to_bits().to_le_bytes());
    }
    body.extend(text.as_bytes());
    (if step.is_some() { kind::TEXT_AT } else { kind::TEXT_NEXT }, body)
}

impl<'a> Entry<'a> {
    /// What the frame of this `kind` with this `body` says.
    ///
    /// # Errors
    /// When the kind is unknown or the body is not what the kind says.
    pub fn decode(kind: u8, body: &'a [u8]) -> Result<Self, EntryError> {
        let mut words = Words(body);
        match kind {
            kind::FLOAT_NEXT | kind::FLOAT_AT => {
                let invalid = EntryError::Invalid("point");
                let (series, time) = words.series_and_time().ok_or(invalid.clone())?;
                let value = f64::from_bits(words.next().ok_or(invalid.clone())?);
                let step = words.step(kind == kind::FLOAT_AT, &invalid)?;
                if !words.0.is_empty() {
                    return Err(invalid);
                }
                Ok(Self::Float { series, time, step, value })
            }
            kind::TEXT_NEXT | kind::TEXT_AT => {
                let invalid = EntryError::Invalid("text point");
                let (series, time) = words.series_and_time().ok_or(invalid.clone())?;
                let step = words.step(kind == kind::TEXT_AT, &invalid)?;
                match std::str::from_utf8(words.0) {
                    Ok(text) => Ok(Self::Text { series, time, step, text }),
                    Err(_) => Err(invalid),
                }
            }
            kind::RECORD => match Record::decode(body) {
                Ok(record) => Ok(Self::Record(Box::new(record))),
                Err(_) => Err(EntryError::Invalid("record")),
            },
            kind::END if body.is_empty() => Ok(Self::End),
            kind::SKIP => Ok(Self::Skip),
            _ => Err(EntryError::UnknownKind(kind)),
        }
    }
}

/// Takes little-endian words off the front of a body.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*word))
    }

    fn series_and_time(&mut self) -> Option<(u32, Timestamp)> {
        // The upper half of the first word is reserved: it must be zero until a version gives it a meaning.
        let series = u32::try_from(self.next()?).ok()?;
        let time = Timestamp::from_micros(self.next()?.cast_signed());
        Some((series, time))
    }

    fn step(&mut self, present: bool, invalid: &EntryError) -> Result<Option<f64>, EntryError> {
        if !present {
            return Ok(None);
        }
        let step = f64::from_bits(self.next().ok_or_else(|| invalid.clone())?);
        if step.is_finite() { Ok(Some(step)) } else { Err(invalid.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    #[test]
    fn points_and_text_read_back_as_they_were_written() {
        let body = encode_float_next(7, TIME, -0.5);
        let point = Entry::Float { series: 7, time: TIME, step: None, value: -0.5 };
        assert_eq!(Entry::decode(kind::FLOAT_NEXT, &body), Ok(point));

        let body = encode_float_at(7, TIME, f64::INFINITY, 2.5);
        let point = Entry::Float { series: 7, time: TIME, step: Some(2.5), value: f64::INFINITY };
        assert_eq!(Entry::decode(kind::FLOAT_AT, &body), Ok(point));

        for step in [None, Some(3.0)] {
            let (kind, body) = encode_text(9, TIME, step, "h\u{e4}h");
            let text = Entry::Text { series: 9, time: TIME, step, text: "h\u{e4}h" };
            assert_eq!(Entry::decode(kind, &body), Ok(text));
        }
    }

    #[test]
    fn a_nan_keeps_its_bits() {
        let quiet = f64::from_bits(0x7ff8_0000_0000_1234);
        let Ok(Entry::Float { value, .. }) = Entry::decode(kind::FLOAT_NEXT, &encode_float_next(1, TIME, quiet)) else {
            panic!("not a point");
        };
        assert_eq!(value.to_bits(), quiet.to_bits());
    }

    #[test]
    fn any_body_of_any_kind_is_decoded_without_a_panic() {
        proptest::proptest!(|(kind: u8, body: Vec<u8>)| {
            let _entry = Entry::decode(kind, &body);
        });
    }
}
