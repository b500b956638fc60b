//! [`Store`]: one open store, for one thread.
//!
//! Opening never changes what is stored, except that it brings the schema up to date.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::{
    apply::{self, Interned},
    error::{Error, ErrorKind, Result},
    migrate,
};

/// The file of a store in its folder.
const FILE: &str = "store.db";

/// How long a writer waits for its turn. Other writers hold the file for some hundred milliseconds at most, so this is
/// only reached when something is badly wrong.
const BUSY: Duration = Duration::from_secs(30);

/// How often, and how soon after one another, the mode of the log is set while others make the store as well.
const TRIES: u32 = 1_000;
const SOON: Duration = Duration::from_millis(5);

/// How a store is opened.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Make what was applied survive the loss of power, not only the death of the process. Slower.
    pub power_safe: bool,
}

impl StoreOptions {
    /// Sets [`StoreOptions::power_safe`].
    #[must_use]
    pub const fn power_safe(mut self, yes: bool) -> Self {
        self.power_safe = yes;
        self
    }
}

/// An open store. One thread uses it at a time; open it again for another thread or process.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) interned: Interned,
    folder: PathBuf,
    writable: bool,
    opened: Opened,
}

/// What was opened.
#[derive(Debug, Default)]
struct Opened {
    file: Option<FileId>,
    version: i64,
    /// SQLite was told that the file never changes.
    is_frozen: bool,
}

/// Another one when another file is at a path; of a file that SQLite does not look at again, also when it was written.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
    written: Option<(i64, i64, u64)>,
}

impl Opened {
    fn new(folder: &Path, connection: &Connection, is_frozen: bool) -> Result<Self> {
        Ok(Self { file: file_id(folder, is_frozen), version: migrate::version(connection)?, is_frozen })
    }
}

impl Store {
    /// Opens the store in `folder` for reading and writing, and makes it when there is none.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be made or written, `TooNew` when a newer version wrote the store, `Corrupt`
    /// when its file is damaged.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("cannot make the folder {}", folder.display())).because(error)
        })?;
        let file = folder.join(FILE);
        let open = || -> Result<Connection> {
            let mut connection = Connection::open(&file)?;
            connection.busy_timeout(BUSY)?;
            // On a network file system the shared memory of a write-ahead log does not work across machines.
            let mode = if is_on_network(folder) { "TRUNCATE" } else { "WAL" };
            set_journal_mode(&connection, mode)?;
            let synchronous = if options.power_safe { "FULL" } else { "NORMAL" };
            connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}; PRAGMA temp_store = MEMORY;"))?;
            connection.set_prepared_statement_cache_capacity(64);
            migrate::migrate(&mut connection)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| name_the_file(error, &file))?;
        let opened = Opened::new(folder, &connection, false)?;
        Ok(Self { connection, interned: Interned::default(), folder: folder.to_owned(), writable: true, opened })
    }

    /// Opens the store in `folder`, which must exist. Where the folder cannot be written the store is opened for reading.
    ///
    /// # Errors
    /// `NotFound` when there is no store in `folder`; otherwise as [`Store::open`].
    pub fn open_existing(folder: &Path, options: StoreOptions) -> Result<Self> {
        let file = existing(folder)?;
        if is_writable(&file) && is_writable(folder) {
            return Self::open(folder, options);
        }
        Self::open_read_only(folder, &file).map_err(|error| name_the_file(error, &file))
    }

    /// Opens the store in `folder` for reading, also where it could be written. It is not brought up to date: what a version
    /// before this one did not have yet is empty.
    ///
    /// # Errors
    /// As [`Store::open_existing`]; `NotFound` also when the store is empty, because no program has finished making it;
    /// `Unavailable` where a program was killed and its last changes lie in a log that cannot be read without the right to write.
    pub fn open_for_reading(folder: &Path) -> Result<Self> {
        let file = existing(folder)?;
        Self::open_read_only(folder, &file).map_err(|error| name_the_file(error, &file))
    }

    /// Opens a store in memory, gone when it is dropped: for a look at journals that were never drained.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        migrate::migrate(&mut connection)?;
        let opened = Opened::default();
        Ok(Self { connection, interned: Interned::default(), folder: PathBuf::new(), writable: true, opened })
    }

    fn open_read_only(folder: &Path, file: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |parameters: &str| -> Result<Connection> {
            let connection = Connection::open_with_flags(uri(file, parameters), flags)?;
            connection.busy_timeout(BUSY)?;
            let version = migrate::version(&connection)?;
            migrate::refuse_newer(version)?;
            if version == 0 {
                let message = "there is nothing in the store yet: no program has finished making it; log an experiment there first";
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            migrate::stand_in(&connection, version)?;
            Ok(connection)
        };
        // Without the right to make the files of a write-ahead log, SQLite reads only what it is told never changes. It then
        // looks at no log, so there must not be one.
        let (connection, is_frozen) = match open("mode=ro") {
            Ok(connection) => (connection, false),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                refuse_log(file)?;
                (open("immutable=1")?, true)
            }
            Err(error) => return Err(error),
        };
        let opened = Opened::new(folder, &connection, is_frozen)?;
        Ok(Self { connection, interned: Interned::default(), folder: folder.to_owned(), writable: false, opened })
    }

    /// Whether this store still shows what is in its folder. Not once its file was deleted or made anew, another version of
    /// neptune changed its schema, or it was written where SQLite cannot see that; then it must be opened again.
    pub fn is_current(&self) -> bool {
        let Opened { file, version, is_frozen } = &self.opened;
        self.folder.as_os_str().is_empty()
            || (file.is_some()
                && *file == file_id(&self.folder, *is_frozen)
                && migrate::version(&self.connection).is_ok_and(|now| now == *version))
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether this store can be written.
    pub const fn is_writable(&self) -> bool {
        self.writable
    }

    /// A number that is another one once somebody else has written to the store since it was last asked for, and is otherwise
    /// the same. It says nothing about what this store itself wrote.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn data_version(&self) -> Result<i64> {
        Ok(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Looks through the whole file for damage.
    ///
    /// # Errors
    /// When the file cannot be read. Damage is not an error here: it is the answer, a line for each place.
    pub fn check(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let mut lines =
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        lines.retain(|line| line != "ok");
        Ok(lines)
    }

    /// Compresses the recent points of every series that no writer is at any more; returns of how many. Each experiment is
    /// a transaction of its own, so writers get their turns. `progress` is told how many experiments are done, of how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn seal_all(&mut self, mut progress: impl FnMut(u64, u64)) -> Result<u64> {
        let experiments = self
            .connection
            .prepare(
                "SELECT DISTINCT experiment_id FROM chunk WHERE sealed = 0 AND experiment_id > 0 AND experiment_id NOT IN
                 (SELECT experiment_id FROM writer WHERE closed_us IS NULL) ORDER BY experiment_id",
            )?
            .query_map([], |row| row.get::<_, i64>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut sealed = 0;
        for (done, experiment_id) in (1..).zip(&experiments) {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            sealed += apply::seal_some_tails(&transaction, *experiment_id, usize::MAX)? as u64;
            transaction.commit()?;
            progress(done, experiments.len() as u64);
        }
        Ok(sealed)
    }

    /// Gives room that is no longer used back to the disk; returns the bytes that the file shrank by.
    ///
    /// # Errors
    /// When the disk has no room for the copy that this makes, or another process writes.
    pub fn vacuum(&mut self) -> Result<u64> {
        let size = |folder: &Path| fs::metadata(folder.join(FILE)).map_or(0, |file| file.len());
        let before = size(&self.folder);
        self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(before.saturating_sub(size(&self.folder)))
    }
}

/// The file of the store in `folder`, which must exist.
fn existing(folder: &Path) -> Result<PathBuf> {
    let file = folder.join(FILE);
    match file.try_exists() {
        Ok(true) => Ok(file),
        Ok(false) => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "there is no neptune store in {}; log an experiment there first, or name another folder with --dir or \
                 NEPTUNE_DIR",
                folder.display()
            ),
        )),
        Err(error) => {
            Err(Error::new(ErrorKind::Unavailable, format!("cannot look into {}", folder.display())).because(error))
        }
    }
}

/// Refuses a store whose last changes lie in a log beside it: a program that was killed left them there.
fn refuse_log(file: &Path) -> Result<()> {
    for ending in ["-wal", "-journal"] {
        let mut log = file.as_os_str().to_owned();
        log.push(ending);
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let log = Path::new(&log).display();
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the last changes lie in {log} and cannot be read in a folder that nobody may write to; copy the whole \
                     folder to where you may write, and read it there"
                ),
            ));
        }
    }
    Ok(())
}

fn file_id(folder: &Path, is_frozen: bool) -> Option<FileId> {
    let found = fs::metadata(folder.join(FILE)).ok()?;
    let written = is_frozen.then(|| (found.mtime(), found.mtime_nsec(), found.len()));
    Some(FileId { device: found.dev(), number: found.ino(), written })
}

fn name_the_file(error: Error, file: &Path) -> Error {
    Error::new(error.kind(), file.display().to_string()).because(error)
}

/// A `file:` address for SQLite, with the characters that mean something in one escaped.
fn uri(file: &Path, parameters: &str) -> String {
    let mut uri = String::from("file:");
    for character in file.to_string_lossy().chars() {
        match character {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            _ => uri.push(character),
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}

fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Whether `folder` is on NFS, SMB or another file system of the network.
#[cfg(target_os = "linux")]
pub(crate) fn is_on_network(folder: &Path) -> bool {
    // From statfs(2): NFS, SMB, CIFS, SMB2, AFS, Ceph, Lustre, GPFS, 9p.
    const NETWORK: [u32; 9] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0bd0_0bd0, 0x4750_4653, 0x0102_1997];
    let found: io::Result<_> = rustix::fs::statfs(folder).map_err(io::Error::from);
    // The type is a 32-bit number; some platforms widen it with its sign.
    found.is_ok_and(|found| u32::try_from(found.f_type & 0xffff_ffff).is_ok_and(|kind| NETWORK.contains(&kind)))
}

/// Not known on this platform; treated as a local disk.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_on_network(_folder: &Path) -> bool {
    false
}

/// Sets how SQLite keeps its log. A new file takes its first mode from one program: of several that find it without one, and so
/// wait for each other, SQLite refuses all but one at once, whatever the time that they are willing to wait.
fn set_journal_mode(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    let set = || connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(()));
    for _ in 0..TRIES {
        match set() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => thread::park_timeout(SOON),
            outcome => return outcome,
        }
    }
    set()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_made_once_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path(), StoreOptions::default()).unwrap();
        let again = Store::open_existing(folder.path(), StoreOptions::default()).unwrap();
        assert!(again.is_writable());
        assert_eq!(again.check().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn many_programs_make_one_store_at_once() {
        for _ in 0..30 {
            let folder = tempfile::tempdir().unwrap();
            let all = std::sync::Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        all.wait();
                        Store::open(folder.path(), StoreOptions::default()).unwrap();
                    });
                }
            });
        }
    }

    #[test]
    fn a_folder_without_a_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Store::open_existing(folder.path(), StoreOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }

    #[test]
    fn changes_in_a_log_that_cannot_be_read_are_not_left_out_silently() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        store.connection.execute("INSERT INTO path (name) VALUES ('a')", []).unwrap();
        let file = folder.path().join(FILE);
        let log = folder.path().join("store.db-wal");
        assert!(fs::metadata(&log).unwrap().len() > 0);
        let error = refuse_log(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("store.db-wal") && error.to_string().contains("copy"), "{error}");
        drop(store);
        assert!(!log.exists(), "who closes it last leaves no log");
        refuse_log(&file).unwrap();
        fs::write(folder.path().join("store.db-journal"), [1]).unwrap();
        assert!(refuse_log(&file).is_err());
    }

    #[test]
    fn a_store_knows_when_it_is_no_longer_the_one_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Store::open(folder.path(), StoreOptions::default()).unwrap();
        let store = Store::open_for_reading(folder.path()).unwrap();
        assert!(store.is_current() && writer.is_current() && Store::in_memory().unwrap().is_current());
        writer.connection.execute("INSERT INTO neptune_schema (version) VALUES (99)", []).unwrap();
        assert!(!store.is_current());
        writer.connection.execute("DELETE FROM neptune_schema WHERE version = 99", []).unwrap();
        assert!(store.is_current());
        // As `rm -r` while a server reads.
        fs::write(folder.path().join("new"), fs::read(folder.path().join(FILE)).unwrap()).unwrap();
        fs::remove_file(folder.path().join(FILE)).unwrap();
        assert!(!store.is_current());
        fs::copy(folder.path().join("new"), folder.path().join(FILE)).unwrap();
        assert!(!store.is_current());
        assert!(Store::open_for_reading(folder.path()).unwrap().is_current());
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), StoreOptions::default()).unwrap();
        store.connection.execute("INSERT INTO neptune_schema (version) VALUES (99)", []).unwrap();
        drop(store);
        let error = Store::open(folder.path(), StoreOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooNew);
        assert!(error.to_string().contains("99"), "{error}");
    }
}
