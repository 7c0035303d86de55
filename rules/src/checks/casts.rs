//! Whether values survive a cast to a type.

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use crate::batch::BatchColumns;
use crate::check::RowCheck;
use crate::column::ColumnRef;
use crate::error::RuleError;
use crate::mask::{NullRows, RowMask, Scope, with_nulls};
use crate::spark_cast::{self, DateFormat};

/// A type that `ColumnDataType` can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CastTarget {
    /// `BOOLEAN`
    Boolean,
    /// `DATE`, in Spark's forms or in one format.
    Date,
    /// `TIMESTAMP`
    Timestamp,
    /// `INTEGER`: 32 bits.
    Integer,
    /// `LONG`, `INTEGRAL`: 64 bits.
    Long,
    /// `DOUBLE`, `FLOAT`, `FRACTIONAL`.
    Double,
    /// `DECIMAL(precision, scale)`
    Decimal(u8, i8),
}

impl CastTarget {
    /// Reads a type name, in any case; `None` when the reference does not know it.
    pub(crate) fn parse(name: &str) -> Option<CastTarget> {
        let upper = name.trim().to_uppercase();
        Some(match upper.as_str() {
            "BOOLEAN" => CastTarget::Boolean,
            "DATE" => CastTarget::Date,
            "TIMESTAMP" => CastTarget::Timestamp,
            "INTEGER" => CastTarget::Integer,
            "LONG" | "INTEGRAL" => CastTarget::Long,
            "DOUBLE" | "FLOAT" | "FRACTIONAL" => CastTarget::Double,
            _ => {
                let arguments = upper.strip_prefix("DECIMAL")?.trim().strip_prefix('(')?.strip_suffix(')')?;
                let (precision, scale) = arguments.split_once(',')?;
                let precision: u8 = precision.trim().parse().ok()?;
                let scale: i8 = scale.trim().parse().ok()?;
                let valid = (1..=38).contains(&precision) && scale >= 0 && scale.cast_unsigned() <= precision;
                return valid.then_some(CastTarget::Decimal(precision, scale));
            }
        })
    }
}

/// A row passes when its value can be cast (or, negated, cannot). NULL cannot be cast.
#[derive(Debug, Clone)]
pub(crate) struct CastCheck {
    column: ColumnRef,
    target: CastTarget,
    format: Option<Option<DateFormat>>,
    negated: bool,
}

impl CastCheck {
    /// Binds a check. A `format` that the reference does not know is accepted and no row has it.
    pub(crate) fn new(column: ColumnRef, target: CastTarget, format: Option<&str>, negated: bool) -> CastCheck {
        CastCheck { column, target, format: format.map(DateFormat::parse), negated }
    }

    fn castable(&self, strings: &StringArray) -> BooleanBuffer {
        let rows = strings.len();
        macro_rules! each {
            ($test:expr) => {
                BooleanBuffer::collect_bool(rows, |row| $test(strings.value(row)))
            };
        }
        match (self.target, self.format) {
            (CastTarget::Date, Some(None)) => BooleanBuffer::new_unset(rows),
            (CastTarget::Date, Some(Some(format))) => each!(|text| format.accepts(text)),
            (CastTarget::Date, None) => each!(|text| spark_cast::to_date(text).is_some()),
            (CastTarget::Boolean, _) => each!(|text| spark_cast::to_boolean(text).is_some()),
            (CastTarget::Timestamp, _) => each!(spark_cast::is_timestamp),
            (CastTarget::Integer, _) => {
                each!(|text| spark_cast::to_integer(text, i64::from(i32::MIN)..=i64::from(i32::MAX)).is_some())
            }
            (CastTarget::Long, _) => each!(|text| spark_cast::to_integer(text, i64::MIN..=i64::MAX).is_some()),
            (CastTarget::Double, _) => each!(|text| spark_cast::to_double(text).is_some()),
            (CastTarget::Decimal(precision, scale), _) => {
                each!(|text| spark_cast::to_decimal(text, precision, scale).is_some())
            }
        }
    }

    /// Whether Spark casts every value of a column that is not text; `None` = it depends on the value.
    fn always(&self) -> Option<bool> {
        use DataType::{Boolean, Date32, Timestamp};
        let from = self.column.data_type();
        let number = from.is_numeric();
        Some(match (self.target, from) {
            (CastTarget::Decimal(_, _), _) if number => return None,
            (CastTarget::Date, Date32 | Timestamp(_, _)) => true,
            (CastTarget::Timestamp, Date32 | Timestamp(_, _)) => true,
            (CastTarget::Date, _) => false,
            (CastTarget::Timestamp, _) => number,
            (_, Boolean) => true,
            (CastTarget::Decimal(_, _), _) => false,
            (_, Timestamp(_, _)) => self.target != CastTarget::Boolean,
            _ => number,
        })
    }
}

impl RowCheck for CastCheck {
    fn column(&self) -> Option<&ColumnRef> {
        Some(&self.column)
    }

    fn key(&self) -> String {
        format!("cast({},{:?},{:?},{})", self.column.key(), self.target, self.format, self.negated)
    }

    fn check(&self, batch: &BatchColumns<'_>) -> Result<RowMask, RuleError> {
        let fixed = if self.column.is_string() { None } else { self.always() };
        let mask = match fixed {
            Some(true) => {
                let array = self.column.array(batch)?;
                Scope::all(array.len()).valid(&array).map_or(RowMask::All, RowMask::from_buffer)
            }
            Some(false) => RowMask::none(batch.num_rows()),
            None => {
                let strings = self.column.strings(batch)?;
                with_nulls(self.castable(&strings), &strings, NullRows::Fail)
            }
        };
        Ok(match (self.negated, mask) {
            (false, mask) => mask,
            (true, RowMask::All) => RowMask::none(batch.num_rows()),
            (true, RowMask::Bits(bits)) => RowMask::from_buffer(!&bits),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_follow_the_reference() {
        assert_eq!(CastTarget::parse("date"), Some(CastTarget::Date));
        assert_eq!(CastTarget::parse("DECIMAL(4, 2)"), Some(CastTarget::Decimal(4, 2)));
        assert_eq!(CastTarget::parse("String"), None);
        assert_eq!(CastTarget::parse("DECIMAL(2,4)"), None);
    }
}
