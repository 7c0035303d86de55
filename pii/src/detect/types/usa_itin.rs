//! Individual taxpayer identification numbers: they look like an SSN, begin with 9, and have a fourth and fifth digit from 50
//! to 65, 70 to 88, 90 to 92 or 94 to 99 (IRS, IRM 3.21.263).

use crate::detect::pattern::{Pattern, digits, is_digits, number, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector =
    Detector { entity: Entity::UsaItin, context: &["itin", "taxpayer", "taxpayer id", "tax id", "tin"], read };

static WRITTEN: Pattern = pattern!(r"9[0-9]{2}-[0-9]{2}-[0-9]{4}|9[0-9]{2} [0-9]{2} [0-9]{4}|9[0-9]{8}");

fn read(value: &str) -> Reading {
    if !WRITTEN.matches(value) {
        return Reading::No;
    }
    let group = digits(value).get(3..5).map(number);
    match group {
        Some(50..=65 | 70..=88 | 90..=92 | 94..=99) if !is_digits(value) => Reading::Form(0.9),
        Some(50..=65 | 70..=88 | 90..=92 | 94..=99) => Reading::Form(0.3),
        _ => Reading::No,
    }
}
