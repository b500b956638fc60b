//! `neptune gc`: compresses what has ended, and removes what nothing needs any more.
//!
//! Removed are the files of objects (of artifacts, checkpoints and images) that no variable of any experiment needs, what was
//! left of making some, points that were deleted and not brought back, and damaged segments when `--quarantine` says so. What a variable holds stays.

use std::path::{Path, PathBuf};

use neptune_store::{Store, StoreOptions};
use serde::Serialize;

use super::sync::Drained;
use crate::{
    cli,
    failure::{Exit, Failure},
    number,
    progress::Progress,
    reading,
    screen::Screen,
};

/// What was done, or would be.
#[derive(Debug, Default, Serialize)]
struct Collected {
    dry_run: bool,
    /// Unfinished folders that were removed.
    unfinished: u64,
    /// Series whose recent points were compressed; not known before.
    sealed: Option<u64>,
    /// Segments in quarantine that were deleted.
    quarantined: u64,
    /// Files of objects that nothing needs.
    objects: u64,
    /// Bytes of those.
    object_bytes: u64,
    /// Points that were deleted before, by a rewind or one by one; they cannot be brought back.
    purged_points: u64,
    /// Bytes of those in the store.
    purged_bytes: u64,
    /// Images that were encoded now, because the process that logged them did not come to it.
    encoded: u64,
    /// Bytes that were won; of a dry run those that are certain.
    bytes: u64,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, gc: &cli::Gc) -> Result<Exit, Failure> {
    let mut store = Store::open_existing(folder, StoreOptions::default())?;
    let session = reading::session(folder)?;
    let survey = session.survey()?;
    let mut collected = Collected { dry_run: gc.dry_run, ..Collected::default() };
    if gc.dry_run {
        let purged = store.purge(true)?;
        (collected.purged_points, collected.purged_bytes) = (purged.points, purged.bytes);
        collected.unfinished = survey.unfinished.len() as u64;
        if gc.quarantine {
            collected.quarantined = survey.quarantined.len() as u64;
            collected.bytes = survey.quarantined.iter().map(|path| size(path)).sum();
        }
    } else {
        let drained = Drained::of(&reading::recover(&session)?, folder)?;
        if drained.has_obstacles() {
            screen.note("warning: journals could not be drained; see `neptune doctor`")?;
        }
        collected.unfinished =
            (survey.unfinished.len() as u64).saturating_sub(session.survey()?.unfinished.len() as u64);
        let mut bar = Progress::new("compressing");
        collected.sealed = Some(store.seal_all(|done, of| bar.at(done, of, || "experiments".to_owned()))?);
        drop(bar);
        let purged = store.purge(false)?;
        (collected.purged_points, collected.purged_bytes) = (purged.points, purged.bytes);
        collected.bytes = store.vacuum()?;
        if gc.quarantine {
            for path in &session.survey()?.quarantined {
                let bytes = size(path);
                std::fs::remove_file(path).map_err(|error| Failure::file("delete", path, &error))?;
                collected.quarantined += 1;
                collected.bytes += bytes;
            }
        }
    }
    let reclaimed = session.reclaim(gc.dry_run)?;
    collected.objects = reclaimed.files;
    collected.object_bytes = reclaimed.bytes;
    collected.encoded = reclaimed.encoded;
    collected.bytes += reclaimed.bytes;
    if screen.json {
        screen.document(&collected)?;
    } else {
        collected.print(screen, &survey.quarantined, gc)?;
    }
    Ok(Exit::Fine)
}

impl Collected {
    fn print(&self, screen: &mut Screen, quarantine: &[PathBuf], gc: &cli::Gc) -> Result<(), Failure> {
        let would = if self.dry_run { "would be " } else { "" };
        if self.unfinished > 0 {
            let folders = number::counted(self.unfinished, "unfinished folder", "unfinished folders");
            screen.line(format_args!("{folders} {would}removed"))?;
        }
        match self.sealed {
            Some(sealed) => screen.line(format_args!("{} compressed", number::counted(sealed, "series", "series")))?,
            None => screen
                .line("experiments that have ended would be compressed, and the file of the store made smaller")?,
        }
        if self.quarantined > 0 {
            let segments = number::counted(self.quarantined, "damaged segment", "damaged segments");
            screen.line(format_args!("{segments} {would}deleted"))?;
        }
        if self.purged_points > 0 {
            let points = number::counted(self.purged_points, "deleted point", "deleted points");
            screen.line(format_args!("{points} {would}removed for good ({})", number::bytes(self.purged_bytes)))?;
        }
        if self.objects > 0 {
            let files = number::counted(self.objects, "file", "files");
            let bytes = number::bytes(self.object_bytes);
            screen.line(format_args!("{files} that nothing needs {would}removed ({bytes})"))?;
        }
        if self.encoded > 0 {
            screen.line(format_args!("{} encoded", number::counted(self.encoded, "image", "images")))?;
        }
        let won = number::bytes(self.bytes);
        if !self.dry_run {
            screen.line(format_args!("{won} won"))?;
        } else if self.bytes > 0 {
            screen.line(format_args!("at least {won} would be won"))?;
        }
        if !gc.quarantine && !quarantine.is_empty() {
            let segments = number::counted(quarantine.len() as u64, "damaged segment lies", "damaged segments lie");
            let bytes = number::bytes(quarantine.iter().map(|path| size(path)).sum());
            screen.note(format_args!("{segments} in quarantine ({bytes}); --quarantine deletes them"))?;
        }
        Ok(())
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}
