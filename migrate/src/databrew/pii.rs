//! Personal data. Source: DataBrew developer guide, "PII recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use super::patterns::{checked, escape};

const OTHER_CIPHER: &str = "what DataBrew encrypted cannot be decrypted here: decrypt it there first";
const OURS: &str =
    "The text is another one than DataBrew's, and DataBrew cannot decrypt it. `secretVersion`, `entityTypeFilter`.";
const DATES: &str = "Only the day, or month and day, which become 1. The column must be one of dates or timestamps.";
const DELIMITERS: &str = "A value without the delimiters is masked in full. `entityTypeFilter`.";
const RANGE: &str = "A value that is too short for what stays readable is masked in full. `entityTypeFilter`.";
const WEAK: &str = "Values move within a batch, not within the table. `groupByColumns`.";

pub(super) const ACTIONS: &[ActionType] = &[
    action("CRYPTOGRAPHIC_HASH", "hash", "Always HMAC-SHA-256; `secretVersion`, `entityTypeFilter`.", hash),
    without("DECRYPT", OTHER_CIPHER),
    without("DETERMINISTIC_DECRYPT", OTHER_CIPHER),
    action("DETERMINISTIC_ENCRYPT", "encrypt_deterministic", OURS, |action| with_key(action, "encrypt_deterministic")),
    action("ENCRYPT", "encrypt", OURS, |action| with_key(action, "encrypt")),
    action("MASK_CUSTOM", "mask_custom", "`entityTypeFilter`.", mask_custom),
    action("MASK_DATE", "mask_date", DATES, mask_date),
    action("MASK_DELIMITER", "mask_delimiter, mask_range", DELIMITERS, mask_delimiter),
    action("MASK_RANGE", "mask_range", RANGE, mask_range),
    action("REPLACE_WITH_RANDOM_BETWEEN", "replace_random", "Whole numbers as bounds.", replace_random),
    action("REPLACE_WITH_RANDOM_DATE_BETWEEN", "replace_random_date", "Days without a time.", replace_random_date),
    action("SHUFFLE_ROWS", "shuffle", WEAK, |action| {
        let step = Mapped::step("shuffle", json!({"columns": action.parameters.sources()?}));
        Ok(step.changed("values move within a batch and all of them stay readable: see docs/pii.md"))
    }),
];

/// A step with the key that DataBrew took.
fn with_key(action: &Action<'_>, step: &'static str) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    let (secret, kms) = (action.parameters.maybe("secretId"), action.parameters.maybe("kmsKeyArn"));
    let (name, spec, words) = match (secret, kms) {
        (Some(secret), _) => {
            let name = key_name(secret.rsplit(':').next().unwrap_or_default());
            let words = "`key` is DataBrew's secret, which must hold 32 bytes in hexadecimal or base64, in a `field` if it is JSON; \
                         what DataBrew made with it does not compare with what comes out"
                .to_owned();
            (name, json!({"secret": {"name": secret}}), words)
        }
        (None, Some(kms)) => {
            let name = key_name(&format!("kms_{}", kms.rsplit(['/', ':']).next().unwrap_or_default()));
            let words = format!(
                "`key` wants a data key: put what `aws kms generate-data-key --key-spec AES_256 --key-id {kms}` calls \
                 CiphertextBlob in its place"
            );
            (name, json!({"kms": {"ciphertext": "<CiphertextBlob>", "key": kms}}), words)
        }
        (None, None) => return Err(Refusal::new("the parameter `secretId` or `kmsKeyArn` is missing")),
    };
    let mut mapped = Mapped::step(step, json!({"columns": columns, "key": name})).changed(words);
    mapped.keys.push((name, spec));
    Ok(mapped)
}

/// A name that a key may have: letters, digits, `_` and `-`, and few enough of them that a number fits behind.
fn key_name(text: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let name: String = text.chars().take(56).map(|character| if fits(character) { character } else { '_' }).collect();
    if name.is_empty() { "key".to_owned() } else { name }
}

fn hash(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let other = action.parameters.maybe("algorithm").is_some_and(|algorithm| algorithm != "HMAC_SHA256");
    Ok(with_key(action, "hash")?.changed_if(other, "the algorithm is another one"))
}

/// `maskSymbol`: one character.
fn symbol(action: &Action<'_>) -> Result<String, Refusal> {
    let symbol = action.parameters.maybe("maskSymbol").filter(|symbol| !symbol.is_empty());
    let symbol = symbol.unwrap_or_else(|| "#".to_owned());
    match symbol.chars().count() {
        1 => Ok(symbol),
        _ => Err(Refusal::new(format!("the parameter `maskSymbol` is not one character: `{symbol}`"))),
    }
}

/// `alphabet`: what stays readable.
fn keep(action: &Action<'_>, step: &mut Value) -> Result<(), Refusal> {
    if action.parameters.value("alphabet").is_none() {
        return Ok(());
    }
    for set in action.parameters.list("alphabet")? {
        match set.to_ascii_uppercase().as_str() {
            "SYMBOLS" => step["keep_symbols"] = Value::from(true),
            "WHITESPACE" => step["keep_whitespace"] = Value::from(true),
            _ => return Err(Refusal::new(format!("`alphabet` has `{set}`, which is not known"))),
        }
    }
    Ok(())
}

fn mask_custom(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let value = action.parameters.text("customValue")?;
    if value.is_empty() {
        return Err(Refusal::new("the parameter `customValue` is empty"));
    }
    let pattern = match action.parameters.flag("regex") {
        true => checked(&value)?.to_owned(),
        false => escape(&value),
    };
    let step = json!({"columns": action.parameters.sources()?, "pattern": pattern, "symbol": symbol(action)?});
    Ok(Mapped::step("mask_custom", step))
}

fn mask_date(action: &Action<'_>) -> Result<Mapped, Refusal> {
    const PARTS: [&str; 7] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"];
    let redacted = action.parameters.list("redact")?;
    let hidden = |part: &str| redacted.iter().any(|name| name.eq_ignore_ascii_case(part));
    let kept = PARTS.iter().take_while(|part| !hidden(part)).count();
    // A date has no time, so hours and what is below may be left unsaid.
    let whole = PARTS.iter().skip(kept).take_while(|part| **part != "HOUR").all(|part| hidden(part));
    let keep = match kept {
        1 if whole => "year",
        2 if whole => "year_month",
        _ => return Err(Refusal::new("a date keeps its year, or its year and month: use `redact` or `derive`")),
    };
    let step = json!({"columns": action.parameters.sources()?, "keep": keep});
    action.parameters.see("maskSymbol");
    let changed =
        "the parts that are hidden become their first value, not a symbol; a column of text must be cast first";
    Ok(Mapped::step("mask_date", step).changed(changed))
}

fn mask_delimiter(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let mut step = json!({"columns": action.parameters.sources()?, "symbol": symbol(action)?});
    keep(action, &mut step)?;
    let mut any = false;
    for (key, ours) in [("startDelimiter", "start"), ("endDelimiter", "end")] {
        if let Some(delimiter) = action.parameters.maybe(key).filter(|delimiter| !delimiter.is_empty()) {
            step[ours] = Value::from(delimiter);
            any = true;
        }
    }
    let preserve = action.parameters.flag("preserveDelimiters");
    if !any {
        return Ok(Mapped::step("mask_range", step));
    }
    if preserve {
        step["mask_delimiters"] = Value::from(true);
    }
    let words = "`preserveDelimiters` masks them, says DataBrew's guide, though its name says it does not";
    Ok(Mapped::step("mask_delimiter", step).changed_if(preserve, words))
}

fn mask_range(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let mut step = json!({"columns": action.parameters.sources()?});
    for key in ["start", "stop"] {
        if action.parameters.value(key).is_some() {
            step[key] = Value::from(action.parameters.whole(key)?);
        }
    }
    step["symbol"] = Value::from(symbol(action)?);
    keep(action, &mut step)?;
    Ok(Mapped::step("mask_range", step))
}

fn replace_random(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let of = |key: &str| {
        let number = action.parameters.number(key)?;
        number.parse::<i64>().map_err(|_| Refusal::new(format!("`{key}` is not a whole number: `{number}`")))
    };
    let (min, max) = (of("lowerBound")?, of("upperBound")?);
    if min > max {
        return Err(Refusal::new("`lowerBound` lies above `upperBound`"));
    }
    Ok(Mapped::step("replace_random", json!({"columns": action.parameters.sources()?, "min": min, "max": max})))
}

fn replace_random_date(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let of = |key: &str| {
        let written = action.parameters.text(key)?;
        let written = written.trim();
        let (day, time) = written.split_once([' ', 'T']).unwrap_or((written, ""));
        let form = |byte: (usize, u8)| match byte.0 {
            4 | 7 => byte.1 == b'-',
            _ => byte.1.is_ascii_digit(),
        };
        match day.len() == 10 && day.bytes().enumerate().all(form) {
            true => Ok((day.to_owned(), !time.is_empty())),
            false => Err(Refusal::new(format!("`{key}` is not a date such as `2020-01-31`: `{written}`"))),
        }
    };
    let ((from, one), (to, other)) = (of("startDate")?, of("endDate")?);
    let step = json!({"columns": action.parameters.sources()?, "from": from, "to": to});
    Ok(Mapped::step("replace_random_date", step).changed_if(one || other, "days are drawn, without a time"))
}
