//! Conditions on doubles, as conditions on the whole numbers that the doubles are made of.
//!
//! A condition is on doubles because Spark's is. Turning a whole number (an integer, an unscaled decimal, a day) into a double
//! keeps the order, so those that meet an ordering form one run, whose ends are found once by bisection. Then a value costs
//! one comparison, and a column whose ends lie in the run none.

use arrow::buffer::BooleanBuffer;

use crate::ends::Ends;
use crate::mask::{RowMask, bits_of};
use crate::number_test::NumberTest;

/// The whole numbers that meet a condition: one run of them, or all but one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WholeTest {
    /// The first of the run.
    low: i128,
    /// The last of the run; before `low` when the run is empty.
    high: i128,
    /// Whether the run meets the condition, rather than all else.
    inside: bool,
}

impl WholeTest {
    /// The numbers from `least` to `most` whose double meets `test`; `None` for a test that is no run.
    ///
    /// `double` must keep the order: `a <= b` means `double(a) <= double(b)`.
    pub(crate) fn of(
        test: &NumberTest,
        double: impl Fn(i128) -> f64,
        (least, most): (i128, i128),
    ) -> Option<WholeTest> {
        // The first number that `holds`, given that it goes on to hold; behind the last one when none does.
        let first = |holds: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = (least, most + 1);
            while low < high {
                // The distance may take all 128 bits.
                let middle = low + (high.wrapping_sub(low).cast_unsigned() / 2).cast_signed();
                if holds(double(middle)) { high = middle } else { low = middle + 1 }
            }
            low
        };
        let run = |low: i128, high: i128, inside: bool| Some(WholeTest { low, high, inside });
        match test {
            _ if test.has_nan() => None,
            NumberTest::Greater(x) => run(first(&|value| value > *x), most, true),
            NumberTest::GreaterOrEqual(x) => run(first(&|value| value >= *x), most, true),
            NumberTest::Less(x) => run(least, first(&|value| value >= *x) - 1, true),
            NumberTest::LessOrEqual(x) => run(least, first(&|value| value > *x) - 1, true),
            NumberTest::Equal(x) => run(first(&|value| value >= *x), first(&|value| value > *x) - 1, true),
            NumberTest::NotEqual(x) => run(first(&|value| value >= *x), first(&|value| value > *x) - 1, false),
            NumberTest::Between(a, b) => run(first(&|value| value > *a), first(&|value| value >= *b) - 1, true),
            NumberTest::Inside(a, b) => run(first(&|value| value >= *a), first(&|value| value > *b) - 1, true),
            NumberTest::NotBetween(a, b) => run(first(&|value| value > *a), first(&|value| value >= *b) - 1, false),
            NumberTest::In(_) | NumberTest::NotIn(_) => None,
        }
    }

    /// Whether a number meets the condition.
    #[cfg(test)]
    fn holds(&self, value: i128) -> bool {
        (self.low <= value && value <= self.high) == self.inside
    }

    /// The rows whose value meets the condition, when their ends tell.
    pub(crate) fn by_ends(&self, ends: Ends, rows: usize) -> Option<RowMask> {
        let within = self.low <= ends.low && ends.high <= self.high;
        let apart = ends.high < self.low || self.high < ends.low || self.high < self.low;
        match (within, apart) {
            (true, _) => Some(if self.inside { RowMask::All } else { RowMask::none(rows) }),
            (_, true) => Some(if self.inside { RowMask::none(rows) } else { RowMask::All }),
            _ => None,
        }
    }

    /// The values that meet the condition.
    pub(crate) fn bits<T: Copy + Into<i64>>(&self, values: &[T]) -> BooleanBuffer {
        let clamped = |end: i128| end.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let beyond = self.low > i64::MAX.into() || self.high < i64::MIN.into() || self.high < self.low;
        if beyond {
            return bits_of(values, |_| !self.inside);
        }
        let (low, high, inside) = (clamped(self.low), clamped(self.high), self.inside);
        let span = high.wrapping_sub(low) as u64;
        bits_of(values, |value| (value.into().wrapping_sub(low) as u64 <= span) == inside)
    }

    /// The values that meet the condition; `ends` are those of the values where they are known.
    pub(crate) fn wide_bits(&self, values: &[i128], ends: Option<Ends>) -> BooleanBuffer {
        let fits = |end: i128| i64::try_from(end).is_ok();
        if ends.is_some_and(|ends| fits(ends.low) && fits(ends.high)) {
            let clamped = |end: i128| end.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            if self.low <= i64::MAX.into() && self.high >= i64::MIN.into() && self.low <= self.high {
                let (low, high, inside) = (clamped(self.low), clamped(self.high), self.inside);
                let span = high.wrapping_sub(low) as u64;
                return bits_of(values, |value| ((value as i64).wrapping_sub(low) as u64 <= span) == inside);
            }
        }
        let Self { low, high, inside } = *self;
        bits_of(values, |value| (low <= value && value <= high) == inside)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::numbers::DecimalToDouble;

    fn operand() -> impl Strategy<Value = f64> {
        let whole = (-50i64..50).prop_map(|value| value as f64 / 4.0);
        prop_oneof![8 => whole, 1 => any::<f64>(), 1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 9.3e18, -9.3e18, 9_007_199_254_740_993.0,
        ])]
    }

    fn any_test() -> impl Strategy<Value = NumberTest> {
        (operand(), operand(), 0..9).prop_map(|(a, b, form)| match form {
            0 => NumberTest::Greater(a),
            1 => NumberTest::GreaterOrEqual(a),
            2 => NumberTest::Less(a),
            3 => NumberTest::LessOrEqual(a),
            4 => NumberTest::Equal(a),
            5 => NumberTest::NotEqual(a),
            6 => NumberTest::Between(a, b),
            7 => NumberTest::Inside(a, b),
            _ => NumberTest::NotBetween(a, b),
        })
    }

    proptest! {
        /// Beside the condition on the doubles themselves.
        #[test]
        fn agrees_with_the_test_on_doubles(
            test in any_test(),
            small in prop::collection::vec(-60i64..60, 1..80),
            large in prop::collection::vec(any::<i64>(), 0..5),
        ) {
            let values: Vec<i64> = small.into_iter().chain(large).chain([i64::MIN, i64::MAX, 0]).collect();
            let Some(whole) = WholeTest::of(&test, |value| value as f64, (i64::MIN.into(), i64::MAX.into())) else {
                prop_assert!(test.has_nan());
                return Ok(());
            };
            let bits = whole.bits(&values);
            let wide: Vec<i128> = values.iter().map(|value| i128::from(*value)).collect();
            let ends = Ends { low: i64::MIN.into(), high: i64::MAX.into() };
            let (known, unknown) = (whole.wide_bits(&wide, Some(ends)), whole.wide_bits(&wide, None));
            for (row, &value) in values.iter().enumerate() {
                let expected = test.holds_in_sql(value as f64);
                prop_assert_eq!(bits.value(row), expected, "{:?} {}", test, value);
                prop_assert_eq!(known.value(row), expected);
                prop_assert_eq!(unknown.value(row), expected);
                prop_assert_eq!(whole.holds(value.into()), expected);
                let one = whole.by_ends(Ends { low: value.into(), high: value.into() }, 1);
                prop_assert_eq!(one.map(|mask| mask.passes(0)), Some(expected));
            }
            let (low, high) = (values[0].min(values[1]), values[0].max(values[1]));
            if let Some(mask) = whole.by_ends(Ends { low: low.into(), high: high.into() }, 1) {
                for value in low..=high.min(low.saturating_add(200)) {
                    prop_assert_eq!(test.holds_in_sql(value as f64), mask.passes(0));
                }
            }
        }

        #[test]
        fn decimals_keep_the_order(test in any_test(), values in prop::collection::vec(-2000i128..2000, 1..40), scale in 0i8..4) {
            let to_double = DecimalToDouble::new(scale);
            let most = 10i128.pow(38) - 1;
            if let Some(whole) = WholeTest::of(&test, |value| to_double.convert(value), (-most, most)) {
                for value in values.into_iter().chain([most, -most]) {
                    prop_assert_eq!(whole.holds(value), test.holds_in_sql(to_double.convert(value)), "{:?} {}", test, value);
                }
            }
        }
    }
}
