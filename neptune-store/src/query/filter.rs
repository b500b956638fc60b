//! [`Filter`]: a query as a tree of conditions.
//!
//! What [`Display`](fmt::Display) prints is the canonical form: parsing it gives the same filter again, unless the parentheses
//! and escapes that it adds go past the limits of a query.

use std::fmt;

use neptune_format::VariablePath;

use super::lexer::shortened;

/// Which experiments a query keeps.
///
/// ```
/// use neptune_store::query::{Attribute, Filter, Operator};
/// let filter = Filter::Compare {
///     attribute: Attribute { path: "train/loss".parse()?, kind: None },
///     operator: Operator::Less,
///     literal: 0.3.into(),
/// };
/// assert_eq!(filter.to_string(), "`train/loss` < 0.3");
/// # Ok::<(), neptune_format::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// All of these hold. Of none: always.
    And(Vec<Filter>),
    /// At least one of these holds. Of none: never.
    Or(Vec<Filter>),
    /// This does not hold. Plain negation: an experiment that lacks the variable of a comparison satisfies `NOT` of it.
    Not(Box<Filter>),
    /// The value of a variable, or the last value of a series, compares so. Never where the variable is missing, also
    /// not with `!=`. NaN equals nothing and has no order.
    Compare {
        /// What is compared.
        attribute: Attribute,
        /// How.
        operator: Operator,
        /// With what.
        literal: Literal,
    },
    /// An aggregate of all values of a series of numbers compares so. Never where there is no such series, or none of its
    /// values is finite: these only count.
    Aggregate {
        /// What of the values.
        aggregate: Aggregate,
        /// The series.
        attribute: Attribute,
        /// How.
        operator: Operator,
        /// With what, a number.
        literal: Literal,
    },
    /// A string (of a series: the last) has this text in it, case and all, or a set has it as a member.
    Contains {
        /// The string or the set.
        attribute: Attribute,
        /// The text or the member.
        text: String,
    },
    /// The experiment has the variable, of the type if one is given.
    Exists(Attribute),
    /// The experiment does not have the variable, or has it with another type than the one given.
    Missing(Attribute),
}

impl Filter {
    /// Calls `with` for each variable that is named, as it is written.
    pub(super) fn each_name<E>(&self, with: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().try_for_each(|filter| filter.each_name(with)),
            Self::Not(filter) => filter.each_name(with),
            Self::Compare { attribute, .. }
            | Self::Aggregate { attribute, .. }
            | Self::Contains { attribute, .. }
            | Self::Exists(attribute)
            | Self::Missing(attribute) => with(attribute.path.as_str()),
        }
    }
}

/// A variable in a query: its path, or an older word for it, and its type where the query says one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name as written: `loss` also finds `logs/loss`, `parameters/loss`, `properties/loss` and `sys/loss`.
    pub path: VariablePath,
    /// The type, written behind a colon. Without one the literal of the comparison decides.
    pub kind: Option<AttributeType>,
}

impl Attribute {
    /// The name as a message shows it.
    pub(super) fn shown(&self) -> String {
        format!("`{}`", shortened(self.path.as_str()))
    }
}

/// A type as the query language names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttributeType {
    /// `float`: a number of any kind, of a series its last value.
    Float,
    /// `int`: a whole number.
    Int,
    /// `bool`: true or false.
    Bool,
    /// `string`: text, of a series its last.
    String,
    /// `datetime`: a point in time.
    Datetime,
    /// `stringSet`: a set of strings, such as tags.
    StringSet,
    /// `floatSeries`: the last value of a series.
    FloatSeries,
    /// `stringSeries`: the last text of a series.
    StringSeries,
    /// `experimentState`: what `sys/state` holds, as text.
    ExperimentState,
    /// `json`: a JSON document, as text.
    Json,
}

impl AttributeType {
    /// Every type, in the order in which messages list them.
    pub const ALL: [Self; 10] = [
        Self::Float,
        Self::Int,
        Self::Bool,
        Self::String,
        Self::Datetime,
        Self::StringSet,
        Self::FloatSeries,
        Self::StringSeries,
        Self::ExperimentState,
        Self::Json,
    ];

    /// The name in the query language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Datetime => "datetime",
            Self::StringSet => "stringSet",
            Self::FloatSeries => "floatSeries",
            Self::StringSeries => "stringSeries",
            Self::ExperimentState => "experimentState",
            Self::Json => "json",
        }
    }
}

/// What a query may ask of all values of a series of numbers, besides its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aggregate {
    /// `min`: the least.
    Minimum,
    /// `max`: the greatest.
    Maximum,
    /// `average`: the mean.
    Average,
}

impl Aggregate {
    /// Every aggregate, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Minimum, Self::Maximum, Self::Average];

    /// The name in the query language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimum => "min",
            Self::Maximum => "max",
            Self::Average => "average",
        }
    }
}

/// How a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`, also written `==`.
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// Whether it asks only for equality, which every value has, and not for an order, which text has not.
    pub const fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A value in a query. Times are strings: `"2026-11-22T09:00:00Z"`, or `"-2h"` for two hours ago.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// A number with a point or an exponent. Finite: the language has no word for others.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text or a time.
    String(String),
}

impl From<f64> for Literal {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `sys/id` is what every experiment has.
            Self::And(filters) if filters.is_empty() => f.write_str("`sys/id` EXISTS"),
            Self::Or(filters) if filters.is_empty() => f.write_str("`sys/id` MISSING"),
            Self::And(filters) => write_joined(f, filters, " AND "),
            Self::Or(filters) => write_joined(f, filters, " OR "),
            Self::Not(filter) => {
                f.write_str("NOT ")?;
                write_operand(f, filter)
            }
            Self::Compare { attribute, operator, literal } => write!(f, "{attribute} {operator} {literal}"),
            Self::Aggregate { aggregate, attribute, operator, literal } => {
                write!(f, "{}({attribute}) {operator} {literal}", aggregate.name())
            }
            Self::Contains { attribute, text } => {
                write!(f, "{attribute} CONTAINS ")?;
                write_quoted(f, text)
            }
            Self::Exists(attribute) => write!(f, "{attribute} EXISTS"),
            Self::Missing(attribute) => write!(f, "{attribute} MISSING"),
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, filters: &[Filter], between: &str) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write_operand(f, filter)?;
    }
    Ok(())
}

/// Also an AND within an OR gets its parentheses: a reader should not need the precedence.
fn write_operand(f: &mut fmt::Formatter<'_>, filter: &Filter) -> fmt::Result {
    match filter {
        Filter::And(filters) | Filter::Or(filters) if filters.len() > 1 => write!(f, "({filter})"),
        _ => write!(f, "{filter}"),
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.path.as_str().replace('`', "``"))?;
        match self.kind {
            Some(kind) => write!(f, ":{kind}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Debug keeps the point, so that 1.0 stays a float.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::String(text) => write_quoted(f, text),
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            _ => f.write_char(character)?,
        }
    }
    f.write_char('"')
}
