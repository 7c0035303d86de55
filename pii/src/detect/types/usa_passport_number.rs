//! Passports of the United States: nine digits, or a letter and eight digits since 2021. There is no check digit in the
//! number itself, so the column's name must speak for it.

use crate::detect::pattern::{Pattern, is_digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector =
    Detector { entity: Entity::UsaPassportNumber, context: &["passport", "travel document"], read };

static NUMBER: Pattern = pattern!("[A-Z]?[0-9]{8}[0-9]?");

fn read(value: &str) -> Reading {
    match value.len() == 9 && NUMBER.matches(value) {
        true if is_digits(value) => Reading::Form(0.2),
        true => Reading::Form(0.35),
        false => Reading::No,
    }
}
