//! Mapped memory of a segment: the only unsafe code of the journal.
//!
//! Invariant: a word of a mapping is written by whoever reserved it and by nobody else, and a mapping is dropped only when
//! everything that was reserved in it is published.

#![expect(unsafe_code, reason = "a segment is written through a shared mapping")]
#![expect(clippy::cast_ptr_alignment, reason = "mappings begin at a page and offsets are multiples of 8")]

use std::{
    fs::File,
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use memmap2::{Advice, MmapOptions, MmapRaw};
use neptune_format::frame::{self, kind};

/// A segment in memory.
#[derive(Debug)]
pub(super) enum Mapping {
    /// A shared mapping of a file, or memory that stands for one.
    File(MmapRaw),
    /// Plain memory, so that the ring can be tested where files cannot be mapped.
    #[cfg(test)]
    Memory(Box<[AtomicU64]>),
}

impl Mapping {
    /// Maps the first `length` bytes of `file`, with every page present and writable, so that storing into it does not
    /// fault. The file must be at least that long, with its blocks allocated: a store into a hole of a full disk kills.
    pub(super) fn of(file: &File, length: usize) -> io::Result<Self> {
        let raw = MmapOptions::new().len(length).map_raw(file)?;
        #[cfg(target_os = "linux")]
        if raw.advise(Advice::PopulateWrite).is_err() {
            // Kernels before 5.14 do not know the advice; the pages are then touched one by one.
            Self::touch(&raw, length);
        }
        #[cfg(not(target_os = "linux"))]
        Self::touch(&raw, length);
        Ok(Self::File(raw))
    }

    /// Memory that is no file, gone with the process.
    pub(super) fn anonymous(length: usize) -> io::Result<Self> {
        Ok(Self::File(MmapOptions::new().len(length).map_anon()?.into()))
    }

    fn touch(raw: &MmapRaw, length: usize) {
        const PAGE: usize = 4096;
        for at in (0..length).step_by(PAGE) {
            // SAFETY: `at` lies in the mapping, is a multiple of 8, and nobody else knows the mapping yet. The word is
            // written back as it was read.
            unsafe {
                let word = raw.as_mut_ptr().add(at).cast::<u64>();
                word.write_volatile(word.read_volatile());
            }
        }
    }

    pub(super) fn base(&self) -> *mut u8 {
        match self {
            Self::File(raw) => raw.as_mut_ptr(),
            #[cfg(test)]
            Self::Memory(words) => words.as_ptr().cast_mut().cast(),
        }
    }

    pub(super) fn length(&self) -> u64 {
        match self {
            Self::File(raw) => raw.len() as u64,
            #[cfg(test)]
            Self::Memory(words) => words.len() as u64 * 8,
        }
    }

    /// The header word at `offset`: zero until the frame there is published.
    pub(super) fn header_at(&self, offset: u64) -> u64 {
        assert!(
            offset.is_multiple_of(frame::HEADER) && offset + frame::HEADER <= self.length(),
            "a header lies inside"
        );
        let Ok(offset) = usize::try_from(offset) else { return 0 };
        // SAFETY: the offset was checked to be aligned and inside; header words are only ever accessed atomically.
        unsafe { AtomicU64::from_ptr(self.base().add(offset).cast()).load(Ordering::Acquire) }
    }
}

impl Mapping {
    /// The counter at `index`, for a mapping that is a table of counters and never a segment.
    pub(super) fn counter(&self, index: usize) -> &AtomicU64 {
        assert!((index as u64 + 1) * 8 <= self.length(), "a counter lies inside");
        // SAFETY: the index was checked to be inside, a mapping is aligned to a page, it lives as long as the reference,
        // and the words of such a mapping are only ever accessed as atomics.
        unsafe { AtomicU64::from_ptr(self.base().cast::<u64>().add(index)) }
    }
}

/// Room for frames in a mapped segment, reserved for whoever holds this. All of it is to be published: what is not would hold
/// up whoever reads behind it. See [`Room::filled`].
#[derive(Debug)]
pub(super) struct Room {
    base: *mut u8,
    offset: u64,
    end: u64,
    salt: u64,
}

impl Room {
    /// The room between `offset` and `end` of the mapping at `base`.
    ///
    /// # Safety
    /// The mapping must be at least `end` bytes long, `base` and `offset` multiples of 8. The bytes must be zero, be
    /// reserved for the caller alone, and stay mapped until a frame is published at every part of them.
    #[inline]
    pub(super) const unsafe fn new(base: *mut u8, offset: u64, end: u64, salt: u64) -> Self {
        Self { base, offset, end, salt }
    }

    /// Writes a frame at the beginning of what is left, and publishes it.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        self.put_bytes(kind, body);
    }

    /// As [`Room::put`], for a body whose length is known only now.
    #[inline]
    pub(super) fn put_bytes(&mut self, kind: u8, body: &[u8]) {
        let length = frame::frame_length(body.len());
        debug_assert!(self.offset + length <= self.end, "more was put than reserved");
        if self.offset + length > self.end {
            return;
        }
        let header = frame::header(self.salt, self.offset, kind, body);
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a mapping fits the address space")]
        let at = self.offset as usize;
        // SAFETY: by the contract of `new` and the check above, the frame lies in bytes that are reserved for us and
        // mapped. The header is stored last and with release, so whoever sees it sees the body.
        unsafe {
            let frame = self.base.add(at);
            std::ptr::copy_nonoverlapping(body.as_ptr(), frame.add(frame::HEADER_BYTES), body.len());
            AtomicU64::from_ptr(frame.cast()).store(header.to_le(), Ordering::Release);
        }
        self.offset += length;
    }
}

/// Room that is published to its end in any case: what is left when this is dropped becomes an empty frame. For frames that
/// come from somebody else's code, which may panic between them.
#[derive(Debug)]
pub(super) struct Filled(Room);

impl Room {
    pub(super) const fn filled(self) -> Filled {
        Filled(self)
    }
}

impl Filled {
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        self.0.put(kind, body);
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        if self.0.offset < self.0.end {
            let body = vec![0; usize::try_from(self.0.end - self.0.offset - frame::HEADER).unwrap_or(0)];
            self.0.put_bytes(kind::SKIP, &body);
        }
    }
}
