//! Values of variables, as people and as programs read them.
//!
//! What is shown is inert and exact: nothing that was set is rounded.

use neptune_core::AtomValue;
use neptune_store::query::Cell;
use serde_json::Value;

use crate::{clock, inert::inert, media, number};

/// The value of an atom on one line.
pub(crate) fn shown(value: &AtomValue) -> String {
    match value {
        AtomValue::Float(value) => number::exact(*value),
        AtomValue::Int(value) => value.to_string(),
        AtomValue::Bool(value) => value.to_string(),
        AtomValue::String(text) | AtomValue::Json(text) => inert(text),
        AtomValue::Datetime(time) => clock::local(*time),
        AtomValue::File(file) => number::bytes(file.size),
        _ => "(of a newer version)".to_owned(),
    }
}

/// The value of an atom in JSON.
pub(crate) fn json(value: &AtomValue) -> Value {
    match value {
        AtomValue::Float(value) => number::json(*value),
        AtomValue::Int(value) => (*value).into(),
        AtomValue::Bool(value) => (*value).into(),
        AtomValue::String(text) => text.as_str().into(),
        AtomValue::Json(text) => json_of_text(text),
        AtomValue::Datetime(time) => clock::json(*time).into(),
        AtomValue::File(file) => serde_json::json!({ "object": file.object.to_string(), "size": file.size }),
        _ => Value::Null,
    }
}

/// A cell of a table in few characters.
pub(crate) fn shown_cell(cell: &Cell) -> String {
    match cell {
        Cell::Float(value) => number::short(*value),
        Cell::Datetime(time) => clock::local(*time),
        Cell::File(size) => number::bytes(*size),
        Cell::Json(text) => media::shown_document(text),
        other => inert(&other.to_string()),
    }
}

/// A cell of a table in JSON.
pub(crate) fn json_cell(cell: &Cell) -> Value {
    match cell {
        Cell::Float(value) => number::json(*value),
        Cell::Int(value) => (*value).into(),
        Cell::Bool(value) => (*value).into(),
        Cell::String(text) => text.as_str().into(),
        Cell::Json(text) => json_of_text(text),
        Cell::Datetime(time) => clock::json(*time).into(),
        Cell::File(size) => (*size).into(),
        Cell::Set(members) => members.clone().into(),
        _ => Value::Null,
    }
}

/// Text that should be JSON, and is text when it is not.
pub(crate) fn json_of_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_in_full_and_inert() {
        assert_eq!(shown(&AtomValue::Float(0.123_456_789)), "0.123456789");
        assert_eq!(shown(&AtomValue::String("a\n\u{1b}[2J".into())), "a\\n\\u{1b}[2J");
        assert_eq!(shown_cell(&Cell::Float(0.123_456_789)), "0.1235");
        assert_eq!(shown_cell(&Cell::Set(vec!["a\u{202e}".into(), "b".into()])), "a\\u{202e}, b");
    }

    #[test]
    fn json_that_was_logged_is_json_again() {
        assert_eq!(json(&AtomValue::Json("{\"a\":[1]}".into())), serde_json::json!({"a": [1]}));
        assert_eq!(json(&AtomValue::Json("{".into())), serde_json::json!("{"));
        assert_eq!(json_cell(&Cell::Float(f64::INFINITY)), serde_json::json!("inf"));
    }
}
