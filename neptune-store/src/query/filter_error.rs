//! [`FilterError`]: what is wrong with a query, shown under the place.
//!
//! The message is one line and the query is shown as one line, however long or strange the query is.

use crate::error::{Error, ErrorKind};

/// The most characters of a query that a message shows.
const SHOWN: usize = 100;

/// How much of [`SHOWN`] lies before the place of the error.
const BEFORE: usize = 60;

/// A query that cannot be understood. Displayed as three lines: the message, the query, and a caret under the place.
///
/// ```
/// use neptune_store::Filter;
/// let error = "loss 0.3".parse::<Filter>().unwrap_err();
/// assert_eq!(error.column, 6);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n{}", shown(query, *column))]
#[non_exhaustive]
pub struct FilterError {
    /// Where: 1 is the first character of the query.
    pub column: usize,
    /// What is wrong there, and the way out.
    pub message: String,
    /// The query. Cut at the limit when it was too long.
    pub query: String,
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}

/// A [`FilterError`] that does not hold its query yet.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) column: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }

    pub(super) fn of(self, query: &str) -> FilterError {
        FilterError { column: self.column, message: self.message, query: query.to_owned() }
    }
}

/// The query around the column as one line, and the caret below.
fn shown(query: &str, column: usize) -> String {
    let start = column.saturating_sub(1 + BEFORE);
    let mut characters = query.chars().skip(start);
    let line: String = characters.by_ref().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = if start > 0 { "..." } else { "" };
    let after = if characters.next().is_some() { "..." } else { "" };
    let caret = before.len() + column.saturating_sub(1 + start);
    format!("  {before}{line}{after}\n  {:caret$}^", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_column() {
        let error = Fault::new(6, "expected a comparison").of("loss 0.3");
        assert_eq!(error.to_string(), "expected a comparison\n  loss 0.3\n       ^");
        let error: Error = error.into();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_long_query_is_shown_around_the_place_on_one_line() {
        let query = format!("{}!{}", "a\n".repeat(500), "b".repeat(500));
        let text = Fault::new(1001, "wrong").of(&query).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(lines[2].find('^').map(|at| &lines[1][at..=at]), Some("!"));
        assert!(lines[1].len() < 120, "{text}");
    }
}
