//! What the steps share that encrypt within an alphabet.

use std::sync::Arc;

use etl_pii::protect::{Alphabet, FpeOptions, Key, OnMisfit, Protect};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::json::OnError;
use crate::parameters::OneOrMany;
use crate::protection::Protection;
use crate::step::{BindContext, Problem};

/// Which columns, by which key, within which characters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fpe {
    /// The columns.
    columns: OneOrMany<String>,
    /// The key, by its name under `keys:`.
    key: String,
    /// The characters that are encrypted, into each other. All others stay where they are and can be read.
    alphabet: Characters,
    /// The fewest of these characters that a value has. When absent, the fewest of which there are a million texts: 6 digits,
    /// 4 letters and digits; less is refused.
    least: Option<usize>,
    /// Values pass the check of Luhn, as card numbers do, and pass it encrypted; with the alphabet of digits.
    #[serde(default)]
    luhn: bool,
    /// What becomes of a value that has too few of the characters, more than 1024, or does not pass Luhn.
    #[serde(default)]
    on_misfit: OnError,
    /// What the values are about; the column's name when absent. Equal values of one domain stay equal.
    domain: Option<String>,
}

/// Characters that are encrypted.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Characters {
    /// `0-9`
    Digits,
    /// `0-9a-z`
    LowerAlphanumeric,
    /// `0-9A-Z`
    UpperAlphanumeric,
    /// `0-9A-Za-z`
    Alphanumeric,
    /// These, in this order, which must be the same to decrypt.
    #[serde(rename = "characters")]
    These(String),
}

/// Makes the kernel of a column: its key, its domain.
pub(crate) type MakeFpe = fn(&Key, &str, FpeOptions) -> Result<Arc<dyn Protect>, String>;

/// The protection that the parameters stand for.
pub(crate) fn protection(parameters: &Value, context: &BindContext<'_>, make: MakeFpe) -> Result<Protection, Problem> {
    let Fpe { columns, key, alphabet, least, luhn, on_misfit, domain } = crate::read(parameters)?;
    let alphabet = match alphabet {
        Characters::Digits => Alphabet::Digits,
        Characters::LowerAlphanumeric => Alphabet::LowerAlphanumeric,
        Characters::UpperAlphanumeric => Alphabet::UpperAlphanumeric,
        Characters::Alphanumeric => Alphabet::Alphanumeric,
        Characters::These(characters) => Alphabet::Custom(characters),
    };
    let on_misfit = match on_misfit {
        OnError::Fail => OnMisfit::Fail,
        OnError::Null => OnMisfit::Null,
    };
    let options = FpeOptions { alphabet, least, luhn, on_misfit };
    Protection::keyed(context, &columns, key, move |field, key, _, _| {
        make(key, domain.as_deref().unwrap_or(field.name()), options.clone())
    })
}
