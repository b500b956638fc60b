//! The report: a table on the screen and in a file of this folder.

use std::{fmt::Write as _, fs, io, io::Write as _, path::Path, process::Command, time::SystemTime};

/// A measured bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What was measured.
    pub what: &'static str,
    /// What was measured, with its unit.
    pub measured: String,
    /// What the machine itself takes, with its unit; empty where there is no floor.
    pub floor: String,
    /// What is asked for.
    pub bar: &'static str,
    /// Whether the bar is met.
    pub met: bool,
}

/// All bars of a run.
#[derive(Debug, Default)]
pub struct Report {
    bars: Vec<Bar>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a bar and shows it.
    pub fn bar(&mut self, what: &'static str, measured: String, floor: String, bar: &'static str, met: bool) {
        let bar = Bar { what, measured, floor, bar, met };
        show(&row(&bar));
        self.bars.push(bar);
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: String) {
        show(&note);
        self.notes.push(note);
    }

    /// Writes what `bench` measured into the file that is named.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[expect(clippy::disallowed_methods, reason = "the date of the report")]
    pub fn write(&self, bench: &str, file: &str) -> Result<(), Box<dyn std::error::Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let mut text = format!(
            "# The bars, measured\n\nWritten by `cargo bench -p neptune-benches --bench {bench}`; run it again rather than edit it. Floors \
             and figures are of one run on one machine:\nratios carry over to other machines, absolute times do not.\n\n",
        );
        let date = jiff::Timestamp::try_from(SystemTime::now())?.strftime("%Y-%m-%d");
        let _infallible = writeln!(text, "- date: {date}");
        let _infallible = writeln!(text, "- commit: {}", said("git", &["rev-parse", "--short=12", "HEAD"]));
        let _infallible = writeln!(text, "- machine: {}", machine());
        let _infallible = writeln!(text, "- compiler: {}\n", said("rustc", &["--version"]));
        text.push_str("| what | measured | floor in the same run | bar | met |\n|---|---|---|---|---|\n");
        for bar in &self.bars {
            text.push_str(&row(bar));
            text.push('\n');
        }
        if !self.notes.is_empty() {
            text.push_str("\n## Notes\n\n");
            for note in &self.notes {
                let _infallible = writeln!(text, "- {note}");
            }
        }
        Ok(fs::write(path, text)?)
    }
}

fn row(bar: &Bar) -> String {
    let met = if bar.met { "yes" } else { "**no**" };
    format!("| {} | {} | {} | {} | {met} |", bar.what, bar.measured, bar.floor, bar.bar)
}

fn show(line: &str) {
    // A closed pipe is no reason to stop measuring.
    drop(writeln!(io::stdout(), "{line}"));
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim().to_owned()))
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, {cores} cores, {} of memory, Linux {}",
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal"),
        said("uname", &["-r"]),
    )
}
