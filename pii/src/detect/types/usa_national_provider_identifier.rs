//! National Provider Identifiers: ten digits that begin with 1 or 2, the last by Luhn after the prefix 80840.

use crate::checksum;
use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::UsaNationalProviderIdentifier,
    context: &["npi", "national provider", "provider id", "provider identifier", "provider number"],
    read,
};

static NUMBER: Pattern = pattern!("[12][0-9]{9}");

fn read(value: &str) -> Reading {
    match NUMBER.matches(value) {
        true if checksum::npi(value.as_bytes()) => Reading::Checked(0.7),
        true => Reading::WrongCheck,
        false => Reading::No,
    }
}
