//! Eight digits at once: numbers and dates read as machine words.
//!
//! These say only what a text is when it is of the commonest form; for anything else they say `None`, and the readers in
//! [`parse`](super::parse) decide, which know every form and every reason. A property test holds the two together.
//!
//! Source: Daniel Lemire, "Quickly parsing eight digits" (2018-10-03), and the test for digits of the `fast_float` library.

use std::marker::PhantomData;

use crate::vector::numbers::{Form, Size};

/// Reads fields of the commonest form.
pub(super) trait FastReader {
    /// What it reads.
    type Value;

    /// The value of the field from `start` to `end`; `None` where it is of another form, which may be right, too.
    ///
    /// To be inlined always: the loop over a column is compiled for what it reads.
    fn read(&self, bytes: &[u8], start: usize, end: usize) -> Option<Self::Value>;

    /// The form that many fields can be read together for.
    fn form(&self) -> Option<Form> {
        None
    }

    /// The value of a number that was read together with others.
    fn widen(&self, number: i64) -> Option<Self::Value>;
}

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The highest bit of each byte.
const HIGHEST: u64 = 0x8080_8080_8080_8080;
/// Powers of ten.
static TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The eight bytes before `end`, the first one lowest.
#[inline(always)]
fn before(bytes: &[u8], end: usize) -> Option<u64> {
    let word = bytes.get(end.wrapping_sub(8)..end)?;
    Some(u64::from_le_bytes(word.try_into().ok()?))
}

/// The last `length` of eight bytes, 1 to 8; the first ones become zero, as leading zeros are.
#[inline(always)]
fn last(word: u64, length: usize) -> u64 {
    word & (u64::MAX << (64 - 8 * length))
}

/// Whether each byte is a digit's value.
#[inline(always)]
fn all_digits(word: u64) -> bool {
    (word | word.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0
}

/// The number that eight digits' values make, the first digit lowest.
#[inline(always)]
fn number(word: u64) -> u64 {
    let pairs = (word.wrapping_mul(10)).wrapping_add(word >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100)).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    (fours.wrapping_mul(10_000)).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

/// 1 to 16 digits and nothing else.
#[inline(always)]
fn digits(bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    let length = end.wrapping_sub(start);
    if length.wrapping_sub(1) < 8 {
        let word = last(before(bytes, end)? ^ ZEROS, length);
        return all_digits(word).then(|| number(word));
    }
    if length.wrapping_sub(9) < 8 {
        let low = before(bytes, end)? ^ ZEROS;
        let high = last(before(bytes, end - 8)? ^ ZEROS, length - 8);
        return (all_digits(low) & all_digits(high)).then(|| number(high) * 100_000_000 + number(low));
    }
    None
}

/// Where the digits of a negative number begin. Readers make numbers of at most 18 digits, so their sign can be turned.
#[inline(always)]
fn after_minus(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    (start < end && bytes.get(start) == Some(&b'-')).then_some(start + 1)
}

/// An integer of up to 16 digits.
#[inline(always)]
pub(super) fn integer(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    match digits(bytes, start, end) {
        Some(value) => Some(value as i64),
        None if start == end => None,
        None => negative_integer(bytes, start, end),
    }
}

/// Integers that fit a type.
pub(super) struct Integers<T>(PhantomData<T>);

impl<T> Integers<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: TryFrom<i64>> FastReader for Integers<T> {
    type Value = T;

    fn form(&self) -> Option<Form> {
        // What does not fit the type is found out when it is made one.
        Some(Form::Digits { size: Size::Short, limit: i64::MAX })
    }

    #[inline(always)]
    fn widen(&self, number: i64) -> Option<T> {
        T::try_from(number).ok()
    }

    #[inline(always)]
    fn read(&self, bytes: &[u8], start: usize, end: usize) -> Option<T> {
        T::try_from(integer(bytes, start, end)?).ok()
    }
}

/// Not inlined, so that the common case is short.
#[inline(never)]
fn negative_integer(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    digits(bytes, after_minus(bytes, start, end)?, end).map(|value| -(value as i64))
}

/// What is known of a decimal column before the first value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimals {
    scale: usize,
    point: u8,
    power: u64,
    limit: u64,
}

impl Decimals {
    /// Decimals with exactly `scale` digits behind `point`, fewer than `precision` in all.
    pub(super) fn new(precision: u8, scale: u32, point: u8) -> Self {
        let power = |digits: u32| 10u64.checked_pow(digits).unwrap_or(u64::MAX);
        Self { scale: scale as usize, point, power: power(scale), limit: power(u32::from(precision)) }
    }

    /// A negative number, or one with fewer digits behind the point.
    #[inline(never)]
    fn uncommon(&self, bytes: &[u8], start: usize, end: usize) -> Option<i64> {
        match after_minus(bytes, start, end) {
            Some(start) => {
                let value = self.unsigned(bytes, start, end).or_else(|| self.short(bytes, start, end))?;
                Some(-(value as i64))
            }
            None => self.short(bytes, start, end).map(|value| value as i64),
        }
    }

    /// A number of up to eight characters with one to `scale` digits behind the point, as doubles are written.
    #[inline(always)]
    fn short(&self, bytes: &[u8], start: usize, end: usize) -> Option<u64> {
        let length = end.wrapping_sub(start);
        if length.wrapping_sub(1) >= 8 {
            return None;
        }
        let word = last(before(bytes, end)? ^ ZEROS, length);
        // The first byte that is no digit; the sums never reach into the next byte.
        let others = (word | ((word & !HIGHEST) + 0x7676_7676_7676_7676)) & HIGHEST;
        let at = others.trailing_zeros() as usize / 8;
        let fraction = 7usize.wrapping_sub(at);
        let is_point = at > 8 - length && at < 7 && (word >> (8 * at)) as u8 == self.point ^ b'0';
        if !is_point || fraction > self.scale {
            return None;
        }
        let whole = word & ((1 << (8 * at)) - 1);
        let digits = whole << 8 | word & (u64::MAX << (8 * at) << 8);
        if !all_digits(digits) {
            return None;
        }
        let value = number(digits) * TENS.get(self.scale - fraction)?;
        (value < self.limit).then_some(value)
    }

    #[inline(always)]
    fn unsigned(&self, bytes: &[u8], start: usize, end: usize) -> Option<u64> {
        let Self { scale, point, power, limit } = *self;
        let length = end.wrapping_sub(start);
        let value = if scale == 0 {
            digits(bytes, start, end)?
        } else if length.wrapping_sub(1) < 8 && scale <= 7 {
            let word = last(before(bytes, end)? ^ ZEROS, length);
            let point_at = 8 * (7 - scale);
            if length >= scale + 2 && (word >> point_at) as u8 == point ^ b'0' {
                // The point is taken out of the word, so that the digits around it make one number.
                let whole = word & ((1 << point_at) - 1);
                let fraction = word & (u64::MAX << point_at << 8);
                let digits = whole << 8 | fraction;
                if !all_digits(digits) {
                    return None;
                }
                number(digits)
            } else if all_digits(word) {
                number(word) * power
            } else {
                return None;
            }
        } else if length.wrapping_sub(9) <= 10 && scale <= 8 {
            let point_at = end - 1 - scale;
            if bytes.get(point_at) != Some(&point) {
                return None;
            }
            digits(bytes, start, point_at)? * power + digits(bytes, point_at + 1, end)?
        } else {
            return None;
        };
        (value < limit).then_some(value)
    }
}

impl FastReader for Decimals {
    type Value = i64;

    fn form(&self) -> Option<Form> {
        let (size, limit) = (Size::Short, i64::try_from(self.limit).unwrap_or(i64::MAX));
        match self.scale {
            0 => Some(Form::Digits { size, limit }),
            1..=6 => Some(Form::Decimal { size, scale: self.scale as u8, point: self.point, limit }),
            _ => None,
        }
    }

    #[inline(always)]
    fn widen(&self, number: i64) -> Option<i64> {
        Some(number)
    }

    /// The unscaled value of a text of up to 18 digits, `scale` of them behind the point, or of a short one without a point.
    #[inline(always)]
    fn read(&self, bytes: &[u8], start: usize, end: usize) -> Option<i64> {
        match self.unsigned(bytes, start, end) {
            Some(value) => Some(value as i64),
            None if start == end => None,
            None => self.uncommon(bytes, start, end),
        }
    }
}

/// Days from 1970-01-01 to the first of January of each year from [`FIRST_YEAR`].
static YEAR_STARTS: [i32; 400] = {
    let mut starts = [0; 400];
    // Days from 1800-01-01 to 1970-01-01: 170 years, 41 of them leap years (1900 is none).
    let mut day = -(170 * 365 + 41);
    let mut index = 0;
    while index < 400 {
        starts[index] = day;
        day += 365 + is_leap(FIRST_YEAR + index as u32) as i32;
        index += 1;
    }
    starts
};
const FIRST_YEAR: u32 = 1800;

const fn is_leap(year: u32) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

/// Days before each month in a year of 365 days, from 1; and the days of the month.
static MONTHS: [(i32, u32); 16] = {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut months = [(0, 0); 16];
    let (mut before, mut month) = (0, 1);
    while month <= 12 {
        months[month] = (before, lengths[month - 1]);
        before += lengths[month - 1] as i32;
        month += 1;
    }
    months
};

/// Dates as ISO 8601 writes them.
pub(super) struct Dates;

impl FastReader for Dates {
    type Value = i32;

    fn form(&self) -> Option<Form> {
        Some(Form::Date)
    }

    #[inline(always)]
    fn widen(&self, number: i64) -> Option<i32> {
        Some(number as i32)
    }

    #[inline(always)]
    fn read(&self, bytes: &[u8], start: usize, end: usize) -> Option<i32> {
        date(bytes, start, end)
    }
}

/// Days since 1970-01-01 of `yyyy-MM-dd`, years 1800 to 2199.
#[inline(always)]
pub(super) fn date(bytes: &[u8], start: usize, end: usize) -> Option<i32> {
    if end.wrapping_sub(start) != 10 {
        return None;
    }
    let text: &[u8; 10] = bytes.get(start..end)?.try_into().ok()?;
    let [y0, y1, y2, y3, dash, m0, m1, second_dash, d0, d1] = *text;
    let word = u64::from_le_bytes([y0, y1, y2, y3, m0, m1, d0, d1]) ^ ZEROS;
    if !((dash == b'-') & (second_dash == b'-') & all_digits(word)) {
        return None;
    }
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00FF_00FF_00FF_00FF;
    let year = (pairs as u32 & 0xFF) * 100 + (pairs >> 16) as u32 % 256;
    let (month, day) = ((pairs >> 32) as u32 & 0xFF, (pairs >> 48) as u32);
    let start = *YEAR_STARTS.get(year.wrapping_sub(FIRST_YEAR) as usize)?;
    let (before, length) = *MONTHS.get(month as usize)?;
    let leap = is_leap(year);
    if day.wrapping_sub(1) >= length + u32::from(leap && month == 2) {
        return None;
    }
    Some(start + before + i32::from(leap && month > 2) + day as i32 - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse;

    /// Whatever a fast reader says of a field, the thorough one says, too; the commonest forms are read fast.
    fn check(text: &str, common: bool, scale: u32) {
        let padded = format!("xxxxxxxx,{text},");
        let (bytes, start, end) = (padded.as_bytes(), 9, 9 + text.len());
        let integer = integer(bytes, start, end);
        if integer.is_some() {
            assert_eq!(integer, parse::integer(text.as_bytes(), i64::MIN, i64::MAX).ok(), "{text}");
        }
        for precision in [5, 15, 18, 38] {
            let decimal = Decimals::new(precision, scale, b'.').read(bytes, start, end).map(i128::from);
            let expected = parse::decimal(text.as_bytes(), precision, scale, b'.', false).ok();
            if decimal.is_some() || (common && precision == 38) {
                assert_eq!(decimal, expected, "{text} {precision} {scale}");
            }
        }
        let date = date(bytes, start, end);
        if date.is_some() {
            assert_eq!(date, parse::date(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_read_right(text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,9}", scale in 0u32..10) {
            check(&text, false, scale);
        }

        #[test]
        fn nearly_numbers_are_left_to_the_thorough(text in "[-+0-9.,/:;éx ]{0,12}", scale in 0u32..4) {
            check(&text, false, scale);
        }

        #[test]
        fn common_numbers_are_read_fast(value in -99_999_999_999_i64..99_999_999_999, scale in 0u32..6) {
            let text = value.to_string();
            let padded = format!("xxxxxxxx{text}");
            prop_assert_eq!(integer(padded.as_bytes(), 8, padded.len()), Some(value));
            let sign = if value < 0 { "-" } else { "" };
            let fraction = match scale {
                0 => String::new(),
                _ => format!(".{:01$}", value.unsigned_abs() % 10u64.pow(scale), scale as usize),
            };
            check(&format!("{sign}{}{fraction}", value.unsigned_abs()), true, scale);
        }

        #[test]
        fn short_fractions_are_read_fast(whole in 0u32..9999, fraction in "[0-9]{1,3}", negative: bool, scale in 3u32..8) {
            check(&format!("{}{whole}.{fraction}", if negative { "-" } else { "" }), true, scale);
        }

        #[test]
        fn dates_are_those_of_the_thorough(year in 0u32..3000, month in 0u32..14, day in 0u32..33) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            let fast = date(text.as_bytes(), 0, 10);
            match (1800..2200).contains(&year) {
                true => prop_assert_eq!(fast, parse::date(text.as_bytes())),
                false => prop_assert_eq!(fast, None),
            }
        }
    }
}
