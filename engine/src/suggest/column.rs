//! A column as it is read: the profiles of its train and held-out rows, its keys, how it climbs.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};

use super::keys::Keys;
use super::profile::Profile;
use crate::error::Result;

/// What kind of values a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// Whole numbers.
    Integers,
    /// Other numbers.
    Numbers,
    /// Texts.
    Texts,
    /// Days.
    Dates,
    /// Instants.
    Timestamps,
    /// What is only counted.
    Other,
}

impl Values {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Texts,
            DataType::Date32 => Self::Dates,
            DataType::Timestamp(_, _) => Self::Timestamps,
            other if other.is_integer() => Self::Integers,
            other if other.is_numeric() => Self::Numbers,
            _ => Self::Other,
        }
    }
}

/// A column as it is read.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The name.
    pub(super) name: String,
    /// What it holds.
    pub(super) values: Values,
    /// Whether its type was declared rather than inferred.
    pub(super) declared: bool,
    /// The rows that candidates are drawn from.
    pub(super) train: Profile,
    /// The rows that candidates are checked on.
    pub(super) held: Profile,
    /// Its values as keys: all rows.
    pub(super) keys: Keys,
    /// How often a value was larger than all before it: about ln n times by chance, far more in a sequence.
    pub(super) records: u64,
    highest: f64,
}

impl Column {
    /// A column before its first row; `most_keys` bounds the memory of its keys.
    pub(super) fn new(name: &str, data_type: &DataType, declared: bool, most_keys: usize) -> Self {
        Self {
            name: name.to_owned(),
            values: Values::of(data_type),
            declared,
            train: Profile::default(),
            held: Profile::default(),
            keys: Keys::new(most_keys),
            records: 0,
            highest: f64::NEG_INFINITY,
        }
    }

    /// Takes a batch; row `i` has the number `first + i` and is held out when `held[i]`.
    ///
    /// # Errors
    /// `Internal` when the array is not of the column's type.
    pub(super) fn update(&mut self, array: &ArrayRef, held: &[bool], first: u64) -> Result<()> {
        let nulls = array.logical_nulls();
        let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        for (row, held) in held.iter().enumerate() {
            let profile = self.side(*held);
            profile.rows += 1;
            profile.nulls += u64::from(is_null(row));
        }
        let rows: Vec<(usize, bool)> = held.iter().copied().enumerate().filter(|(row, _)| !is_null(*row)).collect();
        match self.values {
            Values::Texts => {
                let texts = cast(array, &DataType::Utf8)?;
                let texts = texts.as_string::<i32>();
                for (row, held) in rows {
                    let text = texts.value(row);
                    self.side(held).texts.add(text, first + row as u64);
                    self.keys.add(text);
                }
            }
            Values::Integers => {
                let integers = cast(array, &DataType::Int64)?;
                let integers = integers.as_primitive::<Int64Type>();
                // The cast makes NULL of what is beyond 64 bits; such a number is no number here.
                for (row, held) in rows.into_iter().filter(|(row, _)| !integers.is_null(*row)) {
                    self.number(integers.value(row) as f64, held);
                    self.keys.add(integers.value(row));
                }
            }
            Values::Numbers => {
                let numbers = cast(array, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                rows.into_iter().for_each(|(row, held)| self.number(numbers.value(row), held));
            }
            Values::Dates => {
                let days = array.as_primitive::<Date32Type>();
                for (row, held) in rows {
                    self.number(f64::from(days.value(row)), held);
                    self.keys.add(days.value(row));
                }
            }
            Values::Timestamps | Values::Other => {}
        }
        Ok(())
    }

    fn number(&mut self, value: f64, held: bool) {
        self.side(held).numbers.add(value);
        if value > self.highest {
            self.highest = value;
            self.records += 1;
        }
    }

    fn side(&mut self, held: bool) -> &mut Profile {
        if held { &mut self.held } else { &mut self.train }
    }
}
