//! Number conditions on values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type};

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::distinct::rows_of_texts;
use crate::ends::Ends;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, settled, with_nulls};
use crate::number_test::NumberTest;
use crate::numbers::{DecimalToDouble, test_numbers};
use crate::spark_cast;
use crate::whole::WholeTest;

/// A row passes when its value, as a double, meets the test.
#[derive(Debug, Clone)]
pub(crate) struct NumberCheck {
    column: ColumnRef,
    test: NumberTest,
    null_rows: NullRows,
    /// The same for a column of whole numbers.
    whole: Option<WholeTest>,
}

impl NumberCheck {
    /// A condition on a column of numbers, or of text that is cast; `null_rows` says what NULL does.
    pub(crate) fn new(column: ColumnRef, test: NumberTest, null_rows: NullRows) -> NumberCheck {
        let whole = |bits: u32| {
            let end = 1i128 << (bits - 1);
            WholeTest::of(&test, |value| value as i64 as f64, (-end, end - 1))
        };
        let whole = match column.data_type() {
            DataType::Int8 => whole(8),
            DataType::Int16 => whole(16),
            DataType::Int32 => whole(32),
            DataType::Int64 => whole(64),
            DataType::Decimal128(precision, scale) => {
                let most = 10i128.pow((*precision).min(38).into()) - 1;
                let to_double = DecimalToDouble::new(*scale);
                WholeTest::of(&test, |value| to_double.convert(value), (-most, most))
            }
            _ => None,
        };
        NumberCheck { column, test, null_rows, whole }
    }
}

/// The values of an array of whole numbers that meet a condition.
fn whole_bits(whole: &WholeTest, array: &ArrayRef, ends: Option<Ends>) -> Option<BooleanBuffer> {
    Some(match array.data_type() {
        DataType::Int8 => whole.bits(array.as_primitive::<Int8Type>().values()),
        DataType::Int16 => whole.bits(array.as_primitive::<Int16Type>().values()),
        DataType::Int32 => whole.bits(array.as_primitive::<Int32Type>().values()),
        DataType::Int64 => whole.bits(array.as_primitive::<Int64Type>().values()),
        DataType::Decimal128(_, _) => whole.wide_bits(array.as_primitive::<Decimal128Type>().values(), ends),
        _ => return None,
    })
}

impl RowCheck for NumberCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("number({},{:?},{:?})", self.column.key(), self.test, self.null_rows)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        if self.column.is_string() {
            // A text that is no number is NULL to the test, and such a row always fails.
            let holds = |text: &str| spark_cast::to_double(text).is_some_and(|value| self.test.holds_in_sql(value));
            return rows_of_texts(batch, &self.column, self.null_rows, holds);
        }
        let array = self.column.array(batch)?;
        if let Some(whole) = &self.whole {
            let ends = batch.ends(&self.column, &array);
            if let Some(mask) = ends.and_then(|ends| whole.by_ends(ends, array.len())) {
                return Ok(settled(mask, &array, self.null_rows));
            }
            if let Some(bits) = whole_bits(whole, &array, ends) {
                return Ok(with_nulls(bits, &array, self.null_rows));
            }
        }
        test_numbers(&array, &self.test, self.null_rows).ok_or_else(|| self.column.unreadable("not a number column"))
    }
}
