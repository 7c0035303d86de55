//! Codes of Current Procedural Terminology: five digits, or four and F, T or U. Postal codes are five digits as well, so the
//! column's name must speak for them.

use crate::detect::pattern::{Pattern, is_digits, number, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaCptCode,
    context: &["cpt", "procedure code", "procedure", "billing code", "service code"],
    read,
};

static CODE: Pattern = pattern!("[0-9]{4}[0-9FTU]");

fn read(value: &str) -> Reading {
    match CODE.matches(value) {
        true if !is_digits(value) => Reading::Form(0.4),
        true if matches!(number(value.as_bytes()), 100..=99_607) => Reading::Form(0.2),
        _ => Reading::No,
    }
}
