//! `ColumnValues matches` for texts of one strict shape.

use super::super::SuggestedRule;
use super::super::column::Values;
use super::super::shape::{DATE, DIGITS, EMAIL, HEX, LOWER, Shape, TIMESTAMP, UPPER, UPPER_DIGITS, UUID};
use super::{ENOUGH, Facts, list};

/// Different texts that a shape is drawn from, at least.
const LEAST_TEXTS: usize = 20;
/// The lengths of digests in hex: MD5, SHA-1, SHA-256.
const DIGESTS: [usize; 3] = [32, 40, 64];
/// What may stand between the parts of a code.
const SEPARATORS: &str = " -_./:#@+";

pub(super) fn suggest(facts: &Facts<'_>, rules: &mut Vec<SuggestedRule>) {
    let Some((pattern, what)) = pattern(facts) else { return };
    rules.push(SuggestedRule {
        rule: format!("ColumnValues {} matches \"{pattern}\"{}", facts.name(), facts.not_null()),
        evidence: format!("all of {} are {what}", facts.values()),
    });
}

/// Whether the pattern leaves no choice of length.
pub(super) fn fixes_length(facts: &Facts<'_>) -> bool {
    pattern(facts).is_some_and(|(_, what)| what == "UUIDs" || what == "digests in hex")
}

/// The pattern, and what it is in words.
pub(super) fn pattern(facts: &Facts<'_>) -> Option<(String, &'static str)> {
    let texts = &facts.whole.texts;
    let few = texts.distinct().is_some_and(|distinct| distinct.len() < LEAST_TEXTS);
    if facts.column.values != Values::Texts || facts.whole.values() < ENOUGH || few || list::listed(facts).is_some() {
        return None;
    }
    let one_length = texts.shortest.filter(|shortest| *shortest == texts.longest);
    let shape = &texts.shape;
    let digest = one_length.filter(|length| DIGESTS.contains(length) && shape.all(HEX));
    let known = |pattern: &str, what| Some((pattern.to_owned(), what));
    match () {
        () if shape.all(DATE) || shape.all(TIMESTAMP) => None,
        () if shape.all(UUID) => known("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "UUIDs"),
        () if shape.all(EMAIL) => known("[^@ ]+@[^@ ]+[.][^@ .]+", "e-mail addresses"),
        () if digest.is_some() => digest.map(|length| (format!("[0-9a-f]{{{length}}}"), "digests in hex")),
        () if shape.all(DIGITS) => known("[0-9]+", "digits"),
        () if shape.all(UPPER) => known("[A-Z]+", "capital letters"),
        () if shape.all(LOWER) => known("[a-z]+", "small letters"),
        () => of_mask(shape)
            .or_else(|| shape.all(UPPER_DIGITS).then(|| ("[A-Z0-9]+".to_owned(), "capital letters and digits"))),
    }
}

/// The pattern of texts that have one mask. Letters keep their number, digits do not: numbers grow.
fn of_mask(shape: &Shape) -> Option<(String, &'static str)> {
    let mask: Vec<char> = shape.mask()?.chars().collect();
    let mut pattern = String::new();
    for run in mask.chunk_by(|left, right| left == right) {
        let length = run.len();
        match run.first() {
            Some('9') => pattern.push_str("[0-9]+"),
            Some('A') => pattern.push_str(&format!("[A-Z]{{{length}}}")),
            Some('a') => pattern.push_str(&format!("[a-z]{{{length}}}")),
            Some(other) if SEPARATORS.contains(*other) => {
                (0..length).for_each(|_| pattern.push_str(&format!("[{other}]")))
            }
            _ => return None,
        }
    }
    // Letters alone of mixed case are words that happen to be of one length.
    mask.iter().any(|class| *class == '9' || SEPARATORS.contains(*class)).then_some((pattern, "of one shape"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_become_patterns() {
        let of = |text: &str| {
            let mut shape = Shape::default();
            shape.add(text);
            of_mask(&shape).map(|(pattern, _)| pattern)
        };
        assert_eq!(of("AB-1234").as_deref(), Some("[A-Z]{2}[-][0-9]+"));
        assert_eq!(of("a1.b2").as_deref(), Some("[a-z]{1}[0-9]+[.][a-z]{1}[0-9]+"));
        assert_eq!(of("Word"), None);
        assert_eq!(of("a(1)"), None);
    }
}
