//! Export: the variables of an experiment as one long table, in CSV or in Parquet.
//!
//! An atom and a set are one row each, a series is one row a point. The columns and their names are those of
//! [neptune-exporter](https://github.com/neptune-ai/neptune-exporter), so that files of both can be read as one table;
//! columns for what neptune has not (files and histograms) are left out, and its readers take them as empty.
//!
//! | column             | what                                                                                       |
//! |--------------------|--------------------------------------------------------------------------------------------|
//! | `project_id`       | the project, `workspace/name`                                                              |
//! | `run_id`           | the short id of the experiment, such as `MNI-12`                                           |
//! | `attribute_path`   | the path of the variable                                                                   |
//! | `attribute_type`   | `float`, `int`, `string` (JSON too), `bool`, `datetime`, `string_set`, `float_series` or   |
//! |                    | `string_series`                                                                            |
//! | `step`             | of a point: its step                                                                       |
//! | `timestamp`        | of a point: when it was logged                                                             |
//! | `int_value`        | of an `int`: its value                                                                     |
//! | `float_value`      | of a `float` and of a point of a `float_series`: its value, which may be NaN or infinite   |
//! | `string_value`     | of a `string` and of a point of a `string_series`: its text                                |
//! | `bool_value`       | of a `bool`: its value                                                                     |
//! | `datetime_value`   | of a `datetime`: its value                                                                 |
//! | `string_set_value` | of a `string_set`: its members, sorted                                                     |
//!
//! Variables come in the order of their paths, or as they were asked for, and the points of a series in the order of
//! their steps. The whole experiment is never in memory, only some points of it. Nothing here writes to the store or
//! makes a writer of it wait. Of an experiment that is still logged to, points that come while the export runs may be
//! in it or not.
//!
//! ```no_run
//! use neptune_store::{Store, StoreOptions, export};
//! let store = Store::open_existing(".neptune".as_ref(), StoreOptions::default())?;
//! let experiment = store.find("MNI-12")?;
//! let mut file = std::fs::File::create("MNI-12.csv")?;
//! let rows = export::csv(&store, &experiment, &[String::from("train/loss")], &mut file, &mut |_| {})?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv_file;
mod parquet_file;
mod part;
mod step;
mod table_csv;
mod table_parquet;
mod write_error;

#[cfg(test)]
mod sample;

pub use csv_file::csv;
pub use parquet_file::parquet;
