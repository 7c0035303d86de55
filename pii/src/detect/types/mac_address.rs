//! Addresses of network cards: six bytes with `:`, `-` or in three groups with `.` (IEEE 802).

use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::MacAddress,
    context: &["mac", "mac address", "macaddr", "hardware address", "ethernet", "bssid"],
    read,
};

static WRITTEN: Pattern = pattern!(concat!(
    "[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})",
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}"
));
static BARE: Pattern = pattern!("[0-9A-F]{12}|[0-9a-f]{12}");

fn read(value: &str) -> Reading {
    match () {
        () if WRITTEN.matches(value) => Reading::Form(0.96),
        () if BARE.matches(value) && value.bytes().any(|byte| byte.is_ascii_alphabetic()) => Reading::Form(0.3),
        () => Reading::No,
    }
}
