//! The inline flags of a Java pattern, and what they make of characters.

use regex_syntax::hir::ClassUnicodeRange;

use super::tree::Set;

/// `(?idmsuxU)`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `i`: case does not matter, among ASCII letters unless `u` is set too.
    pub(super) ignore_case: bool,
    /// `d`: only `\n` ends a line.
    pub(super) unix_lines: bool,
    /// `m`: `^` and `$` stand at every line.
    pub(super) multi_line: bool,
    /// `s`: `.` takes line terminators.
    pub(super) dot_all: bool,
    /// `u`: `i` is for all letters.
    pub(super) unicode_case: bool,
    /// `x`: white space and `#` comments mean nothing.
    pub(super) comments: bool,
    /// `U`: `\d`, `\w`, `\s`, `\b` and the POSIX classes are those of Unicode.
    pub(super) unicode_classes: bool,
}

impl Flags {
    /// Sets or clears the flag of a letter; `false` when there is none.
    pub(super) fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.ignore_case = on,
            'd' => self.unix_lines = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            'u' => self.unicode_case = on,
            'x' => self.comments = on,
            // `U` brings `u` with it, and takes it along.
            'U' => (self.unicode_classes, self.unicode_case) = (on, on),
            _ => return false,
        }
        true
    }

    /// A set of characters as written, and those that differ from them only in case where that does not matter.
    pub(super) fn fold(self, mut set: Set) -> Set {
        if !self.ignore_case {
            return set;
        }
        if !self.unicode_case {
            let other_case = ('a'..='z').chain('A'..='Z').filter(|letter| contains(&set, *letter)).map(|letter| {
                if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
            });
            let other_case: Vec<char> = other_case.collect();
            other_case.into_iter().for_each(|letter| set.push(ClassUnicodeRange::new(letter, letter)));
            return set;
        }
        if let [range] = set.ranges()
            && range.start() == range.end()
            && has_one_case(range.start())
        {
            return set;
        }
        // Only fails without the tables of Unicode, which are built in.
        let _ = set.try_case_fold_simple();
        // Java compares the lower case of the upper case, which makes one letter of these four.
        let dotted = ['i', 'I', '\u{130}', '\u{131}'];
        if dotted.iter().any(|letter| contains(&set, *letter)) {
            dotted.iter().for_each(|letter| set.push(ClassUnicodeRange::new(*letter, *letter)));
        }
        set
    }
}

/// Whether Java sees no case in a character: its upper case is the lower case of that, as with `ß`.
fn has_one_case(character: char) -> bool {
    // A mapping to several characters is none to Java.
    let upper = only(character.to_uppercase()).unwrap_or(character);
    only(upper.to_lowercase()).unwrap_or(upper) == upper
}

fn only(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    mapped.next().filter(|_| mapped.next().is_none())
}

/// Whether a set takes a character.
pub(super) fn contains(set: &Set, character: char) -> bool {
    set.ranges().iter().any(|range| range.start() <= character && character <= range.end())
}
