//! Medicare Beneficiary Identifiers: eleven places, each a digit, a letter or either by a fixed plan, without the letters S, L,
//! O, I, B and Z (CMS, "Understanding the MBI").

use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaMedicareBeneficiaryIdentifier,
    context: &["mbi", "medicare", "beneficiary", "beneficiary id"],
    read,
};

static PLAN: Pattern = pattern!(concat!(
    "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]",
    "-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y][0-9]{2}"
));

fn read(value: &str) -> Reading {
    if PLAN.matches(value) { Reading::Form(0.95) } else { Reading::No }
}
