//! Numbers and dates, eight at a time.
//!
//! What they say of a field is what the readers in [`parse`](crate::parse) say; of a field of another form they say nothing, and
//! those of [`swar`](crate::swar) are asked. A property test and a fuzz target hold them together.
//!
//! Sources: digits by sums of products, Wojciech Muła, "Parsing series of integers with SIMD" (2018); days of a date, Howard Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`.

/// Fields read together.
pub(crate) const FIELDS: usize = 64;

/// What the texts of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Digits, one at least, that make a number below `limit`.
    Digits { size: Size, limit: i64 },
    /// Digits, then `point` and `scale` digits (1 to 6), or one or more digits alone. The number without its point, or times 10 to
    /// the power of `scale`, is below `limit`.
    Decimal { size: Size, scale: u8, point: u8, limit: i64 },
    /// `yyyy-MM-dd`, years 1800 to 2199; days since 1970-01-01. The 29th of February is left to others.
    Date,
}

/// How many characters a number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Up to 8.
    Short,
    /// Up to 16.
    Long,
}

impl Form {
    #[inline]
    fn is_long(self) -> bool {
        matches!(self, Self::Digits { size: Size::Long, .. } | Self::Decimal { size: Size::Long, .. })
    }

    /// The form of longer numbers.
    pub(crate) fn longer(self) -> Option<Self> {
        match self {
            Self::Digits { size: Size::Short, limit } => Some(Self::Digits { size: Size::Long, limit }),
            Self::Decimal { size: Size::Short, scale, point, limit } => {
                Some(Self::Decimal { size: Size::Long, scale, point, limit })
            }
            _ => None,
        }
    }
}

/// Fields of one column on their way to values.
pub(crate) struct Gathered {
    /// The last eight bytes of each field, and more before them where it is shorter.
    last: [u64; FIELDS],
    /// Of dates the first eight bytes; of long numbers the eight before the last.
    first: [u64; FIELDS],
    lengths: [u32; FIELDS],
    values: [i64; FIELDS],
}

/// Whether the processor has what is needed.
#[inline]
pub(crate) fn is_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl Gathered {
    pub(crate) fn new() -> Self {
        Self { last: [0; FIELDS], first: [0; FIELDS], lengths: [0; FIELDS], values: [0; FIELDS] }
    }

    /// The values of at most [`FIELDS`] fields by their bounds in `bytes`; and a bit for each that could not be read, whose value
    /// is 0.
    #[inline(always)]
    pub(crate) fn read(
        &mut self,
        form: Form,
        bytes: &[u8],
        bounds: impl Iterator<Item = (usize, usize)>,
    ) -> (&[i64], u64) {
        let count = match form {
            Form::Date => self.gather(bytes, bounds, |start, _| Some(start)),
            _ if form.is_long() => self.gather(bytes, bounds, |_, end| Some(end.wrapping_sub(16))),
            _ => self.gather(bytes, bounds, |_, _| None),
        };
        let odd = self.compute(form, count);
        (self.values.get(..count).unwrap_or_default(), odd & u64::MAX.checked_shr(64 - count as u32).unwrap_or(0))
    }

    /// Takes the words of the fields, the first ones from where `first_at` says; so many fields. Words that would begin before
    /// the first byte are of no digits.
    #[inline(always)]
    fn gather(
        &mut self,
        bytes: &[u8],
        bounds: impl Iterator<Item = (usize, usize)>,
        first_at: impl Fn(usize, usize) -> Option<usize>,
    ) -> usize {
        let word = |start: usize| {
            let word = bytes.get(start..start.wrapping_add(8)).unwrap_or(&[0; 8]);
            u64::from_le_bytes(word.try_into().unwrap_or_default())
        };
        let mut count = 0;
        let slots = self.last.iter_mut().zip(&mut self.first).zip(&mut self.lengths);
        for (((last, first), length), (start, end)) in slots.zip(bounds) {
            *last = word(end.wrapping_sub(8));
            if let Some(at) = first_at(start, end) {
                *first = word(at);
            }
            *length = end.wrapping_sub(start) as u32;
            count += 1;
        }
        count
    }

    fn compute(&mut self, form: Form, count: usize) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if is_available() {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { avx2::compute(self, form, count) };
        }
        let _ = (form, count);
        u64::MAX
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Form, Gathered, Size};

    /// Fields of one step.
    const STEP: usize = 8;

    /// Words of eight fields, four and four.
    type Words = [__m256i; 2];
    /// What was made of eight fields: numbers of 64 bits, four and four, and all ones where they are right.
    type Made = (Words, Words);

    /// The words in order.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(words: &[u64; STEP]) -> Words {
        let (words, _) = words.as_chunks::<4>();
        // SAFETY: each four words have 32 bytes, and `loadu` asks for no alignment.
        let load = |half: usize| unsafe { _mm256_loadu_si256(words[half].as_ptr().cast()) };
        [load(0), load(1)]
    }

    /// The lengths in order.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn each_length(lengths: &[u32; STEP]) -> Words {
        // SAFETY: the lengths have 32 bytes, and `loadu` asks for no alignment.
        widened(unsafe { _mm256_loadu_si256(lengths.as_ptr().cast()) })
    }

    /// Values of the fields; a bit for each that could not be read.
    #[target_feature(enable = "avx2")]
    pub(super) fn compute(gathered: &mut Gathered, form: Form, count: usize) -> u64 {
        match form {
            Form::Digits { size: Size::Short, limit } => {
                each(gathered, count, |last, _, lengths| digits::<false>(last, last, lengths, limit))
            }
            Form::Digits { size: Size::Long, limit } => {
                each(gathered, count, |last, first, lengths| digits::<true>(last, first, lengths, limit))
            }
            Form::Decimal { size: Size::Short, scale, point, limit } => {
                each(gathered, count, |last, _, lengths| decimals::<false>(last, last, lengths, scale, point, limit))
            }
            Form::Decimal { size: Size::Long, scale, point, limit } => each(gathered, count, |last, first, lengths| {
                decimals::<true>(last, first, lengths, scale, point, limit)
            }),
            Form::Date => each(gathered, count, |last, first, lengths| dates(first, last, lengths)),
        }
    }

    /// Makes values of the last and the first words and the lengths of eight fields after eight others.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn each(gathered: &mut Gathered, count: usize, make: impl Fn(Words, Words, Words) -> Made) -> u64 {
        let mut read = 0;
        let (last, first) = (gathered.last.as_chunks::<STEP>().0, gathered.first.as_chunks::<STEP>().0);
        let (lengths, values) = (gathered.lengths.as_chunks::<STEP>().0, gathered.values.as_chunks_mut::<STEP>().0);
        let steps = last.iter().zip(first).zip(lengths).zip(values).take(count.div_ceil(STEP));
        for (step, (((last, first), lengths), values)) in steps.enumerate() {
            let made = make(words(last), words(first), each_length(lengths));
            for (half, (numbers, good)) in made.0.into_iter().zip(made.1).enumerate() {
                if let Some(values) = values.as_chunks_mut::<4>().0.get_mut(half) {
                    // SAFETY: `values` has 32 bytes, and `storeu` asks for no alignment.
                    unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), _mm256_and_si256(numbers, good)) };
                }
                let good = _mm256_movemask_pd(_mm256_castsi256_pd(good));
                read |= u64::from(good as u32) << (step * STEP + half * 4);
            }
        }
        !read
    }

    /// Digits' values of the last so many characters of each word, 0 to 8; zero in place of what stands before them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn last(words: __m256i, lengths: __m256i) -> __m256i {
        let bits = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64::<3>(lengths));
        let there = _mm256_sllv_epi64(_mm256_set1_epi64x(-1), bits);
        _mm256_and_si256(_mm256_xor_si256(words, _mm256_set1_epi8(b'0'.cast_signed())), there)
    }

    /// All ones for each word of digits' values alone.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn all_digits(words: __m256i) -> __m256i {
        let nine = _mm256_set1_epi8(9);
        let digits = _mm256_cmpeq_epi8(_mm256_max_epu8(words, nine), nine);
        _mm256_cmpeq_epi64(digits, _mm256_set1_epi64x(-1))
    }

    /// The number of each word of eight digits' values, the first digit lowest.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn numbers([low, high]: Words) -> Words {
        let fours = |words| {
            let pairs = _mm256_maddubs_epi16(words, _mm256_set1_epi16(0x010A));
            _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_0064))
        };
        let fours = _mm256_packus_epi32(fours(low), fours(high));
        let eights = _mm256_madd_epi16(fours, _mm256_set1_epi32(0x0001_2710));
        // In each half of the vector there are two numbers of the first four, then two of the last four.
        let zero = _mm256_setzero_si256();
        [_mm256_unpacklo_epi32(eights, zero), _mm256_unpackhi_epi32(eights, zero)]
    }

    /// All ones for each length from 1 to `most`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn fits(length: __m256i, most: i64) -> __m256i {
        let little = _mm256_cmpgt_epi64(_mm256_set1_epi64x(most + 1), length);
        _mm256_and_si256(_mm256_cmpgt_epi64(length, _mm256_setzero_si256()), little)
    }

    /// The numbers of words of 16 digits' values, the last eight in `last`; of the last eight alone where not `LONG`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn joined<const LONG: bool>(last: Words, first: Words) -> Words {
        let low = numbers(last);
        if !LONG {
            return low;
        }
        let high = numbers(first);
        let eight_digits = _mm256_set1_epi64x(100_000_000);
        let join = |low, high| _mm256_add_epi64(low, _mm256_mul_epu32(high, eight_digits));
        [join(low[0], high[0]), join(low[1], high[1])]
    }

    /// Digits' values of the field: of its last eight characters, and, where `LONG`, of those before them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn values<const LONG: bool>(last_word: __m256i, first_word: __m256i, length: __m256i) -> [__m256i; 2] {
        if !LONG {
            return [last(last_word, length), _mm256_setzero_si256()];
        }
        let eight = _mm256_set1_epi64x(8);
        let of_last = _mm256_blendv_epi8(length, eight, _mm256_cmpgt_epi64(length, eight));
        [last(last_word, of_last), last(first_word, _mm256_sub_epi64(length, of_last))]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn digits<const LONG: bool>(last: Words, first: Words, lengths: Words, limit: i64) -> Made {
        let most = if LONG { 16 } else { 8 };
        let part = |half: usize| {
            let [low, high] = values::<LONG>(last[half], first[half], lengths[half]);
            let good = fits(lengths[half], most);
            (low, high, _mm256_and_si256(good, all_digits(_mm256_max_epu8(low, high))))
        };
        let parts = [part(0), part(1)];
        let numbers = joined::<LONG>(parts.map(|part| part.0), parts.map(|part| part.1));
        let good = parts.map(|part| part.2);
        if limit >= 10_i64.pow(most as u32) {
            return (numbers, good);
        }
        let below = numbers.map(|number| _mm256_cmpgt_epi64(_mm256_set1_epi64x(limit), number));
        (numbers, [_mm256_and_si256(good[0], below[0]), _mm256_and_si256(good[1], below[1])])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn decimals<const LONG: bool>(last: Words, first: Words, lengths: Words, scale: u8, point: u8, limit: i64) -> Made {
        let most = if LONG { 16 } else { 8 };
        let scale = u32::from(scale.min(6));
        let point_at = 8 * (7 - scale);
        let word = |word: u64| _mm256_set1_epi64x(word.cast_signed());
        let (whole, fraction) = (word((1 << point_at) - 1), word(u64::MAX << point_at << 8));
        let (place, mark) = (word(0xFF << point_at), word(u64::from(point ^ b'0') << point_at));
        let power = 10_i64.pow(scale);
        let limit = [(limit - 1) / power + 1, limit];
        let part = |half: usize| {
            let [low, high] = values::<LONG>(last[half], first[half], lengths[half]);
            let pointed = _mm256_cmpeq_epi64(_mm256_and_si256(low, place), mark);
            let either = |[without, with]: [__m256i; 2]| _mm256_blendv_epi8(without, with, pointed);
            // The point is taken out, so that the digits around it make one number.
            let before = _mm256_or_si256(
                _mm256_slli_epi64::<8>(_mm256_and_si256(low, whole)),
                if LONG { _mm256_srli_epi64::<56>(high) } else { high },
            );
            let low = either([low, _mm256_or_si256(before, _mm256_and_si256(low, fraction))]);
            let high = if LONG { either([high, _mm256_slli_epi64::<8>(high)]) } else { high };
            let good = _mm256_and_si256(fits(lengths[half], most), all_digits(_mm256_max_epu8(low, high)));
            (low, high, pointed, good)
        };
        let parts = [part(0), part(1)];
        let numbers = joined::<LONG>(parts.map(|part| part.0), parts.map(|part| part.1));
        let any_fits = limit[0] >= 10_i64.pow(most as u32);
        let (power, limit) = (_mm256_set1_epi64x(power), limit.map(|limit| _mm256_set1_epi64x(limit)));
        let make = |half: usize| {
            let (number, (_, _, pointed, good)) = (numbers[half], parts[half]);
            let good = match any_fits {
                true => good,
                false => {
                    let limit = _mm256_blendv_epi8(limit[0], limit[1], pointed);
                    _mm256_and_si256(good, _mm256_cmpgt_epi64(limit, number))
                }
            };
            let low = _mm256_mul_epu32(number, power);
            let high = _mm256_slli_epi64::<32>(_mm256_mul_epu32(_mm256_srli_epi64::<32>(number), power));
            let product = if LONG { _mm256_add_epi64(low, high) } else { low };
            (_mm256_blendv_epi8(product, number, pointed), good)
        };
        let made = [make(0), make(1)];
        (made.map(|made| made.0), made.map(|made| made.1))
    }

    /// Of two times four things of 64 bits, those in the first or the second half of each, in order.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves([low, high]: Words) -> [__m256i; 2] {
        let (low, high) = (_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
        let ordered = |halves| _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(halves));
        [ordered(_mm256_shuffle_ps::<0b10_00_10_00>(low, high)), ordered(_mm256_shuffle_ps::<0b11_01_11_01>(low, high))]
    }

    /// Eight numbers of 32 bits as such of 64.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn widened(numbers: __m256i) -> Words {
        [
            _mm256_cvtepi32_epi64(_mm256_castsi256_si128(numbers)),
            _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(numbers)),
        ]
    }

    /// Dates by the first and the last eight bytes of their ten.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn dates(first: Words, last: Words, lengths: Words) -> Made {
        // `yyyy-MM-` and `yy-MM-dd`.
        let dashes = _mm256_set1_epi64x(0x2D00_002D_0000_0000);
        let is_dash = _mm256_set1_epi64x(0xFF00_00FF_0000_0000_u64.cast_signed());
        const NONE: i8 = -1;
        let years = _mm256_setr_epi8(
            0, 1, 2, 3, NONE, NONE, NONE, NONE, 8, 9, 10, 11, NONE, NONE, NONE, NONE, 0, 1, 2, 3, NONE, NONE, NONE,
            NONE, 8, 9, 10, 11, NONE, NONE, NONE, NONE,
        );
        let days = _mm256_setr_epi8(
            NONE, NONE, NONE, NONE, 3, 4, 6, 7, NONE, NONE, NONE, NONE, 11, 12, 14, 15, NONE, NONE, NONE, NONE, 3, 4,
            6, 7, NONE, NONE, NONE, NONE, 11, 12, 14, 15,
        );
        let part = |half: usize| {
            let (first, last) = (first[half], last[half]);
            let digits = _mm256_or_si256(_mm256_shuffle_epi8(first, years), _mm256_shuffle_epi8(last, days));
            let digits = _mm256_xor_si256(digits, _mm256_set1_epi8(b'0'.cast_signed()));
            let dashed = _mm256_cmpeq_epi64(_mm256_and_si256(first, is_dash), dashes);
            let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
            // Hundreds and units of the year; month and day.
            let parts = _mm256_madd_epi16(pairs, _mm256_set1_epi64x(0x0001_0080_0001_0064));
            let ten = _mm256_cmpeq_epi64(lengths[half], _mm256_set1_epi64x(10));
            (parts, _mm256_and_si256(_mm256_and_si256(dashed, ten), all_digits(digits)))
        };
        let parts = [part(0), part(1)];
        let [year, of_year] = halves(parts.map(|part| part.0));
        let [good, _] = halves(parts.map(|part| part.1));
        let number = |number| _mm256_set1_epi32(number);
        let (month, day) = (_mm256_srli_epi32::<7>(of_year), _mm256_and_si256(of_year, number(0x7F)));

        // How many days a month has in most years, by its number; none at 0 and from 13 on.
        let lengths_of_months = _mm256_setr_epi8(
            0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
            31, 0, 0, 0,
        );
        let known = _mm256_cmpgt_epi32(number(16), month);
        let of_month = _mm256_shuffle_epi8(lengths_of_months, month);
        let outside = _mm256_or_si256(_mm256_cmpgt_epi32(number(1), day), _mm256_cmpgt_epi32(day, of_month));
        let far = _mm256_or_si256(_mm256_cmpgt_epi32(number(1800), year), _mm256_cmpgt_epi32(year, number(2199)));
        let good = _mm256_and_si256(good, known);
        let good = _mm256_andnot_si256(_mm256_or_si256(outside, far), good);

        // Years that begin with March: January and February are of the one before.
        let early = _mm256_cmpgt_epi32(number(3), month);
        let year = _mm256_add_epi32(year, early);
        let month = _mm256_add_epi32(_mm256_sub_epi32(month, number(3)), _mm256_and_si256(early, number(12)));
        // Days before month m: (153 m + 2) / 5, which for 0 to 11 is (979 m + 16) / 32.
        let before = _mm256_srli_epi32::<5>(_mm256_add_epi32(_mm256_madd_epi16(month, number(979)), number(16)));
        // y / 100 as y * 41944 / 2^22, exact below 43,690.
        let centuries = _mm256_srli_epi32::<6>(_mm256_mulhi_epu16(year, number(41_944)));
        let leap_days = _mm256_add_epi32(
            _mm256_sub_epi32(_mm256_srli_epi32::<2>(year), centuries),
            _mm256_srli_epi32::<2>(centuries),
        );
        let of_years = _mm256_add_epi32(_mm256_madd_epi16(year, number(365)), leap_days);
        let days = _mm256_add_epi32(_mm256_add_epi32(of_years, before), day);
        // Days from 0000-03-01 to 1970-01-01: 719,468; and the first of a month is its day 1.
        (widened(_mm256_sub_epi32(days, number(719_469))), widened(good))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse;
    use crate::swar::{Dates, Decimals, FastReader, Integers};

    /// Whatever is read together is what the thorough say; the commonest forms of up to so many characters are.
    fn check<R: FastReader<Value: PartialEq + std::fmt::Debug>>(
        reader: &R,
        texts: &[String],
        thorough: impl Fn(&[u8]) -> Option<R::Value>,
        is_common: impl Fn(&[u8], usize) -> bool,
    ) {
        let text = texts.join(",");
        let mut start = 0;
        let bounds = texts.iter().map(|field| {
            let end = start + field.len();
            (std::mem::replace(&mut start, end + 1), end)
        });
        let bounds: Vec<(usize, usize)> = bounds.collect();
        let mut gathered = Gathered::new();
        let short = reader.form().unwrap();
        for (form, most) in [(Some(short), 8), (short.longer(), 16)] {
            let Some(form) = form else { continue };
            let (values, odd) = gathered.read(form, text.as_bytes(), bounds.iter().copied());
            assert_eq!(values.len(), texts.len());
            for (at, (value, (_, end))) in values.iter().zip(&bounds).enumerate() {
                let (text, expected) = (&texts[at], thorough(texts[at].as_bytes()));
                if odd >> at & 1 == 0 {
                    assert_eq!(reader.widen(*value), expected, "{text:?}");
                } else {
                    assert_eq!(*value, 0);
                    let excused = !is_available() || *end < 16 || expected.is_none();
                    assert!(excused || !is_common(text.as_bytes(), most), "{text:?} is odd");
                }
            }
        }
    }

    fn fields(field: &'static str) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(prop_oneof![4 => field, 1 => "[-+0-9.,/:é x]{0,12}"], 1..=FIELDS)
    }

    fn is_whole(text: &[u8]) -> bool {
        !text.is_empty() && text.iter().all(u8::is_ascii_digit)
    }

    fn check_integers<T: TryFrom<i64> + PartialEq + std::fmt::Debug>(texts: &[String]) {
        let thorough =
            |text: &[u8]| parse::integer(text, i64::MIN, i64::MAX).ok().and_then(|value| T::try_from(value).ok());
        check(&Integers::<T>::new(), texts, thorough, |text, most| text.len() <= most && is_whole(text));
    }

    proptest! {
        #[test]
        fn digits_together_are_integers(texts in fields("[0-9]{1,10}|[0-9]{9,17}")) {
            check_integers::<i64>(&texts);
            check_integers::<i32>(&texts);
            check_integers::<i16>(&texts);
            check_integers::<i8>(&texts);
        }

        #[test]
        fn digits_with_a_point_together_are_decimals(
            texts in fields("[0-9]{1,6}([.][0-9]{2})?|[0-9]{5,14}([.][0-9]{2})?|[.,][0-9]{1,6}"),
            precision in prop_oneof![1u8..20, Just(38)],
            scale in prop_oneof![0u32..=6, Just(2)],
            point in prop_oneof![Just(b'.'), Just(b',')],
        ) {
            let thorough = |text: &[u8]| {
                let value = parse::decimal(text, precision, scale, point, false).ok()?;
                i64::try_from(value).ok()
            };
            let is_common = |text: &[u8], most: usize| {
                let pointed = scale == 2 && text.iter().rev().nth(2) == Some(&point);
                text.len() <= most && (pointed || is_whole(text))
            };
            check(&Decimals::new(precision, scale, point), &texts, thorough, is_common);
        }

        #[test]
        fn dates_together_are_dates(texts in fields("(1[789]|2[012])[0-9]{2}-[01][0-9]-[0-3][0-9]")) {
            let is_common = |text: &[u8], _| (b"1800"..=b"2199").contains(&text.first_chunk::<4>().unwrap_or(b"----"));
            check(&Dates, &texts, parse::date, |text, most| is_common(text, most) && !text.ends_with(b"-02-29"));
        }
    }

    /// Each day of the years that are known of.
    #[test]
    fn every_day_is_read() {
        let first = chrono::NaiveDate::from_ymd_opt(1800, 1, 1).unwrap();
        let texts: Vec<String> = first.iter_days().take(146_097).map(|day| day.to_string()).collect();
        assert_eq!(texts.last().unwrap(), "2199-12-31");
        for texts in texts.chunks(FIELDS) {
            check(&Dates, texts, parse::date, |text, _| !text.ends_with(b"-02-29"));
        }
    }
}
