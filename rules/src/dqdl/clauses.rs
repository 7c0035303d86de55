//! What follows the condition of a rule: `where`, labels and tags.

use std::ops::Range;

use super::ast::{Comparison, Condition, Labels, LeafRule, Number, NumberCondition, StringOperand, Tag};
use super::condition;
use super::cursor::{Cursor, Parse};
use super::lexer::Kind;
use super::rule::Scope;

/// How many labels a rule may have, the defaults counted.
const MAX_LABELS: usize = 10;

/// `where`, labels and tags, in this order; as an extension the labels may also come last.
pub(super) fn clauses(cursor: &mut Cursor<'_>, scope: &Scope<'_>, leaf: &mut LeafRule) -> Parse<()> {
    let span = cursor.span();
    if cursor.take("where") {
        let content = cursor.string("a quoted predicate after `where`")?;
        if content.is_empty() {
            let message = format!("Empty where condition provided for rule type: {}", leaf.rule_type);
            return Err(cursor.fail(span, message));
        }
        leaf.filter = Some(content.to_owned());
    }
    let labelled = cursor.is("labels");
    if labelled {
        (leaf.own_labels, leaf.labels) = labels_clause(cursor, scope)?;
    }
    loop {
        let span = cursor.span();
        if !cursor.take("with") {
            break;
        }
        tag(cursor, scope, leaf, span)?;
    }
    if !labelled && cursor.is("labels") {
        let span = cursor.span();
        cursor.warn(
            span,
            "labels after `with` are accepted here alone",
            "Glue refuses the ruleset, though its documentation shows this order: write the labels before `with`",
        );
        (leaf.own_labels, leaf.labels) = labels_clause(cursor, scope)?;
    }
    Ok(())
}

fn tag(cursor: &mut Cursor<'_>, scope: &Scope<'_>, leaf: &mut LeafRule, span: Range<usize>) -> Parse<()> {
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the name of a tag after `with`"));
    }
    let name = cursor.advance().to_owned();
    let is_list = name.eq_ignore_ascii_case("filterOrder") && cursor.is("=") && cursor.is_ahead(1, "[");
    let tag = match is_list {
        true => text_list(cursor)?,
        false => {
            let from = cursor.position();
            let condition = condition::condition(cursor, scope.variables)?;
            let written = cursor.compact(from);
            let span = span.start..cursor.end_before();
            match condition {
                Condition::Number(numbers) if !is_keyword(&numbers, &written) => {
                    if name.eq_ignore_ascii_case("threshold") {
                        if leaf.threshold.replace(numbers).is_some() {
                            return Err(cursor.fail(span, "Only one threshold condition at a time is supported."));
                        }
                        return Ok(());
                    }
                    if numbers.comparison != Comparison::Equal {
                        return Err(cursor.fail(span, "Number tags only support the equality operator."));
                    }
                    Tag::Number(written.trim_start_matches('=').to_owned())
                }
                Condition::Number(NumberCondition { comparison: Comparison::Equal, .. }) => {
                    Tag::Number("NULL".to_owned())
                }
                Condition::String(strings) if strings.comparison == Comparison::Equal => {
                    match strings.operands.last() {
                        Some(StringOperand::Text { text, .. }) => Tag::Text(text.clone()),
                        keyword => Tag::Number(keyword.map(|keyword| keyword.to_string()).unwrap_or_default()),
                    }
                }
                Condition::Number(_) | Condition::String(_) => {
                    return Err(cursor.fail(span, "String tags only support the equality operator."));
                }
                _ => return Err(cursor.fail(span, "a tag takes a string or a number")),
            }
        }
    };
    if name.eq_ignore_ascii_case("threshold") {
        let span = span.start..cursor.end_before();
        cursor.warn(
            span,
            "this threshold has no effect: it is compared with a string",
            "write it without quotes, as in `with threshold > 0.9`",
        );
    }
    match leaf.tags.iter_mut().find(|(known, _)| *known == name) {
        Some(known) => known.1 = tag,
        None => leaf.tags.push((name, tag)),
    }
    Ok(())
}

/// Whether a condition of a tag is on the keyword NULL: a string condition to the reference.
fn is_keyword(numbers: &NumberCondition, written: &str) -> bool {
    let listed =
        matches!(numbers.comparison, Comparison::Equal | Comparison::NotEqual | Comparison::In | Comparison::NotIn);
    listed && !written.contains('(') && numbers.operands.iter().all(|operand| *operand == Number::Null)
}

/// `= ["a", "b"]`
fn text_list(cursor: &mut Cursor<'_>) -> Parse<Tag> {
    cursor.expect("=")?;
    cursor.expect("[")?;
    let mut texts = vec![cursor.string("a quoted value")?.to_owned()];
    while cursor.take(",") {
        texts.push(cursor.string("a quoted value")?.to_owned());
    }
    cursor.expect("]")?;
    Ok(Tag::List(texts))
}

/// The rule's own labels, and these over the defaults.
pub(super) fn labels_clause(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Parse<(Labels, Labels)> {
    cursor.expect("labels")?;
    cursor.expect("=")?;
    let own = labels(cursor)?;
    check_labels(cursor, &own, scope.default_labels.len())?;
    let all = merged(scope.default_labels, &own);
    Ok((own, all))
}

/// `["key"="value", ...]`
pub(super) fn labels(cursor: &mut Cursor<'_>) -> Parse<Labels> {
    let span = cursor.span();
    cursor.expect("[")?;
    if cursor.take("]") {
        return Err(cursor.fail(span, "Labels must have at least one label"));
    }
    let mut labels = Labels::new();
    loop {
        let key = cursor.string("a quoted key")?.to_owned();
        cursor.expect("=")?;
        let value = cursor.string("a quoted value")?.to_owned();
        labels.push((key, value));
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("]")?;
    Ok(labels)
}

pub(super) fn check_labels(cursor: &mut Cursor<'_>, labels: &Labels, defaults: usize) -> Parse<()> {
    let end = cursor.end_before();
    let mut wrong = |message: String| Err(cursor.fail(end.saturating_sub(1)..end, message));
    // A label that replaces a default counts twice in the reference.
    if labels.len() + defaults > MAX_LABELS {
        return wrong(format!("Number of labels exceed maximum allowed (MAX: {MAX_LABELS})"));
    }
    for (index, (key, value)) in labels.iter().enumerate() {
        if key.is_empty() || value.is_empty() {
            return wrong("Label key or value cannot be empty".to_owned());
        }
        let (key_length, value_length) = (key.encode_utf16().count(), value.encode_utf16().count());
        if key_length > 128 {
            return wrong(format!("Label key has length {key_length} exceeding the maximum length of 128 characters"));
        }
        if value_length > 256 {
            return wrong(format!(
                "Label value has length {value_length} exceeding the maximum length of 256 characters"
            ));
        }
        if labels.iter().take(index).any(|(known, _)| known == key) {
            return wrong("Duplicate label key. Key must be unique.".to_owned());
        }
    }
    Ok(())
}

/// Own labels over defaults: a rule's label replaces a default of the same key.
fn merged(defaults: &Labels, own: &Labels) -> Labels {
    let mut merged = defaults.clone();
    for (key, value) in own {
        match merged.iter_mut().find(|(known, _)| known == key) {
            Some(known) => known.1.clone_from(value),
            None => merged.push((key.clone(), value.clone())),
        }
    }
    merged
}
