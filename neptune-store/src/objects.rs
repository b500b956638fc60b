//! Objects: where the bytes of files and images lie, and which are still needed.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use neptune_format::{LoggedImage, ObjectId};
use rusqlite::OptionalExtension as _;

use crate::{error::Result, store::Store};

/// The folder of objects in the folder of a store.
pub const FOLDER: &str = "objects";

/// What follows the name of an object that holds pixels, until they are encoded and once they are.
pub const PIXELS: [&str; 2] = [".pam", ".png"];

/// What [`LoggedImage::format`] says of pixels.
pub const FORMAT_OF_PIXELS: &str = "pixels";

/// The file that holds the object `id` of the store in `folder`.
pub fn file_of(folder: &Path, id: ObjectId) -> PathBuf {
    folder.join(FOLDER).join(id.file_name())
}

/// The file that holds the bytes of `image` in the store in `folder`: an image file, of the kind that its first bytes say.
/// `None` when they were not kept or are gone.
pub fn file_of_image(folder: &Path, image: &LoggedImage) -> Option<PathBuf> {
    let file = file_of(folder, image.object?);
    if image.format != FORMAT_OF_PIXELS {
        return file.exists().then_some(file);
    }
    let [raw, encoded] = PIXELS.map(|ending| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    });
    // The encoded file is there before the other is removed, which may be between two looks.
    [encoded.clone(), raw, encoded].into_iter().find(|file| file.exists())
}

impl Store {
    /// Every object that a variable of some experiment needs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn objects_in_use(&self) -> Result<HashSet<ObjectId>> {
        let mut statement = self.connection.prepare_cached("SELECT DISTINCT object FROM object_use")?;
        let objects = statement
            .query_map([], |row| row.get::<_, [u8; 32]>(0).map(ObjectId::from_bytes))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(objects)
    }

    /// Whether a variable of some experiment needs the object.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_object_in_use(&self, object: ObjectId) -> Result<bool> {
        let found = self
            .connection
            .prepare_cached("SELECT 1 FROM object_use WHERE object = $1 LIMIT 1")?
            .query_row([object.as_bytes()], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }
}
