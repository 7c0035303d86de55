//! E-mail addresses: the common part of RFC 5322, section 3.4.1, with a domain of at least two labels, in any script.

use crate::detect::pattern::{Pattern, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector =
    Detector { entity: Entity::Email, context: &["email", "e mail", "mail address"], read };

static ADDRESS: Pattern = pattern!(concat!(
    r"(?:mailto:)?[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*",
    r"@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]{0,61}\p{L}"
));

fn read(value: &str) -> Reading {
    match value.contains('@') && ADDRESS.matches(value) {
        true => Reading::Form(0.97),
        false => Reading::No,
    }
}
