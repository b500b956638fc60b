//! The command line of what other programs wrote: experiments as JSON, and notebooks.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use neptune_core::ProjectName;

/// What is imported.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// JSON files, of one experiment each
    Json(ImportJson),
}

const IMPORT_JSON_AFTER_HELP: &str = "\
The least, and what most need:
  {\"log_metric\": {\"loss\": [0.7, 0.4]}}
  {\"name\": \"baseline\", \"params\": {\"lr\": 0.1}, \"tags\": [\"cnn\"],
   \"log_metric\": {\"loss\": {\"x\": [0, 100], \"y\": [0.7, 0.4]}},
   \"log_artifact\": [\"model.bin\"], \"upload_source_files\": [\"train.R\"]}
docs/json-protocol.md has all of it, and --schema prints it for editors and checkers.
Nothing is imported unless every file is right. A file that says an \"id\", a UUID, may be imported again.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_JSON_AFTER_HELP)]
pub(crate) struct ImportJson {
    /// The files; of folders those in them that end in .json
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    pub(crate) files: Vec<PathBuf>,
    /// The project of the experiments [default: local/default]
    #[arg(short, long, value_name = "WORKSPACE/NAME", env = "NEPTUNE_PROJECT", hide_env_values = true)]
    pub(crate) project: Option<ProjectName>,
    /// Allow the files to name others in DIR, and not only in their own folder; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) files_from: Vec<PathBuf>,
    /// Print the JSON Schema of the files, and import nothing
    #[arg(long, conflicts_with_all = ["files", "files_from"])]
    pub(crate) schema: bool,
}

/// What is done with notebooks.
#[derive(Debug, Subcommand)]
pub(crate) enum Notebook {
    /// Keep a notebook as it is now
    Upload(NotebookUpload),
    /// List notebooks
    Ls(NotebookLs),
    /// Show the checkpoints of a notebook, and the cells of one
    Show(NotebookShow),
    /// Compare two notebooks, cell by cell
    Diff(NotebookDiff),
    /// Write a checkpoint to a file
    Get(NotebookGet),
}

const NOTEBOOK_UPLOAD_AFTER_HELP: &str = "\
The same file in the same project is the same notebook: uploading it again makes another checkpoint of it, unless nothing
has changed. --id says which notebook it is when the file was moved.";

#[derive(Debug, Args)]
#[command(after_help = NOTEBOOK_UPLOAD_AFTER_HELP)]
pub(crate) struct NotebookUpload {
    /// The notebook, an .ipynb file of nbformat 4
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What this state of it is called
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// What there is to say about this state of it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The project [default: local/default]
    #[arg(short, long, value_name = "WORKSPACE/NAME", env = "NEPTUNE_PROJECT", hide_env_values = true)]
    pub(crate) project: Option<ProjectName>,
    /// The notebook that it is a checkpoint of: MNI-12 or a UUID
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Keep it among the source files of this experiment instead, as source_code/files/FILE
    #[arg(long, value_name = "ID", conflicts_with_all = ["name", "description", "id"])]
    pub(crate) experiment: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NotebookLs {
    /// Only notebooks of this project
    #[arg(short, long, value_name = "WORKSPACE/NAME")]
    pub(crate) project: Option<ProjectName>,
}

#[derive(Debug, Args)]
pub(crate) struct NotebookShow {
    /// The notebook: MNI-12 or a UUID
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The checkpoint by its number; without it, the last
    #[arg(long, value_name = "N")]
    pub(crate) checkpoint: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct NotebookDiff {
    /// MNI-12@3 (checkpoint 3), MNI-12 (the last one), or a file that ends in .ipynb
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// The other
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// Compare what came of the cells too
    #[arg(long)]
    pub(crate) outputs: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NotebookGet {
    /// The notebook: MNI-12 or a UUID
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The checkpoint by its number; without it, the last
    #[arg(long, value_name = "N")]
    pub(crate) checkpoint: Option<u64>,
    /// The file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
