//! Columns as text, and text as columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;

/// What a kernel takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Text.
    Text,
    /// Text, and what has one text form: whole numbers, decimals, dates, timestamps. Not floats, of which several texts
    /// mean one number; not booleans, which two guesses give away.
    Canonical,
}

impl Accepts {
    /// The type that comes out, which is always Utf8.
    pub(crate) fn output(self, input: &DataType) -> Result<DataType, String> {
        let text = matches!(input, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let canonical = input.is_integer()
            || input.is_decimal()
            || matches!(input, DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _));
        match self {
            _ if text => Ok(DataType::Utf8),
            Self::Canonical if canonical => Ok(DataType::Utf8),
            Self::Text => Err(format!("takes text, not {input}; cast the column first")),
            Self::Canonical => {
                Err(format!("takes text, whole numbers, decimals, dates and timestamps, not {input}; cast it first"))
            }
        }
    }

    /// The column as text.
    pub(crate) fn read(self, column: &ArrayRef) -> Result<StringArray, String> {
        self.output(column.data_type())?;
        let text = cast(column, &DataType::Utf8)
            .map_err(|_| format!("a column of {} cannot be made text", column.data_type()))?;
        // The cast gives NULL for what it cannot print (a timestamp beyond the calendar): that would lose the value.
        if text.null_count() != column.null_count() {
            return Err(format!("a value of {} has no text form", column.data_type()));
        }
        Ok(text.as_string::<i32>().clone())
    }
}

/// What became of a value.
pub(crate) enum Written {
    /// Its text was added.
    Value,
    /// It is NULL now.
    Null,
}

/// Makes a text of each text. `write` adds to the end of the buffer it is given and touches nothing before.
pub(crate) fn map(
    input: &StringArray,
    bytes: usize,
    mut write: impl FnMut(usize, &str, &mut String) -> Result<Written, String>,
) -> Result<ArrayRef, String> {
    let mut text = String::with_capacity(bytes);
    let mut offsets: Vec<i32> = Vec::with_capacity(input.len() + 1);
    let mut nulls = NullBufferBuilder::new(input.len());
    offsets.push(0);
    for row in 0..input.len() {
        let before = text.len();
        let written = if input.is_null(row) { Written::Null } else { write(row, input.value(row), &mut text)? };
        match written {
            Written::Value => nulls.append_non_null(),
            Written::Null => {
                text.truncate(before);
                nulls.append_null();
            }
        }
        let end = i32::try_from(text.len()).map_err(|_| "a batch of the column takes more than 2 GiB of text")?;
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let column = StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls.finish())
        .map_err(|_| "the text that came out is no column")?;
    Ok(Arc::new(column))
}

/// Lower-case hexadecimal digits, two a byte.
pub(crate) const HEX: &[u8; 16] = b"0123456789abcdef";
