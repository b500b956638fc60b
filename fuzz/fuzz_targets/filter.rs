//! Queries of arbitrary text.
//!
//! What a filter prints is a query for the same filter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_store::Filter;

fuzz_target!(|query: &str| {
    match query.parse::<Filter>() {
        Ok(filter) => {
            let shown = filter.to_string();
            match shown.parse::<Filter>() {
                Ok(again) => assert_eq!(again, filter, "{shown}"),
                Err(error) => panic!("{shown:?} is no query: {error}"),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
