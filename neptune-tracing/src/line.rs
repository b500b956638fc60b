//! [`Line`]: an event as a line of `monitoring/log`.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use tracing_core::{
    Event, Level, Metadata,
    field::{Field, Visit},
};
use tracing_log::NormalizeEvent as _;

/// How much of a line is kept, in bytes; a record holds no more than a mebibyte.
const LONGEST: usize = 64 << 10;

/// `LEVEL target: message field=value ... (in span/path)`.
pub(crate) fn line(event: &Event<'_>, path: Option<&str>) -> String {
    // What came through the `log` crate says its target in a field.
    let normalized = event.normalized_metadata();
    let metadata: &Metadata<'_> = normalized.as_ref().unwrap_or_else(|| event.metadata());
    let mut line = Line { message: String::new(), fields: String::new() };
    event.record(&mut line);
    let mut text = format!("{} {}:", level(*metadata.level()), metadata.target());
    for part in [&line.message, &line.fields] {
        if !part.is_empty() {
            text.push(' ');
            text.push_str(part);
        }
    }
    if let Some(path) = path {
        text.push_str(" (in ");
        text.push_str(path);
        text.push(')');
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A `Debug` that fails leaves what it wrote before.
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        } else if !field.name().starts_with("log.") {
            let space = if self.fields.is_empty() { "" } else { " " };
            write!(self.fields, "{space}{}={value:?}", field.name()).ok();
        }
    }
}
