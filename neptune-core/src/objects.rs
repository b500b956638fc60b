//! Objects: files that are kept in the folder under the name of their content, each once.
//!
//! An object is made under another name and then takes its own, so it is whole or not there. From looking for an object to
//! logging that it is needed its folder is held, by many at once; whoever removes objects that nobody needs holds it alone.
//! So no object is removed between being found and being needed, and none is made in vain.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use neptune_format::{File as Kept, ObjectId};
use uuid::Uuid;

#[cfg(feature = "images")]
use crate::encoder;
use crate::image;

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
    _lock: File,
}

impl Objects {
    pub(crate) fn new(folder: PathBuf, is_power_safe: bool) -> Self {
        Self { folder, is_power_safe }
    }

    /// Holds the folder, beside others. Waits for whoever holds it alone, which is for milliseconds.
    pub(crate) fn hold(&self) -> io::Result<Held> {
        let lock = self.lock_file()?;
        lock.lock_shared()?;
        Ok(Held { _lock: lock })
    }

    /// Holds the folder alone.
    #[cfg(feature = "embedded")]
    pub(crate) fn hold_alone(&self) -> io::Result<Held> {
        let lock = self.lock_file()?;
        lock.lock()?;
        Ok(Held { _lock: lock })
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
    pub(crate) fn keep_pixels(&self, pixels: &[u8], held: &Held) -> io::Result<Option<ObjectId>> {
        let id = ObjectId::from_bytes(*blake3::hash(pixels).as_bytes());
        let [_, encoded] = self.files_of_pixels(id);
        if encoded.exists() {
            return Ok(Some(id));
        }
        if pixels.len() as u64 <= image::MOST_BYTES {
            return self.keep_bytes(pixels, PIXELS[0], held).map(|kept| Some(kept.object));
        }
        #[cfg(feature = "images")]
        {
            let png = encoder::png(pixels)?;
            if png.len() as u64 <= image::MOST_BYTES {
                self.put(&encoded, &png)?;
                return Ok(Some(id));
            }
        }
        Ok(None)
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
        let mut source = File::open(path)?;
        if !source.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut part = self.begin()?;
        if rustix::fs::ioctl_ficlone(&part.file, &source).is_ok() {
            let (id, size) = copied(&mut part.file, &mut io::sink())?;
            return self.finish(part, id, size, "");
        }
        let (id, size) = copied(&mut source, &mut part.file)?;
        self.finish(part, id, size, "")
    }

    /// Keeps what `reader` gives.
    pub(crate) fn keep_reader(&self, reader: &mut dyn Read, _held: &Held) -> io::Result<Kept> {
        let mut part = self.begin()?;
        let (id, size) = copied(reader, &mut part.file)?;
        self.finish(part, id, size, "")
    }

    /// Keeps bytes; `ending` is put behind the name of the object.
    pub(crate) fn keep_bytes(&self, bytes: &[u8], ending: &str, _held: &Held) -> io::Result<Kept> {
        let id = ObjectId::from_bytes(*blake3::hash(bytes).as_bytes());
        let kept = Kept { object: id, size: bytes.len() as u64 };
        if self.is_kept(kept, ending) {
            return Ok(kept);
        }
        let mut part = self.begin()?;
        part.file.write_all(bytes)?;
        self.finish(part, id, kept.size, ending)
    }

    /// Replaces a file in the folder, or makes it, by one with these bytes.
    #[cfg(feature = "images")]
    pub(crate) fn put(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut part = self.begin()?;
        part.file.write_all(bytes)?;
        self.name(part, file)
    }

    fn begin(&self) -> io::Result<Part> {
        let path = self.folder.join(format!(".{}", Uuid::now_v7()));
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        Ok(Part { path, file, is_named: false })
    }

    fn finish(&self, part: Part, id: ObjectId, size: u64, ending: &str) -> io::Result<Kept> {
        let kept = Kept { object: id, size };
        if self.is_kept(kept, ending) {
            return Ok(kept);
        }
        self.name(part, &self.file_of(id, ending))?;
        Ok(kept)
    }

    /// Whether the object is there, whole. One of another length was damaged, by the loss of power say, and is made again.
    fn is_kept(&self, kept: Kept, ending: &str) -> bool {
        self.file_of(kept.object, ending).metadata().is_ok_and(|file| file.len() == kept.size)
    }

    #[expect(clippy::disallowed_methods, reason = "it is synced where it has to survive the loss of power")]
    fn name(&self, mut part: Part, name: &Path) -> io::Result<()> {
        fail::fail_point!("object-written");
        if self.is_power_safe {
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
        if self.is_power_safe {
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
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", Uuid::now_v7()));
    let mut part = Part {
        path: target.with_file_name(&name),
        file: OpenOptions::new().create_new(true).read(true).write(true).open(target.with_file_name(&name))?,
        is_named: false,
    };
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
