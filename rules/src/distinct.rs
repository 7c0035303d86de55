//! The different texts of one batch of a column, and which one each row has: a check looks at each text once.

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

use crate::batch::BatchColumns;
use crate::column::ColumnRef;
use crate::intern::BytesInterner;
use crate::mask::{bits_of, bits_of_rows};

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
        let passes: Vec<bool> = self.texts.values().map(|text| std::str::from_utf8(text).is_ok_and(&test)).collect();
        if passes.iter().all(|passes| *passes) {
            return BooleanBuffer::new_set(self.codes.len());
        }
        bits_of(&self.codes, |code| passes.get(code as usize).copied().unwrap_or(false))
    }
}

/// The rows of a text column that meet `test`, by its different texts where that is cheaper. What is said of NULL does not
/// matter.
pub(crate) fn rows_of_texts(
    batch: &BatchColumns<'_>,
    column: &ColumnRef,
    strings: &StringArray,
    test: impl Fn(&str) -> bool,
) -> BooleanBuffer {
    match batch.distinct(column, strings) {
        Some(distinct) => distinct.rows(test),
        None => bits_of_rows(strings.len(), strings.nulls(), |row| test(strings.value(row))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch};

    use super::*;

    #[test]
    fn the_first_check_and_the_next_ones_say_the_same() {
        let few: StringArray = (0..2000).map(|row| (row % 7 != 0).then(|| format!("v{}", row % 9))).collect();
        let many: StringArray = (0..2000).map(|row| Some(format!("v{row}"))).collect();
        assert!(Distinct::of(&few).is_some() && Distinct::of(&many).is_none());
        for strings in [few, many, StringArray::from(Vec::<&str>::new())] {
            let array: ArrayRef = Arc::new(strings.clone());
            let batch = RecordBatch::try_from_iter([("c", array)]).unwrap();
            let column = ColumnRef::find(&batch.schema(), "c").unwrap();
            let columns = BatchColumns::new(&batch);
            for wanted in ["v3", "v5", "v", "v3"] {
                let rows = rows_of_texts(&columns, &column, &strings, |text| text == wanted);
                for row in (0..strings.len()).filter(|row| strings.is_valid(*row)) {
                    assert_eq!(rows.value(row), strings.value(row) == wanted);
                }
            }
        }
    }
}
