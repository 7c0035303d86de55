//! Row masks: which rows of a batch pass, and the loops that build them.
//!
//! A mask that passes every row is a word, not a buffer: clean data, the common case, allocates nothing that lives on.

use arrow::array::{Array, BooleanArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// The rows of one batch that pass a check.
#[derive(Debug, Clone, PartialEq)]
pub enum RowMask {
    /// Every row passes.
    All,
    /// One bit per row, set where the row passes; `len == batch.num_rows()`.
    Bits(BooleanBuffer),
}

impl RowMask {
    /// Wraps a buffer; a buffer with every bit set becomes [`RowMask::All`].
    pub fn from_buffer(bits: BooleanBuffer) -> RowMask {
        if bits.count_set_bits() == bits.len() { RowMask::All } else { RowMask::Bits(bits) }
    }

    /// No row of `len` passes.
    pub fn none(len: usize) -> RowMask {
        RowMask::from_buffer(BooleanBuffer::new_unset(len))
    }

    /// The rows that do not pass; `None` when all do.
    pub fn failing(&self) -> Option<BooleanBuffer> {
        match self {
            RowMask::All => None,
            RowMask::Bits(bits) => Some(!bits),
        }
    }

    /// Whether row `index` passes.
    pub fn passes(&self, index: usize) -> bool {
        match self {
            RowMask::All => true,
            RowMask::Bits(bits) => bits.value(index),
        }
    }

    /// The rows that pass both masks.
    pub fn and(&self, other: &RowMask) -> RowMask {
        match (self, other) {
            (RowMask::All, mask) | (mask, RowMask::All) => mask.clone(),
            (RowMask::Bits(left), RowMask::Bits(right)) => RowMask::Bits(left & right),
        }
    }

    /// The rows that pass at least one of the masks.
    pub fn or(&self, other: &RowMask) -> RowMask {
        match (self, other) {
            (RowMask::All, _) | (_, RowMask::All) => RowMask::All,
            (RowMask::Bits(left), RowMask::Bits(right)) => RowMask::from_buffer(left | right),
        }
    }

    /// The mask with the rows outside `scope` counted as passing.
    pub fn within(&self, scope: &Scope) -> RowMask {
        match (self, scope.rows()) {
            (RowMask::All, _) => RowMask::All,
            (mask, None) => mask.clone(),
            (RowMask::Bits(bits), Some(rows)) => RowMask::from_buffer(bits | &!rows),
        }
    }

    /// How many rows inside `scope` pass.
    pub fn count_in(&self, scope: &Scope) -> u64 {
        match (self, scope.rows()) {
            (RowMask::All, _) => scope.selected(),
            (RowMask::Bits(bits), None) => bits.count_set_bits() as u64,
            (RowMask::Bits(bits), Some(rows)) => (bits & rows).count_set_bits() as u64,
        }
    }
}

/// The rows of one batch that a `where` selects.
#[derive(Debug, Clone)]
pub struct Scope {
    rows: Option<BooleanBuffer>,
    selected: u64,
}

impl Scope {
    /// Every row: a rule without `where`.
    pub fn all(row_count: usize) -> Scope {
        Scope { rows: None, selected: row_count as u64 }
    }

    /// The rows where the predicate is true; false and NULL are outside.
    pub fn of_predicate(result: &BooleanArray) -> Scope {
        let rows = match result.nulls() {
            Some(nulls) if nulls.null_count() > 0 => result.values() & nulls.inner(),
            _ => result.values().clone(),
        };
        let selected = rows.count_set_bits();
        let rows = (selected < rows.len()).then_some(rows);
        Scope { rows, selected: selected as u64 }
    }

    /// The selected rows; `None` when that is all of them.
    pub fn rows(&self) -> Option<&BooleanBuffer> {
        self.rows.as_ref()
    }

    /// How many rows are selected.
    pub fn selected(&self) -> u64 {
        self.selected
    }

    /// The selected rows whose value in `array` is not NULL; `None` when that is all rows.
    pub fn valid(&self, array: &dyn Array) -> Option<BooleanBuffer> {
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        match (&self.rows, nulls) {
            (None, None) => None,
            (Some(rows), None) => Some(rows.clone()),
            (None, Some(nulls)) => Some(nulls.into_inner()),
            (Some(rows), Some(nulls)) => Some(rows & nulls.inner()),
        }
    }
}

/// What a NULL does in a row check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullRows {
    /// A row with NULL fails.
    Fail,
    /// A row with NULL passes.
    Pass,
}

/// Applies `test` to a slice, 64 rows per word.
pub(crate) fn bits_of<T: Copy>(values: &[T], mut test: impl FnMut(T) -> bool) -> BooleanBuffer {
    let mut words: Vec<u64> = Vec::with_capacity(values.len().div_ceil(64));
    for chunk in values.chunks(64) {
        let mut word = 0u64;
        for (bit, value) in chunk.iter().enumerate() {
            word |= u64::from(test(*value)) << bit;
        }
        words.push(word);
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, values.len())
}

/// The rows that meet `test`; what is said of NULL does not matter. Where most rows are NULL only the others are looked at.
pub(crate) fn bits_of_rows(
    rows: usize,
    nulls: Option<&NullBuffer>,
    mut test: impl FnMut(usize) -> bool,
) -> BooleanBuffer {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > rows / 2) else {
        return BooleanBuffer::collect_bool(rows, test);
    };
    let mut words = vec![0u64; rows.div_ceil(64)];
    for row in nulls.valid_indices() {
        if let Some(word) = words.get_mut(row / 64) {
            *word |= u64::from(test(row)) << (row % 64);
        }
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

/// Settles the NULL rows of a mask that was made of the other rows' values.
pub(crate) fn settled(mask: RowMask, array: &dyn Array, null_rows: NullRows) -> RowMask {
    match (mask, null_rows) {
        (RowMask::Bits(bits), _) => with_nulls(bits, array, null_rows),
        (RowMask::All, NullRows::Pass) => RowMask::All,
        (RowMask::All, NullRows::Fail) => match array.logical_nulls() {
            Some(nulls) => RowMask::from_buffer(nulls.into_inner()),
            None => RowMask::All,
        },
    }
}

/// Settles the NULL rows of `bits`, which hold whatever the test said about the slots behind NULLs.
pub(crate) fn with_nulls(bits: BooleanBuffer, array: &dyn Array, null_rows: NullRows) -> RowMask {
    match array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        None => RowMask::from_buffer(bits),
        Some(nulls) => RowMask::from_buffer(match null_rows {
            NullRows::Fail => &bits & nulls.inner(),
            NullRows::Pass => &bits | &!nulls.inner(),
        }),
    }
}

/// Calls `visit` with every value at a set bit of `valid` (`None` = every value).
pub(crate) fn for_each_valid<T: Copy>(values: &[T], valid: Option<&BooleanBuffer>, mut visit: impl FnMut(T)) {
    match valid {
        None => values.iter().for_each(|value| visit(*value)),
        Some(bits) => {
            for index in bits.set_indices() {
                visit(values[index]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;

    use super::*;

    #[test]
    fn words_and_tails_agree_with_the_rows() {
        for length in [0usize, 1, 63, 64, 65, 130] {
            let values: Vec<usize> = (0..length).collect();
            let bits = bits_of(&values, |value| value % 3 == 0);
            assert_eq!(bits.len(), length);
            assert!((0..length).all(|row| bits.value(row) == (row % 3 == 0)));
        }
    }

    #[test]
    fn rows_with_null_are_settled_and_need_not_be_looked_at() {
        for kept in [2usize, 3, 70] {
            let array: Int32Array = (0..200).map(|row| (row % kept as i32 == 0).then_some(row)).collect();
            let mut seen = 0;
            let bits = bits_of_rows(200, array.nulls(), |row| {
                seen += 1;
                row % 4 == 0
            });
            assert_eq!(seen, if kept == 2 { 200 } else { 200usize.div_ceil(kept) });
            assert!((0..200).filter(|row| row % kept == 0).all(|row| bits.value(row) == (row % 4 == 0)));
            for (null_rows, passes) in [(NullRows::Fail, false), (NullRows::Pass, true)] {
                let (all, none) =
                    (settled(RowMask::All, &array, null_rows), settled(RowMask::none(200), &array, null_rows));
                for row in 0..200 {
                    assert_eq!(
                        (all.passes(row), none.passes(row)),
                        if row % kept == 0 { (true, false) } else { (passes, passes) }
                    );
                }
            }
        }
        let whole = Int32Array::from(vec![1, 2]);
        assert_eq!(settled(RowMask::All, &whole, NullRows::Fail), RowMask::All);
    }

    #[test]
    fn rows_outside_the_scope_pass_and_are_not_counted() {
        let scope = Scope::of_predicate(&BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]));
        assert_eq!(scope.selected(), 2);
        let mask = RowMask::from_buffer(BooleanBuffer::from(vec![true, false, false, false]));
        assert_eq!(mask.count_in(&scope), 1);
        assert_eq!(mask.within(&scope), RowMask::Bits(BooleanBuffer::from(vec![true, true, true, false])));
    }

    #[test]
    fn a_full_mask_holds_no_buffer() {
        assert_eq!(RowMask::from_buffer(BooleanBuffer::new_set(70)), RowMask::All);
        assert_eq!(RowMask::All.and(&RowMask::none(2)), RowMask::none(2));
        assert_eq!(RowMask::All.or(&RowMask::none(2)), RowMask::All);
    }
}
