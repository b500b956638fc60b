//! Numbers that come as text: what `%value` and `?duration` print.

use std::fmt::{self, Write as _};

/// The longest text that is taken for a number: the largest and the smallest have more than 300 digits.
const LONGEST: usize = 400;

/// A number that is printed, read back: a plain number, or a [`std::time::Duration`] as seconds. `None` for anything else.
///
/// Nothing is allocated, and what is printed beyond [`LONGEST`] bytes is not kept.
pub(crate) fn printed(value: &dyn fmt::Debug) -> Option<f64> {
    let mut text = Text { bytes: [0; LONGEST], length: 0 };
    write!(text, "{value:?}").ok()?;
    let text = std::str::from_utf8(text.bytes.get(..text.length)?).ok()?;
    text.parse().ok().or_else(|| seconds(text))
}

/// Seconds from what `Duration` prints, such as `1.5s`, `20ms`, or micro- and nanoseconds.
fn seconds(text: &str) -> Option<f64> {
    let units = [("ns", 1e-9), ("\u{b5}s", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit) = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    // Only digits: `Duration` prints nothing else, and words such as "infs" are no durations.
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    number.parse::<f64>().ok().filter(|_| is_plain).map(|number| number * unit)
}

struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.length + part.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn durations_are_seconds_and_numbers_are_themselves() {
        let close = |value: &dyn fmt::Debug, expected: f64| {
            let found = printed(value).unwrap();
            assert!((found - expected).abs() <= expected.abs() * 1e-12, "{value:?} is {found}, not {expected}");
        };
        close(&Duration::from_nanos(7), 7e-9);
        close(&Duration::from_nanos(1_500), 1.5e-6);
        close(&Duration::from_micros(2_500), 2.5e-3);
        close(&Duration::from_secs(90), 90.0);
        close(&Duration::MAX, Duration::MAX.as_secs_f64());
        close(&format_args!("{}", 0.25_f32), 0.25);
        close(&-3_i8, -3.0);
        close(&format_args!("{}", f64::MAX), f64::MAX);
        close(&format_args!("{}", 1e-300), 1e-300);
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in ["", "loss", "infs", "1 s", "1.2.3s", "s", "0.5 or more"] {
            assert_eq!(printed(&format_args!("{text}")), None, "{text:?}");
        }
        assert_eq!(printed(&"x".repeat(1_000)), None);
        assert_eq!(printed(&Some(1)), None);
    }
}
