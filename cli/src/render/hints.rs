//! What a person can do about a fault: one sentence a reason.

use etl_engine::decode::Reason;
use etl_engine::report::FaultSample;

/// What can be done about a fault.
pub(crate) fn hint(sample: &FaultSample) -> Option<String> {
    let column = sample.column.as_deref().unwrap_or("the column");
    let expected = sample.expected.as_deref().unwrap_or("the type");
    let text = match sample.reason {
        Reason::TooFewFields => {
            "the record ends early; look for a missing delimiter or a line broken inside a field".into()
        }
        Reason::TooManyFields => "a field that holds the delimiter must be quoted".into(),
        Reason::UnclosedQuote => {
            "a quote opens here and never closes; inside a quoted field write a quote twice (\"\")".into()
        }
        Reason::TextAfterQuote => {
            "text follows a closing quote; inside a quoted field write a quote twice (\"\")".into()
        }
        Reason::RecordTooLong => {
            "a quote may be unclosed; if records are this long, raise source.csv.max_record_bytes".into()
        }
        Reason::NotJson => "each line must be one JSON object: {\"name\": value, ...}".into(),
        Reason::InvalidEncoding => {
            "these bytes are no text in the input's encoding; if it is another one, declare it with --encoding, \
             or source.csv.encoding in a job"
                .into()
        }
        Reason::NullNotAllowed => format!("`{column}` must not be empty; if it may be, declare `nullable: true`"),
        Reason::NotAnInteger => {
            format!("`{column}` takes whole numbers ({expected}); declare it `string` if it holds codes")
        }
        Reason::NotANumber => format!("`{column}` takes numbers; decimal_separator and thousands_separator can be set"),
        Reason::NotADecimal => {
            format!("`{column}` takes exact numbers ({expected}); decimal_separator and thousands_separator can be set")
        }
        Reason::OutOfRange => format!("the number does not fit {expected}; declare a wider type"),
        Reason::TooManyDecimals => {
            format!("{expected} holds fewer digits after the point; widen it or say `round: true`")
        }
        Reason::NotADate => {
            format!("`{column}` takes YYYY-MM-DD; for another order set formats, such as [\"%d/%m/%Y\"]")
        }
        Reason::NotATimestamp => {
            format!("`{column}` takes ISO 8601; for another order set formats, such as [\"%d/%m/%Y %H:%M:%S\"]")
        }
        Reason::NotABoolean => {
            format!("`{column}` takes true/false, yes/no, 1/0; set true_values and false_values for others")
        }
        Reason::TooLong => format!("`{column}` takes at most as many characters as {expected} says"),
        Reason::WrongKind => format!("the value is of another kind than {expected}"),
        Reason::RuleFailed => "the row is well-formed but breaks this rule".into(),
        _ => return None,
    };
    Some(text)
}
