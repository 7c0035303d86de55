//! Random numbers in place of numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Float32Array, Float64Array, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;

use super::{Place, Protect};
use crate::Random;

/// Puts a random number between `min` and `max`, both included, in place of every value, as DataBrew's
/// REPLACE_WITH_RANDOM_BETWEEN. The type of a numeric column stays; text gets whole numbers as text. Floats and decimals get
/// fractions.
///
/// The numbers depend on seed, batch and row, and on nothing that is in the column: they hide the values, whoever knows the
/// seed. All that shows is which rows were NULL.
#[derive(Debug, Clone)]
pub struct ReplaceRandom {
    min: i64,
    max: i64,
    seed: u64,
}

impl ReplaceRandom {
    /// Numbers from `min` to `max`.
    ///
    /// # Errors
    /// That `max` lies below `min`.
    pub fn new(min: i64, max: i64, seed: u64) -> Result<Self, String> {
        match min <= max {
            true => Ok(Self { min, max, seed }),
            false => Err(format!("no number lies between {min} and {max}")),
        }
    }

    fn whole(&self, random: &mut Random) -> i64 {
        (i128::from(self.min) + random.up_to(self.max.abs_diff(self.min).into()) as i128) as i64
    }

    fn fraction(&self, random: &mut Random) -> f64 {
        let (min, max) = (self.min as f64, self.max as f64);
        (min + random.fraction() * (max - min)).min(max)
    }
}

impl Protect for ReplaceRandom {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        let (least, most) = match input {
            DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
            DataType::UInt8 => (0, u8::MAX.into()),
            DataType::UInt16 => (0, u16::MAX.into()),
            DataType::UInt32 => (0, u32::MAX.into()),
            DataType::UInt64 => (0, i64::MAX),
            DataType::Int64 | DataType::Float32 | DataType::Float64 => (i64::MIN, i64::MAX),
            DataType::Decimal128(precision, scale) => {
                let digits = i64::from(*precision) - i64::from(*scale);
                let most = u32::try_from(digits).ok().map(|digits| 10i64.checked_pow(digits).unwrap_or(i64::MAX));
                match (most, *scale >= 0) {
                    (Some(most), true) => (1 - most, most - 1),
                    _ => return Err(format!("takes decimals with a scale from 0 to their precision, not {input}")),
                }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => return Ok(DataType::Utf8),
            _ => return Err(format!("takes numbers and text, not {input}")),
        };
        match self.min < least || self.max > most {
            true => Err(format!("{} to {} does not fit in {input}", self.min, self.max)),
            false => Ok(input.clone()),
        }
    }

    fn protect(&self, column: &ArrayRef, place: Place) -> Result<ArrayRef, String> {
        let output = self.output(column.data_type())?;
        let rows = (0..column.len() as u64).map(|row| Random::at(self.seed, place.batch, row));
        let nulls = column.logical_nulls();
        let whole = |mut random: Random| self.whole(&mut random);
        Ok(match &output {
            DataType::Utf8 => {
                let texts: Vec<Option<String>> = rows
                    .enumerate()
                    .map(|(row, random)| is_valid(nulls.as_ref(), row).then(|| whole(random).to_string()))
                    .collect();
                Arc::new(StringArray::from(texts))
            }
            DataType::Float64 => {
                let values = rows.map(|mut random| self.fraction(&mut random)).collect();
                Arc::new(Float64Array::new(values, nulls))
            }
            DataType::Float32 => {
                let values = rows.map(|mut random| self.fraction(&mut random) as f32).collect();
                Arc::new(Float32Array::new(values, nulls))
            }
            DataType::Decimal128(precision, scale) => {
                let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
                let span = (i128::from(self.max) - i128::from(self.min)) * unit;
                let (least, span) = (i128::from(self.min) * unit, span.unsigned_abs());
                let values = rows.map(|mut random| least + random.up_to(span) as i128).collect();
                let decimals = Decimal128Array::new(values, nulls).with_precision_and_scale(*precision, *scale);
                Arc::new(decimals.map_err(|_| format!("the numbers do not fit in {output}"))?)
            }
            _ => {
                let numbers: ArrayRef = Arc::new(Int64Array::new(rows.map(whole).collect(), nulls));
                let strict = CastOptions { safe: false, ..CastOptions::default() };
                cast_with_options(&numbers, &output, &strict)
                    .map_err(|_| format!("the numbers do not fit in {output}"))?
            }
        })
    }
}

fn is_valid(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row))
}
