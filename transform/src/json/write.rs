//! Columns written as JSON values.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, downcast_integer_array};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The values of a column as JSON, one after the other.
#[derive(Debug)]
pub(crate) struct Fragments {
    text: String,
    ends: Vec<usize>,
}

/// Whether JSON has values of the type.
pub(crate) fn is_written(data_type: &DataType) -> bool {
    !data_type.is_binary() && !data_type.is_nested()
}

impl Fragments {
    /// The column as JSON.
    pub(crate) fn of(array: &ArrayRef) -> Result<Self, String> {
        let mut fragments = Self { text: String::new(), ends: Vec::with_capacity(array.len()) };
        match array.data_type() {
            DataType::Boolean => {
                let values = array.as_boolean();
                fragments.fill(values, |text, row| text.push_str(if values.value(row) { "true" } else { "false" }));
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                fragments.fill(values, |text, row| quoted(text, values.value(row)));
            }
            DataType::Float32 => fragments.floats(array.as_primitive::<Float32Type>())?,
            DataType::Float64 => fragments.floats(array.as_primitive::<Float64Type>())?,
            data_type if data_type.is_integer() => downcast_integer_array!(
                array => fragments.fill(array, |text, row| written(text, &array.value(row))),
                _ => return Err("an integer column of an unknown width".to_owned()),
            ),
            // Decimals as they are; dates and times as ISO texts.
            data_type => {
                let quote = if data_type.is_numeric() { "" } else { "\"" };
                let formatter = formatter(array)?;
                fragments.fill(array, |text, row| {
                    text.push_str(quote);
                    written(text, &formatter.value(row));
                    text.push_str(quote);
                });
            }
        }
        Ok(fragments)
    }

    fn fill(&mut self, array: &dyn Array, mut write: impl FnMut(&mut String, usize)) {
        let nulls = array.logical_nulls();
        for row in 0..array.len() {
            match nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                true => self.text.push_str("null"),
                false => write(&mut self.text, row),
            }
            self.ends.push(self.text.len());
        }
    }

    fn floats<T: ArrowPrimitiveType<Native: Into<f64>>>(&mut self, array: &PrimitiveArray<T>) -> Result<(), String> {
        let formatter = formatter(array)?;
        self.fill(array, |text, row| match array.value(row).into() {
            f64::INFINITY => text.push_str("\"Infinity\""),
            f64::NEG_INFINITY => text.push_str("\"-Infinity\""),
            value if value.is_nan() => text.push_str("\"NaN\""),
            _ => written(text, &formatter.value(row)),
        });
        Ok(())
    }

    /// The value of a row.
    pub(crate) fn get(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }

    /// The length of all values together.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }
}

fn formatter(array: &dyn Array) -> Result<ArrayFormatter<'_>, String> {
    ArrayFormatter::try_new(array, &FormatOptions::new()).map_err(|error| error.to_string())
}

fn written(text: &mut String, value: &dyn std::fmt::Display) {
    // A String takes all that is written to it.
    let _ = write!(text, "{value}");
}

fn quoted(text: &mut String, value: &str) {
    text.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        text.push_str(&value[plain..at]);
        match escape {
            "" => written(text, &format_args!("\\u{byte:04x}")),
            escape => text.push_str(escape),
        }
        plain = at + 1;
    }
    text.push_str(&value[plain..]);
    text.push('"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float32Array, Float64Array, Int64Array, StringArray};

    use super::*;

    fn check(array: ArrayRef, expected: &[&str]) {
        let fragments = Fragments::of(&array).unwrap();
        let values: Vec<&str> = (0..array.len()).map(|row| fragments.get(row)).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn numbers_are_shortest() {
        check(Arc::new(Int64Array::from(vec![Some(i64::MIN), None])), &["-9223372036854775808", "null"]);
        let doubles = vec![0.1, 1.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        check(
            Arc::new(Float64Array::from(doubles)),
            &["0.1", "1.0", "1e300", "\"NaN\"", "\"Infinity\"", "\"-Infinity\""],
        );
        check(Arc::new(Float32Array::from(vec![0.1])), &["0.1"]);
    }

    #[test]
    fn texts_are_read_back_as_they_were() {
        let all: String = (0..=0x2ff_u32).filter_map(char::from_u32).chain("\u{2028}\u{1f600}".chars()).collect();
        let array: ArrayRef = Arc::new(StringArray::from(vec![all.as_str(), ""]));
        let fragments = Fragments::of(&array).unwrap();
        assert_eq!(serde_json::from_str::<String>(fragments.get(0)).unwrap(), all);
        assert_eq!(fragments.get(1), "\"\"");
    }
}
