//! The content of objects, read and compared with what was logged: `neptune doctor --objects`.

use std::{collections::HashSet, path::Path};

use neptune_core::download;
use neptune_store::{
    Store,
    objects::{PIXELS, file_of},
};
use serde::Serialize;

use super::missing::Missing;
use crate::{
    failure::Failure,
    number,
    progress::Progress,
    screen::{BOLD, GOOD, Screen, painted},
};

/// What reading the content of objects found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Content {
    /// How many objects were read.
    read: u64,
    /// Bytes of those.
    bytes: u64,
    /// Images that were encoded since they were logged: what they must be is not known any more.
    encoded: u64,
    /// Those that are not what was logged, or that cannot be read.
    damaged: Missing,
}

impl Content {
    /// Reads every object that a variable needs. One that is not there is [`Missing`].
    pub(super) fn of(store: &Store, folder: &Path) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut files = Vec::new();
        // In the order of the folder, and the same each time.
        let mut objects: Vec<_> = store.objects_in_use()?.into_iter().collect();
        objects.sort_unstable();
        for object in objects {
            let file = file_of(folder, object);
            let [raw, encoded] = PIXELS.map(|ending| file.with_extension(ending.trim_start_matches('.')));
            match [&file, &raw].into_iter().find_map(|file| Some((file.clone(), file.metadata().ok()?.len()))) {
                Some((file, size)) => files.push((object, file, size)),
                None => found.encoded += u64::from(encoded.exists()),
            }
        }
        let mut bar = Progress::bytes("reading");
        bar.expect_bytes(files.iter().fold(0, |sum: u64, (.., size)| sum.saturating_add(*size)));
        let mut damaged = HashSet::new();
        for (object, file, size) in files {
            // An image may be encoded, and anything be deleted, while this goes on.
            let whole = download::is_whole(&file, object, &mut |bytes| bar.bytes_done(bytes));
            if !matches!(whole, Ok(true)) && file.exists() {
                damaged.insert(object);
            }
            found.read += 1;
            found.bytes = found.bytes.saturating_add(size);
        }
        drop(bar);
        found.damaged = Missing::among(store, &damaged)?;
        Ok(found)
    }

    pub(super) const fn is_well(&self) -> bool {
        self.damaged.is_empty()
    }

    pub(super) fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        let objects = number::counted(self.read, "object", "objects");
        let read = format!("{objects} read, {}", number::bytes(self.bytes));
        let read = if self.is_well() { painted(GOOD, read) } else { read };
        screen.line(format_args!("{}     {read}", painted(BOLD, "content")))?;
        self.damaged.print(screen, "damaged")
    }
}
