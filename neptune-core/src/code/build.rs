//! How the program was built, as the compiler of this crate was told.
//!
//! A profile or a flag that a workspace sets for this crate alone would be told in its place; nobody else knows better.

use neptune_format::AtomValue;

/// What is known, by name.
pub(super) fn atoms() -> Vec<(String, AtomValue)> {
    const KNOWN: [(&str, &str); 6] = [
        ("rustc", env!("NEPTUNE_BUILD_RUSTC")),
        ("target", env!("NEPTUNE_BUILD_TARGET")),
        ("profile", env!("NEPTUNE_BUILD_PROFILE")),
        ("opt_level", env!("NEPTUNE_BUILD_OPT_LEVEL")),
        ("rustflags", env!("NEPTUNE_BUILD_RUSTFLAGS")),
        ("target_features", env!("NEPTUNE_BUILD_TARGET_FEATURES")),
    ];
    let known = KNOWN.into_iter().filter(|(_, value)| !value.is_empty());
    let mut atoms: Vec<_> =
        known.map(|(name, value)| (format!("build/{name}"), AtomValue::String(value.to_owned()))).collect();
    atoms.push(("build/debug_assertions".to_owned(), AtomValue::Bool(cfg!(debug_assertions))));
    atoms
}
