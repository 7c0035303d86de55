//! What the other end of a stream can show: colours, characters beyond ASCII, how wide.

use std::ffi::OsString;
use std::io::IsTerminal;

use unicode_width::UnicodeWidthChar;

use crate::args::ColorWhen;

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether colours may be used.
    pub(crate) color: bool,
    /// Whether characters beyond ASCII may be used.
    pub(crate) unicode: bool,
    /// The width of the terminal; `None` when the stream is none, so that nothing is wrapped.
    pub(crate) width: Option<u16>,
}

/// A colour or weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
}

impl Look {
    /// What standard output can show.
    pub(crate) fn stdout(when: ColorWhen) -> Self {
        Self::of(when, std::io::stdout().is_terminal(), terminal_size::terminal_size_of(std::io::stdout()))
    }

    /// What standard error can show.
    pub(crate) fn stderr(when: ColorWhen) -> Self {
        Self::of(when, std::io::stderr().is_terminal(), terminal_size::terminal_size_of(std::io::stderr()))
    }

    fn of(when: ColorWhen, is_terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let color = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                is_terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let width = is_terminal.then(|| size.map_or(80, |(width, _)| width.0.max(40)));
        Self { color, unicode: cfg!(windows) || is_utf8(locale), width }
    }

    /// `text` in `ink`, where colours may be used.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Red => "1;31",
            Ink::Green => "1;32",
            Ink::Yellow => "1;33",
            Ink::Blue => "1;34",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Text from outside made fit to be shown: it cannot steer the terminal, and it is ASCII where that is wanted.
    pub(crate) fn clean(self, text: &str) -> String {
        text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
            self.push(&mut shown, character);
            shown
        })
    }

    /// Appends one character as it may be shown; its width is that of what is appended.
    pub(crate) fn push(self, shown: &mut String, character: char) {
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            _ if steers(character) => shown.push_str(&format!("<{:04X}>", u32::from(character))),
            _ if character.is_ascii() || self.unicode => shown.push(character),
            '…' => shown.push_str("..."),
            '→' => shown.push('>'),
            '–' | '—' => shown.push('-'),
            '·' => shown.push('.'),
            _ => shown.extend(std::iter::repeat_n('?', character.width().unwrap_or(1))),
        }
    }

    /// `unicode` where it can be shown, else `ascii`.
    pub(crate) fn either(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }
}

fn is_utf8(locale: Option<OsString>) -> bool {
    let locale = locale.map(|locale| locale.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Whether a character changes how the ones around it are shown: controls, marks of direction, characters without width.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { color: false, unicode: true, width: None };

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(PLAIN.clean("a\u{1b}[31mb\u{202e}c\nd"), "a<001B>[31mb<202E>c d");
    }

    #[test]
    fn ascii_where_it_is_wanted() {
        let ascii = Look { unicode: false, ..PLAIN };
        assert_eq!(ascii.clean("né 日…"), "n? ??...");
        assert_eq!(PLAIN.clean("né 日…"), "né 日…");
    }

    #[test]
    fn the_locale_says_whether_it_is_utf8() {
        assert!(is_utf8(Some("en_US.UTF-8".into())));
        assert!(is_utf8(Some("C.utf8".into())));
        assert!(!is_utf8(Some("C".into())));
        assert!(!is_utf8(None));
    }

    #[test]
    fn no_colour_unless_allowed() {
        assert_eq!(PLAIN.paint(Ink::Red, "x"), "x");
        assert_eq!(Look { color: true, ..PLAIN }.paint(Ink::Red, "x"), "\u{1b}[1;31mx\u{1b}[0m");
    }
}
