//! Texts within regular expressions, and white space.

/// The characters that Unicode calls white space.
pub(crate) const WHITE_SPACE: &str = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";

/// One or more of them, as a Java pattern.
pub(crate) const WHITE_SPACES: &str = r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+";

/// A Java pattern that finds the text itself.
pub(crate) fn quoted(text: &str) -> String {
    escaped(text, r"\.+*?()|[]{}^$")
}

/// A replacement of Java's that stands for the text itself.
pub(crate) fn replacement(text: &str) -> String {
    escaped(text, r"\$")
}

fn escaped(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specials_lose_their_meaning() {
        assert_eq!(quoted("a.b|c"), r"a\.b\|c");
        assert_eq!(quoted(r"\E[$"), r"\\E\[\$");
        assert_eq!(replacement(r"$1\"), r"\$1\\");
    }

    #[test]
    fn white_space_is_what_unicode_says() {
        let all: String = ('\0'..='\u{ffff}').filter(|character| character.is_whitespace()).collect();
        assert_eq!(all, WHITE_SPACE);
    }
}
