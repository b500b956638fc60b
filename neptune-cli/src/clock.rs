//! Times for people: in the local time zone, or as how long ago. The only place of this crate that reads the clock.
//!
//! Times in JSON are RFC 3339 in UTC, for programs.

use jiff::tz::TimeZone;
use neptune_core::Timestamp;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The time now.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

/// `2026-11-22 09:00:00` in the local time zone.
pub(crate) fn local(time: Timestamp) -> String {
    in_zone(time, "%Y-%m-%d %H:%M:%S", &TimeZone::system())
}

/// `2026-11-22 09:00:00.123` in the local time zone.
pub(crate) fn local_millis(time: Timestamp) -> String {
    in_zone(time, "%Y-%m-%d %H:%M:%S%.3f", &TimeZone::system())
}

/// What JSON has for a time.
pub(crate) fn json(time: Timestamp) -> String {
    in_zone(time, "%Y-%m-%dT%H:%M:%S%.6fZ", &TimeZone::UTC)
}

fn in_zone(time: Timestamp, format: &str, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(time.as_micros()) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(format).to_string(),
        // Beyond the year 9999, where calendars end.
        Err(_) => format!("{} us", time.as_micros()),
    }
}

/// How long `then` was before `now`, roughly: `5m ago`.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    let Ok(micros) = u64::try_from(now.as_micros().saturating_sub(then.as_micros())) else {
        // The clock of another machine, or one that was set back.
        return "just now".to_owned();
    };
    let (count, unit) = match micros {
        0..SECOND => return "just now".to_owned(),
        SECOND..MINUTE => (micros / SECOND, "s"),
        MINUTE..HOUR => (micros / MINUTE, "m"),
        HOUR..DAY => (micros / HOUR, "h"),
        _ => (micros / DAY, "d"),
    };
    format!("{count}{unit} ago")
}

/// The time between two others in two units: `2m 13s`.
pub(crate) fn duration(from: Timestamp, to: Timestamp) -> String {
    let micros = u64::try_from(to.as_micros().saturating_sub(from.as_micros())).unwrap_or(0);
    match micros {
        0..SECOND => format!("{} ms", micros / 1000),
        SECOND..MINUTE => format!("{}.{} s", micros / SECOND, micros % SECOND / 100_000),
        MINUTE..HOUR => format!("{}m {:02}s", micros / MINUTE, micros % MINUTE / SECOND),
        HOUR..DAY => format!("{}h {:02}m", micros / HOUR, micros % HOUR / MINUTE),
        _ => format!("{}d {}h", micros / DAY, micros % DAY / HOUR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T09:00:00.123456Z
    const THEN: Timestamp = Timestamp::from_micros(1_795_338_000_123_456);

    fn later(micros: u64) -> Timestamp {
        Timestamp::from_micros(THEN.as_micros() + micros.cast_signed())
    }

    #[test]
    fn a_time_is_shown_in_its_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        assert_eq!(in_zone(THEN, "%Y-%m-%d %H:%M:%S%.3f", &zone), "2026-11-22 04:00:00.123");
        assert_eq!(json(THEN), "2026-11-22T09:00:00.123456Z");
        assert_eq!(json(Timestamp::from_micros(i64::MAX)), "9223372036854775807 us");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (micros, text) in [
            (0, "just now"),
            (59 * SECOND, "59s ago"),
            (61 * SECOND, "1m ago"),
            (25 * HOUR, "1d ago"),
            (400 * DAY, "400d ago"),
        ] {
            assert_eq!(age(later(micros), THEN), text);
        }
        assert_eq!(age(THEN, later(DAY)), "just now", "a clock that was set back");
    }

    #[test]
    fn a_duration_has_two_units() {
        for (micros, text) in [
            (12_345, "12 ms"),
            (12_345_678, "12.3 s"),
            (133 * SECOND, "2m 13s"),
            (3 * HOUR + 4 * MINUTE, "3h 04m"),
            (50 * HOUR, "2d 2h"),
        ] {
            assert_eq!(duration(THEN, later(micros)), text);
        }
        assert_eq!(duration(later(DAY), THEN), "0 ms");
    }
}
