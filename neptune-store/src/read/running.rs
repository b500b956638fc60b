//! How long an experiment has run.
//!
//! It runs while one of its writers is open, so the time is that of all writers together, and what several of them share
//! counts once. Writers that only edit do not run it.

use std::{collections::HashMap, time::Duration};

use neptune_format::Timestamp;
use rusqlite::Connection;

use super::ExperimentKey;
use crate::{error::Result, store::Store};

/// The query for the microseconds that experiments ran, `experiment_id` and `micros`, where `now` is the word for the time now
/// and `which` a condition on their writers.
///
/// Of each writer counts what lies behind the ends of all that were opened before it.
pub(crate) fn running_sql(now: &str, which: &str) -> String {
    format!(
        "SELECT experiment_id, SUM(CASE WHEN ended > begun THEN ended - begun ELSE 0 END) AS micros FROM (
             SELECT experiment_id, ended, CASE WHEN before > opened_us THEN before ELSE opened_us END AS begun FROM (
                 SELECT experiment_id, opened_us, ended, MAX(ended) OVER (PARTITION BY experiment_id ORDER BY opened_us, id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (
                     SELECT id, experiment_id, opened_us, COALESCE(closed_us, {now}) AS ended FROM writer
                     WHERE edits = 0 AND {which})))
         GROUP BY experiment_id"
    )
}

/// The microseconds that each of `experiments` ran until `now`; those that never ran are left out.
pub(crate) fn running_micros(
    connection: &Connection,
    experiments: &[i64],
    now: Timestamp,
) -> Result<HashMap<i64, i64>> {
    let (Some(first), Some(last)) = (experiments.iter().min(), experiments.iter().max()) else {
        return Ok(HashMap::new());
    };
    // Experiments of a page mostly follow each other, so a range reads little that is not wanted.
    let mut statement = connection.prepare_cached(&running_sql("$1", "experiment_id BETWEEN $2 AND $3"))?;
    let ran = statement.query_map((now.as_micros(), first, last), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ran.collect::<rusqlite::Result<_>>()?)
}

impl Store {
    /// How long an experiment has run, of one that still runs until `now`. The time between an end and a resumption does not
    /// count, and the time of several processes at once counts once. An experiment whose last process died without a word
    /// runs until somebody recovers it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn running_time(&self, experiment: &ExperimentKey, now: Timestamp) -> Result<Duration> {
        let micros = running_micros(&self.connection, &[experiment.id], now)?.remove(&experiment.id).unwrap_or(0);
        Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use neptune_format::ExperimentId;

    use super::*;

    /// The time of an experiment whose writers were opened, and closed or not, at these times, at the time 1000.
    fn ran(writers: &[(i64, Option<i64>)]) -> u64 {
        let store = Store::in_memory().unwrap();
        store.connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let insert =
            "INSERT INTO writer (uuid, experiment_id, segment, position, opened_us, closed_us, host, pid, edits)
                      VALUES (randomblob(16), $1, 0, 0, $2, $3, '', 1, $4)";
        for (opened, closed) in writers {
            store.connection.execute(insert, (1, opened, closed, 0)).unwrap();
        }
        store.connection.execute(insert, (1, 0, 900, 1)).unwrap();
        store.connection.execute(insert, (2, 0, 900, 0)).unwrap();
        let uuid = ExperimentId::from_bytes([1; 16]);
        let key = ExperimentKey { id: 1, uuid, short_id: "MNI-1".into(), project: "ada/mnist".parse().unwrap() };
        u64::try_from(store.running_time(&key, Timestamp::from_micros(1000)).unwrap().as_micros()).unwrap()
    }

    #[test]
    fn the_times_of_all_writers_count_and_none_twice() {
        for (writers, micros) in [
            (&[][..], 0),
            (&[(100, Some(150))], 50),
            (&[(100, None)], 900),
            // Resumed.
            (&[(100, Some(150)), (300, Some(310))], 60),
            // Ranks, one within another, and one that goes on.
            (&[(100, Some(200)), (110, Some(120)), (150, Some(250)), (250, Some(251))], 151),
            (&[(100, Some(200)), (150, None)], 900),
            // A clock that was set back.
            (&[(100, Some(50)), (60, Some(70))], 10),
            (&[(2000, None)], 0),
        ] {
            assert_eq!(ran(writers), micros, "{writers:?}");
        }
    }
}
