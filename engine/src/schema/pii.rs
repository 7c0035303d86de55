//! Which columns of a sample seem to hold personal data. A guess for a person to look at: nothing is protected by it alone.

use arrow::array::RecordBatch;
use etl_pii::detect::{ColumnScan, Entity, Sample, ScanOptions, Suspect};
use etl_pii::protect::Place;

use super::Schema;

/// Words in the name of a column that make its dates those of a person.
const BIRTH_WORDS: [&str; 3] = ["dob", "born", "bday"];

/// The columns that seem to hold personal data, by position, each with the type that is the surest. The columns of the
/// batches are those of `schema`, by position; cells that could not be read are NULL and do not count.
pub fn suspects(schema: &Schema, sample: &[RecordBatch]) -> Vec<(usize, Suspect)> {
    let mut found = Vec::new();
    for (index, column) in schema.columns.iter().enumerate() {
        let mut scan = ColumnScan::default();
        for (number, batch) in sample.iter().enumerate() {
            let Some(values) = batch.columns().get(index) else { continue };
            // A batch with a value that has no text form says nothing of the column.
            let _ = scan.update(values, Place { batch: number as u64 }, Sample::default());
        }
        let options = ScanOptions { entities: looked_for(&column.name), ..ScanOptions::default() };
        if let Some(suspect) = scan.suspects(&column.name, &options).into_iter().next() {
            found.push((index, suspect));
        }
    }
    found
}

/// The types that a column may hold. A date alone is nobody's: most dates are those of orders and flights.
fn looked_for(column: &str) -> Vec<Entity> {
    let all = Entity::ALL.iter().copied();
    all.filter(|entity| *entity != Entity::Date || tells_birth(column)).collect()
}

fn tells_birth(column: &str) -> bool {
    let name = column.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    name.contains("birth") || words.any(|word| BIRTH_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};

    use super::*;
    use crate::schema::{Column, ColumnType, TextFormat};

    fn found(columns: Vec<(&str, ColumnType, ArrayRef)>) -> Vec<(usize, &'static str)> {
        let column = |(name, column_type, _): &(&str, ColumnType, ArrayRef)| Column {
            name: (*name).to_owned(),
            column_type: column_type.clone(),
            nullable: true,
            pii: None,
            format: TextFormat::default(),
        };
        let schema = Schema { columns: columns.iter().map(column).collect() };
        let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
        let batch = RecordBatch::try_new(schema.arrow(), arrays).unwrap();
        // In two batches, as in one.
        let sample = [batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)];
        suspects(&schema, &sample).into_iter().map(|(index, suspect)| (index, suspect.entity.name())).collect()
    }

    #[test]
    fn columns_are_told_by_values_and_name() {
        let text = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        let days = || Arc::new(Date32Array::from(vec![1, 2, 3])) as ArrayRef;
        let columns = vec![
            ("id", ColumnType::BigInt, Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("mail", ColumnType::String, text([Some("ada@example.org"), None, Some("bob@example.org")])),
            ("country", ColumnType::String, text([Some("IT"), Some("NO"), None])),
            ("ordered", ColumnType::Date, days()),
            ("date_of_birth", ColumnType::Date, days()),
            ("empty", ColumnType::String, text([None, None, None])),
        ];
        assert_eq!(found(columns), [(1, "EMAIL"), (4, "DATE")]);
    }

    #[test]
    fn nothing_said_holds_a_value() {
        let schema = Schema {
            columns: vec![Column {
                name: "mail".to_owned(),
                column_type: ColumnType::String,
                nullable: true,
                pii: None,
                format: TextFormat::default(),
            }],
        };
        let values = Arc::new(StringArray::from(vec!["ada@example.org"])) as ArrayRef;
        let batch = RecordBatch::try_new(schema.arrow(), vec![values]).unwrap();
        let suspects = suspects(&schema, &[batch]);
        assert!(!suspects.is_empty() && suspects.iter().all(|(_, suspect)| !suspect.because.contains("ada")));
    }
}
