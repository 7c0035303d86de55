//! Data cleaning. Source: DataBrew developer guide, "Data cleaning recipe steps".

use serde_json::json;

use super::action::{Action, ActionType, Mapped, Refusal, action};
use super::patterns::{checked, date_format, literal, regex};
use crate::sql::{name, text};

pub(super) const ACTIONS: &[ActionType] = &[
    action("CAPITAL_CASE", "change_case", "", |action| {
        change_case(action, "capital", |column| format!("initcap({column})"))
    }),
    action("FORMAT_DATE", "format_date", "", format_date),
    action("LOWER_CASE", "change_case", "", |action| change_case(action, "lower", |column| format!("lower({column})"))),
    action("UPPER_CASE", "change_case", "", |action| change_case(action, "upper", |column| format!("upper({column})"))),
    action("SENTENCE_CASE", "change_case", "", |action| {
        change_case(action, "sentence", |column| {
            format!("concat(upper(left({column}, 1)), lower(substring({column}, 2)))")
        })
    }),
    action("ADD_DOUBLE_QUOTES", "derive", "", |action| around(action, "\"", "\"")),
    action("ADD_PREFIX", "derive", "", |action| around(action, &action.parameters.text("pattern")?, "")),
    action("ADD_SINGLE_QUOTES", "derive", "", |action| around(action, "'", "'")),
    action("ADD_SUFFIX", "derive", "", |action| around(action, "", &action.parameters.text("pattern")?)),
    action("EXTRACT_BETWEEN_DELIMITERS", "extract", "", extract_between),
    action("EXTRACT_BETWEEN_POSITIONS", "extract", "", extract_positions),
    action("EXTRACT_PATTERN", "extract", "Look-around, back-references, possessive quantifiers.", extract_pattern),
    action("EXTRACT_VALUE", "unbox, rename_fields", "The column is JSON text; the value is a text.", extract_value),
    action("REMOVE_COMBINED", "trim, derive", "", remove_combined),
    action("REPLACE_BETWEEN_DELIMITERS", "replace, derive", "Delimiters with groups.", replace_between),
    action("REPLACE_BETWEEN_POSITIONS", "replace", "", replace_positions),
    action("REPLACE_TEXT", "replace", "Look-around, back-references, possessive quantifiers.", replace_text),
];

fn change_case(action: &Action<'_>, to: &str, sql: fn(&str) -> String) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let expression = sql(&name(&column));
    Ok(Mapped::step("change_case", json!({"columns": column, "to": to})).or_column(column, expression))
}

fn format_date(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let format = date_format(&action.parameters.text("targetDateFormat")?)?;
    let expression = format!("date_format(CAST({} AS TIMESTAMP), {})", name(&column), text(&format));
    Ok(Mapped::step("format_date", json!({"column": column, "format": format})).or_column(column, expression))
}

fn around(action: &Action<'_>, before: &str, after: &str) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let parts =
        [(!before.is_empty()).then(|| text(before)), Some(name(&column)), (!after.is_empty()).then(|| text(after))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Ok(Mapped::column(column, format!("concat({})", parts.join(", "))))
}

fn extract_between(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (column, target) = (action.parameters.source()?, action.parameters.target()?);
    let (start, end) = (action.parameters.text("startPattern")?, action.parameters.text("endPattern")?);
    if let (Some(start), Some(end), None) = (literal(&start), literal(&end), action.condition) {
        return Ok(Mapped::step("extract", json!({"column": column, "as": target, "between": [start, end]})));
    }
    let pattern = format!("(?:{start})(.*?)(?:{end})");
    if has_group(&start) {
        return Err(Refusal::new("its delimiters have groups"));
    }
    let expression = format!("nullif(regexp_extract({}, {}, 1), '')", name(&column), regex(&pattern)?);
    let step = json!({"column": column, "as": target, "pattern": pattern, "group": 1});
    Ok(Mapped::step("extract", step).or_column(target, expression))
}

/// Whether a pattern has a group of its own.
fn has_group(pattern: &str) -> bool {
    let bare = pattern.replace("\\\\", "").replace("\\(", "");
    bare.replace("(?:", "").contains('(')
}

fn extract_positions(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (column, target) = (action.parameters.source()?, action.parameters.target()?);
    let (from, to) = (action.parameters.whole("startPosition")?, action.parameters.whole("endPosition")?);
    let expression = format!("substring({}, {from}, {})", name(&column), length(from, to)?);
    Ok(Mapped::step("extract", json!({"column": column, "as": target, "from": from, "to": to}))
        .or_column(target, expression))
}

/// How many characters stand between two positions, both included.
fn length(from: i64, to: i64) -> Result<i64, Refusal> {
    let length =
        to.checked_sub(from).and_then(|length| length.checked_add(1)).filter(|length| *length >= 0 && from >= 0);
    length.ok_or_else(|| Refusal::new("its end position is before its start position"))
}

fn extract_pattern(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (column, target) = (action.parameters.source()?, action.parameters.target()?);
    let pattern = action.parameters.text("pattern")?;
    let expression = format!("nullif(regexp_extract({}, {}, 0), '')", name(&column), regex(&pattern)?);
    let step = json!({"column": column, "as": target, "pattern": pattern, "group": 0});
    Ok(Mapped::step("extract", step).or_column(target, expression))
}

fn extract_value(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (column, target) = (action.parameters.source()?, action.parameters.target()?);
    let path = action.parameters.text("path")?;
    // A path of DataBrew's may begin with the column.
    let own = [format!("`{column}`."), format!("{column}.")];
    let path = own.iter().find_map(|own| path.strip_prefix(own.as_str())).unwrap_or(&path).to_owned();
    if path.is_empty() || path.contains('[') {
        return Err(Refusal::new("its path goes into a list: use `flatten`, then `unbox`"));
    }
    let made = format!("{column}.{}", path.replace('`', ""));
    Ok(Mapped::step("unbox", json!({"column": column, "fields": {path: "string"}, "keep": true}))
        .then("rename_fields", json!({made: target}))
        .changed("the column must be JSON text; the value is taken as a text"))
}

fn replace_text(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let columns = action.parameters.sources()?;
    let pattern = action.parameters.text("pattern")?;
    let with = action.parameters.maybe("value").unwrap_or_default();
    let (step, function, pattern) = match literal(&pattern) {
        Some(find) => (json!({"columns": columns, "find": find, "with": with}), "replace", text(&find)),
        None => (
            json!({"columns": columns, "pattern": checked(&pattern)?, "with": with}),
            "regexp_replace",
            regex(&pattern)?,
        ),
    };
    let expressions = columns
        .iter()
        .map(|column| (column.clone(), format!("{function}({}, {pattern}, {})", name(column), text(&with))));
    Ok(Mapped { columns: Some(expressions.collect()), ..Mapped::step("replace", step) })
}

fn replace_between(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let (start, end) = (action.parameters.text("startPattern")?, action.parameters.text("endPattern")?);
    if let (Some(start), Some(end), None) = (literal(&start), literal(&end), action.condition) {
        let with = action.parameters.maybe("value").unwrap_or_default();
        return Ok(Mapped::step("replace", json!({"columns": column, "between": [start, end], "with": with})));
    }
    if has_group(&start) || has_group(&end) {
        return Err(Refusal::new("its delimiters have groups"));
    }
    let with = action.parameters.maybe("value").unwrap_or_default().replace('\\', "\\\\").replace('$', "\\$");
    let pattern = regex(&format!("({start}).*?({end})"))?;
    Ok(Mapped::column(
        column.clone(),
        format!("regexp_replace({}, {pattern}, {})", name(&column), text(&format!("$1{with}$2"))),
    ))
}

fn replace_positions(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let column = action.parameters.source()?;
    let (from, to) = (action.parameters.whole("startPosition")?, action.parameters.whole("endPosition")?);
    length(from, to)?;
    let with = action.parameters.maybe("value").unwrap_or_default();
    let of = name(&column);
    let after = to.saturating_add(1);
    let before = from.saturating_sub(1).max(0);
    let expression = format!("concat(left({of}, {before}), {}, substring({of}, {after}))", text(&with));
    Ok(Mapped::step("replace", json!({"columns": column, "from": from, "to": to, "with": with}))
        .or_column(column, expression))
}

/// What is removed everywhere, by flag, as a pattern.
const EVERYWHERE: [(&str, &str); 6] = [
    ("removeLetters", "[A-Za-z]"),
    ("removeNumbers", "[0-9]"),
    ("removeSpecialCharacters", r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"##),
    ("removeAllPunctuation", "[.!,?]"),
    ("removeAllQuotes", r#"['"]"#),
    ("removeAllWhitespace", r"\s"),
];

fn remove_combined(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let (parameters, column) = (action.parameters, action.parameters.source()?);
    let mut expression = name(&column);
    let mut replaced = |pattern: &str, with: &str| {
        expression = format!("regexp_replace({expression}, {}, {})", text(pattern), text(with));
    };
    let mut only_blanks = true;
    for (flag, key) in [("removeCustomValue", "customValue"), ("removeCustomCharacters", "customCharacters")] {
        let custom = parameters.maybe(key).unwrap_or_default();
        if parameters.flag(flag) && !custom.is_empty() {
            let escaped = super::patterns::escape(&custom);
            replaced(&if flag == "removeCustomCharacters" { format!("[{escaped}]") } else { escaped }, "");
            only_blanks = false;
        }
    }
    for (flag, pattern) in EVERYWHERE {
        if parameters.flag(flag) {
            replaced(pattern, "");
            only_blanks = false;
        }
    }
    for (flag, inner) in
        [("removeLeadingAndTrailingPunctuation", "[.!,?]+"), ("removeLeadingAndTrailingQuotes", "['\"]+")]
    {
        if parameters.flag(flag) {
            replaced(&format!("^{inner}|{inner}$"), "");
            only_blanks = false;
        }
    }
    let collapse = parameters.flag("collapseConsecutiveWhitespace");
    let ends = parameters.flag("removeLeadingAndTrailingWhitespace");
    if ends {
        replaced(r"^\s+|\s+$", "");
    }
    if collapse {
        replaced(r"\s{2,}", " ");
    }
    match (only_blanks, ends, collapse) {
        (true, false, false) => Err(Refusal::new("none of its flags is set, so it removes nothing")),
        (true, true, collapse) => {
            let mut step = json!({"columns": column});
            if collapse {
                step["collapse"] = json!(true);
            }
            Ok(Mapped::step("trim", step).or_column(column, expression))
        }
        _ => Ok(Mapped::column(column, expression)),
    }
}
