//! [`Reading`]: what was found at one time, until it is logged.

use neptune_format::AtomValue;

/// What was found at one time. Paths are within the namespace of the writer.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) points: Vec<(String, f64)>,
    pub(super) atoms: Vec<(String, AtomValue)>,
    /// For standard error: what a person should do something about.
    pub(super) notices: Vec<String>,
}

impl Reading {
    pub(super) fn point(&mut self, path: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.points.push((path.into(), value));
        }
    }

    pub(super) fn atom(&mut self, path: impl Into<String>, value: impl Into<AtomValue>) {
        self.atoms.push((path.into(), value.into()));
    }
}

/// Bytes in GB of 10^9.
pub(super) fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}
