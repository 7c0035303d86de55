//! Social security numbers: area, group, serial. There is no check digit; areas 000, 666 and 900 to 999, group 00 and serial
//! 0000 are never given (SSA, "Social Security Number Randomization").

use crate::detect::pattern::{Pattern, digits, is_digits, number, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaSsn,
    context: &["ssn", "social security", "social security number", "soc sec", "socsec", "ss number"],
    read,
};

static WRITTEN: Pattern = pattern!(r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}");

fn read(value: &str) -> Reading {
    let written = WRITTEN.matches(value);
    let bare = value.len() == 9 && is_digits(value);
    if !written && !bare {
        return Reading::No;
    }
    match (is_given(&digits(value)), written) {
        (false, _) => Reading::No,
        (true, true) => Reading::Form(0.85),
        // Nine digits may be anything: eight in nine of them are such numbers.
        (true, false) => Reading::Form(0.25),
    }
}

/// Whether nine digits may have been given to a person.
pub(crate) fn is_given(digits: &[u8]) -> bool {
    let (Some(area), Some(group), Some(serial)) = (digits.get(..3), digits.get(3..5), digits.get(5..9)) else {
        return false;
    };
    // Two that were printed on cards in wallets and in advertisements.
    let advertised = digits == b"078051120" || digits == b"219099999";
    !matches!(number(area), 0 | 666 | 900..) && number(group) != 0 && number(serial) != 0 && !advertised
}
