//! [`Places`]: which stored path a name of a query means.
//!
//! A name means the path of this name where there is one in the store, and otherwise the first of the namespaces of the
//! older words that has it. A name without a place is no error: no experiment has it.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::figure::Figure;
use crate::error::Result;

/// Where the older words lie: metrics, parameters, properties, and what every experiment has. The first match wins.
pub(crate) const NAMESPACES: [&str; 4] = ["logs", "parameters", "properties", "sys"];

/// The short id, such as `MNI-12`, which is made of two columns and has no variable.
const SHORT_ID: &str = "sys/id";

/// How long an experiment has run, in seconds, which depends on when it is asked for and has no variable.
const RUNNING_TIME: &str = "sys/running_time";

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The short id of the experiment.
    ShortId,
    /// How long the experiment has run.
    RunningTime,
    /// The path with this id.
    Path(i64),
}

/// What the name of a column or of a sort means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A variable, or what has none.
    Place(Place),
    /// What all values of the series at the path with this id come to.
    Figure(Figure, i64),
}

/// The places of names, each looked up once.
#[derive(Debug)]
pub(super) struct Places<'a> {
    connection: &'a Connection,
    known: HashMap<String, Option<Place>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    /// What `name` means, or `None` where nothing has it.
    pub(super) fn place(&mut self, name: &str) -> Result<Option<Place>> {
        if let Some(place) = self.known.get(name) {
            return Ok(*place);
        }
        let place = self.look_up(name)?;
        self.known.insert(name.to_owned(), place);
        Ok(place)
    }

    /// What the name of a column or of a sort means: a place, or `min(NAME)` and the like of the series at one.
    pub(super) fn asked(&mut self, name: &str) -> Result<Option<Asked>> {
        if let Some(place) = self.place(name)? {
            return Ok(Some(Asked::Place(place)));
        }
        let Some((figure, series)) = Figure::parse(name) else { return Ok(None) };
        Ok(match self.place(series)? {
            Some(Place::Path(path)) => Some(Asked::Figure(figure, path)),
            Some(Place::ShortId | Place::RunningTime) | None => None,
        })
    }

    fn look_up(&self, name: &str) -> Result<Option<Place>> {
        if let Some(place) = self.exact(name)? {
            return Ok(Some(place));
        }
        for namespace in NAMESPACES {
            if let Some(place) = self.exact(&format!("{namespace}/{name}"))? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The place of exactly this path, whatever older words there are for it.
    pub(super) fn exact(&self, name: &str) -> Result<Option<Place>> {
        match name {
            SHORT_ID => return Ok(Some(Place::ShortId)),
            RUNNING_TIME => return Ok(Some(Place::RunningTime)),
            _ => {}
        }
        let mut statement = self.connection.prepare_cached("SELECT id FROM path WHERE name = $1")?;
        let id = statement.query_row([name], |row| row.get(0)).optional()?;
        Ok(id.map(Place::Path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn an_older_word_means_the_first_namespace_that_has_it() {
        let store = Store::in_memory().unwrap();
        for (id, name) in [(1, "loss"), (2, "logs/loss"), (3, "logs/acc"), (4, "parameters/acc"), (5, "properties/p")] {
            store.connection.execute("INSERT INTO path (id, name) VALUES (?1, ?2)", (id, name)).unwrap();
        }
        let mut places = Places::new(&store.connection);
        for (name, place) in [
            ("loss", Some(Place::Path(1))),
            ("logs/loss", Some(Place::Path(2))),
            ("acc", Some(Place::Path(3))),
            ("p", Some(Place::Path(5))),
            ("id", Some(Place::ShortId)),
            ("sys/id", Some(Place::ShortId)),
            ("running_time", Some(Place::RunningTime)),
            ("sys/running_time", Some(Place::RunningTime)),
            ("nowhere", None),
        ] {
            assert_eq!(places.place(name).unwrap(), place, "{name}");
            assert_eq!(places.place(name).unwrap(), place, "{name} again");
        }
    }
}
