//! Numbers of up to eight digits and dates, eight at a time.
//!
//! What they say of a field is what the readers of [`swar`](crate::swar) say; of what they do not know they say nothing, and
//! those readers are asked. A property test holds the two together.
//!
//! Sources: digits by sums of products, Wojciech Muła, "SIMD: Parse series of integers" (2018); days of a date, Howard Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms" (2013), `days_from_civil`.

/// Fields read together.
pub(crate) const FIELDS: usize = 64;
/// What numbers of eight digits are below.
pub(crate) const EIGHT_DIGITS: u32 = 100_000_000;
/// So many fields are worth one step of the vector instructions.
const STEP: usize = 8;

/// What the texts of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One to eight digits that make a number below `limit`.
    Digits { limit: u32 },
    /// At most eight characters: one or more digits, then `point` and `scale` digits (1 to 6), or neither. The number without
    /// its point, or times 10 to the power of `scale`, is below `limit`.
    Decimal { scale: u8, point: u8, limit: u32 },
    /// `yyyy-MM-dd`, years 1800 to 2199; days since 1970-01-01. The 29th of February is left to others.
    Date,
}

/// Fields of one column on their way to values.
pub(crate) struct Gathered {
    /// The last eight bytes of each field, and more before them where it is shorter.
    last: [u64; FIELDS],
    /// Of dates the first eight bytes.
    first: [u64; FIELDS],
    lengths: [u32; FIELDS],
    values: [i32; FIELDS],
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
    ) -> (&[i32], u64) {
        let mut count = 0;
        let word = |start: usize| {
            let word = bytes.get(start..start.wrapping_add(8)).unwrap_or(&[0; 8]);
            u64::from_le_bytes(word.try_into().unwrap_or_default())
        };
        let slots = self.last.iter_mut().zip(&mut self.first).zip(&mut self.lengths);
        for (((last, first), length), (start, end)) in slots.zip(bounds) {
            // Before the ninth byte of all no word ends; the field has no length then that is known of.
            let at = end.wrapping_sub(8);
            *last = word(at);
            *length = if at > end { 0 } else { end.wrapping_sub(start) as u32 };
            if form == Form::Date {
                *first = word(start);
            }
            count += 1;
        }
        let odd = self.compute(form, count);
        (self.values.get(..count).unwrap_or_default(), odd & u64::MAX.checked_shr(64 - count as u32).unwrap_or(0))
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

    use super::{EIGHT_DIGITS, Form, Gathered, STEP};

    /// Four words.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(words: &[u64; STEP], half: usize) -> __m256i {
        let [a, b, c, d] = if half == 0 { [0, 1, 2, 3] } else { [4, 5, 6, 7] }.map(|at| words[at].cast_signed());
        _mm256_set_epi64x(d, c, b, a)
    }

    /// Values of the fields; a bit for each that could not be read.
    #[target_feature(enable = "avx2")]
    pub(super) fn compute(gathered: &mut Gathered, form: Form, count: usize) -> u64 {
        let mut read = 0;
        let (last, first) = (gathered.last.as_chunks::<STEP>().0, gathered.first.as_chunks::<STEP>().0);
        let (lengths, values) = (gathered.lengths.as_chunks::<STEP>().0, gathered.values.as_chunks_mut::<STEP>().0);
        let steps = last.iter().zip(first).zip(lengths).zip(values).take(count.div_ceil(STEP));
        for (step, (((last, first), lengths), values)) in steps.enumerate() {
            // SAFETY: `lengths` has 32 bytes, and `loadu` asks for no alignment.
            let lengths = unsafe { _mm256_loadu_si256(lengths.as_ptr().cast()) };
            let [low, high] = [words(last, 0), words(last, 1)];
            let (numbers, good) = match form {
                Form::Digits { limit } => digits(low, high, lengths, limit),
                Form::Decimal { scale, point, limit } => decimals(low, high, lengths, scale, point, limit),
                Form::Date => dates([words(first, 0), words(first, 1)], [low, high], lengths),
            };
            // SAFETY: `values` has 32 bytes, and `storeu` asks for no alignment.
            unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), _mm256_and_si256(numbers, good)) };
            read |= u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(good)) as u32) << (step * STEP);
        }
        !read
    }

    /// Digits' values of the last so many characters of each word; zero in place of what stands before them.
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

    /// Of two times four things of 64 bits, those in the first or the second half of each, in order.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves(low: __m256i, high: __m256i) -> (__m256i, __m256i) {
        let (low, high) = (_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
        let ordered = |halves| _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(halves));
        (ordered(_mm256_shuffle_ps::<0b10_00_10_00>(low, high)), ordered(_mm256_shuffle_ps::<0b11_01_11_01>(low, high)))
    }

    /// The number of each word of eight digits' values, the first digit lowest.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn numbers(low: __m256i, high: __m256i) -> __m256i {
        let fours = |words| {
            let pairs = _mm256_maddubs_epi16(words, _mm256_set1_epi16(0x010A));
            _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_0064))
        };
        let fours = _mm256_packus_epi32(fours(low), fours(high));
        let eights = _mm256_madd_epi16(fours, _mm256_set1_epi32(0x0001_2710));
        _mm256_permute4x64_epi64::<0b11_01_10_00>(eights)
    }

    /// The lengths of the first or the second four fields.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn widened(lengths: __m256i) -> [__m256i; 2] {
        [
            _mm256_cvtepu32_epi64(_mm256_castsi256_si128(lengths)),
            _mm256_cvtepu32_epi64(_mm256_extracti128_si256::<1>(lengths)),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn digits(low: __m256i, high: __m256i, lengths: __m256i, limit: u32) -> (__m256i, __m256i) {
        let [first, second] = widened(lengths);
        let (low, high) = (last(low, first), last(high, second));
        let (good, _) = halves(all_digits(low), all_digits(high));
        let numbers = numbers(low, high);
        let fits = _mm256_and_si256(
            _mm256_cmpgt_epi32(lengths, _mm256_setzero_si256()),
            _mm256_cmpgt_epi32(_mm256_set1_epi32(9), lengths),
        );
        let below = _mm256_cmpgt_epi32(_mm256_set1_epi32(limit.min(EIGHT_DIGITS) as i32), numbers);
        (numbers, _mm256_and_si256(_mm256_and_si256(good, fits), below))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn decimals(
        low: __m256i,
        high: __m256i,
        lengths: __m256i,
        scale: u8,
        point: u8,
        limit: u32,
    ) -> (__m256i, __m256i) {
        let scale = u32::from(scale.min(6));
        let point_at = 8 * (7 - scale);
        let whole = _mm256_set1_epi64x(((1_u64 << point_at) - 1).cast_signed());
        let fraction = _mm256_set1_epi64x((u64::MAX << point_at << 8).cast_signed());
        let place = _mm256_set1_epi64x((0xFF_u64 << point_at).cast_signed());
        let mark = _mm256_set1_epi64x((u64::from(point ^ b'0') << point_at).cast_signed());
        let parts = |words| {
            // The point is taken out of the word, so that the digits around it make one number.
            let whole = _mm256_slli_epi64::<8>(_mm256_and_si256(words, whole));
            let digits = _mm256_or_si256(whole, _mm256_and_si256(words, fraction));
            let pointed = _mm256_cmpeq_epi64(_mm256_and_si256(words, place), mark);
            let digits = _mm256_blendv_epi8(words, digits, pointed);
            (digits, pointed, all_digits(digits))
        };
        let [first, second] = widened(lengths);
        let ((low, low_pointed, low_good), (high, high_pointed, high_good)) =
            (parts(last(low, first)), parts(last(high, second)));
        let ((good, _), (pointed, _)) = (halves(low_good, high_good), halves(low_pointed, high_pointed));
        let either = |without, with| {
            _mm256_blendv_epi8(_mm256_set1_epi32(without), _mm256_set1_epi32(with), pointed)
        };
        let power = 10_i32.pow(scale);
        let limit = limit.min(EIGHT_DIGITS) as i32;
        let digits = numbers(low, high);
        let below = _mm256_cmpgt_epi32(either((limit + power - 1) / power, limit), digits);
        let fits = _mm256_and_si256(
            _mm256_cmpgt_epi32(lengths, either(0, scale as i32 + 1)),
            _mm256_cmpgt_epi32(_mm256_set1_epi32(9), lengths),
        );
        let good = _mm256_and_si256(_mm256_and_si256(good, fits), below);
        (_mm256_mullo_epi32(digits, either(power, 1)), good)
    }

    /// Dates by the first and the last eight bytes of their ten.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn dates(first: [__m256i; 2], last: [__m256i; 2], lengths: __m256i) -> (__m256i, __m256i) {
        // `yyyy-MM-` and `yy-MM-dd`.
        let dashes = _mm256_set1_epi64x(0x2D00_002D_0000_0000);
        let is_dash = _mm256_set1_epi64x(0xFF00_00FF_0000_0000_u64.cast_signed());
        const NONE: i8 = -1;
        let years = _mm256_setr_epi8(
            0, 1, 2, 3, NONE, NONE, NONE, NONE, 8, 9, 10, 11, NONE, NONE, NONE, NONE, 0, 1, 2, 3, NONE, NONE, NONE, NONE, 8,
            9, 10, 11, NONE, NONE, NONE, NONE,
        );
        let days = _mm256_setr_epi8(
            NONE, NONE, NONE, NONE, 3, 4, 6, 7, NONE, NONE, NONE, NONE, 11, 12, 14, 15, NONE, NONE, NONE, NONE, 3, 4, 6, 7,
            NONE, NONE, NONE, NONE, 11, 12, 14, 15,
        );
        let parts = |first, last| {
            let digits = _mm256_or_si256(_mm256_shuffle_epi8(first, years), _mm256_shuffle_epi8(last, days));
            let digits = _mm256_xor_si256(digits, _mm256_set1_epi8(b'0'.cast_signed()));
            let dashed = _mm256_cmpeq_epi64(_mm256_and_si256(first, is_dash), dashes);
            let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
            // Hundreds and units of the year; month and day.
            let parts = _mm256_madd_epi16(pairs, _mm256_set1_epi64x(0x0001_0080_0001_0064));
            (parts, _mm256_and_si256(dashed, all_digits(digits)))
        };
        let [(low, low_good), (high, high_good)] = [parts(first[0], last[0]), parts(first[1], last[1])];
        let (year, of_year) = halves(low, high);
        let (good, _) = halves(low_good, high_good);
        let number = |number| _mm256_set1_epi32(number);
        let (month, day) = (_mm256_srli_epi32::<7>(of_year), _mm256_and_si256(of_year, number(0x7F)));

        // How many days a month has in most years, by its number; none at 0 and from 13 on.
        let lengths_of_months = _mm256_setr_epi8(
            0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0,
            0, 0,
        );
        let known = _mm256_cmpgt_epi32(number(16), month);
        let of_month = _mm256_shuffle_epi8(lengths_of_months, month);
        let outside = _mm256_or_si256(_mm256_cmpgt_epi32(number(1), day), _mm256_cmpgt_epi32(day, of_month));
        let far = _mm256_or_si256(_mm256_cmpgt_epi32(number(1800), year), _mm256_cmpgt_epi32(year, number(2199)));
        let good = _mm256_and_si256(_mm256_and_si256(good, known), _mm256_cmpeq_epi32(lengths, number(10)));
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
        (_mm256_sub_epi32(days, number(719_469)), good)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::swar::{Dates, Decimals, FastReader, Integers};

    /// What is read together is what is read alone; the commonest form is read together.
    fn check<R: FastReader<Value: PartialEq + std::fmt::Debug>>(reader: &R, texts: &[String], is_common: impl Fn(&str) -> bool) {
        let text = texts.join(",");
        let mut start = 0;
        let bounds: Vec<(usize, usize)> = texts
            .iter()
            .map(|field| {
                let end = start + field.len();
                (std::mem::replace(&mut start, end + 1), end)
            })
            .collect();
        let mut gathered = Gathered::new();
        let (values, odd) = gathered.read(reader.form().unwrap(), text.as_bytes(), bounds.iter().copied());
        assert_eq!(values.len(), texts.len());
        for (at, (value, (start, end))) in values.iter().zip(bounds).enumerate() {
            let alone = reader.read(text.as_bytes(), start, end);
            let is_odd = odd >> at & 1 == 1;
            if is_odd {
                assert!(!is_available() || end < 8 || !is_common(&texts[at]) || alone.is_none(), "{:?} is odd", texts[at]);
            } else {
                assert_eq!(reader.widen(*value), alone, "{:?}", texts[at]);
            }
        }
    }

    fn fields(field: &'static str) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(prop_oneof![4 => field, 1 => "[-+0-9.,/:é x]{0,12}"], 1..=FIELDS)
    }

    proptest! {
        #[test]
        fn digits_together_are_digits_alone(texts in fields("[0-9]{1,9}")) {
            let is_common = |text: &str| text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
            check(&Integers::<i64>::new(), &texts, is_common);
            check(&Integers::<i32>::new(), &texts, is_common);
            check(&Integers::<i16>::new(), &texts, is_common);
            check(&Integers::<i8>::new(), &texts, is_common);
        }

        #[test]
        fn decimals_together_are_decimals_alone(texts in fields("[0-9]{1,6}([.][0-9]{2})?"), precision in 1u8..38, scale in 1u32..=6) {
            let is_common = |text: &str| {
                let text = text.as_bytes();
                let pointed = scale == 2 && text.iter().rev().nth(2) == Some(&b'.');
                text.len() <= 8 && (pointed || (scale == 2 && text.len() <= 6 && text.iter().all(u8::is_ascii_digit)))
            };
            for point in [b'.', b','] {
                check(&Decimals::new(precision, scale, point), &texts, |text| point == b'.' && is_common(text));
            }
        }

        #[test]
        fn dates_together_are_dates_alone(texts in fields("(1[789]|2[012])[0-9]{2}-[01][0-9]-[0-3][0-9]")) {
            check(&Dates, &texts, |text| !text.ends_with("-02-29"));
        }
    }

    /// Each day of the years that are known of.
    #[test]
    fn every_day_is_read() {
        let days = (-62_091..84_006).map(|day| (chrono::NaiveDate::default() + chrono::Days::new(100_000)) - chrono::Days::new((100_000 - day) as u64));
        let texts: Vec<String> = days.map(|day| day.to_string()).collect();
        assert_eq!((texts.first().unwrap().as_str(), texts.last().unwrap().as_str()), ("1800-01-01", "2199-12-31"));
        for texts in texts.chunks(FIELDS) {
            check(&Dates, texts, |text| !text.ends_with("-02-29"));
        }
    }
}
