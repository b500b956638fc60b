//! Log machine learning experiments from Rust.
//!
//! For people who train, and for people who write integrations. A logging call costs nanoseconds, never fails and never
//! blocks; what it logged survives SIGKILL; and it all works in a folder, with no server and no account.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use neptune_core::Session;
//!
//! let session = Session::builder().folder(folder.path()).project("ada/mnist").open()?;
//! let experiment = session.experiment().name("baseline").tags(["cnn"]).start()?;
//! let loss = experiment.series::<f64>("train/loss")?; // a handle: nothing is looked up per call
//! for step in 0..100 {
//!     loss.append(1.0 / f64::from(step + 1));
//! }
//! assert_eq!(loss.last()?.step, 99.0);
//! experiment.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What goes where
//!
//! - [`Session`]: where experiments are kept. [`Experiment`]: one run of a program, with its variables.
//! - [`Series`], [`Atom`], [`Set`]: variables, named by paths such as `train/loss`. The first write fixes the type.
//! - [`Image`] and [`Histogram`]: what series may hold besides numbers and text. [`ExperimentHandle::log_artifact`] keeps files
//!   and folders, [`Checkpoints`] versions of files with the names `latest` and `best`.
//! - Hardware is read by itself: [`ExperimentBuilder::hardware_every`] says what.
//! - The older words are short for paths: [`ExperimentHandle::log_metric`] and [`ExperimentHandle::log_text`] write the series
//!   `logs/NAME`, parameters are atoms `parameters/NAME` that never change, properties are atoms `properties/KEY`.
//!
//! # What is promised
//!
//! - **Logging never hurts the trainer.** Calls that log return nothing and never panic. What cannot be kept is counted by
//!   reason ([`LostReport`]), warned about once on standard error, and returned by [`ExperimentHandle::flush`] and
//!   [`Experiment::stop`].
//! - **A logging call that returned is kept**, through SIGKILL, abort and the out-of-memory killer. See [`Durability`] for
//!   the loss of power.
//! - **Exactly once.** However a process dies, its journal is drained by the next session, each record once.

#![cfg_attr(
    not(feature = "embedded"),
    expect(dead_code, unused_imports, reason = "reading back and recovery need the store")
)]

/// The program in the guide for people who come from neptune-client compiles.
#[cfg(all(doctest, feature = "embedded", feature = "images"))]
#[doc = include_str!("../../docs/from-neptune-client.md")]
#[derive(Debug)]
pub struct FromNeptuneClient;

mod clock;
mod code;
mod config;
#[cfg(target_os = "linux")]
mod console;
pub mod download;
#[cfg(feature = "images")]
mod encoder;
mod error;
mod experiment;
mod fork;
mod hardware;
mod image;
mod journal;
#[cfg(feature = "import")]
pub mod notebook;
mod objects;
mod project;
mod quota;
mod session;
mod signal;
mod sink;
mod stderr;
pub mod stopwatch;
mod token;

#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "embedded")]
mod reclaim;
#[cfg(feature = "embedded")]
pub mod recovery;
#[cfg(feature = "embedded")]
mod removal;
#[cfg(feature = "embedded")]
mod stored;

pub use code::Package;
pub use error::{Error, ErrorKind, Result};
pub use experiment::{
    ArtifactSource, Atom, Checkpoint, Checkpoints, Classic, Experiment, ExperimentBuilder, ExperimentHandle, Goal,
    IntoStep, Limits, Loggable, Number, Point, Series, SeriesValue, Set, View,
};
#[cfg(feature = "embedded")]
pub use hardware::HardwareUtilization;
pub use image::{IMAGE_SIZE_LIMIT_MB, Image, PixelRange};
pub use neptune_format::{
    AtomValue, Container, Content, ExperimentId, File, Histogram, HistogramError, LoggedImage, LostReason, LostReport,
    ObjectId, ProjectName, RevisionId, Step, Timestamp, VariablePath, VariableType,
};
#[cfg(feature = "embedded")]
pub use neptune_store::{
    self as store, ExperimentQuery, ExperimentTable, Filter, Purged, Table,
    query::Direction,
    read::{Change, Log, NamespaceEntry, Revision},
};
pub use project::Project;
#[cfg(feature = "embedded")]
pub use reclaim::Reclaimed;
pub use session::{Durability, Mode, Session, SessionBuilder};
#[cfg(feature = "embedded")]
pub use stored::{Artifact, ExperimentState, StoredExperiment, SystemProperties};
pub use token::ApiToken;
