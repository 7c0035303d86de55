//! Sums, means and medians of whole numbers and decimals: SQL gives their parts, and what is made of these is exact.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, RecordBatch, Scalar};
use arrow::compute::{cast, is_null, kernels::zip::zip};
use arrow::datatypes::{DataType, Decimal128Type, Field, Float64Type, Int64Type, SchemaRef};

use crate::agree::type_words;
use crate::kernel::{Kernel, Place};
use crate::sql::name;

/// The digits of the widest decimal.
const DIGITS: u8 = 38;
/// What has more digits.
const TOO_LARGE: u128 = 10_u128.pow(DIGITS as u32);

/// What is made of all values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Sum,
    /// Rounded to the column's type, half away from zero.
    Mean,
    /// Between two values, as [`Measure::Mean`] of them.
    Median,
}

/// Whether values of the type have exact sums.
pub(crate) fn is_exact(data_type: &DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Decimal128(..))
}

impl Measure {
    /// How many parts there are.
    pub(crate) fn count(self) -> usize {
        if self == Self::Median { 2 } else { 3 }
    }

    /// One row with the parts, under these names: the sum, how many there are and the sum as a double; of a median the two
    /// values in the middle, which are one where their number is odd.
    pub(crate) fn parts(self, column: &Field, aliases: &[String]) -> String {
        let value = name(column.name());
        if let (Self::Median, [low, high, ..]) = (self, aliases) {
            return format!(
                "SELECT max(CASE WHEN k = (n - 1) div 2 THEN v END) AS {low}, max(CASE WHEN k = n div 2 THEN v END) AS {high} \
                 FROM (SELECT count({value}) AS n FROM input) AS counted CROSS JOIN (SELECT {value} AS v, \
                 row_number() OVER (ORDER BY {value}) - 1 AS k FROM input WHERE {value} IS NOT NULL) AS ranked"
            );
        }
        let made = [
            format!("sum(CAST({value} AS DECIMAL({DIGITS},{})))", scale(column.data_type())),
            format!("count({value})"),
            format!("sum(CAST({value} AS DOUBLE))"),
        ];
        let made: Vec<String> = made.iter().zip(aliases).map(|(made, alias)| format!("{made} AS {alias}")).collect();
        format!("SELECT {} FROM input", made.join(", "))
    }

    /// The measure, from the first row of its parts; `None` where there was no value.
    fn of(self, parts: &[ArrayRef], data_type: &DataType) -> Result<Option<i128>, String> {
        let decimal = DataType::Decimal128(DIGITS, scale(data_type));
        let exact = |part: usize| -> Result<Option<i128>, String> {
            let value =
                cast(parts.get(part).ok_or("a part is missing")?, &decimal).map_err(|error| error.to_string())?;
            Ok(first::<Decimal128Type>(&value))
        };
        let Some(one) = exact(0)? else { return Ok(None) };
        if self == Self::Median {
            return Ok(exact(1)?.map(|other| middle(one, other)));
        }
        let (count, roughly) = (parts.get(1).and_then(first::<Int64Type>), parts.get(2).and_then(first::<Float64Type>));
        let (Some(count), Some(roughly)) = (count, roughly) else { return Ok(None) };
        // A sum that left its 128 bits came back in at the other end: it is far from the sum of doubles.
        let unit = 10_f64.powi(i32::from(scale(data_type)));
        let far = (one as f64 - roughly * unit).abs() > TOO_LARGE as f64;
        match self {
            Self::Mean if !far => Ok(Some(rounded(one, i128::from(count)))),
            Self::Mean => Err(format!("the sum of its values does not fit {}", type_words(&decimal))),
            _ if far => Err(format!("the sum of its values does not fit {}", type_words(data_type))),
            _ => Ok(Some(one)),
        }
    }
}

fn first<T: arrow::datatypes::ArrowPrimitiveType>(array: &ArrayRef) -> Option<T::Native> {
    let values = array.as_primitive_opt::<T>()?;
    (!values.is_empty() && values.is_valid(0)).then(|| values.value(0))
}

fn scale(data_type: &DataType) -> i8 {
    if let DataType::Decimal128(_, scale) = data_type { *scale } else { 0 }
}

/// A quotient, rounded half away from zero.
fn rounded(sum: i128, count: i128) -> i128 {
    let (whole, rest) = (sum / count, sum % count);
    if rest.unsigned_abs() * 2 >= count.unsigned_abs() { whole + rest.signum() } else { whole }
}

/// What lies between two numbers, rounded half away from zero; their sum may be too large.
fn middle(one: i128, other: i128) -> i128 {
    let below = (one & other) + ((one ^ other) >> 1);
    let half = (one ^ other) & 1 == 1;
    if half && below >= 0 { below + 1 } else { below }
}

/// Puts measures in the place of NULLs, and leaves their parts out.
#[derive(Debug)]
pub(crate) struct Fill {
    /// The columns that come out; the parts stand behind them.
    pub(crate) schema: SchemaRef,
    /// Columns by position, what fills them, and the position of its first part.
    pub(crate) fillings: Vec<(usize, Measure, usize)>,
}

impl Fill {
    fn filled(&self, batch: &RecordBatch, index: usize, measure: Measure, at: usize) -> Result<ArrayRef, String> {
        let column = batch.column(index);
        let parts = batch.columns().get(at..at + measure.count()).ok_or("a part is missing")?;
        let Some(value) = measure.of(parts, column.data_type())? else { return Ok(Arc::clone(column)) };
        let does_not_fit = || format!("the sum of its values does not fit {}", type_words(column.data_type()));
        if value.unsigned_abs() >= TOO_LARGE {
            return Err(does_not_fit());
        }
        let decimal = Decimal128Array::from(vec![value]).with_precision_and_scale(DIGITS, scale(column.data_type()));
        let value: ArrayRef = Arc::new(decimal.map_err(|error| error.to_string())?);
        let value = cast(&value, column.data_type()).map_err(|error| error.to_string())?;
        if value.is_null(0) {
            return Err(does_not_fit());
        }
        let missing = is_null(column).map_err(|error| error.to_string())?;
        zip(&missing, &Scalar::new(value), column).map_err(|error| error.to_string())
    }
}

impl Kernel for Fill {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        let filling = self.fillings.iter().find(|(index, ..)| *index == output);
        std::iter::once(output)
            .chain(filling.into_iter().flat_map(|(_, measure, at)| *at..at + measure.count()))
            .collect()
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let mut columns: Vec<ArrayRef> = batch.columns().iter().take(self.schema.fields().len()).cloned().collect();
        for (index, measure, at) in &self.fillings {
            if let Some(column) = columns.get_mut(*index).filter(|column| column.null_count() > 0) {
                let filled = self.filled(batch, *index, *measure, *at);
                *column = filled.map_err(|text| format!("`{}`: {text}", self.schema.field(*index).name()))?;
            }
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        for (sum, count, expected) in [(7, 2, 4), (-7, 2, -4), (7, 3, 2), (8, 3, 3), (-8, 3, -3), (1, 3, 0), (0, 5, 0)]
        {
            assert_eq!(rounded(sum, count), expected, "{sum}/{count}");
        }
    }

    #[test]
    fn the_middle_of_two_needs_no_sum() {
        for (one, other, expected) in
            [(1, 2, 2), (-1, -2, -2), (0, -1, -1), (-1, 0, -1), (1, 0, 1), (-3, 3, 0), (5, 5, 5)]
        {
            assert_eq!(middle(one, other), expected, "{one} {other}");
        }
        assert_eq!(middle(i128::MAX, i128::MAX - 2), i128::MAX - 1);
        assert_eq!(middle(i128::MIN, i128::MAX), -1);
    }
}
