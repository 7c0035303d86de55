//! Payment cards: the ranges and lengths of their issuers (ISO/IEC 7812-1) and Luhn's digit.

use crate::checksum;
use crate::detect::pattern::{Pattern, digits, number, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::CreditCard,
    context: &["card", "credit card", "card number", "cardnumber", "card no", "ccn", "cc", "pan", "cc number"],
    read,
};

// One separator throughout: groups of four, American Express 4-6-5, Diners Club 4-6-4.
static WRITTEN: Pattern = pattern!(concat!(
    "[0-9]{13,19}|[0-9]{4} [0-9]{4} [0-9]{4} [0-9]{4}|[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{4}",
    "|[0-9]{4} [0-9]{6} [0-9]{4,5}|[0-9]{4}-[0-9]{6}-[0-9]{4,5}"
));

fn read(value: &str) -> Reading {
    if !WRITTEN.matches(value) {
        return Reading::No;
    }
    let digits = digits(value);
    match (is_issued(&digits), checksum::luhn(&digits)) {
        (false, _) => Reading::No,
        (true, false) => Reading::WrongCheck,
        (true, true) => Reading::Checked(0.93),
    }
}

fn is_issued(digits: &[u8]) -> bool {
    let six = digits.get(..6).map_or(0, number);
    match (six, digits.len()) {
        // Visa
        (400_000..=499_999, 13 | 16 | 19) => true,
        // Mastercard
        (510_000..=559_999 | 222_100..=272_099, 16) => true,
        // American Express
        (340_000..=349_999 | 370_000..=379_999, 15) => true,
        // Discover, and UnionPay
        (601_100..=601_199 | 644_000..=659_999 | 620_000..=629_999, 16..=19) => true,
        // Diners Club
        (300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999, 14..=19) => true,
        // JCB
        (352_800..=358_999, 16..=19) => true,
        // Maestro
        (500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999, 16..=19) => true,
        _ => false,
    }
}
