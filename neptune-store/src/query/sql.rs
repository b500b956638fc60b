//! A [`Filter`] as the condition of a SQL statement over `experiment e`.
//!
//! Every condition is true or false and never NULL, so that NOT is plain negation; and every name and value of a query
//! is bound, so that no text of it is ever read as SQL.

use std::fmt::Write as _;

use neptune_format::{Timestamp, VariableType};
use rusqlite::types::Value;

use super::{
    filter::{Aggregate, Attribute, AttributeType, Filter, Literal, Operator},
    parse::{MAX_COMPARISONS, MAX_DEPTH},
    resolve::{Place, Places},
    typing::{self, Misfit, Operand, Reading},
};
use crate::{
    error::{Error, ErrorKind, Result},
    read::running_sql,
};

const NEVER: &str = "1 = 0";
const ALWAYS: &str = "1 = 1";

/// Microseconds in a second.
pub(super) const MICROS: &str = "1000000.0";

/// The type of the variable that [`Compiler::variable`] looks at.
const TYPE: &str = "v.type";

/// The short id as text.
const SHORT_ID: &str = "p.short_key || '-' || CAST(e.number AS TEXT)";

/// A SQL condition and what it binds: parameter `?N` is the Nth.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

impl Condition {
    /// Binds `value` and gives the word for it.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.parameters.push(value.into());
        format!("?{}", self.parameters.len())
    }

    /// Adds `filter` to the end of the text. Relative times count from `now`.
    pub(super) fn push(&mut self, filter: &Filter, places: &mut Places<'_>, now: Timestamp) -> Result<()> {
        Compiler { condition: self, places, now, comparisons: 0 }.filter(filter, 0)
    }
}

struct Compiler<'a, 'b> {
    condition: &'a mut Condition,
    places: &'a mut Places<'b>,
    now: Timestamp,
    comparisons: usize,
}

impl Compiler<'_, '_> {
    fn write(&mut self, sql: &str) {
        self.condition.sql.push_str(sql);
    }

    fn filter(&mut self, filter: &Filter, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("the filter nests more than {MAX_DEPTH} deep; flatten it"),
            ));
        }
        if !matches!(filter, Filter::And(_) | Filter::Or(_) | Filter::Not(_)) {
            self.comparisons += 1;
            if self.comparisons > MAX_COMPARISONS {
                let message = format!("the filter has more than {MAX_COMPARISONS} comparisons; ask in several queries");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        match filter {
            Filter::And(filters) => self.joined(filters, " AND ", ALWAYS, depth),
            Filter::Or(filters) => self.joined(filters, " OR ", NEVER, depth),
            Filter::Not(filter) => {
                self.write("NOT (");
                self.filter(filter, depth + 1)?;
                self.write(")");
                Ok(())
            }
            Filter::Compare { attribute, operator, literal } => self.compare(attribute, *operator, literal),
            Filter::Aggregate { aggregate, attribute, operator, literal } => {
                self.aggregate(*aggregate, attribute, *operator, literal)
            }
            Filter::Contains { attribute, text } => self.contains(attribute, text),
            Filter::Exists(attribute) => self.exists(attribute),
            Filter::Missing(attribute) => {
                self.write("NOT (");
                self.exists(attribute)?;
                self.write(")");
                Ok(())
            }
        }
    }

    /// Joins by halves: SQLite takes trees of at most 1,000 levels, and a chain of words would be one level each.
    fn joined(&mut self, filters: &[Filter], word: &str, of_none: &str, depth: usize) -> Result<()> {
        match filters {
            [] => self.write(of_none),
            [filter] => self.filter(filter, depth + 1)?,
            _ => {
                let (left, right) = filters.split_at(filters.len() / 2);
                self.write("(");
                self.joined(left, word, of_none, depth)?;
                self.write(word);
                self.joined(right, word, of_none, depth)?;
                self.write(")");
            }
        }
        Ok(())
    }

    fn compare(&mut self, attribute: &Attribute, operator: Operator, literal: &Literal) -> Result<()> {
        let readings = typing::compared(attribute, operator, literal).map_err(|misfit| invalid(attribute, &misfit))?;
        match self.places.place(attribute.path.as_str())? {
            None => self.write(NEVER),
            Some(Place::ShortId) => self.compare_short_id(operator, &readings),
            Some(Place::RunningTime) => self.compare_running_time(operator, &readings),
            Some(Place::Path(path)) => {
                let alternatives: Vec<_> = readings.iter().map(|reading| self.reading(reading, operator)).collect();
                self.variable(path, &alternatives.join(" OR "));
            }
        }
        Ok(())
    }

    /// The experiment has variable `v` at `path`, for which `condition` holds.
    ///
    /// Reading all values of a path once, which lie side by side in an index, is several times faster than a look into
    /// every experiment.
    fn variable(&mut self, path: i64, condition: &str) {
        let path = self.condition.bind(path);
        self.write(&format!(
            "e.id IN (SELECT v.experiment_id FROM variable v WHERE v.path_id = {path} AND ({condition}))"
        ));
    }

    fn reading(&mut self, reading: &Reading, operator: Operator) -> String {
        let (column, value) = match &reading.operand {
            Operand::Number(value) => ("number", Value::from(*value)),
            Operand::Integer(value) => ("integer", Value::from(*value)),
            Operand::Time(moment) => ("integer", Value::from(moment.at(self.now).as_micros())),
            Operand::Text(text) => ("text", Value::from(text.clone())),
        };
        let value = self.condition.bind(value);
        let types = type_is(TYPE, reading.types);
        match operator {
            // NaN is NULL in its column; it is not equal to anything, so it is different from everything.
            Operator::NotEqual => format!("({types} AND v.{column} IS DISTINCT FROM {value})"),
            _ => format!("({types} AND v.{column} {operator} {value})"),
        }
    }

    fn aggregate(
        &mut self,
        aggregate: Aggregate,
        attribute: &Attribute,
        operator: Operator,
        literal: &Literal,
    ) -> Result<()> {
        let value = typing::aggregated(attribute, literal).map_err(|misfit| invalid(attribute, &misfit))?;
        let Some(Place::Path(path)) = self.places.place(attribute.path.as_str())? else {
            self.write(NEVER);
            return Ok(());
        };
        let value = self.condition.bind(value);
        let of = match aggregate {
            Aggregate::Minimum => "v.minimum",
            Aggregate::Maximum => "v.maximum",
            Aggregate::Average => "v.total / (v.count - v.nonfinite)",
        };
        let types = type_is(TYPE, typing::AGGREGATED);
        self.variable(path, &format!("{types} AND v.minimum IS NOT NULL AND {of} {operator} {value}"));
        Ok(())
    }

    fn compare_running_time(&mut self, operator: Operator, readings: &[Reading]) {
        let seconds = readings.iter().find_map(|reading| match reading.operand {
            Operand::Number(value) if reading.types.contains(&typing::FLOAT) => Some(value),
            _ => None,
        });
        let Some(seconds) = seconds else { return self.write(NEVER) };
        let now = self.condition.bind(self.now.as_micros());
        let seconds = self.condition.bind(seconds);
        let running = running_sql(&now, ALWAYS);
        self.write(&format!(
            "e.id IN (SELECT experiment_id FROM ({running}) WHERE micros / {MICROS} {operator} {seconds})"
        ));
    }

    fn compare_short_id(&mut self, operator: Operator, readings: &[Reading]) {
        let text = readings.iter().find_map(|reading| match &reading.operand {
            Operand::Text(text) if reading.types.contains(&typing::STRING) => Some(text.clone()),
            _ => None,
        });
        let Some(text) = text else { return self.write(NEVER) };
        if operator == Operator::NotEqual {
            self.write("NOT ");
        }
        let parts = text.rsplit_once('-').and_then(|(key, number)| Some((key, number.parse::<i64>().ok()?)));
        // Only the way in which ids are written: not MNI-012 and not MNI-+12.
        match parts.filter(|(key, number)| format!("{key}-{number}") == text) {
            Some((key, number)) => {
                let key = self.condition.bind(key.to_owned());
                let number = self.condition.bind(number);
                self.write(&format!(
                    "(e.id IN (SELECT x.id FROM experiment x JOIN project p ON p.id = x.project_id \
                     WHERE p.short_key = {key} AND x.number = {number}))"
                ));
            }
            None => self.write(&format!("({NEVER})")),
        }
    }

    fn contains(&mut self, attribute: &Attribute, text: &str) -> Result<()> {
        let (types, sets) = typing::contained(attribute).map_err(|misfit| invalid(attribute, &misfit))?;
        match self.places.place(attribute.path.as_str())? {
            Some(Place::ShortId) if types.contains(&typing::STRING) => {
                let text = self.condition.bind(text.to_owned());
                self.write(&format!(
                    "EXISTS (SELECT 1 FROM project p WHERE p.id = e.project_id AND instr({SHORT_ID}, {text}) > 0)"
                ));
            }
            None | Some(Place::ShortId | Place::RunningTime) => self.write(NEVER),
            Some(Place::Path(path)) => {
                let text = self.condition.bind(text.to_owned());
                let mut ways = Vec::new();
                if !types.is_empty() {
                    ways.push(format!("({} AND instr(v.text, {text}) > 0)", type_is(TYPE, types)));
                }
                if sets {
                    ways.push(format!(
                        "({} AND EXISTS (SELECT 1 FROM member m WHERE m.experiment_id = v.experiment_id \
                         AND m.path_id = v.path_id AND m.member = {text}))",
                        type_is(TYPE, typing::stored(AttributeType::StringSet))
                    ));
                }
                self.variable(path, &ways.join(" OR "));
            }
        }
        Ok(())
    }

    fn exists(&mut self, attribute: &Attribute) -> Result<()> {
        let types = attribute.kind.map(typing::stored);
        match self.places.place(attribute.path.as_str())? {
            None => self.write(NEVER),
            Some(Place::ShortId) => {
                self.write(if types.is_none_or(|types| types.contains(&typing::STRING)) { ALWAYS } else { NEVER });
            }
            Some(Place::RunningTime) => {
                self.write(if types.is_none_or(|types| types.contains(&typing::FLOAT)) { ALWAYS } else { NEVER });
            }
            Some(Place::Path(path)) => {
                self.variable(path, &types.map_or_else(|| ALWAYS.to_owned(), |types| type_is(TYPE, types)));
            }
        }
        Ok(())
    }
}

/// The condition that `type`, a column, is one of `types`. Codes are ours and not of the query, so they stand in the
/// text.
pub(super) fn type_is(column: &str, types: &[VariableType]) -> String {
    let mut text = format!("{column} IN (");
    for (index, kind) in types.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(text, "{comma}{}", kind.code()).expect("a String takes all that is written");
    }
    text + ")"
}

/// A filter that was built and not parsed can hold a comparison that the parser refuses.
fn invalid(attribute: &Attribute, misfit: &Misfit) -> Error {
    Error::new(ErrorKind::Invalid, format!("the filter on {} is wrong: {}", attribute.shown(), misfit.message))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Direction, ExperimentQuery,
            sample::{Held, NOW, Sample, hours_ago, sample},
        },
        *,
    };

    #[test]
    fn numbers_of_every_kind_compare() {
        let sample = sample();
        for (filter, kept) in [
            ("loss < 0.5", "MNI-2"),
            ("loss <= 0.5", "MNI-1 MNI-2"),
            ("loss > 0.5", "CIF-1"),
            ("loss >= 0.5", "CIF-1 MNI-1"),
            ("loss = 0.5", "MNI-1"),
            ("`logs/loss`:float > 0", "CIF-1 MNI-1 MNI-2"),
            ("loss:floatSeries > 0", "MNI-1 MNI-2"),
            ("loss:int > 0", ""),
            ("lr >= 1", "MNI-2 MNI-3"),
            ("lr > 1e300", "MNI-3"),
            ("lr:float <= 1", "MNI-1 MNI-2"),
            ("lr:int = 1", "MNI-2"),
            ("epochs:int < 10.5", "MNI-1"),
            ("epochs = 20.0", "MNI-2"),
            ("seed = 9007199254740993", "MNI-1"),
            ("seed:int = 9007199254740993", "MNI-1"),
            ("flag = true", "MNI-1"),
            ("flag:bool != true", "MNI-2"),
            ("flag = 1", ""),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn aggregates_of_a_series_compare() {
        let sample = sample();
        let series = "UPDATE variable SET count = 5, nonfinite = 1, minimum = 0.25, maximum = 4.0, total = 6.0
                      WHERE experiment_id = 1 AND path_id = (SELECT id FROM path WHERE name = 'logs/loss')";
        sample.store.connection.execute(series, []).unwrap();
        for (filter, kept) in [
            ("min(loss) = 0.25", "MNI-1"),
            ("max(loss) > 3", "MNI-1"),
            ("average(loss:floatSeries) = 1.5", "MNI-1"),
            ("average(loss) != 1.5", ""),
            ("NOT average(loss) != 1.5", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("min(loss) < 9", "MNI-1"),
            ("last(loss) = 0.25", "MNI-2"),
            ("min(epochs) < 99", ""),
            ("min(nowhere) < 99", ""),
            ("min(sys/id) < 99", ""),
            ("min(running_time) < 99", ""),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn the_running_time_compares_and_sorts_though_no_variable_holds_it() {
        let sample = sample();
        sample.ran(1, 100, Some(40));
        sample.ran(2, 30, None);
        sample.ran(2, 90, Some(80));
        sample.ran(4, 50, Some(49));
        for (filter, kept) in [
            ("running_time >= 60", "MNI-1"),
            ("sys/running_time:float < 60", "CIF-1 MNI-2"),
            ("running_time = 40", "MNI-2"),
            ("running_time > 0.5 AND running_time != 1", "MNI-1 MNI-2"),
            ("running_time:int = 40", ""),
            ("running_time = \"40\"", ""),
            ("running_time:float EXISTS", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("running_time:string EXISTS", ""),
            ("running_time CONTAINS \"4\"", ""),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
        let query = ExperimentQuery::default().columns(["running_time"]);
        for (direction, wanted) in [
            (Direction::Ascending, ["CIF-1 1.0", "MNI-2 40.0", "MNI-1 60.0", "MNI-3 -"]),
            (Direction::Descending, ["MNI-1 60.0", "MNI-2 40.0", "CIF-1 1.0", "MNI-3 -"]),
        ] {
            let table = sample.table(query.clone().sort("sys/running_time", direction));
            let shown = table.rows.iter().map(|row| match &row.cells[0] {
                Some(cell) => format!("{} {cell}", row.short_id),
                None => format!("{} -", row.short_id),
            });
            assert_eq!(shown.collect::<Vec<_>>(), wanted, "{direction:?}");
        }
        let table = sample.table(ExperimentQuery::default().min_running_time(std::time::Duration::from_secs(40)));
        assert_eq!(table.rows.iter().map(|row| row.short_id.as_str()).collect::<Vec<_>>(), ["MNI-2", "MNI-1"]);
    }

    #[test]
    fn text_compares_and_contains() {
        let sample = sample();
        for (filter, kept) in [
            ("state = failed", "MNI-2"),
            ("sys/state:experimentState != \"failed\"", "MNI-1"),
            ("state:string CONTAINS \"e\"", "MNI-1 MNI-2"),
            ("state CONTAINS \"E\"", ""),
            ("note = cnn", "MNI-2"),
            ("note:stringSeries = cnn", "MNI-2"),
            ("note:string CONTAINS '% of \"'", "MNI-1"),
            ("config:json CONTAINS deep", "MNI-1"),
            ("config CONTAINS deep", ""),
            ("tags CONTAINS cnn", "MNI-1"),
            ("sys/tags:stringSet CONTAINS \"cnn2\"", "MNI-2"),
            ("tags:string CONTAINS cnn", ""),
            ("NOT tags CONTAINS cnn", "CIF-1 MNI-2 MNI-3"),
            ("tags NOT CONTAINS cnn", "CIF-1 MNI-2 MNI-3"),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn times_compare_with_fixed_and_relative_ones() {
        let sample = sample();
        for (filter, kept) in [
            ("sys/creation_time:datetime > \"-2h\"", "MNI-1"),
            ("creation_time < -2d", "MNI-2"),
            ("creation_time >= 2026-11-22", "MNI-1"),
            ("creation_time = '2026-11-22T09:00:00+01:00'", "MNI-1"),
            ("creation_time != '2026-11-22T08:00:00Z'", "MNI-2"),
            ("creation_time > -9000y", "MNI-1 MNI-2"),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn a_missing_variable_satisfies_no_comparison_and_every_negated_one() {
        let sample = sample();
        for (filter, kept) in [
            ("epochs != 10", "MNI-2"),
            ("NOT epochs = 10", "CIF-1 MNI-2 MNI-3"),
            ("NOT NOT epochs = 10", "MNI-1"),
            ("epochs EXISTS", "MNI-1 MNI-2"),
            ("epochs MISSING", "CIF-1 MNI-3"),
            ("NOT (epochs EXISTS)", "CIF-1 MNI-3"),
            ("seed:int EXISTS", "MNI-1 MNI-2"),
            ("seed:int MISSING", "CIF-1 MNI-3"),
            ("note EXISTS", "MNI-1 MNI-2 MNI-3"),
            ("nowhere = 1", ""),
            ("nowhere != 1", ""),
            ("nowhere CONTAINS x", ""),
            ("nowhere EXISTS", ""),
            ("nowhere MISSING", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("NOT nowhere = 1", "CIF-1 MNI-1 MNI-2 MNI-3"),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn nan_equals_nothing_and_has_no_order() {
        let sample = sample();
        for (filter, kept) in [
            ("loss != 0.5", "CIF-1 MNI-2 MNI-3"),
            ("loss < 1", "CIF-1 MNI-1 MNI-2"),
            ("NOT loss < 1", "MNI-3"),
            ("loss EXISTS", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("loss = \"NaN\"", ""),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn conditions_join_by_their_precedence() {
        let sample = sample();
        for (filter, kept) in [
            ("epochs = 10 OR epochs = 20 AND flag = true", "MNI-1"),
            ("(epochs = 10 OR epochs = 20) AND flag = false", "MNI-2"),
            ("flag = false OR loss > 0.6 OR lr > 2", "CIF-1 MNI-2 MNI-3"),
            ("NOT (flag = true OR flag = false) AND loss < 1", "CIF-1"),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
        let table = sample.table(ExperimentQuery::default().filter(Filter::And(Vec::new())));
        assert_eq!(table.total, 4);
        let table = sample.table(ExperimentQuery::default().filter(Filter::Or(Vec::new())));
        assert_eq!(table.total, 0);
    }

    #[test]
    fn the_short_id_is_found_though_no_variable_holds_it() {
        let sample = sample();
        for (filter, kept) in [
            ("sys/id = \"MNI-2\"", "MNI-2"),
            ("`sys/id`:string != \"MNI-2\"", "CIF-1 MNI-1 MNI-3"),
            ("id = MNI-1 OR id = CIF-1", "CIF-1 MNI-1"),
            ("id = MNI-02", ""),
            ("NOT id = nonsense", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("id != nonsense", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("id CONTAINS \"I-1\"", "MNI-1"),
            ("id:stringSet CONTAINS \"I-1\"", ""),
            ("id = 2", ""),
            ("id:json = MNI-1", ""),
            ("id EXISTS", "CIF-1 MNI-1 MNI-2 MNI-3"),
            ("id:float EXISTS", ""),
            ("id MISSING", ""),
        ] {
            assert_eq!(sample.kept(filter), kept, "{filter}");
        }
    }

    #[test]
    fn what_a_query_says_is_never_read_as_sql() {
        let mut sample = Sample::new();
        let odd = "a' OR 1=1; DROP TABLE path; --";
        sample.experiment(1, &[(odd, odd.into())]);
        sample.experiment(1, &[("b", "?1".into())]);
        assert_eq!(sample.kept(&format!("`{odd}` = \"{odd}\"")), "MNI-1");
        assert_eq!(sample.kept(&format!("b = \"{odd}\" OR b CONTAINS \"' OR '1\" OR `{odd}` = 'x'")), "");
        assert_eq!(sample.kept("b = '?1'"), "MNI-2");
    }

    #[test]
    fn the_longest_and_the_deepest_query_are_answered() {
        let mut sample = Sample::new();
        sample.experiment(1, &[("a", Held::Series(1.0)), ("sys/creation_time", hours_ago(1))]);
        assert_eq!(sample.kept(&("a=2 OR ".repeat(MAX_COMPARISONS - 1) + "a=1")), "MNI-1");
        let query = "NOT(a=1 AND ".repeat(MAX_DEPTH / 2) + "a=1" + &")".repeat(MAX_DEPTH / 2);
        assert_eq!(sample.kept(&query), "MNI-1");
    }

    #[test]
    fn a_filter_that_no_query_could_say_is_refused() {
        let sample = sample();
        let refused = |filter: Filter| {
            let error = sample.store.experiments(&ExperimentQuery::default().filter(filter).now(NOW)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            error.to_string()
        };
        let compare = |operator, literal: Literal| {
            let attribute = Attribute { path: "sys/state".parse().unwrap(), kind: None };
            Filter::Compare { attribute, operator, literal }
        };
        let text = refused(compare(Operator::Less, "a".into()));
        assert!(text.contains("`sys/state`") && text.contains("no order"), "{text}");
        assert!(refused(compare(Operator::Less, f64::NAN.into())).contains("finite"));
        let deep = (0..100).fold(compare(Operator::Equal, 1.into()), |filter, _| Filter::Not(Box::new(filter)));
        assert!(refused(deep).contains("64 deep"));
        let long = Filter::Or(vec![compare(Operator::Equal, 1.into()); MAX_COMPARISONS + 1]);
        assert!(refused(long).contains("1000 comparisons"));
    }
}
