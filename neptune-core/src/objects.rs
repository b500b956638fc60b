//! Objects: files that are kept in the folder under the name of their content, each once.
//!
//! An object is made under another name and then takes its own, so it is whole or not there. From looking for an object to
//! logging that it is needed its folder is held, by many at once; whoever removes objects that nobody needs holds it alone.
//! So no object is removed between being found and being needed, and none is made in vain.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use neptune_format::{File as Kept, ObjectId};
use uuid::Uuid;

#[cfg(feature = "images")]
use crate::encoder;
use crate::{
    clock, image,
    quota::{Admitted, Look, Quota},
};

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
    /// How much the folder may hold, if there is a limit.
    quota: Option<Arc<Quota>>,
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
    pub(crate) const fn new(folder: PathBuf, is_power_safe: bool, quota: Option<Arc<Quota>>) -> Self {
        Self { folder, is_power_safe, quota }
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
                self.put(&raw, pixels, false, Look::Later)?;
            }
            return Ok(Some(id));
        }
        #[cfg(feature = "images")]
        {
            let png = encoder::png(pixels)?;
            if png.len() as u64 <= image::MOST_BYTES {
                self.put(&encoded, &png, self.is_power_safe, Look::Later)?;
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
            let png = encoder::png(&fs::read(&raw)?)?;
            // Whatever the limit is: it takes the place of what is larger.
            let part = self.write(&png)?;
            self.name(part, &encoded, true)?;
            if let Some(quota) = &self.quota {
                quota.added(png.len() as u64);
            }
        }
        fail::fail_point!("image-encoded");
        self.remove(&raw).map(drop)
    }

    /// Removes a file of the folder, if it is there; says how many bytes it had.
    pub(crate) fn remove(&self, file: &Path) -> io::Result<u64> {
        let size = file.metadata().map_or(0, |file| file.len());
        match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
            Ok(()) => {
                if let Some(quota) = &self.quota {
                    quota.removed(size);
                }
                Ok(size)
            }
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
        let room = self.room();
        if rustix::fs::ioctl_ficlone(&part.file, &source).is_ok() {
            let (id, size) = copied(&mut part.file, &mut io::sink(), &mut |_| ())?;
            return self.finish(part, id, size);
        }
        // What has no room is only read: its content may be there already.
        let room = if source.metadata()?.len() > room { 0 } else { room };
        self.keep_copy(&mut source, part, room)
    }

    /// Keeps what `reader` gives.
    pub(crate) fn keep_reader(&self, reader: &mut dyn Read, _held: &Held) -> io::Result<Kept> {
        self.keep_copy(reader, self.begin()?, self.room())
    }

    fn keep_copy(&self, from: &mut (impl Read + ?Sized), mut part: Part, room: u64) -> io::Result<Kept> {
        let mut to = Capped { file: &mut part.file, room, is_over: false };
        let (id, size) = copied(from, &mut to, &mut |_| ())?;
        match &self.quota {
            Some(quota) if to.is_over && !is_whole(&self.file_of(id, ""), size) => Err(quota.refusal(Some(size))),
            _ => self.finish(part, id, size),
        }
    }

    /// Keeps bytes.
    pub(crate) fn keep_bytes(&self, bytes: &[u8], look: Look, _held: &Held) -> io::Result<Kept> {
        let id = ObjectId::from_bytes(*blake3::hash(bytes).as_bytes());
        let kept = Kept { object: id, size: bytes.len() as u64 };
        if !is_whole(&self.file_of(id, ""), kept.size) {
            self.put(&self.file_of(id, ""), bytes, self.is_power_safe, look)?;
        }
        Ok(kept)
    }

    /// How many bytes the folder may hold besides those that it holds.
    fn room(&self) -> u64 {
        self.quota.as_ref().map_or(u64::MAX, Quota::room)
    }

    /// Makes a file in the folder of these bytes, if there is room for it.
    fn put(&self, file: &Path, bytes: &[u8], is_synced: bool, look: Look) -> io::Result<()> {
        let admitted = self.admit(bytes.len() as u64, look)?;
        let part = self.write(bytes)?;
        self.name(part, file, is_synced)?;
        if let Some(admitted) = admitted {
            admitted.keep();
        }
        Ok(())
    }

    fn admit(&self, size: u64, look: Look) -> io::Result<Option<Admitted<'_>>> {
        self.quota.as_ref().map(|quota| quota.admit(size, look)).transpose()
    }

    fn write(&self, bytes: &[u8]) -> io::Result<Part> {
        let mut part = self.begin()?;
        part.file.write_all(bytes)?;
        Ok(part)
    }

    fn begin(&self) -> io::Result<Part> {
        let path = self.folder.join(format!(".{}", Uuid::now_v7()));
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        Ok(Part::new(path, file))
    }

    fn finish(&self, part: Part, id: ObjectId, size: u64) -> io::Result<Kept> {
        let file = self.file_of(id, "");
        if !is_whole(&file, size) {
            let admitted = self.admit(size, Look::Now)?;
            self.name(part, &file, self.is_power_safe)?;
            if let Some(admitted) = admitted {
                admitted.keep();
            }
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

/// A file that is being made. Unless it is named it goes away with this.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) is_named: bool,
}

impl Part {
    pub(crate) const fn new(path: PathBuf, file: File) -> Self {
        Self { path, file, is_named: false }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_named {
            // What stays is removed by `neptune gc`.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A file that takes no more than `room` bytes: above that it is made empty again, and the rest is not written.
struct Capped<'a> {
    file: &'a mut File,
    room: u64,
    is_over: bool,
}

impl Write for Capped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_over && bytes.len() as u64 > self.room {
            self.is_over = true;
            self.file.set_len(0)?;
        }
        if self.is_over {
            return Ok(bytes.len());
        }
        let written = self.file.write(bytes)?;
        self.room = self.room.saturating_sub(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether the object is there, whole. One of another length was damaged, by the loss of power say, and is made again.
fn is_whole(file: &Path, size: u64) -> bool {
    file.metadata().is_ok_and(|file| file.len() == size)
}

/// Copies everything, and tells `progress` of each piece; returns its hash and its length.
pub(crate) fn copied(
    from: &mut (impl Read + ?Sized),
    to: &mut impl Write,
    progress: &mut dyn FnMut(u64),
) -> io::Result<(ObjectId, u64)> {
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
        progress(bytes.len() as u64);
    }
    Ok((ObjectId::from_bytes(*hasher.finalize().as_bytes()), size))
}
