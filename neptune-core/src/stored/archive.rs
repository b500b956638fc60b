//! Files of an experiment as one ZIP archive, written as a stream: memory does not grow with their size.
//!
//! Each file is read once. Its length and checksums follow it, and the list of all stands at the end, so nothing is written
//! twice. The form for large archives (ZIP64) is used where it is needed.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use flate2::{Compression, write::DeflateEncoder};
use neptune_format::ObjectId;
use rawzip::{CompressionMethod, ZipArchiveWriter, time::UtcDateTime};

use super::{
    StoredExperiment,
    files::{Artifact, Tree, last_name, trimmed},
};
use crate::{
    download,
    error::{Error, ErrorKind, Result},
    objects::copied,
};

/// The fastest that the format has: the disk is to be the limit.
const LEVEL: Compression = Compression::fast();

/// Bytes at the beginning of a file that are compressed to see whether it is worth it.
const PROBE: usize = 1 << 16;

impl StoredExperiment {
    /// Writes the artifacts at and below `path` as a ZIP archive into `destination_dir`, and returns where it is: the file or the
    /// folder with `.zip` behind its name, for everything (`""`) `artifacts.zip`. A folder is in the archive under its name.
    /// `destination_dir` and what has the name already are treated as by [`StoredExperiment::download_artifact`].
    ///
    /// The archive is written as a stream, of any length. Text is compressed (deflate), what is compressed already is not.
    /// `\` and `:` in names become `_`, because they mean something else elsewhere. Permissions were not kept: a file may be
    /// read by all and written by its owner.
    ///
    /// # Errors
    /// As [`StoredExperiment::download_artifact`]. Nothing is written when one of the files is missing or damaged.
    pub fn download_artifacts(&self, path: &str, destination_dir: Option<&Path>) -> Result<PathBuf> {
        self.download_zip(Tree::Artifacts, path, destination_dir)
    }

    /// As [`StoredExperiment::download_artifacts`], of the sources; those of everything are `sources.zip`.
    ///
    /// # Errors
    /// As [`StoredExperiment::download_artifacts`].
    pub fn download_sources(&self, path: &str, destination_dir: Option<&Path>) -> Result<PathBuf> {
        self.download_zip(Tree::Sources, path, destination_dir)
    }

    /// Writes the archive of [`StoredExperiment::download_artifacts`] to `to`, which it need not be able to seek in. Returns
    /// its length.
    ///
    /// # Errors
    /// `FileNotFound` when nothing is at `path`, before anything is written. `FileNotFound`, `Corrupt` and `Unavailable` when the
    /// content of a file is missing, damaged, or cannot be read or written: what `to` has then is not an archive.
    pub fn write_artifacts_zip(&self, path: &str, to: &mut impl Write) -> Result<u64> {
        self.write_zip(Tree::Artifacts, path, to)
    }

    /// As [`StoredExperiment::write_artifacts_zip`], of the sources.
    ///
    /// # Errors
    /// As [`StoredExperiment::write_artifacts_zip`].
    pub fn write_sources_zip(&self, path: &str, to: &mut impl Write) -> Result<u64> {
        self.write_zip(Tree::Sources, path, to)
    }

    fn download_zip(&self, tree: Tree, path: &str, destination_dir: Option<&Path>) -> Result<PathBuf> {
        let files = self.files(tree, path)?;
        let folder = download::folder(destination_dir)?;
        let name = match trimmed(path) {
            "" => tree.name(),
            path => last_name(path),
        };
        let target = download::within(&folder, &format!("{name}.zip"))?;
        download::whole(&target, |file| self.write_files(tree, path, &files, file))?;
        Ok(target)
    }

    fn write_zip(&self, tree: Tree, path: &str, to: &mut impl Write) -> Result<u64> {
        let files = self.files(tree, path)?;
        self.write_files(tree, path, &files, to)
    }

    fn write_files(&self, tree: Tree, path: &str, files: &[Artifact], to: impl Write) -> Result<u64> {
        // All names before the first byte.
        let names = names(files, trimmed(path))?;
        let to = Counted { to: BufWriter::with_capacity(PROBE, to), count: 0 };
        let mut archive = Archive { writer: ZipArchiveWriter::new(to) };
        for (file, name) in files.iter().zip(&names) {
            archive.add(&self.what(tree, file), name, file.digest, &self.content_of(file))?;
        }
        archive.finish()
    }
}

struct Archive<W: Write> {
    writer: ZipArchiveWriter<Counted<W>>,
}

impl<W: Write> Archive<W> {
    /// Adds the content in the file `source`.
    fn add(&mut self, what: &str, name: &str, object: ObjectId, source: &Path) -> Result<()> {
        let mut from = download::open(what, source)?;
        let mut beginning = Vec::with_capacity(PROBE);
        (&mut from)
            .take(PROBE as u64)
            .read_to_end(&mut beginning)
            .map_err(|error| download::cannot_read(what, error))?;
        let method = method(&beginning).map_err(|error| download::cannot_read(what, error))?;
        let mut new = self.writer.new_file(name).compression_method(method).unix_permissions(0o100_644);
        if let Some(time) = modified(&from) {
            new = new.last_modified(time);
        }
        let (mut entry, config) = new.start().map_err(cannot_pack)?;
        let mut content = beginning.as_slice().chain(&mut from);
        let (found, descriptor) = if method == CompressionMethod::DEFLATE {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, LEVEL));
            let (found, _) = copied(&mut content, &mut writer, &mut |_| ()).map_err(|error| not_packed(what, error))?;
            let (encoder, descriptor) = writer.finish().map_err(cannot_pack)?;
            encoder.finish().map_err(|error| not_packed(what, error))?;
            (found, descriptor)
        } else {
            let mut writer = config.wrap(&mut entry);
            let (found, _) = copied(&mut content, &mut writer, &mut |_| ()).map_err(|error| not_packed(what, error))?;
            (found, writer.finish().map_err(cannot_pack)?.1)
        };
        entry.finish(descriptor).map_err(cannot_pack)?;
        if found == object { Ok(()) } else { Err(download::not_what_was_logged(what)) }
    }

    fn finish(self) -> Result<u64> {
        let mut to = self.writer.finish().map_err(cannot_pack)?;
        to.flush().map_err(|error| cannot_pack(error.into()))?;
        Ok(to.count)
    }
}

/// How to pack what begins like this: compressed, unless that wins less than a tenth, as of images and weights.
fn method(beginning: &[u8]) -> io::Result<CompressionMethod> {
    let mut packed = DeflateEncoder::new(Vec::with_capacity(PROBE), LEVEL);
    packed.write_all(beginning)?;
    let is_smaller = packed.finish()?.len() < beginning.len() / 10 * 9;
    Ok(if is_smaller { CompressionMethod::DEFLATE } else { CompressionMethod::STORE })
}

/// When its content was first kept.
fn modified(file: &File) -> Option<UtcDateTime> {
    let since = file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(UtcDateTime::from_unix(i64::try_from(since.as_secs()).ok()?))
}

/// What files are called in an archive of the folder, or the file, at `path`: from its last name on. No two are the same, and
/// none is that of a folder with others in it.
fn names(files: &[Artifact], path: &str) -> Result<Vec<String>> {
    let above = path.len() - last_name(path).len();
    let mut names = Vec::with_capacity(files.len());
    for file in files {
        download::check_name(&file.path)?;
        names.push(file.path.get(above..).unwrap_or(&file.path).replace(['\\', ':'], "_"));
    }
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    for name in &names {
        let folders = name.match_indices('/').filter_map(|(end, _)| name.get(..end));
        for folder in folders {
            if !taken.contains(folder) {
                taken.insert(folder.to_owned());
            }
        }
    }
    // One of so many numbers is free.
    let numbers = 2..=taken.len() + names.len() + 2;
    for name in &mut names {
        if !taken.insert(name.clone()) {
            let mut others = numbers.clone().map(|number| format!("{name} ({number})"));
            let free = others.find(|other| !taken.contains(other));
            *name = free.unwrap_or_default();
            taken.insert(name.clone());
        }
    }
    Ok(names)
}

/// Counts what is written.
struct Counted<W: Write> {
    to: BufWriter<W>,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn not_packed(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot pack {what}")).because(error)
}

fn cannot_pack(error: rawzip::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "cannot write the archive").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str], path: &str) -> Vec<String> {
        let artifact =
            |path: &&str| Artifact { path: (*path).to_owned(), size: 0, digest: ObjectId::from_bytes([0; 32]) };
        names(&paths.iter().map(artifact).collect::<Vec<_>>(), path).unwrap()
    }

    #[test]
    fn a_folder_is_in_the_archive_under_its_name_and_no_two_files_are() {
        assert_eq!(named(&["data/a/1", "data/a/b/2"], "data/a"), ["a/1", "a/b/2"]);
        assert_eq!(named(&["data/a"], "data/a"), ["a"]);
        assert_eq!(named(&["data/a", "data/b"], ""), ["data/a", "data/b"]);
        assert_eq!(named(&["a", "a/b", "a (2)"], ""), ["a (2)", "a/b", "a (2) (2)"]);
        assert_eq!(named(&["c:\\x", "c__x"], ""), ["c__x", "c__x (2)"]);
    }

    #[test]
    fn what_is_compressed_already_is_stored() {
        let noise: Vec<u8> =
            (0..1_u32 << 14).flat_map(|i| blake3::hash(&i.to_le_bytes()).as_bytes()[..4].to_vec()).collect();
        assert_eq!(method(&noise).unwrap(), CompressionMethod::STORE);
        assert_eq!(method(&b"neptune ".repeat(100)).unwrap(), CompressionMethod::DEFLATE);
        assert_eq!(method(b"").unwrap(), CompressionMethod::STORE);
    }
}
