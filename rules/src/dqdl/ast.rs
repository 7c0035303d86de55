//! The tree of a ruleset. Texts are kept as written, beside the values that evaluation works with.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// Key and value pairs in the order written.
pub type Labels = Vec<(String, String)>;

/// A whole ruleset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// `Metadata = {...}`
    pub metadata: Vec<(String, String)>,
    /// The `Primary` of `DataSources`.
    pub primary_source: Option<String>,
    /// The `AdditionalDataSources`.
    pub additional_sources: Vec<String>,
    /// Variables in the order declared.
    pub variables: Vec<(String, Variable)>,
    /// `DefaultLabels = [...]`; they are merged into the rules' own already.
    pub default_labels: Labels,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The analyzers.
    pub analyzers: Vec<Analyzer>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Variable {
    /// One text, as written between its quotes; a keyword is the text it is spelt with.
    One(String),
    /// A list of them.
    Many(Vec<String>),
}

/// A rule or a combination of rules.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// One rule.
    Leaf(Box<LeafRule>),
    /// Rules under one operator.
    Composite(Composite),
}

/// AND or OR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// All hold.
    And,
    /// At least one holds.
    Or,
}

/// Rules under one operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// AND or OR.
    pub operator: Operator,
    /// At least two.
    pub nested: Vec<Rule>,
    /// Labels of the whole.
    pub labels: Labels,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafRule {
    /// The type, as spelt in the reference.
    pub rule_type: String,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// What the metric or the values must meet.
    pub condition: Option<Condition>,
    /// The `where` text, raw.
    pub filter: Option<String>,
    /// `with threshold ...`
    pub threshold: Option<NumberCondition>,
    /// The other tags, in the order written.
    pub tags: Vec<(String, Tag)>,
    /// The labels that are part of its canonical text: those written at the rule. After parentheses the reference
    /// counts the defaults among them.
    pub own_labels: Labels,
    /// Labels, defaults included.
    pub labels: Labels,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// The value of a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Tag {
    /// Text between quotes.
    Text(String),
    /// A number, an expression or a keyword: as written, blanks left out.
    Number(String),
    /// A list (an extension: `filterOrder`).
    List(Vec<String>),
}

/// A parameter of a rule or an analyzer.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name in the reference.
    pub name: String,
    /// Its value, a variable filled in.
    pub value: String,
    /// As written: quotes, `$` and connector included.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
}

/// An analyzer: a metric without a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzer {
    /// The type.
    pub rule_type: String,
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

/// How operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `between a and b`, both ends excluded.
    Between,
    /// `not between a and b`.
    NotBetween,
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
    /// `in [...]`
    In,
    /// `not in [...]`
    NotIn,
    /// `matches "..."`
    Matches,
    /// `not matches "..."`
    NotMatches,
}

/// A condition by the kind of its operands.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Numbers.
    Number(NumberCondition),
    /// Strings and keywords.
    String(StringCondition),
    /// Dates and times.
    Date(DateCondition),
    /// Durations.
    Duration(UnitCondition),
    /// Sizes.
    Size(UnitCondition),
}

/// Numbers compared.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberCondition {
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub operands: Vec<Number>,
}

/// A number expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// Digits as written, with their sign.
    Literal(String),
    /// `NULL`
    Null,
    /// `left op right`; all operators bind equally, from the left.
    Binary {
        /// `+`, `-`, `*` or `/`.
        operator: char,
        /// The left operand.
        left: Box<Number>,
        /// The right operand.
        right: Box<Number>,
        /// Whether it stands in parentheses.
        parentheses: bool,
    },
    /// `name(arguments)`
    Call {
        /// The function.
        name: String,
        /// Its arguments.
        arguments: Vec<Number>,
    },
}

/// Strings compared.
#[derive(Debug, Clone, PartialEq)]
pub struct StringCondition {
    /// How.
    pub comparison: Comparison,
    /// With what, variables filled in.
    pub operands: StringOperands,
    /// The canonical text of the operands where it shows variables: `$v`, `["a",$v]`.
    pub written: Option<String>,
}

/// The operands of a string condition. A copy is the same list: rules that name one variable share its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringOperands(Arc<[StringOperand]>);

impl StringOperands {
    /// The operands.
    pub fn as_slice(&self) -> &[StringOperand] {
        &self.0
    }
}

impl From<Vec<StringOperand>> for StringOperands {
    fn from(operands: Vec<StringOperand>) -> Self {
        Self(operands.into())
    }
}

impl Deref for StringOperands {
    type Target = [StringOperand];

    fn deref(&self) -> &[StringOperand] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a StringOperands {
    type Item = &'a StringOperand;
    type IntoIter = std::slice::Iter<'a, StringOperand>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A string or a keyword for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StringOperand {
    /// Text.
    Text {
        /// As the canonical text shows it between quotes.
        text: String,
        /// As the reference holds it: a `'` as `\'`.
        quoted: String,
        /// What values are compared with.
        value: String,
    },
    /// `NULL`
    Null,
    /// `EMPTY`
    Empty,
    /// `WHITESPACES_ONLY`
    WhitespacesOnly,
}

/// Dates compared.
#[derive(Debug, Clone, PartialEq)]
pub struct DateCondition {
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub operands: Vec<Date>,
}

/// A date operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Date {
    /// `"yyyy-MM-dd"`, without quotes.
    Day(String),
    /// `"h:mm AM"` or `"hh:mm"`, without quotes.
    Time(String),
    /// `now()`
    Now,
    /// `(now() - 3 days)`
    Relative {
        /// `+` or `-`.
        sign: char,
        /// How many.
        amount: i64,
        /// `days`, `hours` or `minutes`.
        unit: String,
    },
    /// `NULL`
    Null,
}

/// Durations or sizes compared.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitCondition {
    /// How.
    pub comparison: Comparison,
    /// Amount and unit.
    pub operands: Vec<(i64, String)>,
}

impl LeafRule {
    /// The text of a tag, without regard to the case of its name.
    pub fn tag(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, tag)| tag)
    }
}
