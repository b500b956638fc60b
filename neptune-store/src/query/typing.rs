//! Which stored values a comparison reads, and with what it compares them.
//!
//! The parser asks to place its errors and the compiler asks to write SQL, so that both have the same opinion. A
//! comparison reads a value in one way at most: the types of its readings do not overlap.

use neptune_format::{Content, VariableType};

use super::{
    filter::{Attribute, AttributeType, Literal, Operator},
    lexer::shortened,
    moment::{self, Moment},
};

pub(super) const FLOAT: VariableType = VariableType::atom(Content::Float);
const INT: VariableType = VariableType::atom(Content::Int);
const BOOL: VariableType = VariableType::atom(Content::Bool);
pub(super) const STRING: VariableType = VariableType::atom(Content::String);
const DATETIME: VariableType = VariableType::atom(Content::Datetime);
const JSON: VariableType = VariableType::atom(Content::Json);
const FLOAT_SERIES: VariableType = VariableType::FLOAT_SERIES;
const STRING_SERIES: VariableType = VariableType::STRING_SERIES;
const STRING_SET: VariableType = VariableType::STRING_SET;

/// One way in which a comparison reads stored values.
#[derive(Debug)]
pub(super) struct Reading {
    /// The types that are read so.
    pub(super) types: &'static [VariableType],
    /// What their value is compared with, which also says where it lies.
    pub(super) operand: Operand,
}

/// What a stored value is compared with.
#[derive(Debug)]
pub(super) enum Operand {
    /// In column `number`.
    Number(f64),
    /// In column `integer`.
    Integer(i64),
    /// In column `integer`, as microseconds.
    Time(Moment),
    /// In column `text`.
    Text(String),
}

/// A comparison that no value can satisfy.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) at: Part,
    pub(super) message: String,
}

/// The part of a comparison that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Operator,
    Literal,
}

impl Misfit {
    fn operator(message: String) -> Self {
        Self { at: Part::Operator, message }
    }

    fn literal(message: String) -> Self {
        Self { at: Part::Literal, message }
    }
}

/// The stored types that a type of the query language stands for.
pub(super) const fn stored(kind: AttributeType) -> &'static [VariableType] {
    match kind {
        AttributeType::Float => &[FLOAT, INT, FLOAT_SERIES],
        AttributeType::Int => &[INT],
        AttributeType::Bool => &[BOOL],
        AttributeType::String => &[STRING, STRING_SERIES],
        AttributeType::Datetime => &[DATETIME],
        AttributeType::StringSet => &[STRING_SET],
        AttributeType::FloatSeries => &[FLOAT_SERIES],
        AttributeType::StringSeries => &[STRING_SERIES],
        AttributeType::ExperimentState => &[STRING],
        AttributeType::Json => &[JSON],
    }
}

/// How `attribute operator literal` reads what is stored.
pub(super) fn compared(attribute: &Attribute, operator: Operator, literal: &Literal) -> Result<Vec<Reading>, Misfit> {
    use AttributeType as Type;
    let Some(kind) = attribute.kind else {
        return untyped(attribute, operator, literal);
    };
    let name = attribute.shown();
    let operand = match (kind, literal) {
        (Type::StringSet, _) => {
            return Err(Misfit::operator(format!("a set has no {operator}; use {name} CONTAINS \"member\"")));
        }
        (Type::Int, Literal::Int(value)) => Operand::Integer(*value),
        (Type::Float | Type::FloatSeries | Type::Int, Literal::Float(_) | Literal::Int(_)) => number(literal)?,
        (Type::Float | Type::FloatSeries | Type::Int, _) => {
            return Err(Misfit::literal(format!("expected a number, such as 0.3, as {name} is one")));
        }
        (Type::Bool, Literal::Bool(value)) => {
            equality_only(attribute, operator)?;
            Operand::Integer(i64::from(*value))
        }
        (Type::Bool, _) => {
            return Err(Misfit::literal(format!("expected true or false, as {name} is one of them")));
        }
        (Type::Datetime, Literal::String(text)) => {
            let misfit = || Misfit::literal(format!("{:?} is not a time; write {}", shortened(text), moment::EXAMPLE));
            Operand::Time(Moment::parse(text).ok_or_else(misfit)?)
        }
        (Type::Datetime, _) => {
            return Err(Misfit::literal(format!("expected a time, such as {}", moment::EXAMPLE)));
        }
        (Type::String | Type::StringSeries | Type::ExperimentState | Type::Json, Literal::String(text)) => {
            equality_only(attribute, operator)?;
            Operand::Text(text.clone())
        }
        (Type::String | Type::StringSeries | Type::ExperimentState | Type::Json, _) => {
            return Err(Misfit::literal(format!("expected text; put it in quotes: \"{literal}\"")));
        }
    };
    Ok(vec![Reading { types: stored(kind), operand }])
}

/// That aggregates of `attribute` have a value: it is, or may be, a series of numbers.
pub(super) fn aggregable(attribute: &Attribute) -> Result<(), Misfit> {
    match attribute.kind {
        None | Some(AttributeType::Float | AttributeType::FloatSeries) => Ok(()),
        Some(kind) => Err(Misfit::operator(format!("a {kind} has no max, min or average; only a floatSeries has"))),
    }
}

/// The number with which an aggregate of `attribute` is compared.
pub(super) fn aggregated(attribute: &Attribute, literal: &Literal) -> Result<f64, Misfit> {
    aggregable(attribute)?;
    match number(literal) {
        Ok(Operand::Number(value)) => Ok(value),
        _ => Err(Misfit::literal("expected a number, such as 0.3".to_owned())),
    }
}

/// The type of the series that aggregates are of.
pub(super) const AGGREGATED: &[VariableType] = &[FLOAT_SERIES];

fn untyped(attribute: &Attribute, operator: Operator, literal: &Literal) -> Result<Vec<Reading>, Misfit> {
    match literal {
        Literal::Float(_) => Ok(vec![Reading { types: &[FLOAT, INT, FLOAT_SERIES], operand: number(literal)? }]),
        // Whole numbers are compared as such: beyond 2^53, where seeds often lie, a float would round them.
        Literal::Int(value) => Ok(vec![
            Reading { types: &[FLOAT, FLOAT_SERIES], operand: number(literal)? },
            Reading { types: &[INT], operand: Operand::Integer(*value) },
        ]),
        Literal::Bool(value) => {
            equality_only(attribute, operator)?;
            Ok(vec![Reading { types: &[BOOL], operand: Operand::Integer(i64::from(*value)) }])
        }
        Literal::String(text) => {
            let moment = Moment::parse(text);
            let time = moment.map(|moment| Reading { types: &[DATETIME], operand: Operand::Time(moment) });
            if operator.is_equality() {
                let text = Reading { types: &[STRING, STRING_SERIES], operand: Operand::Text(text.clone()) };
                return Ok(std::iter::once(text).chain(time).collect());
            }
            match time {
                Some(time) => Ok(vec![time]),
                None => Err(no_order(operator)),
            }
        }
    }
}

fn number(literal: &Literal) -> Result<Operand, Misfit> {
    match literal {
        Literal::Float(value) if value.is_finite() => Ok(Operand::Number(*value)),
        Literal::Int(value) => Ok(Operand::Number(*value as f64)),
        _ => Err(Misfit::literal("expected a finite number".to_owned())),
    }
}

fn equality_only(attribute: &Attribute, operator: Operator) -> Result<(), Misfit> {
    if operator.is_equality() {
        return Ok(());
    }
    match attribute.kind {
        Some(AttributeType::Bool) | None => {
            Err(Misfit::operator(format!("true and false have no order, so no {operator}; use = or !=")))
        }
        Some(_) => Err(no_order(operator)),
    }
}

fn no_order(operator: Operator) -> Misfit {
    Misfit::operator(format!(
        "text has no order, so no {operator}; use =, != or CONTAINS, or compare with a number or a time such as \"-2h\""
    ))
}

/// The types in whose text `attribute CONTAINS` looks, and whether it looks into sets.
pub(super) fn contained(attribute: &Attribute) -> Result<(&'static [VariableType], bool), Misfit> {
    match attribute.kind {
        None => Ok((&[STRING, STRING_SERIES], true)),
        Some(AttributeType::StringSet) => Ok((&[], true)),
        Some(
            kind @ (AttributeType::String
            | AttributeType::StringSeries
            | AttributeType::ExperimentState
            | AttributeType::Json),
        ) => Ok((stored(kind), false)),
        Some(kind) => {
            Err(Misfit::operator(format!("CONTAINS looks into text and sets, and a {kind} is neither; use = or <")))
        }
    }
}
