//! Codes of HCPCS, level II: a letter and four digits, as many product codes are, so the column's name must speak for it.

use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaHcpcsCode,
    context: &["hcpcs", "procedure code", "procedure", "billing code", "service code"],
    read,
};

static CODE: Pattern = pattern!("[A-EGHJ-MP-V][0-9]{4}");

fn read(value: &str) -> Reading {
    if CODE.matches(value) { Reading::Form(0.35) } else { Reading::No }
}
