//! Telephone numbers: North America by its numbering plan (area and exchange begin with 2 to 9, no area ends in 11), all
//! others by `+` and 8 to 15 digits (ITU-T E.164).

use crate::detect::pattern::{Pattern, digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::PhoneNumber,
    context: &["phone", "telephone", "tel", "mobile", "cell", "fax", "msisdn", "contact number"],
    read,
};

static AMERICAN: Pattern = pattern!(concat!(
    r"(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}",
    r"(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?"
));
static BARE: Pattern = pattern!("1?[2-9][0-9]{2}[2-9][0-9]{6}");
static INTERNATIONAL: Pattern = pattern!(r"(?:\+|00)[1-9][0-9]{0,2}(?:[ .()/-]{0,2}[0-9]{1,5}){2,6}");

fn read(value: &str) -> Reading {
    if AMERICAN.matches(value) {
        return match is_area(value) {
            true => Reading::Form(0.85),
            false => Reading::No,
        };
    }
    if BARE.matches(value) {
        return if is_area(value) { Reading::Form(0.35) } else { Reading::No };
    }
    let count = digits(value).len();
    match INTERNATIONAL.matches(value) {
        true if !(8..=17).contains(&count) => Reading::No,
        true if value.starts_with('+') => Reading::Form(0.85),
        true => Reading::Form(0.3),
        false => Reading::No,
    }
}

fn is_area(value: &str) -> bool {
    let digits = digits(value);
    let national = digits.strip_prefix(b"1").unwrap_or(&digits);
    !matches!(national.get(1..3), Some(b"11"))
}
