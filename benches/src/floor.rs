//! The floor of a logging call: a 32-byte store into a mapped file, and the cheapest sound clock.

#![expect(unsafe_code, reason = "the floor is what a mapping and the processor's counter cost by themselves")]

use std::{
    fs::OpenOptions,
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use memmap2::MmapMut;

/// Mapped, present memory that records of 32 bytes are stored into, round and round.
#[derive(Debug)]
pub struct Floor {
    mapping: MmapMut,
    at: usize,
}

impl Floor {
    /// Bytes of the mapping; far more than the caches hold.
    const BYTES: usize = 64 << 20;

    /// Maps a file in `folder`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join("floor");
        std::fs::write(&path, vec![1; Self::BYTES])?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // SAFETY: the file is ours alone for as long as the mapping lives.
        let mut mapping = unsafe { MmapMut::map_mut(&file)? };
        mapping.fill(0);
        Ok(Self { mapping, at: 0 })
    }

    /// One store with one look at the clock.
    #[inline]
    pub fn store(&mut self, value: f64) {
        let at = self.at;
        self.at = (at + 32) % Self::BYTES;
        let words = [1_u64, tick(), 3, value.to_bits()];
        for (number, word) in words.into_iter().enumerate() {
            self.mapping[at + number * 8..][..8].copy_from_slice(&word.to_le_bytes());
        }
        std::hint::black_box(&self.mapping[at]);
    }
}

/// One atomic addition, on a cache line of its own: the least that sharing out room between threads takes.
#[repr(align(128))]
#[derive(Debug, Default)]
pub struct Addition(AtomicU64);

impl Addition {
    /// Adds once.
    #[inline]
    pub fn add(&self) {
        std::hint::black_box(self.0.fetch_add(32, Ordering::AcqRel));
    }
}

/// The processor's counter, for timing single calls too.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn tick() -> u64 {
    // SAFETY: every x86_64 processor has the instruction, and it touches no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Nanoseconds, where there is no such counter.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn tick() -> u64 {
    use std::sync::OnceLock;
    static BEGAN: OnceLock<std::time::Instant> = OnceLock::new();
    BEGAN.get_or_init(crate::now).elapsed().as_nanos() as u64
}

/// Nanoseconds a tick.
pub fn nanos_per_tick() -> f64 {
    let (began, first) = (crate::now(), tick());
    crate::pause(std::time::Duration::from_millis(50));
    let ticks = tick() - first;
    began.elapsed().as_nanos() as f64 / ticks as f64
}
