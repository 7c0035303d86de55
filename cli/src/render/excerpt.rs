//! A fault as a compiler would show it: the line, a caret under the value, what to do.
//!
//! ```text
//! not_an_integer: column `amount` (bigint)
//!   --> orders.csv:12, record 11, byte 1,204
//!    |
//! 12 | 11,abc,2024-01-31
//!    |    ^^^
//!    = help: ...
//! ```

use etl_engine::report::FaultSample;
use unicode_width::UnicodeWidthStr;

use super::hints;
use super::numbers::count;
use crate::terminal::{Ink, Look};

/// Renders one fault; every line ends with a line feed.
pub(crate) fn render(sample: &FaultSample, look: Look) -> String {
    let bar = look.either("│", "|");
    let place = &sample.place;
    let line_number = place.line.to_string();
    let margin = " ".repeat(line_number.len());
    let mut text = look.paint(Ink::Red, sample.reason.code());
    if let Some(column) = &sample.column {
        text.push_str(&format!(": column `{}`", look.clean(column)));
        if let Some(expected) = &sample.expected {
            text.push_str(&format!(" ({})", look.clean(expected)));
        }
    }
    if let Some(rule) = &sample.rule {
        text.push_str(&format!(": {}", look.clean(rule)));
    }
    let (line, before, under) = line_and_caret(&sample.line_text, sample.caret.clone(), look);
    let uri = if place.uri == "-" { "(standard input)".to_owned() } else { look.clean(&place.uri) };
    let (arrow, bar) = (look.paint(Ink::Blue, look.either("─▶", "-->")), look.paint(Ink::Blue, bar));
    text.push_str(&format!(
        "\n{margin} {arrow} {uri}:{}, record {}, byte {}\n",
        place.line,
        count(place.record),
        count(place.byte),
    ));
    let caret = look.paint(Ink::Red, &"^".repeat(under));
    text.push_str(&format!("{margin} {bar}\n{} {bar} {line}\n", look.paint(Ink::Blue, &line_number)));
    text.push_str(&format!("{margin} {bar} {}{caret}\n", " ".repeat(before)));
    if let Some(hint) = hints::hint(sample) {
        let equals = look.paint(Ink::Blue, "=");
        text.push_str(&format!("{margin} {equals} {}: {}\n", look.paint(Ink::Bold, "help"), look.clean(&hint)));
    }
    text
}

/// The line as it may be shown, the columns before the value, and the columns (at least one) that the value takes.
fn line_and_caret(line: &str, caret: std::ops::Range<usize>, look: Look) -> (String, usize, usize) {
    let mut shown = String::with_capacity(line.len());
    let (mut start, mut end) = (None, None);
    for (at, character) in line.char_indices() {
        if at >= caret.start {
            start.get_or_insert(shown.len());
        }
        if at >= caret.end {
            end.get_or_insert(shown.len());
        }
        look.push(&mut shown, character);
    }
    let start = start.unwrap_or(shown.len());
    let end = end.unwrap_or(shown.len()).max(start);
    let (before, under) = (shown[..start].width(), shown[start..end].width().max(1));
    (shown, before, under)
}

#[cfg(test)]
mod tests {
    use etl_engine::decode::Reason;
    use etl_engine::report::FaultPlace;

    use super::*;

    const PLAIN: Look = Look { color: false, unicode: false, width: None };
    const UNICODE: Look = Look { unicode: true, ..PLAIN };

    fn check(line: &str, value: &str, look: Look, expected: (&str, &str)) {
        let start = line.find(value).unwrap_or_default();
        let (shown, before, under) = line_and_caret(line, start..start + value.len(), look);
        let caret = format!("{}{}", " ".repeat(before), "^".repeat(under));
        assert_eq!((shown.as_str(), caret.as_str()), expected);
    }

    #[test]
    fn caret_stands_under_the_value() {
        check("1,abc,3", "abc", PLAIN, ("1,abc,3", "  ^^^"));
        check("1,,3", "", PLAIN, ("1,,3", "^"));
    }

    #[test]
    fn wide_characters_take_two_columns() {
        check("日本,語,x", "語", UNICODE, ("日本,語,x", "     ^^"));
        check("日本,語,x", "語", PLAIN, ("????,??,x", "     ^^"));
    }

    #[test]
    fn combining_marks_take_no_column() {
        check("e\u{301},x", "x", UNICODE, ("e\u{301},x", "  ^"));
    }

    #[test]
    fn characters_that_steer_are_spelled_out_and_the_caret_follows() {
        check("a\u{202e}b,x", "x", UNICODE, ("a<202E>b,x", "         ^"));
        check("\u{feff}\u{1b}[2J,x", "x", UNICODE, ("<FEFF><001B>[2J,x", "                ^"));
    }

    #[test]
    fn carets_outside_the_line_do_no_harm() {
        assert_eq!(line_and_caret("ab", 5..9, PLAIN), ("ab".to_owned(), 2, 1));
        assert_eq!(line_and_caret("", 0..0, PLAIN), (String::new(), 0, 1));
        // In the middle of a character.
        assert_eq!(line_and_caret("日x", 1..2, UNICODE), ("日x".to_owned(), 2, 1));
    }

    #[test]
    fn a_fault_reads_like_a_compilers() {
        let sample = FaultSample {
            reason: Reason::NotAnInteger,
            column: Some("amount".to_owned()),
            expected: Some("bigint".to_owned()),
            rule: None,
            place: FaultPlace { uri: "orders.csv".to_owned(), record: 11, line: 12, byte: 1204 },
            line_text: "11,abc,x".to_owned(),
            caret: 3..6,
        };
        let text = render(&sample, PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..5],
            [
                "not_an_integer: column `amount` (bigint)",
                "   --> orders.csv:12, record 11, byte 1,204",
                "   |",
                "12 | 11,abc,x",
                "   |    ^^^",
            ]
        );
        assert!(lines[5].starts_with("   = help: "), "{text}");
    }
}
