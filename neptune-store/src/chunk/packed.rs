//! Columns of numbers packed by `pco`, with its choices fixed where that was measured to be as good.
//!
//! What is unpacked has the length that the caller asked for, bit for bit as it was packed. Damaged bytes give `Corrupt` or
//! other numbers, never a panic, and no memory is taken for a length that they claim: the two kinds of packing that would
//! (a dictionary, a window to look back in) are never written and are refused.

use pco::{
    ChunkConfig, DeltaSpec, ModeSpec,
    data_types::Number,
    errors::PcoError,
    metadata::{ChunkMeta, DeltaEncoding},
    wrapped::{FileCompressor, FileDecompressor},
};

use super::cursor::Cursor;
use crate::error::{Error, ErrorKind, Result};

/// How hard `pco` searches for bins: it begins with 2^LEVEL of them.
///
/// Chosen on chunks of 16,384 of 1 million points: a loss curve (an exponential decay with 2 % of noise, in f32) with times
/// 200 us apart and 10 us of jitter. A point costs:
///
/// | level | values           | times            |
/// |-------|------------------|------------------|
/// | 0     | 5 ns, 2.71 bytes | 3 ns, 1.30 bytes |
/// | 2     | 11 ns, 2.64      | 10 ns, 0.92      |
/// | 4     | 15 ns, 2.56      | 11 ns, 0.74      |
/// | 5     | 17 ns, 2.54      | 11 ns, 0.71      |
/// | 6     | 20 ns, 2.53      | 11 ns, 0.70      |
/// | 8     | 44 ns, 2.53      | 12 ns, 0.69      |
const LEVEL: usize = 6;

/// For columns of few different values, where every one of up to 256 gets a bin of its own.
const LEVEL_OF_FEW: usize = 8;

/// What kind of column is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Steps: they ascend, so that differences are always worth it.
    Steps,
    /// Times: they mostly ascend. Letting `pco` choose costs half as much again and finds nothing better.
    Times,
    /// Values: `pco` chooses from a sample, at 5 to 9 ns a point. Whether differences of neighbours are smaller depends on
    /// the noise (2.59 bytes against 2.56 for the loss above, 0.46 against 2.78 for a cosine), and knowing of multiples and
    /// of lost bits makes 1.8 bytes of 6.8 for numbers with four decimals and 0.85 of 1.07 for bf16.
    Values,
}

/// `numbers`, packed; there must be some.
pub(super) fn pack<T: Number>(numbers: &[T], kind: Kind) -> Result<Vec<u8>> {
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    let config = match kind {
        Kind::Steps => config.with_delta_spec(DeltaSpec::TryConsecutive(1)),
        Kind::Times => config.with_delta_spec(DeltaSpec::TryConsecutive(1)).with_mode_spec(ModeSpec::Classic),
        Kind::Values => config,
    };
    match pack_with(numbers, &config)? {
        Some(packed) => Ok(packed),
        // Looking back pays when the same values come again and again, and then a bin for each of them is as good.
        None => pack_with(numbers, &config.with_compression_level(LEVEL_OF_FEW).with_delta_spec(DeltaSpec::NoOp))?
            .ok_or_else(|| Error::new(ErrorKind::Invalid, "pco chose a way of packing that it was not offered")),
    }
}

/// `None` when `pco` chose what [`unpack`] refuses.
fn pack_with<T: Number>(numbers: &[T], config: &ChunkConfig) -> Result<Option<Vec<u8>>> {
    let compressor = FileCompressor::default();
    let failed = |error: PcoError| Error::new(ErrorKind::Invalid, "pco did not pack a column").because(error);
    let mut chunk = compressor.chunk_compressor(numbers, config).map_err(failed)?;
    if !is_accepted(chunk.meta()) {
        return Ok(None);
    }
    let mut packed = Vec::with_capacity(chunk.meta_size_hint() + chunk.page_size_hint(0));
    compressor.write_header(&mut packed).map_err(failed)?;
    chunk.write_meta(&mut packed).map_err(failed)?;
    // A page holds up to 2^18 numbers by default, which is more than a chunk has points.
    chunk.write_page(0, &mut packed).map_err(failed)?;
    Ok(Some(packed))
}

/// Fills `numbers` from what [`pack`] made of as many.
pub(super) fn unpack<T: Number>(packed: &[u8], numbers: &mut [T]) -> Result<()> {
    refuse_dictionary(packed)?;
    let damaged = |error: PcoError| Error::corrupt("a packed column of a chunk is damaged").because(error);
    let (decompressor, rest) = FileDecompressor::new(packed).map_err(damaged)?;
    let (mut chunk, rest) = decompressor.chunk_decompressor::<T, _>(rest).map_err(damaged)?;
    if !is_accepted(chunk.meta()) {
        return Err(Error::corrupt("a column of a chunk is packed in a way that is never written"));
    }
    let mut page = chunk.page_decompressor(rest, numbers.len()).map_err(damaged)?;
    page.read(numbers).map_err(damaged)?;
    Cursor::new(page.into_src()).finish()
}

fn is_accepted(meta: &ChunkMeta) -> bool {
    use pco::metadata::Mode;
    let mode = matches!(meta.mode, Mode::Classic | Mode::IntMult(_) | Mode::FloatMult(_) | Mode::FloatQuant(_));
    mode && matches!(meta.delta_encoding, DeltaEncoding::NoOp | DeltaEncoding::Consecutive { .. })
}

/// A dictionary is allocated from the length it claims while the head is read, so it must be found before.
fn refuse_dictionary(packed: &[u8]) -> Result<()> {
    // Two bytes of version, then the mode in the low half of a byte: <https://github.com/pcodec/pcodec>, docs/format.md.
    const DICTIONARY: u8 = 4;
    match packed {
        [4, _, mode, ..] if mode & 0x0f < DICTIONARY => Ok(()),
        _ => Err(Error::corrupt("a column of a chunk is packed in a way that is never written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_that_come_again_are_packed_without_looking_back() {
        // Scattered values with no order in them, each of which comes many times.
        let numbers: Vec<f32> =
            (0_u32..16_384).map(|at| (at.wrapping_mul(2_654_435_761) >> 26) as f32 / 63.0).collect();
        let looking_back = FileCompressor::default()
            .chunk_compressor(&numbers, &ChunkConfig::default().with_compression_level(4))
            .unwrap();
        assert!(!is_accepted(looking_back.meta()), "pco no longer looks back here; find another example");
        let packed = pack(&numbers, Kind::Values).unwrap();
        assert!(packed.len() < numbers.len(), "{} bytes", packed.len());
        let mut unpacked = vec![0.0; numbers.len()];
        unpack(&packed, &mut unpacked).unwrap();
        assert_eq!(unpacked, numbers);
    }

    #[test]
    fn what_is_too_long_or_of_another_length_is_damage() {
        let packed = pack(&[3_i64, 1, 4, 1, 5], Kind::Values).unwrap();
        let unpacked = |packed: &[u8], n| unpack(packed, vec![0_i64; n].as_mut_slice());
        assert!(unpacked(&packed, 5).is_ok());
        assert!(unpacked(&packed, 500).is_err());
        assert!(unpacked(&[packed.as_slice(), &[0]].concat(), 5).is_err(), "a byte behind the end was accepted");
    }

    #[test]
    fn a_dictionary_is_refused_before_it_is_allocated() {
        let mut dictionary = vec![4, 1, 0x04, 0xff, 0xff, 0xff, 0xff];
        dictionary.resize(100, 0xff);
        let error = unpack(&dictionary, &mut [0_i64; 4]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("never written"), "{error}");
    }
}
