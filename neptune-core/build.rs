//! Keeps how this crate is compiled, so that an experiment can say how its program was.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script everything in the environment")]

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let version = Command::new(variable("RUSTC")).arg("--version").output().ok().filter(|rustc| rustc.status.success());
    let version = version.map(|rustc| String::from_utf8_lossy(&rustc.stdout).trim().to_owned()).unwrap_or_default();
    // Cargo names the profile by the folder only: `target/PROFILE/build/PACKAGE-HASH/out`.
    let out = variable("OUT_DIR");
    let profile = Path::new(&out).ancestors().nth(3).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let told = [
        ("RUSTC", version),
        ("TARGET", variable("TARGET")),
        ("PROFILE", profile.into_owned()),
        ("OPT_LEVEL", variable("OPT_LEVEL")),
        ("RUSTFLAGS", variable("CARGO_ENCODED_RUSTFLAGS").replace('\u{1f}', " ")),
        ("TARGET_FEATURES", variable("CARGO_CFG_TARGET_FEATURE")),
    ];
    for (name, value) in told {
        // A line break would begin another instruction for cargo.
        println!("cargo::rustc-env=NEPTUNE_BUILD_{name}={}", value.replace(['\n', '\r'], " "));
    }
}
