//! Notebooks (`.ipynb`) and their checkpoints: what a notebook was, each time that somebody kept it.
//!
//! A notebook is kept beside the experiments of its project and has a short id like theirs, but it is no run: its `sys/kind` is
//! `notebook` and it has no state. Each checkpoint is a file, kept once however often it is uploaded unchanged.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use neptune_core::{Session, notebook::NotebookFile};
//!
//! let file = folder.path().join("explore.ipynb");
//! std::fs::write(&file, r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": "1 + 1", "outputs": []}]}"#)?;
//!
//! let session = Session::builder().folder(folder.path().join("neptune")).project("ada/mnist").open()?;
//! let uploaded = NotebookFile::open(&file)?.name("first look").upload(&session)?;
//! assert_eq!(uploaded.checkpoint.number, 1);
//!
//! let checkpoints = session.get(&uploaded.short_id)?.notebook_checkpoints()?;
//! assert_eq!(checkpoints[0].name.as_deref(), Some("first look"));
//! # Ok(())
//! # }
//! ```

mod cells;
mod checkpoint;
mod upload;

pub use cells::{Cell, Cells};
pub use checkpoint::NotebookCheckpoint;
pub use upload::{NotebookFile, Uploaded};

/// What `sys/kind` says of a notebook.
pub const KIND: &str = "notebook";

/// The namespace of checkpoints.
const CHECKPOINTS: &str = "checkpoints";
