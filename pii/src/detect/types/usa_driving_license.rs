//! Driving licences: every state has its form (AAMVA). Two forms are known by themselves: Florida's and its neighbours' letter
//! and twelve digits in groups, and Washington's letters and digits. All others are a few digits after a letter or none, for
//! which the column's name must speak.

use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaDrivingLicense,
    context: &[
        "driving license",
        "driving licence",
        "driver license",
        "driver licence",
        "drivers license",
        "drivers licence",
        "license number",
        "licence number",
        "dl number",
        "dln",
        "dl",
    ],
    read,
};

static GROUPS: Pattern = pattern!("[A-Z][0-9]{3}-[0-9]{3}-[0-9]{2}-[0-9]{3}-[0-9]|[A-Z][0-9]{3}-[0-9]{4}-[0-9]{4}");
static LONG: Pattern = pattern!("[A-Z][0-9]{11,14}");
static SHORT: Pattern = pattern!("[A-Z]{1,2}[0-9]{5,8}|[0-9]{2}[A-Z]{3}[0-9]{5}|[A-Z]{3}[0-9]{6}");
static BARE: Pattern = pattern!("[0-9]{7,10}|[0-9]{12}|[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{2}-[0-9]{3}-[0-9]{4}");

fn read(value: &str) -> Reading {
    match () {
        () if GROUPS.matches(value) => Reading::Form(0.7),
        () if LONG.matches(value) => Reading::Form(0.4),
        () if SHORT.matches(value) => Reading::Form(0.25),
        () if BARE.matches(value) => Reading::Form(0.2),
        () => Reading::No,
    }
}
