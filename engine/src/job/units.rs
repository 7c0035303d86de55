//! Sizes and percentages as people write them.

/// Parses a size in bytes: `512MiB`, `1.5 GB`, `64k`, `4096`. `KB` is 1000, `KiB` and a bare `K` are 1024.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is not a size");
    let trimmed = text.trim();
    let split = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(bad()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(|| format!("`{text}` is too large a size"));
    }
    let value: f64 = number.parse().map_err(|_| bad())?;
    let bytes = value * factor as f64;
    if bytes < 9e18 { Ok(bytes as u64) } else { Err(format!("`{text}` is too large a size")) }
}

/// Parses a percentage such as `1%` or `0.5 %` into a fraction between 0 and 1.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is not a percentage");
    let number = text.trim().strip_suffix('%').ok_or_else(bad)?.trim();
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = if is_plain { number.parse().map_err(|_| bad())? } else { return Err(bad()) };
    if value <= 100.0 { Ok(value / 100.0) } else { Err(format!("`{text}` is more than 100%")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("4096", 4096),
            ("128MiB", 128 << 20),
            ("128 mib", 128 << 20),
            ("1.5GiB", 3 << 29),
            ("2KB", 2000),
            ("64k", 65_536),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "12 parsecs", "-1", "1e3", "99999999TiB", "1.2.3k"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages() {
        assert_eq!(parse_percent("1%"), Ok(0.01));
        assert_eq!(parse_percent("100 %"), Ok(1.0));
        for text in ["1", "%", "101%", "-1%", "a%", "inf%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }
}
