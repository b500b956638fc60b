//! Experiments that programs of other languages wrote: one JSON file is one experiment.
//!
//! The file is described in `docs/json-protocol.md` of the repository, and by [`SCHEMA`]. It is read whole, and everything that
//! is wrong with it is told, before anything is logged.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use neptune_core::{Session, import::JsonFile};
//!
//! let file = folder.path().join("run.json");
//! std::fs::write(&file, r#"{"name": "baseline", "log_metric": {"loss": {"x": [0, 1], "y": [0.7, 0.4]}}}"#)?;
//!
//! let session = Session::builder().folder(folder.path().join("neptune")).project("ada/mnist").open()?;
//! let imported = JsonFile::new(&file).check()?.import(&session, |_entries| ())?;
//! assert_eq!(imported.entries, 2);
//!
//! std::fs::write(&file, r#"{"log_metric": {"loss": {"x": [0, 1], "y": [0.7, "abc"]}}}"#)?;
//! let error = JsonFile::new(&file).check().unwrap_err();
//! assert_eq!(error.faults()[0].to_string(), "1:50: $.log_metric.loss.y[1]: expected a number, found \"abc\"");
//! # Ok(())
//! # }
//! ```
//!
//! Who calls this is not the one who trained: nothing of this process is recorded, neither its hardware nor its output.

mod lexer;

mod fault;
mod reader;

mod columns;
mod document;
mod files;

mod json;

pub use fault::Fault;
pub use json::{ImportError, Imported, JsonExperiment, JsonFile, SCHEMA};
