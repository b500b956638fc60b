//! The parser of the query language: text to [`Filter`].
//!
//! Any text gives a filter or a [`FilterError`], in bounded time and stack: a query has at most [`MAX_QUERY`] bytes,
//! [`MAX_DEPTH`] levels and [`MAX_COMPARISONS`] comparisons.
//!
//! ```text
//! any        = all { "OR" all }
//! all        = condition { "AND" condition }
//! condition  = "NOT" condition | "(" any ")" | comparison
//! comparison = attribute ( operator value | [ "NOT" ] "CONTAINS" value | [ "NOT" ] "EXISTS" | "MISSING" )
//!            | function "(" attribute ")" operator value
//! function   = "last" | "min" | "max" | "average"
//! attribute  = ( word | "`" name "`" ) [ ":" type ]
//! ```

use std::{mem, str::FromStr};

use neptune_format::VariablePath;

use super::{
    filter::{Aggregate, Attribute, AttributeType, Filter, Literal, Operator},
    filter_error::{Fault, FilterError},
    lexer::{Lexer, Token, shortened},
    typing::{self, Misfit, Part},
};

/// The longest query, in bytes: far above what people write, far below what hurts.
pub(super) const MAX_QUERY: usize = 64 << 10;

/// How deep conditions nest. The stack of the smallest thread holds some hundreds.
pub(super) const MAX_DEPTH: usize = 64;

/// How many comparisons a query has. Each reads all values of a path once, so this bounds the time of a query.
pub(super) const MAX_COMPARISONS: usize = 1000;

/// The words that mean something where an attribute or an operator may stand.
const KEYWORDS: [&str; 6] = ["AND", "OR", "NOT", "CONTAINS", "EXISTS", "MISSING"];

impl Filter {
    /// Reads a query such as `` (`train/loss`:float < 0.3) AND (`sys/tags`:stringSet CONTAINS "cnn") ``.
    ///
    /// Keywords and types may be written in any case. An attribute or a value that is one plain word needs no quotes.
    ///
    /// # Errors
    /// A [`FilterError`] that shows the place and says what is expected there.
    pub fn parse(query: &str) -> Result<Self, FilterError> {
        if query.len() > MAX_QUERY {
            let kept = &query[..query.floor_char_boundary(MAX_QUERY)];
            let message = format!("the query has {} bytes; a query has at most {MAX_QUERY}", query.len());
            return Err(Fault::new(kept.chars().count(), message).of(kept));
        }
        let parse = || {
            let mut parser = Parser::new(query)?;
            let filter = parser.any(0)?;
            parser.end()?;
            Ok(filter)
        };
        parse().map_err(|fault: Fault| fault.of(query))
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(query: &str) -> Result<Self, FilterError> {
        Self::parse(query)
    }
}

struct Parser {
    lexer: Lexer,
    token: Token,
    column: usize,
    comparisons: usize,
}

impl Parser {
    fn new(query: &str) -> Result<Self, Fault> {
        let mut lexer = Lexer::new(query);
        let (token, column) = lexer.next()?;
        Ok(Self { lexer, token, column, comparisons: 0 })
    }

    fn advance(&mut self) -> Result<(), Fault> {
        (self.token, self.column) = self.lexer.next()?;
        Ok(())
    }

    fn at_keyword(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> Result<bool, Fault> {
        let found = self.at_keyword(keyword);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::new(self.column, message))
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Fault> {
        let first = self.all(depth)?;
        if !self.at_keyword("OR") {
            return Ok(first);
        }
        let mut filters = vec![first];
        while self.take_keyword("OR")? {
            filters.push(self.all(depth)?);
        }
        Ok(Filter::Or(filters))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Fault> {
        let first = self.condition(depth)?;
        if !self.at_keyword("AND") {
            return Ok(first);
        }
        let mut filters = vec![first];
        while self.take_keyword("AND")? {
            filters.push(self.condition(depth)?);
        }
        Ok(Filter::And(filters))
    }

    fn condition(&mut self, depth: usize) -> Result<Filter, Fault> {
        let nests = self.token == Token::Open || self.at_keyword("NOT");
        if nests && depth == MAX_DEPTH {
            return self.fault(format!("the query nests more than {MAX_DEPTH} deep; write it with fewer parentheses"));
        }
        if self.take_keyword("NOT")? {
            return Ok(Filter::Not(Box::new(self.condition(depth + 1)?)));
        }
        if self.token == Token::Open {
            let opened = self.column;
            self.advance()?;
            let filter = self.any(depth + 1)?;
            return match self.token {
                Token::Close => {
                    self.advance()?;
                    Ok(filter)
                }
                Token::End => Err(Fault::new(opened, "this parenthesis has no end; close it with )")),
                _ => self.fault(self.behind_condition("AND, OR or )")),
            };
        }
        self.comparison()
    }

    fn end(&self) -> Result<(), Fault> {
        match self.token {
            Token::End => Ok(()),
            Token::Close => self.fault("this ) closes nothing; remove it or open a ( before"),
            _ => self.fault(self.behind_condition("AND, OR or the end of the query")),
        }
    }

    fn behind_condition(&self, expected: &str) -> String {
        let hint = match &self.token {
            Token::Word(word) => did_you_mean(word, &["AND", "OR"]),
            _ => String::new(),
        };
        format!("expected {expected} behind the condition, not {}{hint}", describe(&self.token))
    }

    fn comparison(&mut self) -> Result<Filter, Fault> {
        if self.comparisons == MAX_COMPARISONS {
            return self
                .fault(format!("the query has more than {MAX_COMPARISONS} comparisons; ask in several queries"));
        }
        self.comparisons += 1;
        let (aggregate, attribute) = self.measured()?;
        let column = self.column;
        if let Token::Operator(operator) = self.token {
            self.advance()?;
            return self.compare(aggregate, attribute, operator, column);
        }
        if let Some(aggregate) = aggregate {
            let name = aggregate.name();
            return self.fault(format!("{name}({}) is a number; compare it with one, as in > 0.3", attribute.shown()));
        }
        if self.take_keyword("NOT")? {
            return if self.take_keyword("CONTAINS")? {
                Ok(Filter::Not(Box::new(self.contains(attribute, column)?)))
            } else if self.take_keyword("EXISTS")? {
                Ok(Filter::Missing(attribute))
            } else {
                self.fault(format!("expected CONTAINS or EXISTS behind NOT, not {}", describe(&self.token)))
            };
        }
        if self.take_keyword("CONTAINS")? {
            return self.contains(attribute, column);
        }
        if self.take_keyword("EXISTS")? {
            return Ok(Filter::Exists(attribute));
        }
        if self.take_keyword("MISSING")? {
            return Ok(Filter::Missing(attribute));
        }
        let hint = match &self.token {
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "IS" => "; write EXISTS or MISSING, without IS".to_owned(),
                "LIKE" | "MATCHES" => format!(", not {word}; use CONTAINS for a part of a text"),
                "IN" => "; for one of several values join comparisons with OR".to_owned(),
                _ => did_you_mean(word, &["CONTAINS", "EXISTS", "MISSING", "NOT"]),
            },
            _ => String::new(),
        };
        self.fault(format!("expected a comparison such as < or CONTAINS behind {}{hint}", attribute.shown()))
    }

    fn compare(
        &mut self,
        aggregate: Option<Aggregate>,
        attribute: Attribute,
        operator: Operator,
        column: usize,
    ) -> Result<Filter, Fault> {
        let literal_column = self.column;
        let literal = self.literal(&attribute, &operator.to_string())?;
        let fits = match aggregate {
            Some(_) => typing::aggregated(&attribute, &literal).map(|_| ()),
            None => typing::compared(&attribute, operator, &literal).map(|_| ()),
        };
        fits.map_err(|misfit| placed(misfit, column, literal_column))?;
        Ok(match aggregate {
            Some(aggregate) => Filter::Aggregate { aggregate, attribute, operator, literal },
            None => Filter::Compare { attribute, operator, literal },
        })
    }

    fn contains(&mut self, attribute: Attribute, column: usize) -> Result<Filter, Fault> {
        let literal_column = self.column;
        typing::contained(&attribute).map_err(|misfit| placed(misfit, column, literal_column))?;
        match self.literal(&attribute, "CONTAINS")? {
            Literal::String(text) => Ok(Filter::Contains { attribute, text }),
            literal => Err(Fault::new(literal_column, format!("expected text; put it in quotes: \"{literal}\""))),
        }
    }

    fn literal(&mut self, attribute: &Attribute, operator: &str) -> Result<Literal, Fault> {
        let literal = match &mut self.token {
            Token::Text(text) => Literal::String(mem::take(text)),
            Token::Int(value) => Literal::Int(*value),
            Token::Float(value) => Literal::Float(*value),
            Token::Word(word) if is_any_of(word, &["true"]) => Literal::Bool(true),
            Token::Word(word) if is_any_of(word, &["false"]) => Literal::Bool(false),
            Token::Word(word) if is_any_of(word.trim_start_matches('-'), &["inf", "infinity", "nan"]) => {
                let message =
                    format!("{word} is not a value; compare with a finite number, or write \"{word}\" for text");
                return self.fault(message);
            }
            Token::Word(word) if !is_any_of(word, &KEYWORDS) => Literal::String(mem::take(word)),
            other => {
                let message = format!(
                    "expected a value behind {} {operator}, such as 0.3, true or \"text\", not {}",
                    attribute.shown(),
                    describe(other)
                );
                return self.fault(message);
            }
        };
        self.advance()?;
        Ok(literal)
    }

    /// An attribute, or a function of one. `last` of a series is what the series alone is compared by.
    fn measured(&mut self) -> Result<(Option<Aggregate>, Attribute), Fault> {
        let column = self.column;
        let name = self.name()?;
        if self.token != Token::Open {
            return Ok((None, self.attribute_of(&name, column)?));
        }
        let aggregate = function(&name, column)?;
        self.advance()?;
        let column = self.column;
        let name = self.name()?;
        if self.token == Token::Open {
            return Err(Fault::new(column, "a function of a function has no value; name a series in the parentheses"));
        }
        let attribute = self.attribute_of(&name, column)?;
        if aggregate.is_some() {
            typing::aggregable(&attribute).map_err(|misfit| Fault::new(column, misfit.message))?;
        }
        if self.token != Token::Close {
            return self.fault(format!("expected ) behind {}, not {}", attribute.shown(), describe(&self.token)));
        }
        self.advance()?;
        Ok((aggregate, attribute))
    }

    fn name(&mut self) -> Result<String, Fault> {
        let name = match &mut self.token {
            Token::Quoted(name) => mem::take(name),
            Token::Word(word) if !is_any_of(word, &KEYWORDS) => mem::take(word),
            other => {
                let message = format!("expected a condition such as `loss` < 0.3, not {}", describe(other));
                let hint = match other {
                    Token::Text(_) | Token::Int(_) | Token::Float(_) => {
                        "; the attribute comes first, in backquotes if it is not a plain word"
                    }
                    Token::Word(_) => "; an attribute of this name goes in backquotes",
                    _ => "",
                };
                return self.fault(message + hint);
            }
        };
        self.advance()?;
        Ok(name)
    }

    fn attribute_of(&mut self, name: &str, column: usize) -> Result<Attribute, Fault> {
        let path = VariablePath::new(name).map_err(|error| Fault::new(column, error.to_string()))?;
        let mut attribute = Attribute { path, kind: None };
        if self.token == Token::Colon {
            self.advance()?;
            attribute.kind = Some(self.kind(&attribute)?);
        }
        Ok(attribute)
    }

    fn kind(&mut self, attribute: &Attribute) -> Result<AttributeType, Fault> {
        let names = AttributeType::ALL.map(AttributeType::name);
        let Token::Word(word) = &self.token else {
            let found = describe(&self.token);
            let message =
                format!("expected a type behind {}:, not {found}; types are {}", attribute.shown(), listed(&names));
            return self.fault(message);
        };
        if let Some(kind) = AttributeType::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(word)) {
            self.advance()?;
            return Ok(kind);
        }
        let hint = did_you_mean(word, &names);
        self.fault(format!("there is no type {}{hint}; types are {}", shortened(word), listed(&names)))
    }
}

/// What the function `name` asks of a series; `None` for its last value.
fn function(name: &str, column: usize) -> Result<Option<Aggregate>, Fault> {
    const LAST: &str = "last";
    if name.eq_ignore_ascii_case(LAST) {
        return Ok(None);
    }
    if let Some(aggregate) = Aggregate::ALL.into_iter().find(|aggregate| aggregate.name().eq_ignore_ascii_case(name)) {
        return Ok(Some(aggregate));
    }
    let [min, max, average] = Aggregate::ALL.map(Aggregate::name);
    let hint = match name.to_ascii_lowercase().as_str() {
        "mean" | "avg" => format!("; did you mean {average}?"),
        _ => did_you_mean(name, &[LAST, min, max, average]),
    };
    let name = shortened(name);
    let message = format!("there is no function {name}{hint}; functions are {LAST}, {min}, {max}, {average}");
    Err(Fault::new(column, message))
}

fn placed(misfit: Misfit, operator: usize, literal: usize) -> Fault {
    let column = match misfit.at {
        Part::Operator => operator,
        Part::Literal => literal,
    };
    Fault::new(column, misfit.message)
}

fn is_any_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|candidate| candidate.eq_ignore_ascii_case(word))
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}

fn describe(token: &Token) -> String {
    match token {
        Token::Word(word) => shortened(word),
        Token::Quoted(name) => format!("`{}`", shortened(name)),
        Token::Text(text) => format!("{:?}", shortened(text)),
        Token::Int(value) => value.to_string(),
        Token::Float(value) => format!("{value:?}"),
        Token::Operator(operator) => operator.to_string(),
        Token::Colon => ":".to_owned(),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::End => "the end of the query".to_owned(),
    }
}

/// The word that was likely meant, of which at most a third is mistyped; otherwise nothing.
fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    let word = word.to_lowercase();
    candidates
        .iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean {candidate}?"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_read_by_the_precedence_of_its_words() {
        for (query, canonical) in [
            (
                "(`train/loss`:float < 0.3) AND (`sys/tags`:stringSet CONTAINS \"cnn\")",
                "`train/loss`:float < 0.3 AND `sys/tags`:stringSet CONTAINS \"cnn\"",
            ),
            ("sys/state = 'failed'", "`sys/state` = \"failed\""),
            ("loss<0.3", "`loss` < 0.3"),
            ("a=1 or not b==2 and c!=3", "`a` = 1 OR (NOT `b` = 2 AND `c` != 3)"),
            ("(a=1 OR b=2) AND c=3", "(`a` = 1 OR `b` = 2) AND `c` = 3"),
            ("a=1 AND (b=2 AND c=3)", "`a` = 1 AND (`b` = 2 AND `c` = 3)"),
            ("NOT NOT (a=1 OR b=2)", "NOT NOT (`a` = 1 OR `b` = 2)"),
            ("((a=1))", "`a` = 1"),
            ("a not contains \"x\"", "NOT `a` CONTAINS \"x\""),
            ("a eXists and b Missing and c not exists", "`a` EXISTS AND `b` MISSING AND `c` MISSING"),
            ("`a b``c` : BOOL = True", "`a b``c`:bool = true"),
            ("id = SAN-3 OR owner = Fred", "`id` = \"SAN-3\" OR `owner` = \"Fred\""),
            ("t:datetime > \"-2h\" AND t < 2026-11-22", "`t`:datetime > \"-2h\" AND `t` < \"2026-11-22\""),
            ("a >= -1e3 AND b <= 5", "`a` >= -1000.0 AND `b` <= 5"),
            ("`and` = 'or'", "`and` = \"or\""),
            ("true = false", "`true` = false"),
            ("min(loss) < 0.1 AND MAX(`a b`:floatSeries) >= 3", "min(`loss`) < 0.1 AND max(`a b`:floatSeries) >= 3"),
            ("average(x) != 1e3", "average(`x`) != 1000.0"),
            ("last(loss:floatSeries) < 0.1", "`loss`:floatSeries < 0.1"),
            ("min = 3", "`min` = 3"),
            ("2d/net = \"a\\\"b\\\\c\\n\"", "`2d/net` = \"a\\\"b\\\\c\\n\""),
        ] {
            let filter = Filter::parse(query).unwrap();
            assert_eq!(filter.to_string(), canonical, "{query}");
            assert_eq!(Filter::parse(canonical).unwrap(), filter, "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_column_with_the_way_out() {
        for (query, column, hint) in [
            ("", 1, "such as `loss` < 0.3, not the end of the query"),
            ("  ", 3, "not the end"),
            ("train/loss", 11, "expected a comparison such as < or CONTAINS behind `train/loss`"),
            ("train/loss 0.3", 12, "expected a comparison such as < or CONTAINS behind `train/loss`"),
            ("a CONTAIN 'x'", 3, "did you mean CONTAINS?"),
            ("a EXIST", 3, "did you mean EXISTS?"),
            ("a IS MISSING", 3, "without IS"),
            ("a MATCHES 'x'", 3, "use CONTAINS"),
            ("a IN (1, 2)", 3, "OR"),
            ("a NOT 3", 7, "expected CONTAINS or EXISTS behind NOT, not 3"),
            ("a = 1 ADN b = 2", 7, "did you mean AND?"),
            ("a = 1 b = 2", 7, "expected AND, OR or the end of the query behind the condition, not b"),
            ("(a = 1 b = 2)", 8, "expected AND, OR or )"),
            ("a = 1 AND", 10, "not the end of the query"),
            ("AND a = 1", 1, "not AND; an attribute of this name goes in backquotes"),
            ("0.3 > loss", 1, "the attribute comes first"),
            ("a = 1)", 6, "closes nothing"),
            ("b = 2 AND (a = 1", 11, "close it with )"),
            ("a <", 4, "expected a value behind `a` <"),
            ("a < < 3", 5, "not <"),
            ("a = AND", 5, "not AND"),
            ("a = nan", 5, "nan is not a value"),
            ("a < -Inf", 5, "-Inf is not a value"),
            ("mean(a:floatSeries) < 3", 1, "no function mean; did you mean average?"),
            ("variance(a) < 3", 1, "no function variance; functions are last, min, max, average"),
            ("`min`(a) < 'x'", 12, "expected a number"),
            ("min(a < 3", 7, "expected ) behind `a`, not <"),
            ("min() < 3", 5, "such as `loss` < 0.3, not )"),
            ("min(max(a)) < 3", 5, "a function of a function"),
            ("max(a:string) < 3", 5, "a string has no max, min or average"),
            ("max(a) EXISTS", 8, "max(`a`) is a number"),
            ("max(a) CONTAINS 'x'", 8, "compare it with one"),
            ("average(a) = true", 14, "expected a number"),
            ("a:flaot < 3", 3, "no type flaot; did you mean float?; types are float, int, bool, string, datetime"),
            ("a:xyz < 3", 3, "no type xyz; types are float"),
            ("a: < 3", 4, "expected a type behind `a`:, not <"),
            ("`a//b` = 3", 1, "empty segment"),
            ("sys/tags:stringSet = 'x'", 20, "use `sys/tags` CONTAINS"),
            ("a:string < 'x'", 10, "no order"),
            ("a < 'x'", 3, "no order"),
            ("a > true", 3, "no order"),
            ("a:bool >= true", 8, "use = or !="),
            ("a:bool = 1", 10, "true or false"),
            ("a:float = 'x'", 11, "expected a number"),
            ("a:int = true", 9, "expected a number"),
            ("a:string = 5", 12, "put it in quotes: \"5\""),
            ("a CONTAINS 5", 12, "put it in quotes: \"5\""),
            ("a:float CONTAINS '5'", 9, "a float is neither"),
            ("a:datetime > 'yesterday'", 14, "\"yesterday\" is not a time; write \"2026"),
            ("a:datetime > 5", 14, "expected a time"),
            ("\u{e4}:datetime > 5", 14, "expected a time"),
        ] {
            let error = Filter::parse(query).expect_err(query);
            assert_eq!(error.column, column, "{query}: {}", error.message);
            assert!(error.message.contains(hint), "{query}: {}", error.message);
            assert_eq!(error.query, query);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
        let error = Filter::parse(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error.column, MAX_DEPTH + 1);
        assert!(error.message.contains("64 deep"), "{error}");
        assert!(Filter::parse(&nested(30_000)).is_err());
        assert!(Filter::parse(&("NOT ".repeat(MAX_DEPTH) + "a = 1")).is_ok());
        assert!(Filter::parse(&("NOT ".repeat(MAX_DEPTH + 1) + "a = 1")).is_err());
    }

    #[test]
    fn a_query_that_is_too_long_is_refused() {
        let query = "a=1 OR ".repeat(MAX_COMPARISONS) + "b=1";
        let error = Filter::parse(&query).unwrap_err();
        assert_eq!(error.column, 7 * MAX_COMPARISONS + 1);
        assert!(error.message.contains("1000 comparisons"), "{}", error.message);
        let query = "a = 1 OR ".repeat(MAX_QUERY);
        let error = Filter::parse(&query).unwrap_err();
        assert_eq!(error.query.len(), MAX_QUERY);
        assert!(error.message.contains("65536"), "{}", error.message);
        let error = Filter::parse(&"\u{20ac}".repeat(MAX_QUERY)).unwrap_err();
        assert_eq!(error.column, MAX_QUERY / 3);
    }

    fn attributes() -> impl Strategy<Value = Attribute> {
        let path = "[a-z` ()'\"/.\\\\\u{e4}-]{1,8}".prop_filter_map("no path", |name| VariablePath::new(&name).ok());
        let kind = proptest::option::of(proptest::sample::select(AttributeType::ALL.to_vec()));
        (path, kind).prop_map(|(path, kind)| Attribute { path, kind })
    }

    fn literals() -> impl Strategy<Value = Literal> {
        let finite = any::<f64>().prop_filter("not finite", |value| value.is_finite());
        prop_oneof![
            finite.prop_map(Literal::from),
            any::<i64>().prop_map(Literal::from),
            any::<bool>().prop_map(Literal::from),
            any::<String>().prop_map(Literal::from),
            Just(Literal::from("-2h")),
        ]
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let operator = proptest::sample::select(vec![
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
        ]);
        let compare = || (attributes(), operator.clone(), literals());
        let aggregate = proptest::sample::select(Aggregate::ALL.to_vec());
        let aggregate = (aggregate, compare()).prop_filter_map("no number", |(aggregate, compared)| {
            let (attribute, operator, literal) = compared;
            typing::aggregated(&attribute, &literal).ok()?;
            Some(Filter::Aggregate { aggregate, attribute, operator, literal })
        });
        let compare =
            compare().prop_map(|(attribute, operator, literal)| Filter::Compare { attribute, operator, literal });
        let contains =
            (attributes(), any::<String>()).prop_map(|(attribute, text)| Filter::Contains { attribute, text });
        let leaf = prop_oneof![
            compare,
            aggregate,
            contains,
            attributes().prop_map(Filter::Exists),
            attributes().prop_map(Filter::Missing),
        ];
        let leaf = leaf.prop_filter("no value satisfies it", |filter| match filter {
            Filter::Compare { attribute, operator, literal } => typing::compared(attribute, *operator, literal).is_ok(),
            Filter::Contains { attribute, .. } => typing::contained(attribute).is_ok(),
            _ => true,
        });
        leaf.prop_recursive(5, 40, 4, |inner| {
            let several = proptest::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                several.clone().prop_map(Filter::And),
                several.prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_parsed_to_the_same_filter(filter in filters()) {
            let text = filter.to_string();
            prop_assert_eq!(Filter::parse(&text).map_err(|error| error.to_string()), Ok(filter));
        }

        #[test]
        fn any_text_is_a_filter_or_an_error_within_it(query in any::<String>()) {
            if let Err(error) = Filter::parse(&query) {
                prop_assert!((1..=query.chars().count() + 1).contains(&error.column));
            }
        }

        #[test]
        fn any_words_are_a_filter_or_an_error_within_them(
            words in proptest::collection::vec(proptest::sample::select(vec![
                "a", "`b`", ":", "float", "stringSet", "=", "<", "CONTAINS", "NOT", "AND", "OR", "EXISTS", "(", ")",
                "1", "-2h", "'x'", "\"", "true", "!", "\\", "nan", "\u{e4}", "e", "+", ".5",
            ]), 0..30),
            between in proptest::sample::select(vec!["", " "]),
        ) {
            let query = words.join(between);
            if let Err(error) = Filter::parse(&query) {
                prop_assert!((1..=query.chars().count() + 1).contains(&error.column), "{}", error);
            }
        }
    }
}
