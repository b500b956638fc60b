//! Objects: files that are kept in the folder under the name of their content, each once.
//!
//! An object is made under another name and then takes its own, so it is whole or not there. From looking for an object to
//! logging that it is needed its folder is held, by many at once; whoever removes objects that nobody needs holds it alone.
//! So no object is removed between being found and being needed, and none is made in vain.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use neptune_format::{File as Kept, ObjectId};
use uuid::Uuid;

#[cfg(feature = "images")]
use crate::encoder;
use crate::{clock, image};

/// What follows the name of an object that holds pixels, until they are encoded and once they are. The same as
/// `neptune_store::objects::PIXELS`, which is not there without the feature `embedded`.
const PIXELS: [&str; 2] = [".pam", ".png"];

/// Bytes that are copied and hashed at once.
const PIECE: usize = 1 << 18;

/// The folder of objects in a neptune folder.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    folder: PathBuf,
    /// Sync what is kept before it is named: it is to survive the loss of power.
    is_power_safe: bool,
}

/// The folder of objects, held: nothing in it is removed meanwhile. Held by many, or by one alone.
#[derive(Debug)]
pub(crate) struct Held {
    lock: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing the file would not do: a child that was forked meanwhile has it open too.
        self.lock.unlock().ok();
    }
}

impl Objects {
    pub(crate) fn new(folder: PathBuf, is_power_safe: bool) -> Self {
        Self { folder, is_power_safe }
    }

    /// Holds the folder, beside others. Waits for whoever holds it alone, `patience` at most.
    pub(crate) fn hold(&self, patience: Duration) -> io::Result<Held> {
        self.lock_within(patience, File::try_lock_shared)
    }

    /// Holds the folder alone. Waits for all others, `patience` at most.
    #[cfg(feature = "embedded")]
    pub(crate) fn hold_alone(&self, patience: Duration) -> io::Result<Held> {
        self.lock_within(patience, File::try_lock)
    }

    fn lock_within(
        &self,
        patience: Duration,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Held> {
        const PAUSE: Duration = Duration::from_millis(1);
        let lock = self.lock_file()?;
        let began = clock::monotonic();
        loop {
            match try_lock(&lock) {
                Ok(()) => return Ok(Held { lock }),
                Err(TryLockError::WouldBlock) if began.elapsed() < patience => thread::park_timeout(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let message = "another process keeps the folder of objects locked";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    fn lock_file(&self) -> io::Result<File> {
        let open = || OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join("lock"));
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                open()
            }
            opened => opened,
        }
    }

    /// The folder itself.
    #[cfg(feature = "embedded")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps pixels: as they are, until they are encoded. When there are too many the caller waits for that, to see whether
    /// the image is within the limit then; `None` when it is not.
    pub(crate) fn keep_pixels(&self, pixels: &[u8], _held: &Held) -> io::Result<Option<ObjectId>> {
        let id = ObjectId::from_bytes(*blake3::hash(pixels).as_bytes());
        let [raw, encoded] = self.files_of_pixels(id);
        if encoded.exists() {
            return Ok(Some(id));
        }
        if pixels.len() as u64 <= image::MOST_BYTES {
            // Not synced here, where a trainer waits: the encoder syncs what it makes of it.
            if !is_whole(&raw, pixels.len() as u64) {
                self.put(&raw, pixels, false)?;
            }
            return Ok(Some(id));
        }
        #[cfg(feature = "images")]
        {
            let png = encoder::png(pixels)?;
            if png.len() as u64 <= image::MOST_BYTES {
                self.put(&encoded, &png, self.is_power_safe)?;
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Encodes the pixels of an object, unless that is done. What is encoded is on the disk before the pixels are removed,
    /// which may have been there for long.
    #[cfg(feature = "images")]
    pub(crate) fn encode(&self, id: ObjectId, _held: &Held) -> io::Result<()> {
        let [raw, encoded] = self.files_of_pixels(id);
        if !encoded.exists() {
            self.put(&encoded, &encoder::png(&fs::read(&raw)?)?, true)?;
        }
        fail::fail_point!("image-encoded");
        match fs::remove_file(&raw) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The files of an object of pixels: as they were logged, and encoded.
    pub(crate) fn files_of_pixels(&self, id: ObjectId) -> [PathBuf; 2] {
        PIXELS.map(|ending| self.file_of(id, ending))
    }

    /// The file of an object.
    pub(crate) fn file_of(&self, id: ObjectId, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", id.file_name()))
    }

    /// Keeps the file at `path` as it is now: what happens to it later does not matter. Shares its blocks with it where the
    /// file system can (btrfs, XFS, bcachefs), so that no byte is copied; copies it otherwise. A hard link would not do: who
    /// writes into the file would write into the object.
    pub(crate) fn keep_file(&self, path: &Path, _held: &Held) -> io::Result<Kept> {
        // Asked before it is opened: opening a pipe waits for its other end.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut source = File::open(path)?;
        let mut part = self.begin()?;
        if rustix::fs::ioctl_ficlone(&part.file, &source).is_ok() {
            let (id, size) = copied(&mut part.file, &mut io::sink())?;
            return self.finish(part, id, size);
        }
        let (id, size) = copied(&mut source, &mut part.file)?;
        self.finish(part, id, size)
    }

    /// Keeps what `reader` gives.
    pub(crate) fn keep_reader(&self, reader: &mut dyn Read, _held: &Held) -> io::Result<Kept> {
        let mut part = self.begin()?;
        let (id, size) = copied(reader, &mut part.file)?;
        self.finish(part, id, size)
    }

    /// Keeps bytes.
    pub(crate) fn keep_bytes(&self, bytes: &[u8], _held: &Held) -> io::Result<Kept> {
        let id = ObjectId::from_bytes(*blake3::hash(bytes).as_bytes());
        let kept = Kept { object: id, size: bytes.len() as u64 };
        if !is_whole(&self.file_of(id, ""), kept.size) {
            self.put(&self.file_of(id, ""), bytes, self.is_power_safe)?;
        }
        Ok(kept)
    }

    /// Replaces a file in the folder, or makes it, by one with these bytes.
    fn put(&self, file: &Path, bytes: &[u8], is_synced: bool) -> io::Result<()> {
        let mut part = self.begin()?;
        part.file.write_all(bytes)?;
        self.name(part, file, is_synced)
    }

    fn begin(&self) -> io::Result<Part> {
        let path = self.folder.join(format!(".{}", Uuid::now_v7()));
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        Ok(Part { path, file, is_named: false })
    }

    fn finish(&self, part: Part, id: ObjectId, size: u64) -> io::Result<Kept> {
        let file = self.file_of(id, "");
        if !is_whole(&file, size) {
            self.name(part, &file, self.is_power_safe)?;
        }
        Ok(Kept { object: id, size })
    }

    #[expect(clippy::disallowed_methods, reason = "it is synced where it has to survive the loss of power")]
    fn name(&self, mut part: Part, name: &Path, is_synced: bool) -> io::Result<()> {
        fail::fail_point!("object-written");
        if is_synced {
            part.file.sync_all()?;
        }
        match fs::rename(&part.path, name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(name.parent().unwrap_or(&self.folder))?;
                fs::rename(&part.path, name)?;
            }
            renamed => renamed?,
        }
        part.is_named = true;
        if is_synced {
            for folder in [name.parent().unwrap_or(&self.folder), &self.folder] {
                File::open(folder)?.sync_all()?;
            }
        }
        fail::fail_point!("object-named");
        Ok(())
    }
}

/// An object that is being made.
struct Part {
    path: PathBuf,
    file: File,
    is_named: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_named {
            // What stays is removed by `neptune gc`.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Whether the object is there, whole. One of another length was damaged, by the loss of power say, and is made again.
fn is_whole(file: &Path, size: u64) -> bool {
    file.metadata().is_ok_and(|file| file.len() == size)
}

/// Copies everything; returns its hash and its length.
fn copied(from: &mut (impl Read + ?Sized), to: &mut impl Write) -> io::Result<(ObjectId, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut size = 0_u64;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = piece.get(..read).unwrap_or_default();
        hasher.update(bytes);
        to.write_all(bytes)?;
        size += bytes.len() as u64;
    }
    Ok((ObjectId::from_bytes(*hasher.finalize().as_bytes()), size))
}

/// Writes the object in `source` to `target`, which appears when it is whole; an error when it is not what its name says.
pub(crate) fn write_out(source: &Path, id: ObjectId, target: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let path = target.with_file_name(format!(".{}.part", Uuid::now_v7()));
    let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
    let mut part = Part { path, file, is_named: false };
    let (found, _) = copied(&mut from, &mut part.file)?;
    if found != id {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its content is not what was logged; see `neptune doctor`",
        ));
    }
    #[expect(clippy::disallowed_methods, reason = "it can be written again, so it need not survive the loss of power")]
    fs::rename(&part.path, target)?;
    part.is_named = true;
    Ok(())
}

/// The bytes of the object in `source`; an error when they are not what its name says.
pub(crate) fn read_whole(source: &Path, id: ObjectId) -> io::Result<Vec<u8>> {
    let mut from = File::open(source)?;
    let mut bytes = Vec::new();
    let (found, _) = copied(&mut from, &mut bytes)?;
    if found == id {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "its content is not what was logged; see `neptune doctor`"))
    }
}
