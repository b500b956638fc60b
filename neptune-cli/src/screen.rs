//! [`Screen`]: where the output of a command goes.
//!
//! Results go to standard output, everything said about them to standard error, so that a pipe carries results only.
//! Whatever is painted here loses its colour where `--color`, `NO_COLOR` or a pipe wants none.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Write},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{failure::Failure, inert};

/// Titles and names of things.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is there to be found, not to be read.
pub(crate) const DIM: Style = Style::new().dimmed();
/// No colour.
pub(crate) const PLAIN: Style = Style::new();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What goes on.
pub(crate) const GOING: Style = AnsiColor::Cyan.on_default();
/// What was cut short or needs a look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();

/// The width of charts where there is no terminal to fill.
const CHART_WIDTH: usize = 80;

/// The style of the state of an experiment.
pub(crate) fn style_of_state(state: &str) -> Style {
    match state {
        "succeeded" => GOOD,
        "running" => GOING,
        "failed" => BAD,
        "aborted" => ODD,
        _ => PLAIN,
    }
}

/// `text` in `style`.
pub(crate) fn painted(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Where the output goes.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    /// The columns of the terminal; `None` where there is no terminal, and nothing needs to be cut.
    pub(crate) width: Option<usize>,
    /// Whether the user wants JSON.
    pub(crate) json: bool,
}

impl Screen {
    pub(crate) fn new(color: ColorChoice, json: bool) -> Self {
        let stdout = io::stdout();
        let width = stdout
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(&stdout))
            .flatten()
            .map(|(width, _)| usize::from(width.0))
            // A terminal that does not know its size says 0.
            .filter(|width| *width > 0);
        let out = Box::new(BufWriter::new(AutoStream::new(stdout.lock(), color)));
        Self { out, width, json }
    }

    /// How wide a drawing is.
    pub(crate) fn chart_width(&self) -> usize {
        self.width.unwrap_or(CHART_WIDTH)
    }

    /// One line of a result, or several.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// The result as one JSON document.
    pub(crate) fn document(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        self.json_text(serde_json::to_string_pretty(document))
    }

    /// One of many JSON documents, on a line of its own.
    pub(crate) fn json_line(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        self.json_text(serde_json::to_string(document))
    }

    fn json_text(&mut self, json: serde_json::Result<String>) -> Result<(), Failure> {
        let json = json.map_err(|error| Failure::failed(format!("cannot be said in JSON: {error}")))?;
        self.line(inert::inert_json(&json))
    }

    /// Shows what was written so far.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Says something about the result.
    pub(crate) fn note(&mut self, note: impl Display) -> Result<(), Failure> {
        self.flush()?;
        say(&note);
        Ok(())
    }
}

/// Says something on standard error, inert; there is nobody to tell that it is closed.
pub(crate) fn say(words: impl Display) {
    let lines: Vec<String> = inert::inert_lines(&words.to_string()).collect();
    drop(writeln!(io::stderr(), "neptune: {}", lines.join("\n")));
}
