//! Real data without persons in it: the flights of `examples/`.

#![allow(clippy::unwrap_used, reason = "a test")]

use etl_pii::detect::{ColumnScan, Entity, ScanOptions};

#[test]
fn flights_hold_dates_and_no_persons() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/flights/flights.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(','));
    let names: Vec<&str> = lines.next().unwrap().collect();
    let mut scans = vec![ColumnScan::default(); names.len()];
    for line in lines.step_by(10) {
        line.zip(&mut scans).for_each(|(value, scan)| scan.add(value));
    }
    let options = ScanOptions::default();
    let suspects = names.iter().zip(&scans).flat_map(|(name, scan)| {
        scan.suspects(name, &options).into_iter().map(|suspect| (*name, suspect.entity)).collect::<Vec<_>>()
    });
    assert_eq!(suspects.collect::<Vec<_>>(), [("time_hour", Entity::Date)]);
}
