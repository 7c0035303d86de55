//! Detectors on values by hand, and the count over a column.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use etl_pii::detect::{ColumnScan, Entity, Sample, ScanOptions, registry};
use etl_pii::protect::Place;
use etl_pii::synthetic::positive;
use proptest::prelude::*;

#[test]
fn values_that_are_and_values_that_are_not() {
    let is = |entity: Entity, value: &str| registry::of(entity).score(value).is_some();
    let cases: &[(Entity, &[&str], &[&str])] = &[
        (
            Entity::UsaSsn,
            &["536-90-4399", " 536 90 4399 ", "536904399"],
            &["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "078-05-1120", "12-345-6789"],
        ),
        (
            Entity::UsaItin,
            &["912-70-1234", "900-94-0001"],
            &["912-69-1234", "912-89-1234", "912-93-1234", "812-70-1234"],
        ),
        (
            Entity::Email,
            &["a@b.co", "ada+x@mail.example.com", "müller@bücher.example", "o'brien@x.org"],
            &["a@b", "@b.co", "a@b..co", "a b@c.de", "a@-b.co", "a.@b.co", "git@host:x/y.git"],
        ),
        (
            Entity::PhoneNumber,
            &["(212) 555-0100", "+1 212 555 0100", "212-555-0100 x12", "+44 20 7946 0958", "+4930123456"],
            &["112-555-0100", "212-155-0100", "211-555-0100", "+12", "555-0100", "2024-01-31"],
        ),
        (
            Entity::CreditCard,
            &["4111 1111 1111 1111", "378282246310005", "3782-822463-10005", "5555555555554444", "6011111111111117"],
            &["4111111111111112", "4111-1111 1111-1111", "1234567812345670", "0000000000000000"],
        ),
        (
            Entity::BankAccount,
            &["GB29 NWBK 6016 1331 9268 19", "de89370400440532013000", "021000021", "021000021 1234567890"],
            &["GB29 NWBK 6016 1331 9268 18", "ZZ89370400440532013000", "1234567"],
        ),
        (
            Entity::IpAddress,
            &["192.168.0.1", "8.8.8.8", "10.1.0.0/16", "2001:db8::1", "::1"],
            &["256.1.1.1", "1.2.3", "0.0.0.0", "::", "12:34:56", "10.0.0.0/x"],
        ),
        (
            Entity::MacAddress,
            &["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7", "001b.4411.3ab7"],
            &["00:1B:44-11:3A:B7", "00:1B:44:11:3A", "001122334455"],
        ),
        (Entity::UsaDeaNumber, &["AB1234563", "F91234563"], &["AB1234564", "IB1234563", "ab1234563"]),
        (Entity::UsaNationalProviderIdentifier, &["1234567893"], &["1234567890", "3234567893", "123456789"]),
        (Entity::UsaNationalDrugCode, &["0777-3105-02", "50242-040-62", "12345-6789-1"], &["12345-6789", "123-456-78"]),
        (Entity::UsaMedicareBeneficiaryIdentifier, &["1EG4-TE5-MK73", "1EG4TE5MK73"], &["1SG4TE5MK73", "0EG4TE5MK73"]),
        (Entity::UsaHealthInsuranceClaimNumber, &["536904399A", "536-90-4399-B1"], &["000123456A", "536904399Z"]),
        (Entity::UsaHcpcsCode, &["J1885", "A0428"], &["Z1234", "J188"]),
        (Entity::UsaCptCode, &["99213", "0001F", "0075T"], &["99999", "00001", "9921"]),
        (
            Entity::PersonName,
            &["Ada Lovelace", "SMITH, JOHN", "Dr. Müller", "O'Brien"],
            &["ada lovelace", "Smith & Sons", "A1"],
        ),
        (
            Entity::Date,
            &["2024-01-31", "1/31/2024", "31.01.2024", "Jan 31, 2024", "31 January 2024", "2024-01-31T10:00:00Z"],
            &["2024-13-01", "13/13/2024", "1.2.3", "10:00:00", "Jan 32, 2024", "1700000000"],
        ),
    ];
    for (entity, positives, negatives) in cases {
        for value in *positives {
            assert!(is(*entity, value), "{entity} {value}");
        }
        for value in *negatives {
            assert!(!is(*entity, value), "{entity} {value}");
        }
    }
}

fn scan(values: impl IntoIterator<Item = String>) -> ColumnScan {
    let mut scan = ColumnScan::default();
    values.into_iter().for_each(|value| scan.add(&value));
    scan
}

fn entities(scan: &ColumnScan, column: &str) -> Vec<Entity> {
    scan.suspects(column, &ScanOptions::default()).into_iter().map(|suspect| suspect.entity).collect()
}

#[test]
fn right_check_digits_by_chance_are_no_suspicion() {
    let numbers = |count: u64| (0..count).map(|n| (1_000_000_000 + n * 7).to_string());
    let by_chance = scan(numbers(1000));
    assert!(entities(&by_chance, "order").is_empty());
    // Nor does the name help: these are order numbers in a column that someone called so.
    assert!(!entities(&by_chance, "npi").contains(&Entity::UsaNationalProviderIdentifier));
    let checked = scan(numbers(1000).filter(|number| etl_pii::checksum::npi(number.as_bytes())));
    assert_eq!(entities(&checked, "order"), [Entity::UsaNationalProviderIdentifier]);
}

#[test]
fn a_few_digits_are_what_the_column_is_called() {
    let digits = scan((0..100u32).map(|n| (536_900_000 + n * 101).to_string()));
    assert!(entities(&digits, "quantity").is_empty());
    assert_eq!(entities(&digits, "cust_ssn"), [Entity::UsaSsn]);
    assert_eq!(entities(&digits, "PassportNumber"), [Entity::UsaPassportNumber]);
}

#[test]
fn the_threshold_is_a_share_of_values_that_are_there() {
    let mut mixed = scan((0..95).map(|n| format!("note {n}")));
    (0..5).for_each(|n| mixed.add(&format!("ada{n}@example.com")));
    (0..900).for_each(|_| mixed.add("  "));
    assert_eq!(mixed.values(), 100);
    assert!(entities(&mixed, "note").is_empty());
    let lower = ScanOptions { threshold: 0.05, ..ScanOptions::default() };
    let found = mixed.suspects("note", &lower);
    assert_eq!((found.len(), found[0].entity, found[0].share), (1, Entity::Email, 0.05));
    assert_eq!(found[0].because, "5 of 100 values have its form");
    let others = ScanOptions { entities: vec![Entity::UsaSsn], ..lower };
    assert!(mixed.suspects("note", &others).is_empty());
}

#[test]
fn columns_of_other_types_and_samples() {
    let mut scan = ColumnScan::default();
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    scan.update(&floats, Place::default(), Sample::default()).unwrap();
    assert_eq!(scan.values(), 0);
    let cards: ArrayRef = Arc::new(Int64Array::from(vec![Some(4_111_111_111_111_111), None]));
    scan.update(&cards, Place::default(), Sample::default()).unwrap();
    assert_eq!(scan.values(), 1);
    assert_eq!(entities(&scan, "c"), [Entity::CreditCard]);
    let many: ArrayRef = Arc::new(StringArray::from(vec!["x"; 10_000]));
    let mut sampled = ColumnScan::default();
    sampled.update(&many, Place { batch: 3 }, Sample { fraction: 0.1, seed: 1 }).unwrap();
    assert!((800..1200).contains(&sampled.values()), "{}", sampled.values());
}

#[test]
fn what_is_said_holds_no_value() {
    for entity in Entity::ALL {
        let mut random = etl_pii::Random::new(5);
        let values: Vec<String> = (0..50).map(|_| positive(*entity, &mut random)).collect();
        let scan = scan(values.clone());
        let options = ScanOptions { confidence: 0.0, ..ScanOptions::default() };
        let said = format!("{scan:?} {:?}", scan.suspects("c", &options));
        assert!(values.iter().all(|value| value.len() < 6 || !said.contains(value.as_str())), "{entity}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_merge_to_the_whole(seed in any::<u64>(), cut in 0usize..100) {
        let mut random = etl_pii::Random::new(seed);
        let values: Vec<String> =
            (0..100).map(|at| positive(Entity::ALL[at % Entity::ALL.len()], &mut random)).collect();
        let (mut left, right) = (scan(values[..cut].to_vec()), scan(values[cut..].to_vec()));
        left.merge(&right);
        prop_assert_eq!(left, scan(values));
    }

    #[test]
    fn nothing_panics(value in any::<String>(), column in any::<String>()) {
        let mut scan = ColumnScan::default();
        scan.add(&value);
        scan.suspects(&column, &ScanOptions { confidence: 0.0, threshold: 0.0, ..ScanOptions::default() });
    }
}
