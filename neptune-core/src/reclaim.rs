//! Removing objects that no variable needs any more.
//!
//! What is needed says the store and, of what it does not have yet, the journals: those are read first, because records go
//! from there into the store. Meanwhile nobody else logs a file.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use neptune_format::{AtomValue, Document as _, Entry, LoggedImage, ObjectId, Position, Record};
use neptune_store::objects::PIXELS;

use crate::{
    error::{Error, ErrorKind, Result},
    journal::{Reader, Reading},
    objects::Objects,
    session::Session,
};

/// What was reclaimed, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reclaimed {
    /// Files that were removed: objects that nobody needs, and what was left of making some.
    pub files: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Images that were encoded now, because the process that logged them did not come to it.
    pub encoded: u64,
}

impl Session {
    /// Removes the files of objects that no variable of any experiment needs, and encodes images that wait for it. With `dry_run` it only
    /// counts them.
    ///
    /// # Errors
    /// When the store or the folder cannot be used.
    pub fn reclaim(&self, dry_run: bool) -> Result<Reclaimed> {
        let objects = self.objects();
        let mut reclaimed = Reclaimed::default();
        let files = || objects.files().map_err(|error| unavailable("cannot look into the folder of objects", error));
        if files()?.is_empty() {
            return Ok(reclaimed);
        }
        let alone = objects.hold_alone().map_err(|error| unavailable("cannot lock the folder of objects", error))?;
        // Again, now that nobody makes another.
        let files = files()?;
        let mut needed = self.mentioned()?;
        needed.extend(self.store()?.objects_in_use()?);
        let mut waiting = Vec::new();
        for file in files {
            match file.object {
                Some(object) if needed.contains(&object) => {
                    if file.path.extension().is_some_and(|ending| ending == "pam") {
                        waiting.push(object);
                    }
                }
                _ => {
                    reclaimed.files += 1;
                    reclaimed.bytes += file.path.metadata().map_or(0, |file| file.len());
                    if !dry_run {
                        remove(&file.path)?;
                    }
                }
            }
        }
        drop(alone);
        #[cfg(feature = "images")]
        for object in waiting {
            if !dry_run && crate::encoder::encode(&objects, object).is_ok() {
                reclaimed.encoded += 1;
            }
        }
        Ok(reclaimed)
    }

    /// Removes those of `candidates` that nobody needs.
    pub(crate) fn reclaim_some(&self, candidates: &[ObjectId]) -> Result<()> {
        let objects = self.objects();
        let _alone = objects.hold_alone().map_err(|error| unavailable("cannot lock the folder of objects", error))?;
        let mentioned = self.mentioned()?;
        let store = self.store()?;
        for object in candidates {
            if !mentioned.contains(object) && !store.is_object_in_use(*object)? {
                remove(&objects.file_of(*object, ""))?;
                for file in objects.files_of_pixels(*object) {
                    remove(&file)?;
                }
            }
        }
        Ok(())
    }

    /// The objects that are spoken of in journals, behind what the store has of them.
    fn mentioned(&self) -> Result<HashSet<ObjectId>> {
        let mut mentioned = HashSet::new();
        let writers = self.inner.folder.writers();
        for folder in writers.map_err(|error| unavailable("cannot look into the folder of journals", error))? {
            let store = self.store()?;
            let mut position = match store.position(folder.writer) {
                Ok(position) => position,
                Err(_) => Position::START,
            };
            drop(store);
            let mut reader = Reader::new(folder, None);
            loop {
                // Read to the end of what is there, past what is being written; a segment that vanishes is in the store.
                let batch = reader
                    .read(position, Reading::Dead)
                    .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
                if batch.is_empty() {
                    break;
                }
                mentioned.extend(batch.entries().filter_map(|entry| object_in(&entry)));
                position = batch.end;
            }
        }
        Ok(mentioned)
    }
}

fn object_in(entry: &Entry<'_>) -> Option<ObjectId> {
    match entry {
        // Of which series it is does not matter: text that looks like an image keeps an object for too long at worst.
        Entry::Text { text, .. } if text.starts_with('{') => LoggedImage::from_text(text)?.object,
        Entry::Record(record) => match &**record {
            Record::Assign { value: AtomValue::File(file), .. } => Some(file.object),
            _ => None,
        },
        _ => None,
    }
}

/// A file in the folder of objects.
struct ObjectFile {
    path: PathBuf,
    /// `None` of a file that was being made when its process died.
    object: Option<ObjectId>,
}

impl Objects {
    fn files(&self) -> io::Result<Vec<ObjectFile>> {
        let mut files = Vec::new();
        for entry in listed(self.folder())? {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                files.push(ObjectFile { path: entry, object: None });
            } else if entry.is_dir() {
                for path in listed(&entry)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let stem = PIXELS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
                    // A file of another name is not ours.
                    if let Ok(object) = stem.parse() {
                        files.push(ObjectFile { path, object: Some(object) });
                    }
                }
            }
        }
        Ok(files)
    }
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(unavailable(&format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

fn unavailable(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, what).because(error)
}
