//! Floors under what the detectors find in synthetic data. The figures are measured here, on data of two seeds.

#![allow(clippy::unwrap_used, reason = "a test")]

mod measure;

use etl_pii::Random;
use etl_pii::detect::{Entity, registry};
use etl_pii::synthetic::iban;

/// Type, and the least recall of a value by itself. Types without a form of their own need the column's name.
const VALUE_RECALL: [(Entity, f64); 19] = [
    (Entity::UsaSsn, 0.7),
    (Entity::Email, 0.98),
    (Entity::UsaItin, 0.7),
    (Entity::UsaPassportNumber, 0.0),
    (Entity::PhoneNumber, 0.8),
    (Entity::UsaDrivingLicense, 0.1),
    (Entity::BankAccount, 0.4),
    (Entity::CreditCard, 0.95),
    (Entity::IpAddress, 0.95),
    (Entity::MacAddress, 0.98),
    (Entity::UsaDeaNumber, 0.95),
    (Entity::UsaHcpcsCode, 0.0),
    (Entity::UsaNationalProviderIdentifier, 0.95),
    (Entity::UsaNationalDrugCode, 0.95),
    (Entity::UsaHealthInsuranceClaimNumber, 0.95),
    (Entity::UsaMedicareBeneficiaryIdentifier, 0.98),
    (Entity::UsaCptCode, 0.0),
    (Entity::PersonName, 0.6),
    (Entity::Date, 0.9),
];

#[test]
fn detectors_stay_above_their_floors() {
    for seed in [7, 1234] {
        let measured = measure::measure(seed);
        for (measured, (entity, recall)) in measured.0.iter().zip(VALUE_RECALL) {
            assert_eq!(measured.entity, entity);
            let least = if entity == Entity::PersonName { 0.85 } else { 0.95 };
            assert!(measured.value.precision() >= least, "{entity} {:?}", measured.value);
            assert!(measured.value.recall() >= recall, "{entity} {:?}", measured.value);
            assert!(measured.unnamed.precision() >= least, "{entity} {:?}", measured.unnamed);
            assert!(measured.named.precision() >= least, "{entity} {:?}", measured.named);
            assert!(measured.named.recall() >= 0.95, "{entity} {:?}", measured.named);
            if recall >= 0.4 {
                assert!(measured.unnamed.recall() >= 0.95, "{entity} {:?}", measured.unnamed);
            }
        }
    }
}

#[test]
fn an_iban_is_known_by_its_check() {
    let detector = registry::of(Entity::BankAccount);
    let mut random = Random::new(3);
    for _ in 0..1000 {
        let right = iban(&mut random);
        assert!(detector.score(&right).is_some_and(|score| score > 0.9), "{right}");
        // A changed last digit is always noticed: 97 is a prime above 10.
        let last = right.chars().last().and_then(|last| last.to_digit(10)).unwrap();
        let wrong = format!("{}{}", &right[..right.len() - 1], (last + 1) % 10);
        assert_eq!(detector.score(&wrong), None, "{wrong}");
    }
}
