//! A number condition with its operands computed: what metrics, thresholds and values are held against.

/// A condition on a double.
///
/// `between` is exclusive at both ends; NaN fails every ordering.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberTest {
    /// `> x`
    Greater(f64),
    /// `>= x`
    GreaterOrEqual(f64),
    /// `< x`
    Less(f64),
    /// `<= x`
    LessOrEqual(f64),
    /// `= x`
    Equal(f64),
    /// `!= x`
    NotEqual(f64),
    /// `between a and b`
    Between(f64, f64),
    /// At or between two ends: no form of DQDL, but where a metric is usual.
    Inside(f64, f64),
    /// `not between a and b`: at or outside the ends.
    NotBetween(f64, f64),
    /// `in [..]`
    In(Vec<f64>),
    /// `not in [..]`
    NotIn(Vec<f64>),
}

impl NumberTest {
    /// The test that every number meets, NaN too.
    pub fn any() -> NumberTest {
        NumberTest::NotIn(Vec::new())
    }

    /// Whether an operand is no number.
    pub(crate) fn has_nan(&self) -> bool {
        match self {
            NumberTest::Greater(x)
            | NumberTest::GreaterOrEqual(x)
            | NumberTest::Less(x)
            | NumberTest::LessOrEqual(x)
            | NumberTest::Equal(x)
            | NumberTest::NotEqual(x) => x.is_nan(),
            NumberTest::Between(a, b) | NumberTest::Inside(a, b) | NumberTest::NotBetween(a, b) => {
                a.is_nan() || b.is_nan()
            }
            NumberTest::In(operands) | NumberTest::NotIn(operands) => operands.iter().any(|x| x.is_nan()),
        }
    }

    /// Whether a metric meets the condition. Equality is Java's `Double.equals`: exact, NaN equals NaN, 0.0 is not -0.0.
    pub fn holds(&self, metric: f64) -> bool {
        let same = |operand: f64| metric.to_bits() == operand.to_bits() || (metric.is_nan() && operand.is_nan());
        match self {
            NumberTest::Greater(operand) => metric > *operand,
            NumberTest::GreaterOrEqual(operand) => metric >= *operand,
            NumberTest::Less(operand) => metric < *operand,
            NumberTest::LessOrEqual(operand) => metric <= *operand,
            NumberTest::Equal(operand) => same(*operand),
            NumberTest::NotEqual(operand) => !same(*operand),
            NumberTest::Between(low, high) => metric > *low && metric < *high,
            NumberTest::Inside(low, high) => metric >= *low && metric <= *high,
            NumberTest::NotBetween(low, high) => metric <= *low || metric >= *high,
            NumberTest::In(operands) => operands.iter().any(|operand| same(*operand)),
            NumberTest::NotIn(operands) => !operands.iter().any(|operand| same(*operand)),
        }
    }

    /// Whether a value meets the condition. Equality is SQL's: 0.0 equals -0.0.
    pub(crate) fn holds_in_sql(&self, value: f64) -> bool {
        struct One(f64);
        impl ApplyTest<bool> for One {
            fn apply(self, test: impl Fn(f64) -> bool) -> bool {
                test(self.0)
            }
        }
        self.with_closure(One(value))
    }

    /// Calls `apply` with the test as a closure over values, chosen once per batch. Equality is SQL's: 0.0 equals -0.0.
    pub(crate) fn with_closure<R>(&self, apply: impl ApplyTest<R>) -> R {
        match self {
            NumberTest::Greater(operand) => apply.apply(|value| value > *operand),
            NumberTest::GreaterOrEqual(operand) => apply.apply(|value| value >= *operand),
            NumberTest::Less(operand) => apply.apply(|value| value < *operand),
            NumberTest::LessOrEqual(operand) => apply.apply(|value| value <= *operand),
            NumberTest::Equal(operand) => apply.apply(|value| value == *operand),
            NumberTest::NotEqual(operand) => apply.apply(|value| value != *operand),
            NumberTest::Between(low, high) => apply.apply(|value| (value > *low) & (value < *high)),
            NumberTest::Inside(low, high) => apply.apply(|value| (value >= *low) & (value <= *high)),
            NumberTest::NotBetween(low, high) => apply.apply(|value| (value <= *low) | (value >= *high)),
            NumberTest::In(operands) => apply.apply(|value| operands.contains(&value)),
            NumberTest::NotIn(operands) => apply.apply(|value| !operands.contains(&value)),
        }
    }
}

/// A computation that is generic over a test closure, so that each operator gets its own loop.
pub(crate) trait ApplyTest<R> {
    fn apply(self, test: impl Fn(f64) -> bool) -> R;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_exact_and_between_is_open() {
        assert!(!NumberTest::Equal(1.0).holds(0.999_999_999_999_999_9));
        assert!(NumberTest::Equal(f64::NAN).holds(f64::NAN));
        assert!(!NumberTest::Equal(0.0).holds(-0.0));
        assert!(!NumberTest::Between(0.4, 0.9).holds(0.9));
        assert!(NumberTest::NotBetween(0.4, 0.9).holds(0.9));
        assert!(NumberTest::Inside(0.4, 0.9).holds(0.9) && NumberTest::Inside(0.4, 0.9).holds(0.4));
        assert!(!NumberTest::Inside(0.4, 0.9).holds(0.91) && !NumberTest::Inside(0.4, 0.9).holds(f64::NAN));
        assert!(!NumberTest::Between(10.0, 1.0).holds(5.0));
        assert!(!NumberTest::NotBetween(0.0, 1.0).holds(f64::NAN));
        assert!(NumberTest::NotBetween(-0.4, -0.5).holds(-0.41));
    }
}
