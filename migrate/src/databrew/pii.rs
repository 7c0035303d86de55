//! Personal data. Source: DataBrew developer guide, "PII recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use super::patterns::{checked, escape};

const KEY: &str =
    "`key` holds the secret's ARN: give it a key of ours; what was made with the old one does not compare with it";
const OTHER_CIPHER: &str = "what DataBrew encrypted cannot be decrypted here: decrypt it there first";
const OURS: &str = "The text is another one than DataBrew's; `decrypt` of ours reads it.";

pub(super) const ACTIONS: &[ActionType] = &[
    action("CRYPTOGRAPHIC_HASH", "hash", "`algorithm`: always HMAC-SHA-256. `entityTypeFilter`.", hash),
    without("DECRYPT", OTHER_CIPHER),
    without("DETERMINISTIC_DECRYPT", OTHER_CIPHER),
    action("DETERMINISTIC_ENCRYPT", "encrypt_deterministic", OURS, |action| with_key(action, "encrypt_deterministic")),
    action("ENCRYPT", "encrypt", OURS, |action| with_key(action, "encrypt")),
    action("MASK_CUSTOM", "mask_custom", "`entityTypeFilter`.", mask_custom),
    action("MASK_DATE", "mask_date", "Only the day, or month and day, which become 1.", mask_date),
    action("MASK_DELIMITER", "mask_delimiter", "`preserveDelimiters`, `alphabet`, `entityTypeFilter`.", mask_delimiter),
    action("MASK_RANGE", "mask_range", "Positions from the end; `alphabet`, `entityTypeFilter`.", mask_range),
    action("REPLACE_WITH_RANDOM_BETWEEN", "replace_random", "", |action| {
        let columns = action.parameters.sources()?;
        let of = |key: &str| -> Result<Value, Refusal> {
            let number = action.parameters.number(key)?;
            Ok(serde_json::from_str(&number).unwrap_or(Value::from(number)))
        };
        Ok(Mapped::step(
            "replace_random",
            json!({"columns": columns, "min": of("lowerBound")?, "max": of("upperBound")?}),
        ))
    }),
    action("REPLACE_WITH_RANDOM_DATE_BETWEEN", "replace_random_date", "", |action| {
        let columns = action.parameters.sources()?;
        let of = |key: &str| action.parameters.text(key);
        let step = json!({"columns": columns, "from": of("startDate")?, "to": of("endDate")?});
        Ok(Mapped::step("replace_random_date", step))
    }),
    action("SHUFFLE_ROWS", "shuffle", "`groupByColumns`.", |action| {
        Ok(Mapped::step("shuffle", json!({"columns": action.parameters.sources()?})))
    }),
];

fn secret(action: &Action<'_>) -> Value {
    action.parameters.see("secretVersion");
    action.parameters.see("createSecretIfMissing");
    let secret = action.parameters.maybe("secretId").or_else(|| action.parameters.maybe("kmsKeyArn"));
    Value::from(secret.unwrap_or_default())
}

fn with_key(action: &Action<'_>, step: &'static str) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    Ok(Mapped::step(step, json!({"columns": columns, "key": secret(action)})).changed(KEY))
}

fn hash(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let other = action.parameters.maybe("algorithm").is_some_and(|algorithm| algorithm != "HMAC_SHA256");
    Ok(with_key(action, "hash")?.changed_if(other, "the algorithm is another one"))
}

fn symbol(action: &Action<'_>) -> String {
    action.parameters.maybe("maskSymbol").unwrap_or_else(|| "#".to_owned())
}

fn mask_custom(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let value = action.parameters.text("customValue")?;
    let pattern = match action.parameters.flag("regex") {
        true => checked(&value)?.to_owned(),
        false => escape(&value),
    };
    let step = json!({"columns": action.parameters.sources()?, "pattern": pattern, "with": symbol(action)});
    Ok(Mapped::step("mask_custom", step))
}

fn mask_date(action: &Action<'_>) -> Result<Mapped, Refusal> {
    const PARTS: [&str; 7] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"];
    let redacted = action.parameters.list("redact")?;
    let hidden = |part: &str| redacted.iter().any(|name| name.eq_ignore_ascii_case(part));
    let kept = PARTS.iter().take_while(|part| !hidden(part)).count();
    // A date has no time, so hours and what is below may be left unsaid.
    let whole = PARTS.iter().skip(kept).take_while(|part| **part != "HOUR").all(|part| hidden(part));
    let Some(keep) = kept.checked_sub(1).and_then(|last| PARTS.get(last)).filter(|_| whole && kept <= 2) else {
        return Err(Refusal::new("a date keeps its year, or its year and month: use `derive` with `date_trunc`"));
    };
    let step = json!({"columns": action.parameters.sources()?, "keep": keep.to_lowercase()});
    action.parameters.see("maskSymbol");
    Ok(Mapped::step("mask_date", step).changed("the parts that are hidden become their first value, not a symbol"))
}

fn mask_delimiter(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let mut step = json!({"columns": action.parameters.sources()?, "with": symbol(action)});
    for (key, ours) in [("startDelimiter", "start"), ("endDelimiter", "end")] {
        if let Some(delimiter) = action.parameters.maybe(key) {
            step[ours] = Value::from(delimiter);
        }
    }
    Ok(Mapped::step("mask_delimiter", step))
}

fn mask_range(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let at = |key: &str| match action.parameters.maybe(key) {
        None => Ok(None),
        Some(_) => action.parameters.whole(key).map(Some),
    };
    // DataBrew counts from 0 and stops before `stop`; ours counts from 1 and includes the last.
    let (start, stop) = (at("start")?.unwrap_or(0), at("stop")?);
    if start < 0 || stop.is_some_and(|stop| stop < 0) {
        return Err(Refusal::new("it counts from the end: use `derive` with `right` and `repeat`"));
    }
    let mut step =
        json!({"columns": action.parameters.sources()?, "from": start.saturating_add(1), "with": symbol(action)});
    if let Some(stop) = stop {
        step["to"] = Value::from(stop);
    }
    Ok(Mapped::step("mask_range", step))
}
