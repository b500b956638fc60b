//! `neptune get --zip`: artifacts or sources as one archive, written as a stream.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use neptune_core::{ErrorKind, StoredExperiment};
use neptune_store::read::ExperimentKey;

use super::{WrittenFile, target_of_one, unoccupied};
use crate::{checkpoints::ARTIFACTS, cli, failure::Failure, progress::Progress, reading, whole};

/// Writes the archive of what `get` names.
pub(super) fn write(folder: &Path, key: &ExperimentKey, get: &cli::Get) -> Result<WrittenFile, Failure> {
    let experiment = reading::stored(folder, key)?;
    let tree = if get.sources { "sources" } else { "artifacts" };
    let path = path_of(&experiment, get)?;
    let name = path.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(tree);
    let (target, is_named) = target_of_one(&format!("{name}.zip"), get.out.as_deref())?;
    let target = unoccupied(target, get.force || is_named)?;
    let mut bar = Progress::packing();
    let bytes = whole::write(&target, |file| {
        let mut told = Told { file, bar: &mut bar };
        let written = if get.sources {
            experiment.write_sources_zip(&path, &mut told)
        } else {
            experiment.write_artifacts_zip(&path, &mut told)
        };
        Ok(written?)
    })?;
    let shown = if path.is_empty() { String::new() } else { format!("/{path}") };
    let what = format!("{tree}{shown} of {}", key.short_id);
    Ok(WrittenFile { what, file: target.display().to_string(), bytes })
}

/// The path among artifacts, or sources, that the user means; that of an artifact may begin with their namespace.
fn path_of(experiment: &StoredExperiment, get: &cli::Get) -> Result<String, Failure> {
    let path = get.path.as_deref().unwrap_or_default();
    if get.sources {
        return Ok(path.to_owned());
    }
    match experiment.artifacts(path) {
        Err(error) if error.kind() == ErrorKind::FileNotFound => {
            let within = format!("{}/", path.trim_end_matches('/'));
            match within.strip_prefix(ARTIFACTS) {
                Some(rest) => Ok(rest.to_owned()),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(path.to_owned()),
    }
}

/// A file that tells how much was written to it.
struct Told<'a> {
    file: &'a File,
    bar: &'a mut Progress,
}

impl Write for Told<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bar.bytes_done(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
