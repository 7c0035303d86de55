//! Suggestions as DQDL text: names and values between quotes, evidence behind `#`.

use etl_rules::dqdl::ast::{Condition, StringOperand};
use etl_rules::dqdl::{self, LeafRule, Rule};

use super::Suggestion;

/// Whether rules can name the column: some names cannot be written between quotes, others would be read as a date.
pub(super) fn can_name(column: &str) -> bool {
    // Backticks quote a name within a name; a rule would look for another column.
    !column.contains(['`', '\\', '"'])
        && !column.contains(char::is_control)
        && leaf(&format!("ColumnExists \"{column}\""))
            .is_some_and(|leaf| leaf.parameters.first().is_some_and(|parameter| parameter.value == column))
}

/// A list of texts as `in` takes it; `None` when it would not be read back as the same texts.
pub(super) fn list(texts: &[&str]) -> Option<String> {
    let quoted = |text: &&str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let list = format!("[{}]", texts.iter().map(quoted).collect::<Vec<_>>().join(", "));
    let leaf = leaf(&format!("ColumnValues \"c\" in {list}"))?;
    let Some(Condition::String(condition)) = leaf.condition else { return None };
    let same = |(operand, text): (&StringOperand, &&str)| matches!(operand, StringOperand::Text { value, .. } if value == text);
    let all = condition.operands.len() == texts.len() && condition.operands.iter().zip(texts).all(same);
    (all && !texts.iter().any(|text| text.contains(char::is_control))).then_some(list)
}

/// The one rule of a text.
fn leaf(rule: &str) -> Option<LeafRule> {
    let parsed = dqdl::parse(&format!("Rules = [ {rule} ]"));
    let valid = parsed.is_valid();
    match parsed.document.rules.into_iter().next() {
        Some(Rule::Leaf(leaf)) if valid => Some(*leaf),
        _ => None,
    }
}

/// A number with its thousands set apart: `27,004`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A line of comment: what it says comes from data, and a line break in it would end the comment.
fn comment(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect();
    format!("# {line}\n")
}

/// The ruleset with its evidence.
pub(super) fn ruleset(suggestion: &Suggestion) -> String {
    let inputs = suggestion.inputs.join(", ");
    let mut text = comment(&format!(
        "Suggested by {} rows of {inputs}, {}% of them held out to check; read before use.",
        grouped(suggestion.rows),
        (suggestion.holdout * 1000.0).round() / 10.0
    ));
    suggestion.notes.iter().for_each(|note| text.push_str(&comment(note)));
    if suggestion.rules.is_empty() {
        text.push_str("# No rule could be suggested.\n");
        return text;
    }
    text.push_str("Rules = [\n");
    for (at, rule) in suggestion.rules.iter().enumerate() {
        let comma = if at + 1 == suggestion.rules.len() { "" } else { "," };
        text.push_str(&format!("    {}    {}{comma}\n", comment(&rule.evidence), rule.rule));
    }
    text.push_str("]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::SuggestedRule;
    use super::*;

    #[test]
    fn odd_names_are_written_or_refused() {
        for good in ["a", "Order Date", "ü # é", "a.b", "1", "x,y]", "it's"] {
            assert!(can_name(good), "{good}");
        }
        for bad in ["quote\"d", "`a`", "back\\slash", "line\nbreak", "2024-01-31", "10:00"] {
            assert!(!can_name(bad), "{bad}");
        }
    }

    #[test]
    fn lists_are_read_back_or_refused() {
        assert_eq!(
            list(&["a", "b \"c\"", "d\\e", "it's", ""]).as_deref(),
            Some(r#"["a", "b \"c\"", "d\\e", "it's", ""]"#)
        );
        assert_eq!(list(&["2024-01-31", "2024-02-01"]), None);
        assert_eq!(list(&["a\nb", "c"]), None);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 27_004, 1_234_567].map(grouped), ["0", "999", "1,000", "27,004", "1,234,567"]);
    }

    #[test]
    fn data_cannot_leave_a_comment() {
        let suggestion = Suggestion {
            rules: vec![SuggestedRule { rule: "RowCount > 0".into(), evidence: "a\nRowCount > 5,".into() }],
            notes: vec!["x\r\n]".into()],
            rows: 1,
            holdout: 0.2,
            inputs: vec!["a\nb.csv".into()],
        };
        let parsed = dqdl::parse(&suggestion.dqdl());
        assert!(parsed.is_valid());
        assert_eq!(parsed.document.rules.len(), 1);
    }
}
