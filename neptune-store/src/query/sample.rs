//! Stores for the tests of this module, filled row by row.
//!
//! The rows are those that `apply` writes, but the tests of queries do not depend on it.

use std::collections::BTreeSet;

use neptune_format::{AtomValue, Content, Timestamp, VariableType};

use super::{ExperimentQuery, ExperimentTable};
use crate::store::Store;

/// 2026-11-22T09:00:00Z
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_338_000_000_000);

/// What an experiment has at a path.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Atom(AtomValue),
    /// A series of numbers that ends so.
    Series(f64),
    /// A series of text that ends so.
    Texts(&'static str),
    /// A series without points.
    Empty,
    Set(&'static [&'static str]),
}

impl<T: Into<AtomValue>> From<T> for Held {
    fn from(value: T) -> Self {
        Self::Atom(value.into())
    }
}

pub(super) struct Sample {
    pub(super) store: Store,
    experiments: u8,
}

impl Sample {
    /// Projects `ada/mnist` (MNI) and `bob/cifar` (CIF), without experiments.
    pub(super) fn new() -> Self {
        let store = Store::in_memory().unwrap();
        store
            .connection
            .execute_batch(
                "INSERT INTO project (id, name, short_key, next_number)
                 VALUES (1, 'ada/mnist', 'MNI', 1), (2, 'bob/cifar', 'CIF', 1)",
            )
            .unwrap();
        Self { store, experiments: 0 }
    }

    /// A new experiment of the project with this number; returns its id.
    pub(super) fn experiment(&mut self, project: i64, held: &[(&str, Held)]) -> i64 {
        self.experiments += 1;
        let connection = &self.store.connection;
        connection
            .execute(
                "INSERT INTO experiment (uuid, project_id, number, outcome)
                 SELECT $1, id, next_number, 0 FROM project WHERE id = $2",
                ([self.experiments; 16], project),
            )
            .unwrap();
        let id = connection.last_insert_rowid();
        connection.execute("UPDATE project SET next_number = next_number + 1 WHERE id = $1", [project]).unwrap();
        for (path, held) in held {
            self.put(id, path, held);
        }
        id
    }

    pub(super) fn path(&self, name: &str) -> i64 {
        let connection = &self.store.connection;
        connection.execute("INSERT INTO path (name) VALUES ($1) ON CONFLICT DO NOTHING", [name]).unwrap();
        connection.query_row("SELECT id FROM path WHERE name = $1", [name], |row| row.get(0)).unwrap()
    }

    pub(super) fn put(&self, experiment: i64, path: &str, held: &Held) {
        let path = self.path(path);
        let nan = |value: &f64| value.is_nan().then(|| "NaN".to_owned());
        let (kind, number, integer, text) = match held {
            Held::Atom(value) => {
                let integer = match value {
                    AtomValue::Bool(value) => Some(i64::from(*value)),
                    AtomValue::Datetime(time) => Some(time.as_micros()),
                    AtomValue::File(file) => Some(file.size.cast_signed()),
                    _ => value.as_i64(),
                };
                let number = value.as_f64().or(integer.map(|integer| integer as f64));
                let text = value.as_str().map(str::to_owned).or_else(|| number.as_ref().and_then(nan));
                (VariableType::atom(value.content()), number, integer, text)
            }
            Held::Series(last) => (VariableType::FLOAT_SERIES, Some(*last), None, nan(last)),
            Held::Texts(last) => (VariableType::STRING_SERIES, None, None, Some((*last).to_owned())),
            Held::Empty => (VariableType::FLOAT_SERIES, None, None, None),
            Held::Set(_) => (VariableType::STRING_SET, None, None, None),
        };
        let connection = &self.store.connection;
        connection
            .execute(
                "INSERT INTO variable (experiment_id, path_id, type, number, integer, text)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                (experiment, path, kind.code(), number, integer, text),
            )
            .unwrap();
        if let Held::Set(members) = held {
            for member in *members {
                connection.execute("INSERT INTO member VALUES ($1, $2, $3)", (experiment, path, member)).unwrap();
            }
        }
    }

    /// A process that ran the experiment from so many seconds before [`NOW`], and until so many before, if it ended.
    pub(super) fn ran(&self, experiment: i64, from: i64, until: Option<i64>) {
        let before = |seconds: i64| NOW.as_micros() - seconds * 1_000_000;
        self.store
            .connection
            .execute(
                "INSERT INTO writer (uuid, experiment_id, segment, position, opened_us, closed_us, host, pid)
                 VALUES (randomblob(16), $1, 0, 0, $2, $3, 'host', 1)",
                (experiment, before(from), until.map(before)),
            )
            .unwrap();
    }

    /// The table of a query that counts from [`NOW`].
    pub(super) fn table(&self, query: ExperimentQuery) -> ExperimentTable {
        self.store.experiments(&query.now(NOW)).unwrap()
    }

    /// The short ids that a filter keeps, in their order as text, joined by spaces.
    pub(super) fn kept(&self, filter: &str) -> String {
        let table = self.table(ExperimentQuery::default().filter(filter.parse().unwrap()));
        let ids: BTreeSet<_> = table.rows.iter().map(|row| row.short_id.as_str()).collect();
        assert_eq!(table.total, u64::try_from(ids.len()).unwrap());
        ids.into_iter().collect::<Vec<_>>().join(" ")
    }
}

/// A time so many hours before [`NOW`].
pub(super) fn hours_ago(hours: i64) -> Held {
    Timestamp::from_micros(NOW.as_micros() - hours * 3_600_000_000).into()
}

/// A JSON document.
pub(super) fn json(text: &str) -> Held {
    let value = AtomValue::Json(text.to_owned());
    assert_eq!(value.content(), Content::Json);
    Held::Atom(value)
}

/// One of each: MNI-1 and MNI-2 have everything, MNI-3 what is odd, CIF-1 next to nothing.
pub(super) fn sample() -> Sample {
    let mut sample = Sample::new();
    sample.experiment(
        1,
        &[
            ("logs/loss", Held::Series(0.5)),
            ("epochs", 10.into()),
            ("flag", true.into()),
            ("parameters/lr", 0.1.into()),
            ("seed", 9_007_199_254_740_993_i64.into()),
            ("sys/creation_time", hours_ago(1)),
            ("sys/state", "succeeded".into()),
            ("sys/tags", Held::Set(&["fast", "cnn"])),
            ("note", "50% of \"it\"".into()),
            ("config", json(r#"{"deep":true}"#)),
        ],
    );
    sample.experiment(
        1,
        &[
            ("logs/loss", Held::Series(0.25)),
            ("epochs", 20.into()),
            ("flag", false.into()),
            ("parameters/lr", 1.into()),
            ("seed", 9_007_199_254_740_992_i64.into()),
            ("sys/creation_time", hours_ago(72)),
            ("sys/state", "failed".into()),
            ("sys/tags", Held::Set(&["cnn2"])),
            ("sys/group_tags", Held::Set(&["cnn"])),
            ("note", Held::Texts("cnn")),
        ],
    );
    sample.experiment(
        1,
        &[
            ("logs/loss", Held::Series(f64::NAN)),
            ("parameters/lr", Held::Series(f64::INFINITY)),
            ("sys/tags", Held::Set(&[])),
            ("seed", "none".into()),
            ("note", Held::Empty),
        ],
    );
    sample.experiment(2, &[("logs/loss", 0.75.into())]);
    sample
}
