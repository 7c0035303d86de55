//! Numbers in messages as the reference prints them: Java's `Double.toString`.

/// Formats as Java does: `4.0`, `0.6666666666666666`, `1.0E10`, `1.0E-5`, `NaN`, `Infinity`.
///
/// The digits are the shortest that read back to the same double (JDK 19 and later).
pub fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => format!("{mantissa}E{exponent}"),
        Some((mantissa, exponent)) => format!("{mantissa}.0E{exponent}"),
        None => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_java_prints() {
        // Expected texts: `jshell> String.valueOf(d)`.
        for (value, text) in [
            (4.0, "4.0"),
            (2.0 / 3.0, "0.6666666666666666"),
            (1e10, "1.0E10"),
            (1.5e10, "1.5E10"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1e-3, "0.001"),
            (1e-4, "1.0E-4"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (-1234567890.5, "-1.2345678905E9"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(java_double(value), text);
        }
    }
}
