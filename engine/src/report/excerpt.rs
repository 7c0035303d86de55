//! One line of an input made fit to be looked at, with the place of the value in it.

use std::ops::Range;

/// Characters shown at most.
const WIDTH: usize = 100;
/// Characters shown before the value when the line is long.
const BEFORE: usize = 40;

/// The first line of `raw` that holds `value`, cut to a screen's width; control characters are made visible.
///
/// Returns the text and the bytes of it that stand for `value` (a range of `raw`).
pub fn excerpt(raw: &[u8], value: Range<usize>) -> (String, Range<usize>) {
    let value = value.start.min(raw.len())..value.end.clamp(value.start.min(raw.len()), raw.len());
    let line_start = memchr::memrchr(b'\n', &raw[..value.start]).map_or(0, |at| at + 1);
    let line_end = memchr::memchr(b'\n', &raw[line_start..]).map_or(raw.len(), |at| line_start + at);
    let value = value.start..value.end.clamp(value.start, line_end.max(value.start));

    let before = String::from_utf8_lossy(&raw[line_start..value.start]);
    let skipped = before.chars().count().saturating_sub(BEFORE);
    let mut text = String::new();
    if skipped > 0 {
        text.push('…');
    }
    text.extend(before.chars().skip(skipped).map(printable));
    let start = text.len();
    text.extend(String::from_utf8_lossy(&raw[value.clone()]).chars().take(WIDTH - BEFORE).map(printable));
    let end = text.len();
    let shown = text.chars().count();
    let after = String::from_utf8_lossy(&raw[value.end..line_end.max(value.end)]);
    text.extend(after.chars().take(WIDTH.saturating_sub(shown)).map(printable));
    if after.chars().count() > WIDTH.saturating_sub(shown) {
        text.push('…');
    }
    (text, start..end)
}

/// Control characters as their pictures, so that nothing can steer a terminal.
fn printable(character: char) -> char {
    match character {
        '\t' => '→',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + character as u32).unwrap_or('?'),
        '\u{7f}'..='\u{9f}' => '␡',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_stands_under_the_value() {
        let (text, caret) = excerpt(b"1,abc,3", 2..5);
        assert_eq!((&text[caret], text.as_str()), ("abc", "1,abc,3"));
    }

    #[test]
    fn long_lines_are_cut_around_the_value() {
        let line = format!("{}VALUE{}", "a".repeat(300), "b".repeat(300));
        let (text, caret) = excerpt(line.as_bytes(), 300..305);
        assert_eq!(&text[caret], "VALUE");
        assert!(text.chars().count() <= WIDTH + 2, "{text}");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let (text, _) = excerpt(b"\x1b[31mred\x07", 0..0);
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
    }

    #[test]
    fn ranges_outside_the_record_are_clamped() {
        assert_eq!(excerpt(b"ab", 5..9).0, "ab");
    }
}
