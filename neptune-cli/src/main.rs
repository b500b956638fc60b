//! The `neptune` program: look at experiments, follow them, export them, and see to the folder that holds them.
//!
//! ```text
//! neptune ui        the web UI of the folder, in your browser
//! neptune ls        experiments as a table: filtered, sorted, with the columns of your choice
//! neptune show      one experiment: parameters, series, and a chart in the terminal
//! neptune diff      how two experiments differ, and from which step on
//! neptune tail      the last points of series, and new ones as they come
//! neptune values    the values of series of numbers side by side
//! neptune console   what the processes of an experiment printed
//! neptune timings   how long the spans of an experiment took, as a tree
//! neptune trace     steps that were kept whole, for Perfetto
//! neptune export    an experiment as CSV or Parquet
//! neptune get       files of an experiment: artifacts, checkpoints, images, sources
//! neptune artifacts the list of its files; `neptune delete-artifacts` deletes some
//! neptune import    experiments that programs of other languages wrote as JSON
//! neptune notebook  checkpoints of Jupyter notebooks: upload, list, show, compare, write out
//! neptune abort     ask a running experiment to end
//! neptune fork      a new experiment that goes on from another
//! neptune rewind    delete the points behind a step; `delete-points` those of a series
//! neptune rename    give a variable another path
//! neptune revisions what was rewound, deleted and renamed; `undo` undoes it
//! neptune trash     put experiments into the trash; `restore` takes them out
//! neptune delete    remove experiments for good
//! neptune sync      drain what dead or offline programs left behind
//! neptune doctor    look for damage and for work that waits
//! neptune gc        compress what has ended, and remove what nothing needs
//! ```
//!
//! | exit code | meaning                                                         |
//! |-----------|-----------------------------------------------------------------|
//! | 0         | all is well                                                     |
//! | 1         | the disk, the store or the output failed                        |
//! | 2         | the command line or the query is wrong                          |
//! | 3         | no such store, project, experiment, variable, file or kept step |
//! | 4         | `doctor` found damage, or work that waits                       |
//! | 5         | `abort`: the experiment still runs, or it did not run           |
//!
//! Results go to standard output and everything else to standard error. What was logged is shown inert: no escape code in a
//! name or a text reaches a terminal. Nothing here panics, whatever the folder holds.

mod cli;
mod command;
mod failure;
mod screen;

mod reading;

mod chart;
mod checkpoints;
mod clock;
mod code;
mod hardware;
mod inert;
mod kept;
mod lines;
mod media;
mod metrics;
mod number;
mod progress;
mod table;
mod tabular;
mod value;
mod whole;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anstream::AutoStream;
use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use crate::{
    cli::{Cli, Command},
    failure::{Exit, Failure},
    screen::Screen,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => return said(&help_or_error),
    };
    let exit = match run(&cli) {
        Ok(exit) => exit,
        Err(Failure::Closed) => Exit::Fine,
        Err(Failure::Said { exit, message }) => {
            screen::say(format_args!("error: {message}"));
            exit
        }
    };
    exit.into()
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    let folder = cli.folder();
    let mut screen = Screen::new(cli.color.into(), cli.json);
    let exit = match &cli.command {
        Command::Ls(ls) => command::ls::run(&mut screen, &folder, ls)?,
        Command::Show(show) => command::show::run(&mut screen, &folder, show)?,
        Command::Diff(diff) => command::diff::run(&mut screen, &folder, diff)?,
        Command::Tail(tail) => command::tail::run(&mut screen, &folder, tail)?,
        Command::Values(values) => command::values::run(&mut screen, &folder, values)?,
        Command::Console(console) => command::console::run(&mut screen, &folder, console)?,
        Command::Timings(timings) => command::timings::run(&mut screen, &folder, timings)?,
        Command::Trace(trace) => command::trace::run(&mut screen, &folder, trace)?,
        Command::Export(export) => command::export::run(&mut screen, &folder, export)?,
        Command::Get(get) => command::get::run(&mut screen, &folder, get)?,
        Command::Artifacts(artifacts) => command::artifacts::list(&mut screen, &folder, artifacts)?,
        Command::DeleteArtifacts(delete) => command::artifacts::delete(&mut screen, &folder, delete)?,
        Command::Import(import) => command::import::run(&mut screen, &folder, import)?,
        Command::Notebook(notebook) => command::notebook::run(&mut screen, &folder, notebook)?,
        Command::Abort(abort) => command::abort::run(&mut screen, &folder, abort)?,
        Command::Fork(fork) => command::travel::fork(&mut screen, &folder, fork)?,
        Command::Rewind(rewind) => command::travel::rewind(&mut screen, &folder, rewind)?,
        Command::DeletePoints(wanted) => command::travel::delete_points(&mut screen, &folder, wanted)?,
        Command::Rename(rename) => command::travel::rename(&mut screen, &folder, rename)?,
        Command::Revisions(wanted) => command::travel::revisions(&mut screen, &folder, wanted)?,
        Command::Undo(undo) => command::travel::undo(&mut screen, &folder, undo)?,
        Command::Trash(trash) => command::removal::trash(&mut screen, &folder, &trash.ids)?,
        Command::Restore(restore) => command::removal::restore(&mut screen, &folder, &restore.ids)?,
        Command::Delete(delete) => command::removal::delete(&mut screen, &folder, delete)?,
        Command::Sync => command::sync::run(&mut screen, &folder)?,
        Command::Ui(ui) => command::ui::run(&mut screen, &folder, ui)?,
        Command::Doctor(doctor) => command::doctor::run(&mut screen, &folder, doctor)?,
        Command::Gc(gc) => command::gc::run(&mut screen, &folder, gc)?,
    };
    screen.flush()?;
    Ok(exit)
}

/// Prints what the parser has to say: help on standard output, or what is wrong with the command line.
fn said(help_or_error: &clap::Error) -> ExitCode {
    // A reader that has closed its end has read enough.
    if help_or_error.kind() == ErrorKind::MissingSubcommand {
        let help = Cli::command().render_help();
        drop(AutoStream::auto(io::stderr()).write_all(help.ansi().to_string().as_bytes()));
    } else if help_or_error.use_stderr() {
        let text = format!("neptune: {}", help_or_error.render().ansi());
        drop(AutoStream::auto(io::stderr()).write_all(text.as_bytes()));
    } else {
        drop(help_or_error.print());
    }
    if help_or_error.use_stderr() { Exit::Wrong.into() } else { Exit::Fine.into() }
}
