//! Values of variables, their types, steps and points in time.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::object::File;

/// A point in time: microseconds since 1970-01-01 00:00:00 UTC, negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl From<SystemTime> for Timestamp {
    /// Rounds down to microseconds; times outside of about 292,000 years around the epoch are clamped.
    fn from(time: SystemTime) -> Self {
        let clamp = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => clamp(after),
            Err(before) => -clamp(before.duration()),
        })
    }
}

/// Where a point stands on the x axis of its series. Any finite number; whole numbers up to 2^53 are exact.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(f64);

impl Step {
    /// The step at `x`, or `None` when `x` is NaN or infinite: such a step has no place in an order.
    /// Negative zero is zero, so that equal steps have equal bits.
    pub fn new(x: f64) -> Option<Self> {
        x.is_finite().then_some(Self(x + 0.0))
    }

    /// The step as a number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The step of a point that names none, when this is the greatest one before it: one more. From 2^53 on, where an `f64` may
    /// not hold that, the next number that it holds; behind the greatest of all there is nothing, and it is that one again.
    #[must_use]
    pub const fn next(self) -> Self {
        let one_more = self.0 + 1.0;
        let next = if one_more > self.0 { one_more } else { self.0.next_up() };
        if next.is_finite() { Self(next) } else { self }
    }
}

macro_rules! step_from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Step {
            /// Exact up to 2^53; beyond that rounded to the nearest number that an `f64` holds.
            #[expect(clippy::allow_attributes, reason = "whether the lint fires depends on the width of the integer")]
            #[allow(clippy::cast_lossless, reason = "some of these conversions are lossless and some are not")]
            fn from(step: $integer) -> Self {
                Self(step as f64)
            }
        }
    )*};
}
step_from_integer!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// How a variable keeps its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Container {
    /// One value; assigning replaces it.
    Atom,
    /// A sequence of points.
    Series,
    /// A set of strings.
    Set,
}

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Content {
    /// A 64-bit floating point number.
    Float,
    /// A signed 64-bit integer.
    Int,
    /// True or false.
    Bool,
    /// Text.
    String,
    /// A point in time.
    Datetime,
    /// A JSON document.
    Json,
    /// A file.
    File,
    /// An image.
    Image,
    /// A histogram.
    Histogram,
}

impl Content {
    /// Whether the points of a series of this content are numbers. All others are text, in journals and in chunks.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Float)
    }
}

/// The type of a variable: its container and its content. The first write fixes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VariableType {
    /// How the content is kept.
    pub container: Container,
    /// What is kept.
    pub content: Content,
}

impl VariableType {
    /// A series of numbers.
    pub const FLOAT_SERIES: Self = Self { container: Container::Series, content: Content::Float };
    /// A series of text.
    pub const STRING_SERIES: Self = Self { container: Container::Series, content: Content::String };
    /// A series of images.
    pub const IMAGE_SERIES: Self = Self { container: Container::Series, content: Content::Image };
    /// A series of histograms.
    pub const HISTOGRAM_SERIES: Self = Self { container: Container::Series, content: Content::Histogram };
    /// A set of strings.
    pub const STRING_SET: Self = Self { container: Container::Set, content: Content::String };

    /// An atom of this content.
    pub const fn atom(content: Content) -> Self {
        Self { container: Container::Atom, content }
    }

    /// The number that stands for this type in the store. Never reused for another type.
    pub const fn code(self) -> u8 {
        let container = match self.container {
            Container::Atom => 0x00,
            Container::Series => 0x10,
            Container::Set => 0x20,
        };
        container
            | match self.content {
                Content::Float => 1,
                Content::Int => 2,
                Content::Bool => 3,
                Content::String => 4,
                Content::Datetime => 5,
                Content::Json => 6,
                Content::File => 7,
                Content::Image => 8,
                Content::Histogram => 9,
            }
    }

    /// The type that `code` stands for, or `None` when it is of a newer version.
    pub const fn from_code(code: u8) -> Option<Self> {
        let container = match code & 0xf0 {
            0x00 => Container::Atom,
            0x10 => Container::Series,
            0x20 => Container::Set,
            _ => return None,
        };
        let content = match code & 0x0f {
            1 => Content::Float,
            2 => Content::Int,
            3 => Content::Bool,
            4 => Content::String,
            5 => Content::Datetime,
            6 => Content::Json,
            7 => Content::File,
            8 => Content::Image,
            9 => Content::Histogram,
            _ => return None,
        };
        Some(Self { container, content })
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = match self.container {
            Container::Atom => "Atom",
            Container::Series => "Series",
            Container::Set => "Set",
        };
        let content = match self.content {
            Content::Float => "float",
            Content::Int => "int",
            Content::Bool => "bool",
            Content::String => "string",
            Content::Datetime => "datetime",
            Content::Json => "json",
            Content::File => "file",
            Content::Image => "image",
            Content::Histogram => "histogram",
        };
        write!(f, "{container}({content})")
    }
}

/// The value of an atom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AtomValue {
    /// A number.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text.
    String(String),
    /// A point in time.
    Datetime(Timestamp),
    /// A JSON document, as text.
    Json(String),
    /// A file.
    File(File),
}

impl AtomValue {
    /// What this value is.
    pub const fn content(&self) -> Content {
        match self {
            Self::Float(_) => Content::Float,
            Self::Int(_) => Content::Int,
            Self::Bool(_) => Content::Bool,
            Self::String(_) => Content::String,
            Self::Datetime(_) => Content::Datetime,
            Self::Json(_) => Content::Json,
            Self::File(_) => Content::File,
        }
    }

    /// The number, for floats and integers.
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The integer, for integers.
    pub const fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// True or false, for booleans.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The file, for files.
    pub const fn as_file(&self) -> Option<File> {
        match self {
            Self::File(file) => Some(*file),
            _ => None,
        }
    }

    /// The text, for strings and JSON.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Json(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! atom_from {
    ($($from:ty => $variant:ident ( $value:ident => $convert:expr )),* $(,)?) => {$(
        impl From<$from> for AtomValue {
            fn from($value: $from) -> Self {
                Self::$variant($convert)
            }
        }
    )*};
}
atom_from! {
    f64 => Float(value => value),
    f32 => Float(value => value.into()),
    i8 => Int(value => value.into()),
    i16 => Int(value => value.into()),
    i32 => Int(value => value.into()),
    i64 => Int(value => value),
    u8 => Int(value => value.into()),
    u16 => Int(value => value.into()),
    u32 => Int(value => value.into()),
    bool => Bool(value => value),
    String => String(value => value),
    &str => String(value => value.to_owned()),
    &String => String(value => value.clone()),
    Timestamp => Datetime(value => value),
    SystemTime => Datetime(value => value.into()),
    File => File(value => value),
}

/// Whole numbers above `i64::MAX` have no place in an Int and become a Float.
macro_rules! atom_from_wide {
    ($($wide:ty),*) => {$(
        impl From<$wide> for AtomValue {
            /// An Int where it fits, a Float (rounded) where it does not.
            fn from(value: $wide) -> Self {
                i64::try_from(value).map_or(Self::Float(value as f64), Self::Int)
            }
        }
    )*};
}
atom_from_wide!(u64, usize, isize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "steps are exact")]
    fn the_next_step_is_one_more_and_never_the_same() {
        let next = |step: f64| Step::new(step).unwrap().next().get();
        for (step, behind) in [(0.0, 1.0), (-0.5, 0.5), (9_007_199_254_740_991.0, 9_007_199_254_740_992.0)] {
            assert_eq!(next(step), behind);
        }
        for large in [9_007_199_254_740_992.0, 1.7e18, 1e300, -1e300] {
            assert!(next(large) > large, "{large}");
        }
        assert_eq!(next(f64::MAX), f64::MAX);
    }

    #[test]
    fn every_type_has_one_code() {
        for code in 0..=u8::MAX {
            if let Some(kind) = VariableType::from_code(code) {
                assert_eq!(kind.code(), code);
            }
        }
        assert_eq!(VariableType::from_code(VariableType::FLOAT_SERIES.code()), Some(VariableType::FLOAT_SERIES));
    }

    #[test]
    fn a_step_is_finite_and_zero_has_one_sign() {
        assert_eq!(Step::new(f64::NAN), None);
        assert_eq!(Step::new(f64::INFINITY), None);
        assert_eq!(Step::new(-0.0).map(|step| step.get().to_bits()), Some(0));
    }

    #[test]
    fn a_time_before_the_epoch_is_negative() {
        let time = UNIX_EPOCH - Duration::from_millis(5);
        assert_eq!(Timestamp::from(time).as_micros(), -5_000);
    }
}
