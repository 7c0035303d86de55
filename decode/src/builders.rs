//! The columns of a block while they are filled.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, GenericByteArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, BinaryType, ByteArrayType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, Utf8Type,
};
use arrow::error::ArrowError;

use crate::error::{Error, Result};
use crate::text_buffer::TextBuffer;

/// A column under way.
pub(super) enum Builder {
    Int8(Numbers<Int8Type>),
    Int16(Numbers<Int16Type>),
    Int32(Numbers<Int32Type>),
    Int64(Numbers<Int64Type>),
    Float32(Numbers<Float32Type>),
    Float64(Numbers<Float64Type>),
    /// With its precision and scale.
    Decimal(Numbers<Decimal128Type>, u8, i8),
    Date(Numbers<Date32Type>),
    Timestamp(Numbers<TimestampMicrosecondType>),
    Boolean(Booleans),
    Text(Texts),
    Binary(Texts),
}

impl Builder {
    /// The column of as many records.
    pub(super) fn finish(self, records: usize) -> Result<ArrayRef> {
        Ok(match self {
            Self::Int8(column) => Arc::new(column.finish()),
            Self::Int16(column) => Arc::new(column.finish()),
            Self::Int32(column) => Arc::new(column.finish()),
            Self::Int64(column) => Arc::new(column.finish()),
            Self::Float32(column) => Arc::new(column.finish()),
            Self::Float64(column) => Arc::new(column.finish()),
            Self::Decimal(column, precision, scale) => {
                Arc::new(column.finish().with_precision_and_scale(precision, scale)?)
            }
            Self::Date(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
            Self::Boolean(Booleans { mut values, nulls }) => {
                Arc::new(BooleanArray::new(values.finish(), nulls.finish(records)))
            }
            Self::Text(column) => {
                let invalid = |error| Error::Internal("a text column is not UTF-8 after its cells were checked", error);
                Arc::new(column.finish::<Utf8Type>(records).map_err(invalid)?)
            }
            Self::Binary(column) => Arc::new(column.finish::<BinaryType>(records)?),
        })
    }
}

/// So many values of 64 or fewer are worth to be looked for.
const FEW: u32 = 16;

/// Which values are NULL; costs nothing where none is.
#[derive(Default)]
struct Nulls {
    /// A bit a record, set where it has a value; all that come after these have one.
    valid: Vec<u64>,
}

impl Nulls {
    #[inline]
    fn word(&mut self, at: usize) -> Option<&mut u64> {
        let index = at / 64;
        if index >= self.valid.len() {
            self.valid.resize(index + 1, u64::MAX);
        }
        self.valid.get_mut(index)
    }

    /// The record at `at` is NULL.
    #[inline]
    fn set(&mut self, at: usize) {
        if let Some(word) = self.word(at) {
            *word &= !(1 << (at % 64));
        }
    }

    /// Of the 64 records from `at` on those at the bits of `valid` have a value.
    #[inline]
    fn set_all(&mut self, at: usize, valid: u64) {
        if valid != u64::MAX
            && let Some(word) = self.word(at)
        {
            *word = valid;
        }
    }

    /// The record at `at` has a value after all.
    fn unset(&mut self, at: usize) {
        if let Some(word) = self.word(at) {
            *word |= 1 << (at % 64);
        }
    }

    /// Whether of the 64 records before the one at `at` few have a value.
    #[inline]
    fn are_few_before(&self, at: usize) -> bool {
        self.valid.len() * 64 == at && self.valid.last().is_some_and(|valid| valid.count_ones() <= FEW)
    }

    fn finish(mut self, records: usize) -> Option<NullBuffer> {
        if self.valid.is_empty() {
            return None;
        }
        self.valid.resize(records.div_ceil(64), u64::MAX);
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(self.valid), 0, records));
        Some(nulls).filter(|nulls| nulls.null_count() > 0)
    }
}

/// Values of one width. First they are added with what is known of them, then those that were looked at again are settled.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: Nulls,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(super) fn new(records: usize) -> Self {
        Self { values: Vec::with_capacity(records), nulls: Nulls::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether few of the 64 values before have one, so that it is likely of the next.
    #[inline]
    pub(super) fn has_few(&self) -> bool {
        self.nulls.are_few_before(self.values.len())
    }

    /// Adds up to 64 NULLs, the first one at a multiple of 64; until they are settled.
    #[inline]
    pub(super) fn extend_null(&mut self, count: usize) {
        let first = self.values.len();
        self.values.resize(first + count, T::Native::default());
        self.nulls.set_all(first, 0);
    }

    /// Adds up to 64 values, the first one at a multiple of 64; those that are `None` or at a bit of `odd` are NULL until they
    /// are settled. Gives a bit for each of them.
    #[inline(always)]
    pub(super) fn extend(&mut self, count: usize, values: impl Iterator<Item = Option<T::Native>>, odd: u64) -> u64 {
        let first = self.values.len();
        self.values.resize(first + count, T::Native::default());
        let mut missing = 0u64;
        // A loop and not a chain of closures: what it counts stays in registers.
        for (slot, value) in self.values.get_mut(first..).unwrap_or_default().iter_mut().zip(values) {
            missing = missing >> 1 | u64::from(value.is_none()) << 63;
            *slot = value.unwrap_or_default();
        }
        missing = missing.checked_shr(64 - count.min(64) as u32).unwrap_or(0) | odd;
        self.nulls.set_all(first, !missing);
        missing
    }

    /// Gives a record that was added without a value its value, or leaves it NULL.
    #[inline]
    pub(super) fn settle(&mut self, at: usize, value: Option<T::Native>) {
        if let (Some(value), Some(slot)) = (value, self.values.get_mut(at)) {
            *slot = value;
            self.nulls.unset(at);
        }
    }

    fn finish(self) -> PrimitiveArray<T> {
        let records = self.values.len();
        PrimitiveArray::new(ScalarBuffer::from(self.values), self.nulls.finish(records))
    }
}

/// Truth values.
pub(super) struct Booleans {
    values: BooleanBufferBuilder,
    nulls: Nulls,
}

impl Booleans {
    pub(super) fn new(records: usize) -> Self {
        Self { values: BooleanBufferBuilder::new(records), nulls: Nulls::default() }
    }

    pub(super) fn push(&mut self, value: Option<bool>) {
        if value.is_none() {
            self.nulls.set(self.values.len());
        }
        self.values.append(value.unwrap_or(false));
    }
}

/// Byte strings.
pub(super) struct Texts {
    offsets: Vec<i32>,
    values: TextBuffer,
    nulls: Nulls,
    /// Without values every text is empty.
    kept: bool,
}

impl Texts {
    /// Room for `records` of `bytes` in all.
    pub(super) fn new(records: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(records + 1);
        offsets.push(0);
        Self { offsets, values: TextBuffer::with_room(bytes), nulls: Nulls::default(), kept: true }
    }

    /// Knows only which are NULL.
    pub(super) fn without_values(records: usize) -> Self {
        Self { kept: false, ..Self::new(records, 0) }
    }

    /// Adds the `length` bytes at `start` to the text of the record at hand.
    #[inline(always)]
    pub(super) fn add(&mut self, bytes: &[u8], start: usize, length: usize) {
        if self.kept {
            self.values.push_from(bytes, start, length);
        }
    }

    /// Where the text of the record at hand ends.
    #[inline(always)]
    pub(super) fn end(&self) -> i32 {
        self.values.len() as i32
    }

    /// The texts of the next records end there; those that are said to be NULL are empty.
    #[inline(always)]
    pub(super) fn end_records(&mut self, ends: &[i32]) {
        self.offsets.extend_from_slice(ends);
    }

    /// Whether few of the 64 records before have a text, so that it is likely of the next.
    #[inline]
    pub(super) fn has_few(&self) -> bool {
        self.kept && self.nulls.are_few_before(self.offsets.len() - 1)
    }

    /// Says that of the 64 records from `at` on, a multiple of 64, those at the bits of `there` have a text.
    #[inline]
    pub(super) fn mark(&mut self, at: usize, there: u64) {
        self.nulls.set_all(at, there);
    }

    /// Says that the record at `at` is NULL.
    pub(super) fn set_null(&mut self, at: usize) {
        self.nulls.set(at);
    }

    /// The texts; those that were not kept are empty.
    fn finish<T: ByteArrayType<Offset = i32>>(self, records: usize) -> Result<GenericByteArray<T>, ArrowError> {
        let nulls = self.nulls.finish(records);
        if self.kept {
            let values = Buffer::from_vec(self.values.into_vec());
            return GenericByteArray::try_new(OffsetBuffer::new(ScalarBuffer::from(self.offsets)), values, nulls);
        }
        GenericByteArray::try_new(OffsetBuffer::new_zeroed(records), Buffer::from_vec(Vec::<u8>::new()), nulls)
    }
}
