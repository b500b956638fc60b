//! The paths of what is recorded about code.

use neptune_format::WriterId;

/// The code of the process that made the experiment, and of others that had the same.
pub(super) const CODE: &str = "source_code";

/// What identifies the code; the last that is logged of it, so where it is everything is.
pub(super) const DIGEST: &str = "digest";

/// The code of a process that had other code.
pub(super) fn own_code(writer: WriterId) -> String {
    format!("{CODE}/{}", writer.short())
}

/// How a process was built and run. Each has its own: ranks of one experiment differ in this, and so may those that resume it.
pub(super) fn environment(writer: WriterId) -> String {
    format!("monitoring/{}/environment", writer.short())
}
