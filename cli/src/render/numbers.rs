//! Numbers for people.

/// A whole number with commas between groups of three digits.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {word}{plural}", count(number))
}

/// A number of bytes in the largest unit that leaves at least one before the point.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A rate per second, rounded to a whole number; nothing sensible becomes 0.
pub(crate) fn rate(per_second: f64) -> u64 {
    if per_second.is_finite() { per_second.max(0.0).round() as u64 } else { 0 }
}

/// Seconds, in units that fit.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 59.995 {
        return format!("{seconds:.2} s");
    }
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{} min {:02} s", whole / 60, whole % 60),
        hours => format!("{hours} h {:02} min", whole % 3600 / 60),
    }
}

/// A metric: whole numbers with commas, others with up to six significant digits.
pub(crate) fn metric(value: f64) -> String {
    if value.is_nan() {
        return "n/a".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinity" } else { "-infinity" }.to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(value.abs() as u64));
    }
    let magnitude = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.5e}");
    }
    let decimals = (5.0 - magnitude).clamp(1.0, 10.0) as usize;
    let text = format!("{value:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // 0.9999999 must not be shown as 1: people would look for the failing row in vain.
    match text.parse::<f64>() {
        Ok(shown) if shown.fract() == 0.0 => format!("{value}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_groups() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (27_004, "27,004"), (1_000_000, "1,000,000")];
        for (number, expected) in cases {
            assert_eq!(count(number), expected);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!((counted(1, "row").as_str(), counted(0, "row").as_str()), ("1 row", "0 rows"));
    }

    #[test]
    fn bytes_have_units() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1.0 MiB"), (766 << 20, "766.0 MiB")];
        for (number, expected) in cases {
            assert_eq!(bytes(number), expected);
        }
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn durations_have_units() {
        let cases = [(0.0, "0 ms"), (0.0125, "12 ms"), (1.0, "1.00 s"), (59.999, "1 min 00 s"), (123.4, "2 min 03 s")];
        for (number, expected) in cases {
            assert_eq!(seconds(number), expected);
        }
        assert_eq!(seconds(3725.0), "1 h 02 min");
        assert_eq!(seconds(f64::NAN), "0 s");
        assert_eq!((rate(f64::INFINITY), rate(-1.0), rate(2.5)), (0, 0, 3));
    }

    #[test]
    fn metrics_keep_what_matters() {
        let cases = [
            (0.98, "0.98"),
            (27_004.0, "27,004"),
            (-3.0, "-3"),
            (1.0 / 3.0, "0.333333"),
            (0.999_999_9, "0.9999999"),
            (f64::NAN, "n/a"),
            (f64::INFINITY, "infinity"),
            (123_456.789, "123456.8"),
            (1e300, "1.00000e300"),
        ];
        for (number, expected) in cases {
            assert_eq!(metric(number), expected);
        }
    }
}
