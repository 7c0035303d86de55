//! Bank accounts. An IBAN has a check (ISO 13616-1). A routing number has a check digit, which one number in thirty passes by
//! chance, so the column's name must speak for it, and all the more for an account number, which has no form at all.

use crate::checksum;
use crate::detect::pattern::{Pattern, digits, is_digits, pattern};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::BankAccount,
    context: &["iban", "bank account", "account number", "account no", "acct", "acct no", "routing", "aba", "bban"],
    read,
};

static IBAN: Pattern = pattern!("[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}");
static PAIR: Pattern = pattern!("[0-9]{9}[ /:-][0-9]{6,17}");

fn read(value: &str) -> Reading {
    if IBAN.matches(value) {
        let written = value.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase());
        let account: Vec<u8> = written.collect();
        let known = account.get(..2).and_then(|country| std::str::from_utf8(country).ok());
        let known = known.is_some_and(|country| {
            checksum::IBAN_LENGTHS.iter().any(|(name, length)| *name == country && *length == account.len())
        });
        return match (checksum::iban(&account), known) {
            (true, _) => Reading::Checked(0.98),
            (false, true) => Reading::WrongCheck,
            (false, false) => Reading::No,
        };
    }
    if PAIR.matches(value) {
        let routing = digits(value);
        return match routing.get(..9).is_some_and(checksum::aba) {
            true => Reading::Form(0.8),
            false => Reading::No,
        };
    }
    match is_digits(value) {
        true if checksum::aba(value.as_bytes()) => Reading::Form(0.45),
        true if (8..=17).contains(&value.len()) => Reading::Form(0.2),
        _ => Reading::No,
    }
}
