//! The different texts of one batch of a column, and which one each row has: a check looks at each text once.

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::intern::BytesInterner;
use crate::mask::{NullRows, RowMask, bits_of, bits_of_rows, with_nulls};

/// A batch with more different texts than one in this many rows is better looked at row by row.
const ROWS_A_TEXT: usize = 8;
/// Rows after which it is first asked whether the texts are too many.
const TRIAL_ROWS: usize = 512;

/// The different texts of a column of a batch.
#[derive(Debug)]
pub(crate) struct Distinct {
    texts: BytesInterner,
    /// The text of each row; what NULL counts as does not matter.
    codes: Vec<u32>,
}

impl Distinct {
    /// `None` when there are too many.
    pub(crate) fn of(strings: &StringArray) -> Option<Distinct> {
        let mut texts = BytesInterner::new();
        let mut codes = Vec::with_capacity(strings.len());
        let (offsets, data) = (strings.value_offsets(), strings.value_data());
        for (row, bounds) in offsets.windows(2).enumerate() {
            let &[start, end] = bounds else { continue };
            codes.push(texts.intern(data.get(start as usize..end as usize).unwrap_or_default()));
            if texts.len() > ROWS_A_TEXT && texts.len() * ROWS_A_TEXT > row.max(TRIAL_ROWS) {
                return None;
            }
        }
        Some(Distinct { texts, codes })
    }

    /// The rows whose text meets `test`.
    fn rows(&self, test: impl Fn(&str) -> bool) -> BooleanBuffer {
        let passes = self.texts.values().map(|text| std::str::from_utf8(text).is_ok_and(&test)).collect();
        rows_of_codes(&self.codes, passes, |code| code as usize)
    }
}

/// The rows whose code passes.
fn rows_of_codes<T: Copy>(codes: &[T], passes: Vec<bool>, index: impl Fn(T) -> usize) -> BooleanBuffer {
    if passes.iter().all(|passes| *passes) {
        return BooleanBuffer::new_set(codes.len());
    }
    bits_of(codes, |code| passes.get(index(code)).copied().unwrap_or(false))
}

/// The rows of a text column that meet `test`, by its different texts where that is cheaper; rows with NULL as
/// `null_rows` says.
pub(crate) fn rows_of_texts(
    batch: &BatchColumns<'_>,
    column: &ColumnRef,
    null_rows: NullRows,
    test: impl Fn(&str) -> bool,
) -> Result<RowMask, RuleError> {
    let row_by_row =
        |strings: &StringArray| bits_of_rows(strings.len(), strings.nulls(), |row| test(strings.value(row)));
    rows_of_texts_or(batch, column, null_rows, &test, row_by_row)
}

/// The same, for one who goes through rows in a way of its own.
pub(crate) fn rows_of_texts_or(
    batch: &BatchColumns<'_>,
    column: &ColumnRef,
    null_rows: NullRows,
    test: impl Fn(&str) -> bool,
    row_by_row: impl Fn(&StringArray) -> BooleanBuffer,
) -> Result<RowMask, RuleError> {
    // The texts of a dictionary may be many more than its rows.
    if let Some((dictionary, texts)) = batch.dictionary(column).filter(|(rows, texts)| texts.len() <= rows.len()) {
        let passes = texts.iter().map(|text| text.is_some_and(&test)).collect();
        let bits = rows_of_codes(dictionary.keys().values(), passes, |key| key as usize);
        return Ok(with_nulls(bits, dictionary, null_rows));
    }
    let strings = batch.texts(column)?;
    let bits = match batch.distinct(column, &strings) {
        Some(distinct) => distinct.rows(test),
        None => row_by_row(&strings),
    };
    Ok(with_nulls(bits, &strings, null_rows))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch};
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn the_first_check_the_next_ones_and_those_of_a_dictionary_say_the_same() {
        let few: StringArray = (0..2000).map(|row| (row % 7 != 0).then(|| format!("v{}", row % 9))).collect();
        let many: StringArray = (0..2000).map(|row| Some(format!("v{row}"))).collect();
        assert!(Distinct::of(&few).is_some() && Distinct::of(&many).is_none());
        for strings in [few, many, StringArray::from(Vec::<&str>::new())] {
            let array: ArrayRef = Arc::new(strings.clone());
            let packed = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            let packed = cast(&array, &packed).unwrap();
            // A dictionary of many texts and a piece of its rows.
            let piece = packed.slice(0, packed.len().min(40));
            for array in [array, packed, piece] {
                let batch = RecordBatch::try_from_iter([("c", array)]).unwrap();
                let column = ColumnRef::find(&batch.schema(), "c").unwrap();
                let columns = BatchColumns::new(&batch);
                for wanted in ["v3", "v5", "v", "v3"] {
                    for (null_rows, null) in [(NullRows::Fail, false), (NullRows::Pass, true)] {
                        let rows = rows_of_texts(&columns, &column, null_rows, |text| text == wanted).unwrap();
                        for row in 0..batch.num_rows() {
                            let expected = if strings.is_null(row) { null } else { strings.value(row) == wanted };
                            assert_eq!(rows.passes(row), expected);
                        }
                    }
                }
            }
        }
    }
}
