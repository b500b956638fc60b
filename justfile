# Shortcuts. `just check` is what CI runs, nothing more, nothing less.

# Everything that must hold before a change lands.
check:
    scripts/test

# Format, lints and tests only.
quick:
    scripts/test --quick

# The bars of speed and size, each beside its floor.
bench:
    cargo bench -p neptune-benches --bench bars

# Format everything.
fmt:
    cargo fmt --all

# Train a small network, then list what was kept of it.
example:
    cargo run --release --example digits
    cargo run --release --example tracing_layer
    cargo run --release -p neptune-cli -- ls
