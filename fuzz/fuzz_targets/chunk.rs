//! Chunks of arbitrary bytes, such as a damaged store has.
//!
//! What is decoded has columns of one length and steps that are finite and ascend.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_store::chunk;

fuzz_target!(|data: &[u8]| {
    if let Ok(points) = chunk::decode(data) {
        assert_eq!(points.times.len(), points.len());
        assert_eq!(points.values.len(), points.len());
        assert!(points.steps.iter().all(|step| step.is_finite()));
        assert!(points.steps.windows(2).all(|pair| pair[0] < pair[1]));
    }
});
