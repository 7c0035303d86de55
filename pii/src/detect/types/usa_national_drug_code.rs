//! National Drug Codes: labeler, product and package in one of four forms (21 CFR 207.33).

use crate::detect::pattern::{Pattern, is_digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector =
    Detector { entity: Entity::UsaNationalDrugCode, context: &["ndc", "drug code", "national drug"], read };

static WRITTEN: Pattern = pattern!("[0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-(?:[0-9]{3}-[0-9]{2}|[0-9]{4}-[0-9]{1,2})");

fn read(value: &str) -> Reading {
    match () {
        () if WRITTEN.matches(value) => Reading::Form(0.8),
        () if matches!(value.len(), 10 | 11) && is_digits(value) => Reading::Form(0.2),
        () => Reading::No,
    }
}
