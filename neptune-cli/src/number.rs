//! Numbers for people: short ones for tables, exact ones for what was set, counts in groups of three, durations with units.

use neptune_core::Timestamp;

use crate::clock;

/// What lies between these is written without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-3..1e6;

/// In four digits or so: `0.031`, `12.35`, `1.2e-5`. Whole numbers below a million are exact.
pub(crate) fn short(value: f64) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    if is_whole(value) && value.abs() < PLAIN.end {
        return format!("{}", value + 0.0);
    }
    if PLAIN.contains(&value.abs()) {
        // Rounding may add a digit before the point, so the exponent is that of the rounded number.
        let rounded = format!("{value:.3e}");
        let exponent: usize = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
        let below_one = leading_zeros(value);
        let decimals = if value.abs() < 1.0 { below_one + 3 } else { 3_usize.saturating_sub(exponent) };
        return without_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let scientific = format!("{value:.2e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    format!("{}e{exponent}", without_zeros(digits))
}

/// How many digits behind the point come before the first that is not zero, and that one.
fn leading_zeros(value: f64) -> usize {
    let mut scaled = value.abs();
    let mut digits = 0;
    while scaled < 1.0 && digits < 3 {
        scaled *= 10.0;
        digits += 1;
    }
    digits
}

/// As short as it can be read back. A number that was logged as `f32` is shown as that: 0.1, not 0.10000000149011612.
pub(crate) fn exact(value: f64) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    if is_whole(value) && value.abs() < 1e15 {
        return format!("{value}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "whether it loses anything is what is asked")]
    let narrow = value as f32;
    if f64::from(narrow).to_bits() == value.to_bits() { format!("{narrow:?}") } else { format!("{value:?}") }
}

/// A step: whole ones exactly, others in short.
pub(crate) fn step(step: f64) -> String {
    if is_whole(step) && step.abs() < 1e15 { format!("{}", step + 0.0) } else { short(step) }
}

/// A count in groups of three digits: `12,345`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and what is counted: `1 record`, `12,345 records`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A count of bytes with the unit that fits: `12.06 KiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A time in seconds in three digits and the unit that fits: `850 ns`, `1.24 ms`, `3.1 s`. From a minute on in two units, as
/// [`clock::duration`].
pub(crate) fn duration(seconds: f64) -> String {
    /// What rounds to 1000 is one of the next unit.
    const UNITS: [(&str, f64, f64); 4] =
        [("ns", 1e9, 999.5), ("\u{b5}s", 1e6, 999.5), ("ms", 1e3, 999.5), ("s", 1.0, 60.0)];
    if !(seconds > 0.0 && seconds.is_finite()) {
        return format!("{} s", short(seconds));
    }
    if let Some((unit, scale, _)) = UNITS.iter().find(|(_, scale, end)| seconds * scale < *end) {
        let scaled = seconds * scale;
        let decimals = [9.995, 99.95].iter().filter(|end| scaled < **end).count();
        return format!("{} {unit}", without_zeros(&format!("{scaled:.decimals$}")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates in 292,000 years")]
    let micros = (seconds * 1e6) as i64;
    clock::duration(Timestamp::from_micros(0), Timestamp::from_micros(micros))
}

/// What JSON has for a number: itself, or a word for one that JSON cannot say.
pub(crate) fn json(value: f64) -> serde_json::Value {
    word(value).map_or_else(|| value.into(), Into::into)
}

/// What JSON has for a step: an integer where it is whole.
pub(crate) fn json_step(step: f64) -> serde_json::Value {
    #[expect(clippy::cast_possible_truncation, reason = "below 1e15 every whole number is one")]
    if is_whole(step) && step.abs() < 1e15 { (step as i64).into() } else { json(step) }
}

fn word(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("NaN")
    } else if value > 0.0 {
        Some("inf")
    } else {
        Some("-inf")
    }
}

fn is_whole(value: f64) -> bool {
    value.fract() == 0.0
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_table_has_about_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.031, "0.031"),
            (0.031_256, "0.03126"),
            (0.001_234_6, "0.001235"),
            (0.999_96, "1"),
            (0.1 + 0.2, "0.3"),
            (12.345, "12.35"),
            (-12.345, "-12.35"),
            (9.9999, "10"),
            (99_999.6, "100000"),
            (123_456.7, "123457"),
            (123_456.0, "123456"),
            (1.2e-5, "1.2e-5"),
            (5e-324, "4.94e-324"),
            (1.234e-5, "1.23e-5"),
            (1_234_567.0, "1.23e6"),
            (1e300, "1e300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
    }

    #[test]
    fn what_was_set_is_shown_in_full() {
        assert_eq!(exact(f64::from(0.1_f32)), "0.1");
        assert_eq!(exact(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(exact(3e-4), "0.0003");
        assert_eq!(exact(10.0), "10");
        assert_eq!(exact(1e300), "1e300");
    }

    #[test]
    fn a_step_is_whole_when_it_is() {
        assert_eq!(step(1_234_567.0), "1234567");
        assert_eq!(step(0.5), "0.5");
    }

    #[test]
    fn counts_are_in_groups() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(count).as_slice());
        assert_eq!(counted(1, "record", "records"), "1 record");
        assert_eq!(counted(0, "record", "records"), "0 records");
    }

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (4e-10, "0.4 ns"),
            (8.5e-7, "850 ns"),
            (9.996e-7, "1 \u{b5}s"),
            (1.2345e-5, "12.3 \u{b5}s"),
            (0.001_236, "1.24 ms"),
            (0.01, "10 ms"),
            (0.999_6, "1 s"),
            (3.1, "3.1 s"),
            (9.996, "10 s"),
            (59.99, "60 s"),
            (133.0, "2m 13s"),
            (11_040.0, "3h 04m"),
            (-0.5, "-0.5 s"),
            (f64::NAN, "NaN s"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
        assert!(duration(f64::MAX).ends_with('h'), "{}", duration(f64::MAX));
    }

    #[test]
    fn json_has_a_word_for_what_it_cannot_say() {
        assert_eq!(json(0.5), serde_json::json!(0.5));
        assert_eq!(json(f64::NAN), serde_json::json!("NaN"));
        assert_eq!(json_step(-3.0), serde_json::json!(-3));
        assert_eq!(json_step(0.5), serde_json::json!(0.5));
    }
}
