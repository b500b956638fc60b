//! The command line: what `neptune --help` says is what is here.

mod artifacts;
mod console;
mod imported;
mod travel;
mod ui;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use anstream::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};
use neptune_core::ProjectName;

pub(crate) use artifacts::{Artifacts, DeleteArtifacts};
pub(crate) use console::{Console, Stream};

pub(crate) use imported::{Import, ImportJson, Notebook, NotebookDiff, NotebookGet, NotebookShow, NotebookUpload};
pub(crate) use travel::{DeletePoints, Fork, Rename, Revisions, Rewind, Undo};
pub(crate) use ui::Ui;

const AFTER_HELP: &str = "\
Exit codes:
  0  all is well
  1  the disk, the store or the output failed
  2  the command line or the query is wrong
  3  there is no such store, project, experiment, variable, file or kept step
  4  doctor found damage, or work that waits
  5  abort: the experiment still runs, or it did not run

An experiment is named by its short id (MNI-12), by its UUID, or by `latest`.
A variable is named by its path (train/loss) or by an older word for it (loss, for logs/loss).
In JSON, times are RFC 3339 in UTC, and numbers that are not finite are \"NaN\", \"inf\" and \"-inf\".";

/// The title of the options that every command has.
const GLOBAL: &str = "Options of every command";

/// Look at experiments, follow them, export them, and see to the folder that holds them.
#[derive(Debug, Parser)]
#[command(name = "neptune", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// The folder that holds everything [default: .neptune]
    #[arg(long, value_name = "DIR", env = "NEPTUNE_DIR", hide_env_values = true, global = true, help_heading = GLOBAL)]
    dir: Option<OsString>,
    /// Print JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Colour: auto (on a terminal, unless NO_COLOR is set), always, or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        global = true,
        help_heading = GLOBAL
    )]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The folder. An empty name is none, as it is for the program that logs.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.as_deref().filter(|dir| !dir.is_empty()).map_or_else(|| ".neptune".into(), PathBuf::from)
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List experiments as a table, the newest first
    Ls(Ls),
    /// Show one experiment: what it is, what it holds, and a chart
    Show(Show),
    /// Show how two experiments differ: parameters, code, dependencies, data, and from which step on
    Diff(Diff),
    /// Print the last points of series, and follow a running experiment
    Tail(Tail),
    /// Print the values of series of numbers side by side, one row for each step
    Values(Values),
    /// Print what the processes of an experiment printed, and follow a running experiment
    Console(Console),
    /// Show how long the spans of an experiment took, as a tree
    Timings(Timings),
    /// List the steps of which every span was kept, or write one for Perfetto
    Trace(Trace),
    /// Write an experiment to a CSV or Parquet file
    Export(Export),
    /// Write files of an experiment: artifacts, checkpoints, images, sources
    Get(Get),
    /// List the files of an experiment
    Artifacts(Artifacts),
    /// Delete artifacts of an experiment, and give their room back
    DeleteArtifacts(DeleteArtifacts),
    /// Import experiments that programs of other languages wrote
    #[command(subcommand)]
    Import(Import),
    /// Keep checkpoints of Jupyter notebooks, and show, compare and write them
    #[command(subcommand)]
    Notebook(Notebook),
    /// Ask the processes of a running experiment to end it, and wait until it has ended
    Abort(Abort),
    /// Make a new experiment that begins with the series of another, up to a step
    Fork(Fork),
    /// Delete the points of every series behind a step
    Rewind(Rewind),
    /// Delete points of a series
    DeletePoints(DeletePoints),
    /// Give a variable another path
    Rename(Rename),
    /// List what was rewound, deleted and renamed
    Revisions(Revisions),
    /// Undo a rewind, a deletion of points, or a rename
    Undo(Undo),
    /// Put experiments into the trash: `ls` leaves them out
    Trash(Ids),
    /// Take experiments out of the trash
    Restore(Ids),
    /// Remove experiments for good
    Delete(Delete),
    /// Drain what dead or offline programs left behind into the store
    Sync,
    /// Serve the web UI of the folder to this machine
    Ui(Ui),
    /// Look for damage and for work that waits; changes nothing without --repair
    Doctor(Doctor),
    /// Compress what has ended, and remove what nothing needs any more
    Gc(Gc),
}

const LS_AFTER_HELP: &str = "\
Filters:
  loss < 0.3 AND sys/state = \"succeeded\"
  sys/tags CONTAINS \"cnn\" OR NOT sys/name = \"baseline\"
  sys/creation_time > \"-2h\"       in the last two hours
  val/accuracy EXISTS             or MISSING
  `learning rate`:float >= 1e-4   a path with a space, and a type

Columns of all values of a series, to sort by too but for its steps:
  min(loss), max(loss), average(loss)
  argmin(loss), argmax(loss)      the first step with the least value, with the greatest";

#[derive(Debug, Args)]
#[command(after_help = LS_AFTER_HELP)]
pub(crate) struct Ls {
    /// Only experiments of this project
    #[arg(short, long, value_name = "WORKSPACE/NAME")]
    pub(crate) project: Option<ProjectName>,
    /// Only these experiments: MNI-12 or a UUID
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Only experiments in one of these states: running, succeeded, failed, aborted
    #[arg(long, value_name = "STATE,...", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
    /// Only experiments of one of these owners
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) owner: Vec<String>,
    /// Only experiments with this tag; with all of them where it is repeated
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Only experiments that ran at least this long: seconds, or 30m, 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = running_time)]
    pub(crate) min_running_time: Option<Duration>,
    /// Only experiments for which this holds; see below
    #[arg(short, long, value_name = "NQL")]
    pub(crate) filter: Option<String>,
    /// Order by this variable, by the next where it is equal; `asc` unless it says `desc`
    #[arg(short, long, value_name = "PATH[:desc|asc]")]
    pub(crate) sort: Vec<String>,
    /// Show these variables behind the id, name and state, instead of the usual ones
    #[arg(short, long, value_name = "PATH,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// How many at most [default: 20, with --csv and --parquet all]
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// How many to leave out at the beginning
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
    /// Only what is in the trash
    #[arg(long, conflicts_with_all = ["projects", "all"])]
    pub(crate) trashed: bool,
    /// Also what is in the trash, and what is no run, such as notebooks
    #[arg(short, long, conflicts_with = "projects")]
    pub(crate) all: bool,
    /// List projects instead of experiments
    #[arg(
        long,
        conflicts_with_all = [
            "project", "id", "state", "owner", "tag", "min_running_time", "filter", "sort", "columns", "offset", "csv", "parquet",
        ]
    )]
    pub(crate) projects: bool,
    /// The leaderboard: every log, parameter and property in a column of its own
    #[command(flatten)]
    pub(crate) output: TableOutput,
}

/// A table for another program.
#[derive(Debug, Args)]
pub(crate) struct TableOutput {
    /// Print the whole table as CSV
    #[arg(long, conflicts_with = "parquet")]
    pub(crate) csv: bool,
    /// Write the whole table to this Parquet file
    #[arg(long, value_name = "FILE")]
    pub(crate) parquet: Option<PathBuf>,
}

fn running_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        Some((at, 'd')) => (&text[..at], 86400.0),
        _ => (text, 1.0),
    };
    let seconds = number.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * unit).ok());
    seconds.ok_or_else(|| "expected seconds, or a number and s, m, h or d, such as 90 or 1.5h".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Values {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The series of numbers
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: TableOutput,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Chart this series of numbers; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) chart: Vec<String>,
    /// No chart
    #[arg(long, conflicts_with = "chart")]
    pub(crate) no_chart: bool,
}

const DIFF_AFTER_HELP: &str = "\
Numbers are compared by their bits and files by their content. Series of hardware and timings are not compared.
Values in front of `->` and `|` are of A, those behind of B.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_AFTER_HELP)]
pub(crate) struct Diff {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "A")]
    pub(crate) left: String,
    /// The other experiment
    #[arg(value_name = "B")]
    pub(crate) right: String,
    /// Show every line of files that differ, and values in full
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The series; without it all of them but timings, kept steps, hardware and what was printed, merged by time
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// How many points to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: usize,
    /// Go on with new points until the experiment ends. Points that are logged behind the last step are not seen
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How often to look for new points
    #[arg(long, value_name = "MS", default_value = "500", value_parser = milliseconds)]
    pub(crate) interval: Duration,
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    /// Looking more often costs a core and shows nothing sooner: the store is written twice a second.
    const LEAST: u64 = 10;
    match text.parse() {
        Ok(millis) if millis >= LEAST => Ok(Duration::from_millis(millis)),
        _ => Err(format!("expected milliseconds, {LEAST} or more")),
    }
}

const TIMINGS_AFTER_HELP: &str = "\
The tracing layer logs the timings of a window of time, 10 seconds unless it was told otherwise, as one point of each figure.
Over all windows:
  COUNT, TOTAL  how often and how long in all
  MEAN          the total by the count
  P50           the mean of the P50 of each window, weighted by its count; near the median
  P99           the greatest P99 of any window
  MAX           the longest
  BUSY, IDLE    of async spans: the mean time in a call, and awaiting within it; as P50
A total contains those of the spans inside it, and is the sum over all threads.
In JSON, all times are seconds.";

#[derive(Debug, Args)]
#[command(after_help = TIMINGS_AFTER_HELP)]
pub(crate) struct Timings {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How spans with the same parent are ordered: by total, the greatest first, or by name
    #[arg(short, long, value_name = "BY", default_value = "total", hide_possible_values = true)]
    pub(crate) sort: TimingOrder,
}

/// The order of spans with the same parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimingOrder {
    Total,
    Name,
}

const TRACE_AFTER_HELP: &str = "\
The tracing layer keeps every 1,000th step and the slowest of each minute, unless it was told otherwise. Spans at different
paths keep steps of their own, which may have the same number.
  neptune trace latest                            what was kept
  neptune trace latest --slowest -o slowest.json  one step
  neptune trace latest --step 2000 --span step    one step of train/epoch/step, where no other path ends so
Open the file at https://ui.perfetto.dev or chrome://tracing.";

#[derive(Debug, Args)]
#[command(after_help = TRACE_AFTER_HELP)]
pub(crate) struct Trace {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Write this step, in the Trace Event Format
    #[arg(long, value_name = "N", group = "wanted", allow_negative_numbers = true, value_parser = step)]
    pub(crate) step: Option<f64>,
    /// Write the step that took the longest
    #[arg(long, group = "wanted")]
    pub(crate) slowest: bool,
    /// Only steps of the span at this path, or at the only one that ends in it
    #[arg(long, value_name = "PATH")]
    pub(crate) span: Option<String>,
    /// The file; without it, standard output
    #[arg(short, long, value_name = "FILE", requires = "wanted")]
    pub(crate) output: Option<PathBuf>,
}

fn step(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|step: &f64| step.is_finite()).ok_or_else(|| "expected a number".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Only these variables; without any, all of them
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// The file; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format; by default that of the ending of FILE, or csv
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
}

/// A format of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Parquet,
}

const GET_AFTER_HELP: &str = "\
What PATH may be:
  neptune get latest report.html               an artifact
  neptune get latest artifacts --out all       every artifact; or those below a path
  neptune get latest checkpoints/best          the files of a checkpoint: best, latest, or its step
  neptune get latest logs/samples --step 400   an image of a series
  neptune get latest data --zip                artifacts as an archive; without PATH all of them
  neptune get latest src --sources             the source files at or below a path; without PATH all
Without --out, one file goes to the current folder, and several to a folder there.
What is there already is replaced only with --force, or where --out names the file.";

#[derive(Debug, Args)]
#[command(after_help = GET_AFTER_HELP)]
pub(crate) struct Get {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What to write; see below
    #[arg(value_name = "PATH", required_unless_present_any = ["zip", "sources"])]
    pub(crate) path: Option<String>,
    /// Write one ZIP archive
    #[arg(long, conflicts_with = "step")]
    pub(crate) zip: bool,
    /// Write source files, not artifacts
    #[arg(long, conflicts_with = "step")]
    pub(crate) sources: bool,
    /// The file or, when it is there or ends in a slash, and where there are several files, the folder
    #[arg(short, long, value_name = "FILE|DIR", visible_alias = "output")]
    pub(crate) out: Option<PathBuf>,
    /// The image at this step; without it, the last
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = step)]
    pub(crate) step: Option<f64>,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Abort {
    /// The experiment: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What its program is told
    #[arg(long, value_name = "TEXT", default_value = "neptune abort")]
    pub(crate) reason: String,
    /// How long to wait for it to end; 0 for not at all
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) wait: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "expected seconds, 0 or more".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Ids {
    /// The experiments: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

const DELETE_AFTER_HELP: &str = "\
What was logged goes, and the files that no other experiment needs. Neither the short id nor the UUID is used again.
An experiment that a program is writing to is not deleted. `neptune trash` only hides.";

#[derive(Debug, Args)]
#[command(after_help = DELETE_AFTER_HELP)]
pub(crate) struct Delete {
    /// The experiments: MNI-12, a UUID, or `latest`
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Drain what waits, set damaged segments aside, and remove what is left over
    #[arg(long)]
    pub(crate) repair: bool,
    /// Also read the content of every file, and say which is damaged
    #[arg(long)]
    pub(crate) objects: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also delete the segments that were set aside because of damage
    #[arg(long)]
    pub(crate) quarantine: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_empty_folder_is_the_default_one() {
        let folder = |dir| Cli::try_parse_from(["neptune", "--dir", dir, "sync"]).unwrap().folder();
        assert_eq!(folder(""), PathBuf::from(".neptune"));
        assert_eq!(folder("elsewhere"), PathBuf::from("elsewhere"));
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        for arguments in [["neptune", "--json", "ls"], ["neptune", "ls", "--json"]] {
            assert!(Cli::try_parse_from(arguments).unwrap().json);
        }
    }

    #[test]
    fn a_line_that_looks_too_often_is_refused() {
        assert!(Cli::try_parse_from(["neptune", "tail", "latest", "--interval", "0"]).is_err());
        assert!(Cli::try_parse_from(["neptune", "tail", "latest", "--interval", "20"]).is_ok());
    }

    #[test]
    fn a_running_time_has_a_unit_or_is_seconds() {
        for (text, seconds) in [("90", 90.0), ("1.5h", 5400.0), ("2m", 120.0), ("0s", 0.0), ("1d", 86400.0)] {
            assert_eq!(running_time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for wrong in ["", "h", "-1", "1x", "NaN", "1e999", "\u{e4}"] {
            assert!(running_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_step_is_written_to_a_file() {
        let trace = |arguments: &[&str]| Cli::try_parse_from([&["neptune", "trace", "latest"], arguments].concat());
        for fine in
            [&["--step", "12", "-o", "a"][..], &["--slowest", "-o", "a"], &["--step", "-0.5"], &["--span", "step"], &[]]
        {
            assert!(trace(fine).is_ok(), "{fine:?}");
        }
        let wrongs =
            [&["-o", "a"][..], &["--span", "step", "-o", "a"], &["--slowest", "--step", "12"], &["--step", "NaN"]];
        for wrong in wrongs.into_iter().chain([&["--step", "x"][..]]) {
            assert!(trace(wrong).is_err(), "{wrong:?}");
        }
    }
}
