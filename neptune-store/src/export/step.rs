//! Steps as the decimal numbers that neptune-exporter keeps: 18 digits, 6 of them behind the point.
//!
//! A whole step below 10^12 is exact; the conversion adds no error of its own to any other.

/// One step as a decimal number, which is a count of these.
const PARTS: f64 = 1e6;

/// The least whole number that has no place in 18 digits of which 6 are behind the point.
const LIMIT: f64 = 1e12;

/// `step` in millionths, rounded to the nearest; `None` when these are more than 18 digits.
pub(super) fn decimal(step: f64) -> Option<i64> {
    // Apart, because their product with a million is exact for the one and below 2^53 for the other.
    let (whole, fraction) = (step.trunc(), step.fract());
    if whole.abs() >= LIMIT || step.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "both are whole numbers below 10^12")]
    let decimal = whole as i64 * PARTS as i64 + (fraction * PARTS).round() as i64;
    Some(decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_counted_in_millionths_to_the_nearest() {
        for (step, wanted) in [
            (0.0, 0),
            (1.0, 1_000_000),
            (0.1, 100_000),
            (-2.5, -2_500_000),
            (1e-7, 0),
            (-0.000_000_6, -1),
            (2.999_999_9, 3_000_000),
            (123.456_789_4, 123_456_789),
        ] {
            assert_eq!(decimal(step), Some(wanted), "{step}");
        }
    }

    #[test]
    fn large_whole_steps_are_exact() {
        // As one product this would be off by 64, because an f64 has 53 bits.
        assert_eq!(decimal(999_999_999_999.0), Some(999_999_999_999_000_000));
        assert_eq!(decimal(-999_999_999_997.5), Some(-999_999_999_997_500_000));
    }

    #[test]
    fn a_step_of_more_digits_has_no_decimal() {
        for step in [1e12, -1e12, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(decimal(step), None, "{step}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_decimal_is_within_half_a_millionth(step in -1e9_f64..1e9) {
            let decimal = decimal(step).unwrap();
            let back = decimal as f64 / PARTS;
            // Half a millionth, and what dividing rounds.
            proptest::prop_assert!((back - step).abs() <= 0.5e-6 + step.abs() * f64::EPSILON, "{} is not {}", back, step);
        }
    }
}
