//! How values are written in JSON, so that each is read back as what it is.

use neptune_core::AtomValue;
use neptune_store::query::Cell;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat::Double,
        RefOr, Schema, SchemaFormat, Type,
        schema::{ObjectBuilder, OneOfBuilder},
    },
};

/// The greatest whole number that every reader of JSON keeps exact, 2^53 - 1.
const EXACT: u64 = (1 << 53) - 1;

/// A number; what JSON cannot say is the string `NaN`, `inf` or `-inf`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

/// The words for what JSON cannot say.
const WORDS: [&str; 3] = ["NaN", "inf", "-inf"];

impl ToSchema for Number {}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let finite = ObjectBuilder::new().schema_type(Type::Number).format(Some(SchemaFormat::KnownFormat(Double)));
        let other = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(WORDS));
        let description = "A number; what JSON cannot say is the string `NaN`, `inf` or `-inf`.";
        OneOfBuilder::new().item(finite).item(other).description(Some(description)).into()
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            finite if finite.is_finite() => serializer.serialize_f64(finite),
            infinite if infinite > 0.0 => serializer.serialize_str("inf"),
            infinite if infinite < 0.0 => serializer.serialize_str("-inf"),
            _ => serializer.serialize_str("NaN"),
        }
    }
}

/// Numbers, as [`Number`].
pub(crate) fn numbers(values: Vec<f64>) -> Vec<Number> {
    values.into_iter().map(Number).collect()
}

/// A value of a variable: text is a string, and everything that is no string, no finite number and no truth value is an object
/// with one key that says what it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AnyValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// `NaN`, `inf` or `-inf`.
    NotFinite {
        float: &'static str,
    },
    /// A whole number beyond 2^53, which many readers of JSON would round, in digits.
    Large {
        int: String,
    },
    Datetime {
        /// Microseconds since the epoch, UTC.
        datetime: i64,
    },
    Set {
        set: Vec<String>,
    },
    /// A JSON document as it was logged.
    Json {
        json: String,
    },
    File {
        /// Its length in bytes.
        file: u64,
        /// The BLAKE3 hash of its content; a table has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
    },
}

impl AnyValue {
    pub(crate) fn float(value: f64) -> Self {
        match value {
            finite if finite.is_finite() => Self::Float(finite),
            infinite if infinite > 0.0 => Self::NotFinite { float: "inf" },
            infinite if infinite < 0.0 => Self::NotFinite { float: "-inf" },
            _ => Self::NotFinite { float: "NaN" },
        }
    }

    fn int(value: i64) -> Self {
        if value.unsigned_abs() <= EXACT { Self::Int(value) } else { Self::Large { int: value.to_string() } }
    }

    pub(crate) fn cell(cell: Cell) -> Self {
        match cell {
            Cell::Float(value) => Self::float(value),
            Cell::Int(value) => Self::int(value),
            Cell::Bool(value) => Self::Bool(value),
            Cell::String(text) => Self::Text(text),
            Cell::Datetime(time) => Self::Datetime { datetime: time.as_micros() },
            Cell::Json(json) => Self::Json { json },
            Cell::File(file) => Self::File { file, hash: None },
            Cell::Set(set) => Self::Set { set },
            other => Self::Text(other.to_string()),
        }
    }

    pub(crate) fn atom(value: AtomValue) -> Self {
        match value {
            AtomValue::Float(value) => Self::float(value),
            AtomValue::Int(value) => Self::int(value),
            AtomValue::Bool(value) => Self::Bool(value),
            AtomValue::String(text) => Self::Text(text),
            AtomValue::Datetime(time) => Self::Datetime { datetime: time.as_micros() },
            AtomValue::Json(json) => Self::Json { json },
            AtomValue::File(file) => Self::File { file: file.size, hash: Some(file.object.to_string()) },
            other => Self::Text(format!("{other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_says_what_it_is() {
        let told = |value: AnyValue| serde_json::to_value(value).unwrap();
        assert_eq!(told(AnyValue::float(0.5)), json!(0.5));
        assert_eq!(told(AnyValue::float(f64::NAN)), json!({"float": "NaN"}));
        assert_eq!(told(AnyValue::float(f64::NEG_INFINITY)), json!({"float": "-inf"}));
        assert_eq!(told(AnyValue::cell(Cell::String("NaN".into()))), json!("NaN"));
        assert_eq!(told(AnyValue::cell(Cell::Int(i64::MAX))), json!({"int": "9223372036854775807"}));
        assert_eq!(told(AnyValue::cell(Cell::Int(-7))), json!(-7));
        assert_eq!(told(AnyValue::cell(Cell::Set(vec!["a".into()]))), json!({"set": ["a"]}));
        assert_eq!(serde_json::to_string(&numbers(vec![1.0, f64::INFINITY])).unwrap(), "[1.0,\"inf\"]");
    }
}
