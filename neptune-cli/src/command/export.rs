//! `neptune export`: an experiment as a CSV or Parquet file, which appears under its name only when it is whole.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    path::Path,
};

use neptune_store::{
    Store, export,
    read::{ExperimentKey, VariableValue},
};

use crate::{
    cli::{self, Format},
    failure::{Exit, Failure},
    inert::InertWriter,
    number,
    progress::Progress,
    reading,
    screen::Screen,
    whole,
};

pub(crate) fn run(screen: &mut Screen, folder: &Path, arguments: &cli::Export) -> Result<Exit, Failure> {
    let format = format(arguments)?;
    let is_terminal = arguments.output.is_none() && io::stdout().is_terminal();
    if arguments.output.is_none() && screen.json {
        return Err(Failure::wrong("export has no JSON; name a file with --output to get a summary of it in JSON"));
    }
    if is_terminal && format == Format::Parquet {
        return Err(Failure::wrong("Parquet is not for a terminal; name a file with --output, or use a pipe"));
    }
    let store = reading::open(folder)?;
    let experiment = reading::find(&store, &arguments.id)?;
    let paths = resolved(&store, &experiment, &arguments.paths)?;
    let work = Work { store: &store, experiment: &experiment, paths: &paths, format };
    let Some(file) = &arguments.output else {
        let mut out = Watched { inner: io::stdout(), is_closed: false };
        let written = if is_terminal {
            work.write(InertWriter::new(BufWriter::new(&mut out)), None)
        } else {
            work.write(&mut out, None)
        };
        return match written {
            Err(_) if out.is_closed => Err(Failure::Closed),
            written => written.map(|_| Exit::Fine),
        };
    };
    let rows = work.write_file(file)?;
    if screen.json {
        screen.document(&serde_json::json!({
            "experiment": experiment.short_id, "file": file.display().to_string(), "rows": rows,
        }))?;
    } else {
        let rows = number::counted(rows, "row", "rows");
        screen.note(format_args!("{rows} of {} are in {}", experiment.short_id, file.display()))?;
    }
    Ok(Exit::Fine)
}

/// The format that was asked for, or that the name of the file says.
fn format(arguments: &cli::Export) -> Result<Format, Failure> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let Some(file) = &arguments.output else { return Ok(Format::Csv) };
    match file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("parquet") => Ok(Format::Parquet),
        _ => Err(Failure::wrong(format!(
            "the name {} does not say a format; end it in .csv or .parquet, or use --format",
            file.display()
        ))),
    }
}

/// The paths that the names of the command line mean.
fn resolved(store: &Store, experiment: &ExperimentKey, names: &[String]) -> Result<Vec<String>, Failure> {
    let mut paths: Vec<String> = Vec::new();
    for name in names {
        let path = store.resolve(experiment, name)?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok(paths)
}

struct Work<'a> {
    store: &'a Store,
    experiment: &'a ExperimentKey,
    paths: &'a [String],
    format: Format,
}

impl Work<'_> {
    /// Writes to a file.
    fn write_file(&self, file: &Path) -> Result<u64, Failure> {
        let mut bar = Progress::rows("exporting", self.rows()?);
        whole::write(file, |out| self.write(out, Some(&mut bar)))
    }

    fn write(&self, mut out: impl Write + Send, bar: Option<&mut Progress>) -> Result<u64, Failure> {
        let mut bar = bar;
        let mut progress = |rows: u64| {
            if let Some(bar) = bar.as_mut() {
                bar.rows_done(rows);
            }
        };
        let written = match self.format {
            Format::Csv => export::csv(self.store, self.experiment, self.paths, &mut out, &mut progress),
            Format::Parquet => export::parquet(self.store, self.experiment, self.paths, &mut out, &mut progress),
        };
        let rows = written?;
        out.flush()?;
        Ok(rows)
    }

    /// How many rows there will be, if nobody logs meanwhile.
    fn rows(&self) -> Result<u64, Failure> {
        let variables = self.store.variables(self.experiment, "")?;
        let wanted = variables.iter().filter(|variable| self.paths.is_empty() || self.paths.contains(&variable.path));
        let rows = wanted.map(|variable| match &variable.value {
            VariableValue::Series(summary) => summary.statistics.count,
            _ => 1,
        });
        Ok(rows.sum())
    }
}

/// Standard output, and whether its reader has gone: the store only says that the export cannot be written.
struct Watched<W> {
    inner: W,
    is_closed: bool,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.is_closed |= written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.is_closed |= flushed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        flushed
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn format_of(file: Option<&str>, format: Option<Format>) -> Result<Format, Failure> {
        let output = file.map(PathBuf::from);
        super::format(&cli::Export { id: "latest".into(), paths: Vec::new(), output, format })
    }

    #[test]
    fn the_ending_of_the_file_says_the_format() {
        assert_eq!(format_of(None, None).unwrap(), Format::Csv);
        assert_eq!(format_of(Some("a.CSV"), None).unwrap(), Format::Csv);
        assert_eq!(format_of(Some("a.parquet"), None).unwrap(), Format::Parquet);
        assert_eq!(format_of(Some("a.parquet"), Some(Format::Csv)).unwrap(), Format::Csv);
    }

    #[test]
    fn a_file_without_a_format_is_refused_with_the_way_out() {
        for name in ["a", "a.pq", "csv"] {
            let Err(Failure::Said { exit, message }) = format_of(Some(name), None) else { panic!("{name} was taken") };
            assert_eq!(exit, Exit::Wrong);
            assert!(message.contains("--format"), "{message}");
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_remembered() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Watched { inner: Gone, is_closed: false };
        assert!(out.write(b"x").is_err() && out.is_closed);
    }
}
