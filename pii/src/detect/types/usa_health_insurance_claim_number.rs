//! Claim numbers of Medicare until 2019: an SSN and a code of the beneficiary (CMS, "BIC"), or that of the Railroad Retirement
//! Board: letters and six or nine digits.

use super::usa_ssn;
use crate::detect::pattern::{Pattern, digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaHealthInsuranceClaimNumber,
    context: &["hicn", "hic", "health insurance claim", "claim number", "medicare", "medicare number"],
    read,
};

static SSN: Pattern = pattern!(
    "(?:[0-9]{9}|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4})[ -]?(?:[ABDEFMTW]|[BCDEFJKTW][1-9A-Z]|M1)"
);
static RAILROAD: Pattern = pattern!("(?:A|CA|H|JA|MA|MH|PA|PD|PH|WA|WCA|WCD|WCH|WD|WH)-?(?:[0-9]{6}|[0-9]{9})");

fn read(value: &str) -> Reading {
    match () {
        () if SSN.matches(value) => {
            let digits = digits(value);
            match digits.get(..9).is_some_and(usa_ssn::is_given) {
                true if value.contains(['-', ' ']) => Reading::Form(0.85),
                true => Reading::Form(0.65),
                false => Reading::No,
            }
        }
        () if RAILROAD.matches(value) => Reading::Form(0.3),
        () => Reading::No,
    }
}
