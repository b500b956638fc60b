//! [`Moment`]: a time in a query, fixed or counted back from now.
//!
//! Reading one needs no clock: now is told when the moment is asked for.

use jiff::{Span, civil, tz::TimeZone};
use neptune_format::Timestamp;

/// What a message shows to somebody who wrote a time that is none.
pub(super) const EXAMPLE: &str =
    r#""2026-11-22T09:00:00Z" or, for two hours ago, "-2h" (units s, m, h, d, w, M and y)"#;

/// A time in a query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// `2026-11-22T09:00:00Z`; without an offset it is UTC, without a time midnight.
    At(Timestamp),
    /// `-2h`
    Ago(Span),
}

impl Moment {
    pub(super) fn parse(text: &str) -> Option<Self> {
        fixed(text).map(Self::At).or_else(|| ago(text).map(Self::Ago))
    }

    /// The time that this is at `now`. What lies before all times is the first of them.
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => jiff::Timestamp::from_microsecond(now.as_micros())
                .and_then(|now| now.to_zoned(TimeZone::UTC).checked_sub(span))
                .map_or(Timestamp::from_micros(i64::MIN), |then| micros(then.timestamp())),
        }
    }
}

fn micros(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_microsecond())
}

fn fixed(text: &str) -> Option<Timestamp> {
    // jiff also reads `20261122`, which is more often a number or a name, and time zones by name, which it would pass
    // over.
    if text.as_bytes().get(4) != Some(&b'-') || text.contains('[') {
        return None;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(micros(time));
    }
    let local: civil::DateTime = text.parse().ok()?;
    Some(micros(local.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

fn ago(text: &str) -> Option<Span> {
    let text = text.strip_prefix('-')?;
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: i64 = digits.parse().ok()?;
    let span = Span::new();
    let span = match unit {
        's' => span.try_seconds(count),
        'm' => span.try_minutes(count),
        'h' => span.try_hours(count),
        'd' => span.try_days(count),
        'w' => span.try_weeks(count),
        'M' => span.try_months(count),
        'y' => span.try_years(count),
        _ => return None,
    };
    span.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T09:00:00Z
    const NOW: Timestamp = Timestamp::from_micros(1_795_338_000_000_000);
    const HOUR: i64 = 3_600_000_000;

    fn back(text: &str) -> Option<i64> {
        Some(NOW.as_micros() - Moment::parse(text)?.at(NOW).as_micros())
    }

    #[test]
    fn a_fixed_time_is_the_same_at_any_now() {
        for text in [
            "2026-11-22T09:00:00Z",
            "2026-11-22T10:00:00+01:00",
            "2026-11-22T18:00:00+09",
            "2026-11-22T09:00",
            "2026-11-22 09:00:00.000000",
        ] {
            assert_eq!(back(text), Some(0), "{text}");
        }
        assert_eq!(back("2026-11-22"), Some(9 * HOUR));
    }

    #[test]
    fn a_relative_time_counts_back_from_now() {
        for (text, hours) in [("-2h", 2), ("-120m", 2), ("-7200s", 2), ("-1d", 24), ("-1w", 168), ("-1M", 31 * 24)] {
            assert_eq!(back(text), Some(hours * HOUR), "{text}");
        }
        assert_eq!(back("-1y"), Some(365 * 24 * HOUR));
        assert_eq!(Moment::parse("-19998y").unwrap().at(NOW).as_micros(), i64::MIN);
    }

    #[test]
    fn what_is_no_time_is_no_moment() {
        for text in ["", "-", "-h", "2h", "-2", "-2q", "--2h", "-99999999999999999999h", "-9999999999999999h"] {
            assert!(Moment::parse(text).is_none(), "{text}");
        }
        for text in ["20261122", "yesterday", "2026-13-01", "2026-11-22T09:00:00[Europe/Berlin]", "\u{e4}\u{e4}\u{e4}"]
        {
            assert!(Moment::parse(text).is_none(), "{text}");
        }
    }
}
