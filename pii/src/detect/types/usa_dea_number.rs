//! Numbers of the Drug Enforcement Administration: kind of registrant, initial or 9, six digits and a check digit.

use crate::checksum;
use crate::detect::pattern::{Pattern, digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector =
    Detector { entity: Entity::UsaDeaNumber, context: &["dea", "dea number", "prescriber"], read };

static NUMBER: Pattern = pattern!("[A-HJ-MPRSTUX][A-Z9][0-9]{7}");

fn read(value: &str) -> Reading {
    if !NUMBER.matches(value) {
        return Reading::No;
    }
    let digits = digits(value);
    match checksum::dea(&digits[digits.len() - 7..]) {
        true => Reading::Checked(0.9),
        false => Reading::WrongCheck,
    }
}
