//! The path that names a variable in an experiment, such as `train/loss`.
//!
//! A [`VariablePath`] that exists is valid: whoever holds one need not check it again.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest path, in bytes.
pub const MAX_PATH: usize = 1024;

/// Why a string cannot be a path. Each message names the path, shortened when it is long, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The path is the empty string.
    #[error("the path of a variable is empty; name it, for example \"train/loss\"")]
    Empty,
    /// Two slashes meet, or the path begins or ends with one.
    #[error("path {0:?} has an empty segment; write it without a leading, trailing or doubled '/'")]
    EmptySegment(String),
    /// A segment is `.` or `..`.
    #[error("path {0:?} has a segment \".\" or \"..\", which would name a folder; choose another name")]
    DotSegment(String),
    /// The path is longer than [`MAX_PATH`].
    #[error("path {shown:?} has {length} bytes; a path has at most {MAX_PATH}")]
    TooLong {
        /// The beginning of the path.
        shown: String,
        /// Its length in bytes.
        length: usize,
    },
    /// The path holds a control character such as a line break.
    #[error("path {0:?} holds a control character; use printable characters only")]
    Control(String),
}

/// The beginning of `text`, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 64;
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}

/// A valid path of a variable: segments joined by `/`, at most [`MAX_PATH`] bytes. Cheap to clone.
///
/// ```
/// use neptune_format::VariablePath;
/// let path: VariablePath = "train/loss".parse()?;
/// assert_eq!(path.as_str(), "train/loss");
/// assert!("train//loss".parse::<VariablePath>().is_err());
/// # Ok::<(), neptune_format::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariablePath(Arc<str>);

impl VariablePath {
    /// Checks `text` and makes it a path.
    ///
    /// # Errors
    /// A [`PathError`] that says what is wrong with `text`.
    pub fn new(text: &str) -> Result<Self, PathError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// The path `prefix/text`, for the words that stand for a namespace (`logs`, `parameters`, ...).
    ///
    /// # Errors
    /// As [`VariablePath::new`].
    pub fn within(prefix: &str, text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        Self::new(&format!("{prefix}/{text}"))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(text: &str) -> Result<(), PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong { shown: shown(text), length: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(PathError::Control(shown(text)));
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(PathError::EmptySegment(shown(text))),
                "." | ".." => return Err(PathError::DotSegment(shown(text))),
                _ => {}
            }
        }
        Ok(())
    }
}

impl FromStr for VariablePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl Borrow<str> for VariablePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for VariablePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for VariablePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::new(text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_path_is_refused_with_its_reason() {
        assert_eq!(VariablePath::new(""), Err(PathError::Empty));
        for path in ["/a", "a/", "a//b", "/"] {
            assert_eq!(VariablePath::new(path), Err(PathError::EmptySegment(path.into())));
        }
        assert_eq!(VariablePath::new("a/../b"), Err(PathError::DotSegment("a/../b".into())));
        assert_eq!(VariablePath::new("a\nb"), Err(PathError::Control("a\nb".into())));
        let Err(PathError::TooLong { shown, length }) = VariablePath::new(&"x".repeat(1 << 20)) else {
            panic!("a path of 1 MiB was accepted");
        };
        assert_eq!((shown.len(), length), (67, 1 << 20));
        assert!(VariablePath::new(&"x".repeat(MAX_PATH)).is_ok());
    }
}
