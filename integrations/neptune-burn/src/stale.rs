//! burn's files of epochs that are still to come: another training left them, and burn would read them as this one's.

use std::{fs, io, path::Path};

/// Removes burn's files of metrics of the epochs behind `epoch`, in the directory of a training.
pub(crate) fn remove_epochs_behind(epoch: usize, directory: &Path) -> io::Result<()> {
    for split in ["train", "valid"] {
        let entries = match fs::read_dir(directory.join(split)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let is_behind = entry.file_name().to_str().and_then(epoch_of).is_some_and(|found| found > epoch);
            // Of a link, only the link would go; it is none of burn's.
            if is_behind && entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
    }
    Ok(())
}

/// The epoch whose folder burn calls `name`.
fn epoch_of(name: &str) -> Option<usize> {
    let epoch = name.strip_prefix("epoch-")?.parse().ok()?;
    (format!("epoch-{epoch}") == name).then_some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folders_of_later_epochs_go() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["train/epoch-2", "train/epoch-3", "valid/epoch-10", "train/epoch-03", "train/epoch-3-notes", "epoch-3"]
        {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("Loss.log"), "1").unwrap();
        }
        fs::write(folder.path().join("valid/epoch-4"), "a file").unwrap();
        remove_epochs_behind(2, folder.path()).unwrap();
        for (name, stays) in [
            ("train/epoch-2", true),
            ("train/epoch-3", false),
            ("valid/epoch-10", false),
            ("train/epoch-03", true),
            ("train/epoch-3-notes", true),
            ("epoch-3", true),
            ("valid/epoch-4", true),
        ] {
            assert_eq!(folder.path().join(name).exists(), stays, "{name}");
        }
        remove_epochs_behind(0, &folder.path().join("nothing is here")).unwrap();
    }
}
