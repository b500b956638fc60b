//! Bodies of frames of every kind: the first byte is the kind, the rest the body.
//!
//! What is decoded is encoded to bytes that say the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_format::{Entry, Record, entry, frame::kind};

fuzz_target!(|data: &[u8]| {
    let Some((&number, body)) = data.split_first() else { return };
    match Entry::decode(number, body) {
        Ok(Entry::Record(record)) => {
            // Bytes are compared, because a record with a NaN is not equal to itself. The first bytes may be others: postcard
            // reads a number that takes more bytes than it needs.
            let bytes = record.encode();
            let again = Record::decode(&bytes).expect("what was encoded is a record");
            assert_eq!(again.encode(), bytes);
            assert_eq!(format!("{again:?}"), format!("{record:?}"));
        }
        Ok(Entry::Float { series, time, step: None, value }) => {
            assert_eq!(number, kind::FLOAT_NEXT);
            assert_eq!(entry::encode_float_next(series, time, value).as_slice(), body);
        }
        Ok(Entry::Float { series, time, step: Some(step), value }) => {
            assert_eq!(number, kind::FLOAT_AT);
            assert_eq!(entry::encode_float_at(series, time, value, step).as_slice(), body);
        }
        Ok(Entry::Text { series, time, step, text }) => {
            assert_eq!(entry::encode_text(series, time, step, text), (number, body.to_vec()));
        }
        Ok(Entry::End | Entry::Skip) | Err(_) => {}
    }
});
