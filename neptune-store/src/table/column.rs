//! [`Column`]: a name, and for each row a value of one type or none.

use neptune_format::Timestamp;

use crate::query::Cell;

/// The values of a [`Column`], one for each row. A row without a value has a place all the same: what stands there is named
/// here.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Numbers; NaN where there is none.
    Float(Vec<f64>),
    /// Whole numbers; 0 where there is none.
    Int(Vec<i64>),
    /// True or false; false where there is none.
    Bool(Vec<bool>),
    /// Text; empty where there is none.
    String(Vec<String>),
    /// Points in time; the epoch where there is none.
    Datetime(Vec<Timestamp>),
    /// Sets of text; empty where there is none.
    Set(Vec<Vec<String>>),
}

impl Values {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::String(values) => values.len(),
            Self::Datetime(values) => values.len(),
            Self::Set(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! values_from {
    ($($variant:ident: $value:ty),* $(,)?) => {$(
        impl From<Vec<$value>> for Values {
            fn from(values: Vec<$value>) -> Self {
                Self::$variant(values)
            }
        }
    )*};
}
values_from! { Float: f64, Int: i64, Bool: bool, String: String, Datetime: Timestamp, Set: Vec<String> }

/// A column of a [`Table`](super::Table).
///
/// A value may be missing, which is not the same as NaN: NaN was logged. A column of numbers that is read as a slice has NaN
/// for both, and [`Column::is_missing`] tells them apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    values: Values,
    /// Which rows have a value; `None` when all have.
    present: Option<Vec<bool>>,
}

impl Column {
    /// A column in which every row has a value.
    pub fn new(name: impl Into<String>, values: impl Into<Values>) -> Self {
        Self { name: name.into(), values: values.into(), present: None }
    }

    /// The same column, of which only the rows with `true` have a value.
    #[must_use]
    pub fn present(mut self, present: Vec<bool>) -> Self {
        self.present = present.contains(&false).then_some(present);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, one for each row.
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// The numbers of a column of numbers, NaN where one is missing. `None` for a column of anything else, also of whole
    /// numbers.
    pub fn as_floats(&self) -> Option<&[f64]> {
        if let Values::Float(values) = &self.values { Some(values) } else { None }
    }

    /// How many rows it has.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no rows.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether `row` has no value. So does a row that is not there.
    pub fn is_missing(&self, row: usize) -> bool {
        match &self.present {
            Some(present) => !present.get(row).copied().unwrap_or(false),
            None => row >= self.len(),
        }
    }

    /// Which rows have a value; `None` when all have.
    pub fn presence(&self) -> Option<&[bool]> {
        self.present.as_deref()
    }

    /// The value in `row`, or `None` where it is missing.
    pub fn cell(&self, row: usize) -> Option<Cell> {
        if self.is_missing(row) {
            return None;
        }
        Some(match &self.values {
            Values::Float(values) => Cell::Float(*values.get(row)?),
            Values::Int(values) => Cell::Int(*values.get(row)?),
            Values::Bool(values) => Cell::Bool(*values.get(row)?),
            Values::String(values) => Cell::String(values.get(row)?.clone()),
            Values::Datetime(values) => Cell::Datetime(*values.get(row)?),
            Values::Set(values) => Cell::Set(values.get(row)?.clone()),
        })
    }
}
