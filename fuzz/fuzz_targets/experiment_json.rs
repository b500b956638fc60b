//! The JSON file of an experiment: any bytes are read or refused with a place; what is read is JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neptune_core::import::JsonFile;

fuzz_target!(|bytes: &[u8]| {
    // Files that it names are looked for where there are none.
    match JsonFile::new("/nowhere/run.json").check_bytes(bytes) {
        Ok(_entries) => {
            let text = std::str::from_utf8(bytes).expect("what is read is UTF-8");
            // These are no JSON, and Python writes them.
            if !text.contains("NaN") && !text.contains("Infinity") {
                serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).expect("it is JSON");
            }
        }
        Err(error) => {
            let faults = error.faults();
            assert!(!faults.is_empty() && faults.len() <= 20 && (faults.len() == 20 || error.more_faults() == 0));
            for fault in faults {
                assert!(fault.path.starts_with('$') && fault.line > 0 && fault.column > 0 && !fault.message.is_empty());
                assert!(fault.message.len() < 2_000 && fault.path.len() < 20_000, "{fault}");
            }
        }
    }
});
