//! What is wrong with a record: a value, never an error.

use std::fmt;

/// Why a record or a cell was refused. The codes are stable: reports, rejects and users' scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The record has fewer fields than the schema.
    TooFewFields,
    /// The record has more fields than the schema.
    TooManyFields,
    /// A quote opens a field and never closes properly; the line alone is set aside and reading goes on after it.
    UnclosedQuote,
    /// Text stands after a closing quote.
    TextAfterQuote,
    /// The record is longer than the limit.
    RecordTooLong,
    /// The record is not a JSON object.
    NotJson,
    /// The bytes are not valid in the encoding of the input.
    InvalidEncoding,
    /// NULL in a column that forbids it.
    NullNotAllowed,
    /// Not an integer.
    NotAnInteger,
    /// Not a number.
    NotANumber,
    /// Not a decimal.
    NotADecimal,
    /// The number does not fit the type.
    OutOfRange,
    /// More digits after the point than the scale holds.
    TooManyDecimals,
    /// Not a date in the expected format.
    NotADate,
    /// Not a timestamp in the expected format.
    NotATimestamp,
    /// Not one of the texts for true and false.
    NotABoolean,
    /// More characters than `varchar(n)` or `char(n)` allows.
    TooLong,
    /// The value of a typed input (Parquet, JSON) has another kind than the column.
    WrongKind,
    /// A row rule failed (the rules are named beside it).
    RuleFailed,
}

impl Reason {
    /// The stable code, snake case.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFewFields => "too_few_fields",
            Self::TooManyFields => "too_many_fields",
            Self::UnclosedQuote => "unclosed_quote",
            Self::TextAfterQuote => "text_after_quote",
            Self::RecordTooLong => "record_too_long",
            Self::NotJson => "not_json",
            Self::InvalidEncoding => "invalid_encoding",
            Self::NullNotAllowed => "null_not_allowed",
            Self::NotAnInteger => "not_an_integer",
            Self::NotANumber => "not_a_number",
            Self::NotADecimal => "not_a_decimal",
            Self::OutOfRange => "out_of_range",
            Self::TooManyDecimals => "too_many_decimals",
            Self::NotADate => "not_a_date",
            Self::NotATimestamp => "not_a_timestamp",
            Self::NotABoolean => "not_a_boolean",
            Self::TooLong => "too_long",
            Self::WrongKind => "wrong_kind",
            Self::RuleFailed => "rule_failed",
        }
    }

    /// Whether the value does not fit the column's type, as opposed to breaking a rule or the record's structure.
    pub fn is_misfit(self) -> bool {
        matches!(
            self,
            Self::NotAnInteger
                | Self::NotANumber
                | Self::NotADecimal
                | Self::OutOfRange
                | Self::TooManyDecimals
                | Self::NotADate
                | Self::NotATimestamp
                | Self::NotABoolean
                | Self::WrongKind
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing wrong with one record of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The record's position in its block, from 0.
    pub record: u32,
    /// The column's position in the schema; `None` when the whole record is at fault.
    pub column: Option<u32>,
    /// Why.
    pub reason: Reason,
    /// The bytes at fault, as a range of the block's bytes (the field as it stands in the file, quotes left out); empty when there are none.
    pub value: std::ops::Range<u32>,
}
