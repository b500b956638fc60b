//! The limit of a folder of objects, and how much it holds, known without looking through it at each call.
//!
//! The folder is looked through once, then what this session keeps and removes is counted. What other processes do is seen at
//! the next look, a minute later at most. So one session never goes above the limit; several together may, by what they kept
//! within that minute.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::clock;

/// How long a look holds. A look at 100,000 objects takes a few tenths of a second.
const HOLDS: Duration = Duration::from_mins(1);

/// Before something is refused the folder is looked through once more, unless that was so little ago.
const JUST_NOW: Duration = Duration::from_secs(1);

/// Whether a call may look through the folder, or leaves that to a thread of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Now,
    /// Until it was looked through for the first time nothing is refused.
    Later,
}

/// The limit of a folder and what it holds.
#[derive(Debug)]
pub(crate) struct Quota {
    folder: PathBuf,
    limit: u64,
    count: Mutex<Count>,
    /// Held by who looks.
    looking: Mutex<()>,
}

#[derive(Debug, Default)]
struct Count {
    /// Bytes in the folder, those that were admitted among them.
    used: u64,
    /// Admitted, and not yet in the folder.
    pending: u64,
    /// What a look that is under way may not see.
    meanwhile: u64,
    looked: Option<Instant>,
}

/// Room that was given to an object, and is taken back unless the object is [kept](Admitted::keep).
#[derive(Debug)]
pub(crate) struct Admitted<'a> {
    quota: &'a Quota,
    size: u64,
    is_kept: bool,
}

/// That an object has no room.
#[derive(Debug)]
pub(crate) struct LimitReached {
    folder: PathBuf,
    used: u64,
    limit: u64,
    /// `None` when it was not read to its end.
    size: Option<u64>,
}

impl Quota {
    pub(crate) fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit, count: Mutex::default(), looking: Mutex::default() }
    }

    /// Gives room to `size` bytes that are not in the folder yet.
    pub(crate) fn admit(self: &Arc<Self>, size: u64, look: Look) -> io::Result<Admitted<'_>> {
        self.look_if_older(HOLDS, look);
        if !self.take(size) {
            self.look_if_older(JUST_NOW, look);
            if !self.take(size) {
                return Err(self.refusal(Some(size)));
            }
        }
        Ok(Admitted { quota: self, size, is_kept: false })
    }

    /// How many more bytes the folder may hold.
    pub(crate) fn room(self: &Arc<Self>) -> u64 {
        self.look_if_older(HOLDS, Look::Now);
        if self.left() == 0 {
            self.look_if_older(JUST_NOW, Look::Now);
        }
        self.left()
    }

    /// Counts what was removed from the folder.
    pub(crate) fn removed(&self, size: u64) {
        let mut count = self.count();
        count.used = count.used.saturating_sub(size);
    }

    /// Counts what was put into the folder whatever the limit is.
    pub(crate) fn added(&self, size: u64) {
        let mut count = self.count();
        count.used = count.used.saturating_add(size);
        count.meanwhile = count.meanwhile.saturating_add(size);
    }

    /// That something of `size` bytes has no room.
    pub(crate) fn refusal(&self, size: Option<u64>) -> io::Error {
        let used = self.count().used;
        let reached = LimitReached { folder: self.folder.clone(), used, limit: self.limit, size };
        io::Error::new(io::ErrorKind::QuotaExceeded, reached)
    }

    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.count().used)
    }

    fn take(&self, size: u64) -> bool {
        let mut count = self.count();
        let used = count.used.saturating_add(size);
        let fits = used <= self.limit;
        if fits {
            count.used = used;
            count.pending = count.pending.saturating_add(size);
            count.meanwhile = count.meanwhile.saturating_add(size);
        }
        fits
    }

    fn look_if_older(self: &Arc<Self>, than: Duration, look: Look) {
        let is_old = |count: &Count| count.looked.is_none_or(|looked| looked.elapsed() >= than);
        if !is_old(&self.count()) {
            return;
        }
        match look {
            Look::Now => {
                let looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
                if is_old(&self.count()) {
                    self.look();
                }
                drop(looking);
            }
            Look::Later if self.looking.try_lock().is_ok() => {
                let quota = Arc::clone(self);
                let look = move || quota.look_if_older(than, Look::Now);
                drop(thread::Builder::new().name("neptune:storage".into()).spawn(look));
            }
            Look::Later => {}
        }
    }

    fn look(&self) {
        {
            let mut count = self.count();
            count.meanwhile = count.pending;
        }
        // A folder that cannot be read is taken for what was known of it; who writes into it is told what is wrong.
        let found = size_of(&self.folder);
        let mut count = self.count();
        count.looked = Some(clock::monotonic());
        if let Ok(found) = found {
            // What came meanwhile may be in both: too much for a minute rather than too little.
            count.used = found.saturating_add(count.meanwhile);
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    /// The object is in the folder now.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let mut count = self.quota.count();
        count.pending = count.pending.saturating_sub(self.size);
        if !self.is_kept {
            count.used = count.used.saturating_sub(self.size);
            count.meanwhile = count.meanwhile.saturating_sub(self.size);
        }
    }
}

impl LimitReached {
    /// Whether this is why something could not be written.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(size) = self.size {
            write!(f, "it has {}, and ", Bytes(size))?;
        }
        let (folder, used, limit) = (self.folder.display(), Bytes(self.used), Bytes(self.limit));
        write!(
            f,
            "{folder} holds {used} of at most {limit}; delete files with `delete_artifacts`, run `neptune gc`, or raise \
             NEPTUNE_STORAGE_LIMIT"
        )
    }
}

impl std::error::Error for LimitReached {}

/// Bytes for people: three digits and a unit, as limits are written.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        match units.into_iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{:.2} {name}", self.0 as f64 / unit as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// The bytes that `text` means, such as `50GB`, `1.5 TiB` or `1000`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|at: char| !at.is_ascii_digit() && at != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no digit is negative, and it is in range"
    )]
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// The bytes of the objects in a folder. What is being made is left out: it is counted by who makes it.
fn size_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for group in listed(folder)? {
        let group = group?;
        if !group.file_type()?.is_dir() {
            continue;
        }
        for object in listed(&group.path())? {
            // One that went away between the two is not there.
            bytes = bytes.saturating_add(object?.metadata().map_or(0, |object| object.len()));
        }
    }
    Ok(bytes)
}

fn listed(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_with_a_unit() {
        for (text, bytes) in [("50GB", 50_000_000_000), ("1.5 TiB", 3 << 39), ("1000", 1000), (" 2 k ", 2000), ("0", 0)]
        {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for wrong in ["", "GB", "-1GB", "5 parsecs", "1e3", "99999999999TB", "1.2.3", "\u{b2}"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn room_is_given_once_and_comes_back_when_it_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("ab")).unwrap();
        fs::write(folder.path().join("ab/object"), [0; 40]).unwrap();
        fs::write(folder.path().join(".being-made"), [0; 400]).unwrap();
        let quota = Arc::new(Quota::new(folder.path().to_owned(), 100));
        assert_eq!(quota.room(), 60);
        quota.admit(50, Look::Now).unwrap().keep();
        let error = quota.admit(11, Look::Now).unwrap_err();
        let message = LimitReached::of(&error).unwrap().to_string();
        assert!(
            message.contains("holds 90 bytes of at most 100 bytes") && message.contains("it has 11 bytes"),
            "{message}"
        );
        drop(quota.admit(10, Look::Now).unwrap());
        quota.removed(50);
        assert_eq!(quota.room(), 60);
    }

    #[test]
    fn a_look_neither_forgets_what_is_being_kept_nor_counts_it_twice_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let quota = Arc::new(Quota::new(folder.path().to_owned(), 100));
        let admitted = quota.admit(30, Look::Now).unwrap();
        quota.look();
        assert_eq!(quota.room(), 70);
        fs::create_dir(folder.path().join("ab")).unwrap();
        fs::write(folder.path().join("ab/object"), [0; 30]).unwrap();
        admitted.keep();
        quota.look();
        assert_eq!(quota.room(), 70);
    }
}
