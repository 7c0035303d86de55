//! A rule as its type sees it: parameters resolved, operands computed.

use chrono::{DateTime, Utc};

use crate::number_test::NumberTest;

/// One leaf of a ruleset, ready to bind.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleCall {
    /// The parameters, variables filled in.
    pub parameters: Vec<String>,
    /// The condition.
    pub condition: Option<Condition>,
    /// The `where` text, raw.
    pub filter: Option<String>,
    /// `with threshold ...`
    pub threshold: Option<NumberTest>,
    /// The other tags, as written; values without quotes.
    pub tags: Vec<(String, String)>,
    /// Whether it stands under `Analyzers`: metrics are wanted, nothing is judged.
    pub is_analyzer: bool,
}

impl RuleCall {
    /// The first parameter; the parser has checked the arity.
    pub fn first_parameter(&self) -> &str {
        self.parameters.first().map_or("", String::as_str)
    }

    /// The value of a tag; names compare in any case.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The number condition with its test; the error is the reason the rule fails with.
    pub fn number_test(&self) -> Result<NumberTest, String> {
        match &self.condition {
            None if self.is_analyzer => Ok(NumberTest::any()),
            Some(Condition::Number(condition)) => condition.test(),
            _ => Err("The rule requires a numeric condition.".to_owned()),
        }
    }

    /// What a share of rows must meet: the threshold, or all of them.
    pub fn share_test(&self) -> NumberTest {
        let all = if self.is_analyzer { NumberTest::any() } else { NumberTest::Equal(1.0) };
        self.threshold.clone().unwrap_or(all)
    }
}

/// How operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `between`
    Between,
    /// `not between`
    NotBetween,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

impl Operator {
    /// Whether the operator takes a list.
    pub fn is_list(self) -> bool {
        matches!(self, Operator::In | Operator::NotIn | Operator::Equal | Operator::NotEqual)
    }

    /// Whether the operator says what a value is not.
    pub fn is_negated(self) -> bool {
        matches!(self, Operator::NotEqual | Operator::NotIn | Operator::NotBetween)
    }

    /// The test on operands without NULL; `None` when their number is wrong.
    pub fn test(self, operands: &[f64]) -> Option<NumberTest> {
        Some(match (self, operands) {
            (Operator::In, list) => NumberTest::In(list.to_vec()),
            (Operator::NotIn, list) => NumberTest::NotIn(list.to_vec()),
            (Operator::Greater, [operand]) => NumberTest::Greater(*operand),
            (Operator::GreaterOrEqual, [operand]) => NumberTest::GreaterOrEqual(*operand),
            (Operator::Less, [operand]) => NumberTest::Less(*operand),
            (Operator::LessOrEqual, [operand]) => NumberTest::LessOrEqual(*operand),
            (Operator::Equal, [operand]) => NumberTest::Equal(*operand),
            (Operator::NotEqual, [operand]) => NumberTest::NotEqual(*operand),
            (Operator::Between, [low, high]) => NumberTest::Between(*low, *high),
            (Operator::NotBetween, [low, high]) => NumberTest::NotBetween(*low, *high),
            _ => return None,
        })
    }
}

/// A condition with computed operands.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// On numbers. `= NULL` alone is one of these, whatever the column.
    Number(NumberCondition),
    /// On texts: a list.
    Texts(TextCondition),
    /// On texts: a regular expression.
    Pattern {
        /// The expression, escapes kept.
        pattern: String,
        /// `not matches`
        negated: bool,
    },
    /// On dates.
    Date(DateCondition),
    /// On durations, in hours.
    Duration(NumberTest),
    /// On sizes, in bytes.
    Size(NumberTest),
}

/// A number condition; a NULL operand is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberCondition {
    /// The operator.
    pub operator: Operator,
    /// The operands.
    pub operands: Vec<Option<f64>>,
}

impl NumberCondition {
    /// The operands that are numbers, and whether NULL is among them.
    pub fn split(&self) -> (Vec<f64>, bool) {
        (self.operands.iter().copied().flatten().collect(), self.operands.contains(&None))
    }

    /// The test on a metric, which takes no NULL; the error is a failure reason.
    pub fn test(&self) -> Result<NumberTest, String> {
        let (numbers, has_null) = self.split();
        match self.operator.test(&numbers) {
            Some(test) if !has_null => Ok(test),
            _ => Err("Rule (or nested rule) not supported due to: NULL is not a number".to_owned()),
        }
    }
}

/// A list of texts and keywords; `=` is a list of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextCondition {
    /// `!=`, `not in`
    pub negated: bool,
    /// `in`, `not in`
    pub list: bool,
    /// The texts.
    pub texts: Vec<String>,
    /// `EMPTY` is listed.
    pub empty: bool,
    /// `WHITESPACES_ONLY` is listed.
    pub whitespaces_only: bool,
    /// `NULL` is listed.
    pub null: bool,
}

/// A date condition.
#[derive(Debug, Clone, PartialEq)]
pub struct DateCondition {
    /// The operator.
    pub operator: Operator,
    /// The operands.
    pub operands: Vec<DateOperand>,
}

/// A date operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateOperand {
    /// An instant; a date literal is its midnight in UTC.
    At(DateTime<Utc>),
    /// `NULL`
    Null,
    /// Shaped like a date, but none: `2022-13-45`.
    Invalid(String),
}
