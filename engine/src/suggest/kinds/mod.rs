//! The kinds of rules that can be suggested for a column: one file each, one line in [`KINDS`].

mod complete;
mod key;
mod lengths;
mod list;
mod numbers;
mod patterns;
pub(super) mod table;
mod types;

use super::SuggestedRule;
use super::column::Column;
use super::profile::Profile;

/// Rows that a statement about values is drawn from, at least.
const ENOUGH: u64 = 100;
/// From this share of the rows on, a value seen for the first time means that new ones keep coming.
const LATE: f64 = 0.8;

/// What a kind looks at.
pub(super) struct Facts<'a> {
    /// The column.
    pub(super) column: &'a Column,
    /// Train and held-out rows together.
    pub(super) whole: Profile,
}

/// Adds the rules that a column suggests.
type Kind = fn(&Facts<'_>, &mut Vec<SuggestedRule>);

/// Every kind, in the order of the ruleset.
const KINDS: [Kind; 7] = [
    complete::suggest,
    key::suggest,
    types::suggest,
    list::suggest,
    numbers::suggest,
    lengths::suggest,
    patterns::suggest,
];

/// The rules that a column suggests; its name can be written.
pub(super) fn of_column(column: &Column) -> Vec<SuggestedRule> {
    let mut whole = column.train.clone();
    whole.merge(&column.held);
    let facts = Facts { column, whole };
    let mut rules = Vec::new();
    if facts.whole.values() > 0 {
        KINDS.iter().for_each(|kind| kind(&facts, &mut rules));
    }
    rules
}

impl Facts<'_> {
    /// The name between quotes.
    fn name(&self) -> String {
        format!("\"{}\"", self.column.name)
    }

    /// Leaves NULL to the rules about NULL: most conditions on values fail for it.
    fn not_null(&self) -> String {
        match self.whole.nulls {
            0 => String::new(),
            _ => format!(" where \"`{}` is not null\"", self.column.name),
        }
    }

    /// `27,004 values`
    fn values(&self) -> String {
        format!("{} values", super::dqdl_text::grouped(self.whole.values()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::suggest::split::held_out;

    /// The rules of a column `c`, without their evidence.
    fn rules(array: ArrayRef) -> Vec<String> {
        named("c", array)
    }

    fn named(name: &str, array: ArrayRef) -> Vec<String> {
        let mut column = Column::new(name, array.data_type(), false, 1 << 16);
        let held: Vec<bool> = (0..array.len() as u64).map(|row| held_out(row, 0.2)).collect();
        column.update(&array, &held, 0).unwrap();
        of_column(&column).into_iter().map(|rule| rule.rule).collect()
    }

    fn texts(rows: u64, text: impl Fn(u64) -> Option<String>) -> ArrayRef {
        Arc::new(StringArray::from((0..rows).map(text).collect::<Vec<_>>()))
    }

    fn integers(rows: u64, number: impl Fn(u64) -> Option<i64>) -> ArrayRef {
        Arc::new(Int64Array::from((0..rows).map(number).collect::<Vec<_>>()))
    }

    /// Numbers below `n` without an order to them.
    fn scattered(row: u64, n: u64) -> u64 {
        crate::suggest::split::mix(row) % n
    }

    #[test]
    fn a_serial_number_is_a_key_and_has_no_bounds() {
        assert_eq!(
            rules(integers(1000, |row| Some(row as i64 + 1))),
            ["IsComplete \"c\"", "IsPrimaryKey \"c\"", "ColumnValues \"c\" >= 0"]
        );
    }

    #[test]
    fn scattered_amounts_are_no_key_even_when_none_repeats() {
        // 200 numbers below 10^12 hardly ever collide: that none repeats says nothing.
        let amounts = integers(200, |row| Some(scattered(row, 1_000_000_000_000) as i64));
        assert!(!rules(amounts.clone()).iter().any(|rule| rule.starts_with("Is") && rule.contains("Key")));
        assert!(named("order_id", amounts).contains(&"IsPrimaryKey \"order_id\"".to_owned()));
    }

    #[test]
    fn few_rows_say_little() {
        assert!(rules(integers(10, |row| Some(row as i64))).is_empty());
        assert_eq!(rules(texts(50, |row| Some(["a", "b"][row as usize % 2].into()))), ["IsComplete \"c\""]);
    }

    #[test]
    fn categories_are_listed() {
        let found = rules(texts(1000, |row| Some(["DE", "FR", "IT"][scattered(row, 3) as usize].into())));
        assert_eq!(found, ["IsComplete \"c\"", "ColumnValues \"c\" in [\"DE\", \"FR\", \"IT\"]"]);
    }

    #[test]
    fn categories_that_keep_coming_are_not_listed() {
        let late = |row: u64| if row >= 800 { "new" } else { ["DE", "FR"][scattered(row, 2) as usize] };
        let rare = |row: u64| if row % 300 == 7 { "rare" } else { ["DE", "FR"][scattered(row, 2) as usize] };
        let one = |_: u64| "EUR";
        for found in [
            rules(texts(1000, |row| Some(late(row).into()))),
            rules(texts(1000, |row| Some(rare(row).into()))),
            rules(texts(1000, |row| Some(one(row).into()))),
            rules(texts(1000, |row| Some(format!("v{}", row % 21)))),
        ] {
            assert!(!found.iter().any(|rule| rule.contains(" in [")), "{found:?}");
        }
    }

    #[test]
    fn null_is_left_to_completeness() {
        let found = rules(texts(2000, |row| (row % 10 != 3).then(|| ["DE", "FR"][scattered(row, 2) as usize].into())));
        // 90 % are complete; three standard errors of 1,600 train rows are 2.2 %.
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(["0.87", "0.86", "0.88"].iter().any(|share| found[0] == format!("Completeness \"c\" >= {share}")));
        assert_eq!(found[1], "ColumnValues \"c\" in [\"DE\", \"FR\"] where \"`c` is not null\"");
    }

    #[test]
    fn a_mostly_empty_column_suggests_no_completeness() {
        let found = rules(integers(1000, |row| (row % 4 == 0).then_some(5)));
        assert!(!found.iter().any(|rule| rule.contains("omplete")), "{found:?}");
        assert!(rules(integers(1000, |_| None)).is_empty());
    }

    #[test]
    fn numbers_get_a_sign_and_wide_bounds() {
        let found = rules(integers(1000, |row| Some(20 + scattered(row, 600) as i64)));
        assert_eq!(found[1..], ["ColumnValues \"c\" > 0", "ColumnValues \"c\" <= 10000"]);
        let found = rules(integers(1000, |row| Some(scattered(row, 130) as i64 - 30)));
        assert_eq!(found[1..], ["ColumnValues \"c\" between -100 and 1000"]);
    }

    #[test]
    fn heavy_tails_and_sequences_have_no_bounds() {
        let spike = integers(1000, |row| Some(if row == 500 { 1_000_000 } else { scattered(row, 100) as i64 }));
        let climbing = integers(4000, |row| Some((row / 2) as i64));
        for found in [rules(spike), rules(climbing)] {
            assert_eq!(found[1..], ["ColumnValues \"c\" >= 0"]);
        }
    }

    #[test]
    fn not_a_number_says_nothing() {
        let numbers = (0..1000).map(|row| if row == 5 { f64::NAN } else { row as f64 % 7.0 });
        let found = rules(Arc::new(Float64Array::from(numbers.collect::<Vec<_>>())));
        assert_eq!(found, ["IsComplete \"c\""]);
    }

    #[test]
    fn shapes_and_lengths() {
        let letters =
            |row: u64| (0..3).map(|at| char::from(b'A' + scattered(row * 3 + at, 26) as u8)).collect::<String>();
        assert_eq!(
            rules(texts(1000, |row| Some(letters(row % 400))))[1..],
            ["ColumnLength \"c\" = 3", "ColumnValues \"c\" matches \"[A-Z]+\""]
        );
        let plates = rules(texts(1000, |row| Some(format!("{}-{:03}", &letters(row)[..2], scattered(row, 900)))));
        assert!(plates.contains(&"ColumnValues \"c\" matches \"[A-Z]{2}[-][0-9]+\"".to_owned()), "{plates:?}");
        let mails = rules(texts(1000, |row| Some(format!("user{}@example.org", row % 500))));
        assert!(mails.iter().any(|rule| rule.contains("@")), "{mails:?}");
        assert!(mails.contains(&"ColumnLength \"c\" <= 50".to_owned()), "{mails:?}");
    }

    #[test]
    fn text_that_always_casts() {
        let days = rules(texts(1000, |row| Some(format!("2024-{}-{}", 1 + row % 12, 1 + scattered(row, 28)))));
        assert!(days.contains(&"ColumnDataType \"c\" = \"Date\"".to_owned()), "{days:?}");
        let days: ArrayRef = Arc::new(Date32Array::from_iter_values((0..1000).map(|row| 19_000 + row % 300)));
        assert_eq!(rules(days)[1..], ["ColumnDataType \"c\" = \"Date\""]);
    }

    #[test]
    fn every_suggested_rule_can_be_parsed() {
        let found = [
            rules(texts(1000, |row| (row % 9 != 1).then(|| format!("it's {}", row % 4)))),
            rules(texts(1000, |row| Some(format!("00000000-0000-4000-8000-{row:012}")))),
            rules(texts(1000, |row| Some(format!("{row:032x}")))),
            named("Order Date", integers(1000, |row| (row % 9 != 1).then_some(row as i64 % 50))),
        ];
        for rule in found.iter().flatten() {
            assert!(etl_rules::dqdl::parse(&format!("Rules = [ {rule} ]")).is_valid(), "{rule}");
        }
        assert!(found[0].iter().any(|rule| rule.contains("it's 3")), "{:?}", found[0]);
    }
}
