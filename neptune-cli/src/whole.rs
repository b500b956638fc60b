//! Files that appear under their names only when they are whole: until then they have the ending `.part`.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Makes `file` of what `write` writes. When that fails, whatever had this name before is still there.
pub(crate) fn write<T>(file: &Path, write: impl FnOnce(File) -> Result<T, Failure>) -> Result<T, Failure> {
    // A device or a pipe must stay what it is.
    let is_special = file.metadata().is_ok_and(|found| !found.is_file());
    let part = if is_special { file.to_owned() } else { part_of(file) };
    let out = File::create(&part).map_err(|error| Failure::file("write", &part, &error))?;
    let finished = write(out).and_then(|written| {
        if !is_special {
            #[expect(clippy::disallowed_methods, reason = "it is written again, so it need not survive a power loss")]
            std::fs::rename(&part, file).map_err(|error| Failure::file("write", file, &error))?;
        }
        Ok(written)
    });
    if finished.is_err() && !is_special {
        // What cannot be removed is in the way of nothing: the next one writes over it.
        drop(std::fs::remove_file(&part));
    }
    finished
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_beside_its_file() {
        assert_eq!(part_of(Path::new("out/a.csv")), Path::new("out/a.csv.part"));
    }
}
