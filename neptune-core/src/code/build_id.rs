//! What tells one build of a program from another: the build id that its linker wrote, or the hash of the file.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// The most bytes of notes that are looked at. A build id is 20 bytes, and stands in the first few hundred.
const MOST_NOTES: u64 = 1 << 16;

/// `gnu:HEX` or `blake3:HEX`. Reads the whole file where there is no build id; `is_over` is asked now and then.
pub(super) fn of(executable: &Path, is_over: &dyn Fn() -> bool) -> io::Result<Option<String>> {
    let mut file = File::open(executable)?;
    if let Some(id) = linked(&mut file)? {
        return Ok(Some(id.iter().fold("gnu:".to_owned(), |digits, byte| format!("{digits}{byte:02x}"))));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        if is_over() {
            return Ok(None);
        }
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some(format!("blake3:{}", hasher.finalize().to_hex()))),
            Ok(read) => drop(hasher.update(piece.get(..read).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The build id in an ELF file of 64 bits, least byte first.
fn linked(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    const PROGRAM_HEADER: usize = 56;
    let mut header = [0; 64];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    let (Some(offset), Some(size), Some(count)) = (u64_at(&header, 32), u16_at(&header, 54), u16_at(&header, 56))
    else {
        return Ok(None);
    };
    if usize::from(size) != PROGRAM_HEADER {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut headers = Vec::new();
    file.take(u64::from(count) * PROGRAM_HEADER as u64).read_to_end(&mut headers)?;
    for header in headers.chunks_exact(PROGRAM_HEADER) {
        const NOTES: u32 = 4;
        let (Some(kind), Some(offset), Some(size)) = (u32_at(header, 0), u64_at(header, 8), u64_at(header, 32)) else {
            continue;
        };
        if kind == NOTES {
            file.seek(SeekFrom::Start(offset))?;
            let mut notes = Vec::new();
            file.take(size.min(MOST_NOTES)).read_to_end(&mut notes)?;
            if let Some(id) = build_id_in(&notes) {
                return Ok(Some(id.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The build id among notes: each is the length of its name, of its content and its kind, then both, filled up to 4 bytes.
fn build_id_in(mut notes: &[u8]) -> Option<&[u8]> {
    const BUILD_ID: u32 = 3;
    loop {
        let name_length = usize::try_from(u32_at(notes, 0)?).ok()?;
        let length = usize::try_from(u32_at(notes, 4)?).ok()?;
        let kind = u32_at(notes, 8)?;
        let name = notes.get(12..12_usize.checked_add(name_length)?)?;
        let start = 12_usize.checked_add(name_length.checked_next_multiple_of(4)?)?;
        let content = notes.get(start..start.checked_add(length)?)?;
        if kind == BUILD_ID && name == b"GNU\0" && !content.is_empty() {
            return Some(content);
        }
        notes = notes.get(start.checked_add(length.checked_next_multiple_of(4)?)?..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [name.len(), content.len()] {
            note.extend(u32::try_from(number).unwrap().to_le_bytes());
        }
        note.extend(kind.to_le_bytes());
        for part in [name, content] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let notes = [note(b"stapsdt\0", 3, b"xyz"), note(b"GNU\0", 1, b"0123"), note(b"GNU\0", 3, b"abcde")].concat();
        assert_eq!(build_id_in(&notes), Some(&b"abcde"[..]));
        assert_eq!(build_id_in(&notes[..notes.len() - 8]), None, "the end is missing");
        assert_eq!(build_id_in(&[0xff; 64]), None, "lengths that lead nowhere");
    }

    #[test]
    fn a_file_without_a_build_id_is_told_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        for content in
            [&b""[..], b"#!/bin/sh", b"\x7fELF\x02\x01", &[b"\x7fELF\x02\x01".as_slice(), &[0xff; 100]].concat()]
        {
            std::fs::write(&file, content).unwrap();
            let wanted = format!("blake3:{}", blake3::hash(content).to_hex());
            assert_eq!(of(&file, &|| false).unwrap(), Some(wanted));
        }
        assert_eq!(of(&file, &|| true).unwrap(), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_has_a_build_id_of_one_kind_or_the_other() {
        let id = of(&std::env::current_exe().unwrap(), &|| false).unwrap().unwrap();
        assert!(id.starts_with("gnu:") || id.starts_with("blake3:"), "{id}");
    }
}
