//! Removing objects that no variable needs any more.
//!
//! What is needed says the store and, of what it does not have yet, the journals: those are read first, because records go
//! from there into the store. What seems to be needed by nobody is looked at again while nobody else logs a file.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use neptune_format::{AtomValue, Document as _, Entry, LoggedImage, ObjectId, Position, Record, WriterId};
use neptune_store::objects::PIXELS;

use crate::{
    error::{Error, ErrorKind, Result},
    journal::{Reader, Reading},
    objects::{Held, Objects},
    session::Session,
};

/// How long it waits for those who log files.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// Removes the files of objects that no variable of any experiment needs, and encodes images that wait for it. With
    /// `dry_run` it only counts them.
    ///
    /// # Errors
    /// When the store or the folder cannot be used.
    pub fn reclaim(&self, dry_run: bool) -> Result<Reclaimed> {
        self.check_may_change()?;
        let objects = self.objects();
        let mut reclaimed = Reclaimed::default();
        let list = || objects.files().map_err(|error| unavailable("cannot look into the folder of objects", error));
        let files = list()?;
        if files.is_empty() {
            return Ok(reclaimed);
        }
        let mut scan = Scan::default();
        scan.go_on(self)?;
        let used = self.store()?.objects_in_use()?;
        let is_needed = |scan: &Scan, object| scan.mentioned.contains(&object) || used.contains(&object);
        let waiting: Vec<ObjectId> =
            files.iter().filter(|file| file.is_waiting()).filter_map(|file| file.object).collect();
        if files.iter().any(|file| file.object.is_none_or(|object| !is_needed(&scan, object))) {
            // Again for those that seem to be needed by nobody, now that nobody logs another.
            let _alone = hold_alone(&objects)?;
            scan.go_on(self)?;
            let store = self.store()?;
            for file in list()? {
                if let Some(object) = file.object
                    && (is_needed(&scan, object) || store.is_object_in_use(object)?)
                {
                    continue;
                }
                reclaimed.files += 1;
                reclaimed.bytes += file.path.metadata().map_or(0, |file| file.len());
                if !dry_run {
                    remove(&objects, &file.path)?;
                }
            }
        }
        #[cfg(feature = "images")]
        for object in waiting {
            let encode = || objects.hold(PATIENCE).and_then(|held| objects.encode(object, &held));
            if !dry_run && objects.files_of_pixels(object)[0].exists() && encode().is_ok() {
                reclaimed.encoded += 1;
            }
        }
        Ok(reclaimed)
    }

    /// Removes those of `candidates` that nobody needs.
    pub(crate) fn reclaim_some(&self, candidates: &[ObjectId]) -> Result<()> {
        let objects = self.objects();
        let mut scan = Scan::default();
        scan.go_on(self)?;
        let _alone = hold_alone(&objects)?;
        scan.go_on(self)?;
        let store = self.store()?;
        for object in candidates {
            if !scan.mentioned.contains(object) && !store.is_object_in_use(*object)? {
                remove(&objects, &objects.file_of(*object, ""))?;
                for file in objects.files_of_pixels(*object) {
                    remove(&objects, &file)?;
                }
            }
        }
        Ok(())
    }
}

fn hold_alone(objects: &Objects) -> Result<Held> {
    objects.hold_alone(PATIENCE).map_err(|error| unavailable("cannot lock the folder of objects", error))
}

/// The objects that are spoken of in journals, behind what the store has of them.
#[derive(Default)]
struct Scan {
    mentioned: HashSet<ObjectId>,
    /// How far each journal was read: the beginning of its last segment.
    positions: HashMap<WriterId, Position>,
}

impl Scan {
    /// Reads the journals, from where it left off.
    fn go_on(&mut self, session: &Session) -> Result<()> {
        let writers = session.inner.folder.writers();
        let store = session.store()?;
        for folder in writers.map_err(|error| unavailable("cannot look into the folder of journals", error))? {
            let writer = folder.writer;
            let stored = store.position(writer).unwrap_or(Position::START);
            let mut position = self.positions.get(&writer).copied().unwrap_or(stored).max(stored);
            let mut reader = Reader::new(folder, None);
            loop {
                // Read to the end of what is there, past what is being written; a segment that vanishes is in the store.
                let batch = reader
                    .read(position, Reading::Dead)
                    .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
                if batch.is_empty() {
                    break;
                }
                self.mentioned.extend(batch.entries().filter_map(|entry| object_in(&entry)));
                self.positions.insert(writer, batch.start);
                position = batch.end;
            }
        }
        Ok(())
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

impl ObjectFile {
    /// Whether it is pixels that are to be encoded.
    fn is_waiting(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "pam")
    }
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

fn remove(objects: &Objects, path: &Path) -> Result<()> {
    let removed = objects.remove(path).map(drop);
    removed.map_err(|error| unavailable(&format!("cannot remove {}", path.display()), error))
}

fn unavailable(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, what).because(error)
}

/// The thread that removes objects of a running experiment.
#[derive(Debug)]
pub(crate) struct Reclaimer {
    queue: SyncSender<Vec<ObjectId>>,
    done: Receiver<()>,
}

impl Reclaimer {
    pub(crate) fn start(remove: impl Fn(&[ObjectId]) + Send + 'static) -> io::Result<Self> {
        const MOST_WAITING: usize = 256;
        let (queue, waiting) = sync_channel::<Vec<ObjectId>>(MOST_WAITING);
        let (finished, done) = sync_channel(1);
        thread::Builder::new().name("neptune:reclaim".into()).spawn(move || {
            while let Ok(mut objects) = waiting.recv() {
                // Together with what came meanwhile: the store is waited for once.
                objects.extend(waiting.try_iter().flatten());
                remove(&objects);
            }
            finished.send(()).ok();
        })?;
        Ok(Self { queue, done })
    }

    /// Has objects removed, if nobody needs them. When too many wait, `neptune gc` has to.
    pub(crate) fn remove(&self, objects: Vec<ObjectId>) {
        self.queue.try_send(objects).ok();
    }

    /// Waits until all that was given is done, for `patience` at most.
    pub(crate) fn finish(self, patience: Duration) {
        let Self { queue, done } = self;
        drop(queue);
        done.recv_timeout(patience).ok();
    }
}
