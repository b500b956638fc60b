//! Progress of long work, on standard error and only on a terminal.
//!
//! Nothing is drawn for work that is soon done, and nothing is left on the screen.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes no longer than this is not worth a bar.
const SOON: Duration = Duration::from_millis(400);

/// A bar that appears when the work takes long.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    /// For work of a length that is told as it goes on. `what` says what is done, such as `draining`.
    pub(crate) fn new(what: &'static str) -> Self {
        let style =
            ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len}  {msg}").expect("the template is valid");
        Self::with(what, style.progress_chars("=> "))
    }

    /// For work that counts rows of a known number.
    pub(crate) fn rows(what: &'static str, rows: u64) -> Self {
        let template = "{prefix} [{bar:30}] {human_pos}/{human_len} rows  {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        let progress = Self::with(what, style.progress_chars("=> "));
        progress.bar.set_length(rows);
        progress
    }

    /// For work that counts bytes, of which there are as many as [`Progress::expect_bytes`] says.
    pub(crate) fn bytes(what: &'static str) -> Self {
        let template = "{prefix} [{bar:30}] {binary_bytes}/{binary_total_bytes}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        Self::with(what, style.progress_chars("=> "))
    }

    /// For work that counts bytes of which nobody knows how many there are.
    pub(crate) fn packing() -> Self {
        let style = ProgressStyle::with_template("{prefix}, {binary_bytes}").expect("the template is valid");
        Self::with("packing", style)
    }

    /// For waiting, of which the seconds are told.
    pub(crate) fn waiting(what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{prefix}, {pos} of {len} s").expect("the template is valid");
        Self::with(what, style)
    }

    fn with(what: &'static str, style: ProgressStyle) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style).with_prefix(what);
        Self { bar, is_shown: false }
    }

    /// Tells how many rows are done.
    pub(crate) fn rows_done(&mut self, rows: u64) {
        self.at(rows, self.bar.length().unwrap_or(rows).max(rows), String::new);
    }

    /// Says how many bytes there are.
    pub(crate) fn expect_bytes(&self, bytes: u64) {
        self.bar.set_length(bytes);
    }

    /// Tells how many bytes were done since the last time.
    pub(crate) fn bytes_done(&mut self, bytes: u64) {
        let done = self.bar.position().saturating_add(bytes);
        if self.is_shown || self.bar.elapsed() >= SOON {
            self.at(done, self.bar.length().unwrap_or(done).max(done), String::new);
        } else {
            self.bar.set_position(done);
        }
    }

    /// Tells how far the work is.
    pub(crate) fn at(&mut self, done: u64, of: u64, message: impl FnOnce() -> String) {
        if !self.is_shown {
            if self.bar.elapsed() < SOON {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(message());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
