//! The document: sections in their order, rules, analyzers.

use super::ast::{Analyzer, Document, Labels, StringOperand, Variable};
use super::condition::equal_text;
use super::cursor::{Cursor, Parse};
use super::lexer::Kind;
use super::rule::{self, Scope};
use super::signature::Signature;
use super::{Diagnostic, Parsed};

/// Parses a ruleset; every diagnostic that can be had in one go is in the result.
pub fn parse(text: &str) -> Parsed {
    let mut cursor = Cursor::new(text);
    for span in cursor.unknown() {
        let found = &text[span.clone()];
        let message = match found.starts_with('"') {
            true => "a string that never closes".to_owned(),
            false => format!("`{found}` is nothing of DQDL"),
        };
        cursor.diagnostics.push(Diagnostic::error(text, span, message));
    }
    let mut document = Document::default();
    // A section that cannot be read leaves its diagnostic; what follows it cannot be told apart.
    let _ = sections(&mut cursor, &mut document);
    let mut diagnostics = cursor.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    diagnostics.dedup_by(|a, b| a.span.start == b.span.start && a.severity == b.severity);
    Parsed { document, diagnostics }
}

fn sections(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    if cursor.take("Metadata") {
        for (key, values) in dictionary(cursor)? {
            match (key.as_str(), values.as_slice()) {
                ("Version", [value]) => document.metadata.push((key, value.clone())),
                _ => return Err(cursor.fail(cursor.span(), "Unsupported key provided in Metadata section")),
            }
        }
    }
    if cursor.take("DataSources") {
        for (key, values) in dictionary(cursor)? {
            match (key.as_str(), values.as_slice()) {
                ("Primary", [value]) => document.primary_source = Some(value.clone()),
                ("AdditionalDataSources", _) => document.additional_sources = values,
                _ => return Err(cursor.fail(cursor.span(), "Unsupported key provided in Sources section")),
            }
        }
    }
    while cursor.kind() == Kind::Word {
        variable(cursor, document)?;
    }
    if cursor.take("DefaultLabels") {
        cursor.expect("=")?;
        document.default_labels = rule::labels(cursor)?;
        rule::check_labels(cursor, &document.default_labels)?;
    }
    body(cursor, document)
}

fn body(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    let start = cursor.span();
    let mut analyzers_first = None;
    if cursor.take("Rules") {
        cursor.expect("=")?;
        let variables = document.variables.clone();
        let scope = Scope { variables: &variables, default_labels: &document.default_labels };
        let rules = list(cursor, |cursor| rule::top(cursor, &scope, 0))?;
        document.rules = rules;
    } else if !cursor.is("Analyzers") {
        let failed = cursor.unexpected("`Rules = [...]` or `Analyzers = [...]`");
        return Err(failed);
    }
    if cursor.is("Analyzers") {
        analyzers_first = document.rules.is_empty().then(|| cursor.span());
        cursor.advance();
        cursor.expect("=")?;
        let variables = document.variables.clone();
        document.analyzers = list(cursor, |cursor| analyzer(cursor, &variables))?;
    }
    if document.rules.is_empty() && document.analyzers.is_empty() && cursor.diagnostics.is_empty() {
        return Err(cursor.fail(start, "No rules or analyzers provided."));
    }
    if !cursor.at_end() {
        let span = cursor.span().start..cursor.text.len();
        if cursor.is("Rules") && analyzers_first.is_some() {
            cursor.warn(
                span,
                "`Rules` after `Analyzers` is ignored",
                "Glue drops these rules without a word: put `Rules` first",
            );
        } else {
            cursor.warn(
                span,
                "text after the end of the ruleset is ignored",
                "Glue ignores it without a word: remove it",
            );
        }
    }
    Ok(())
}

/// `[ item, item ]`; an item that cannot be read is passed over and reading goes on after the next comma.
fn list<T>(cursor: &mut Cursor<'_>, mut item: impl FnMut(&mut Cursor<'_>) -> Parse<T>) -> Parse<Vec<T>> {
    cursor.expect("[")?;
    let mut items = Vec::new();
    if cursor.take("]") {
        return Ok(items);
    }
    loop {
        match item(cursor) {
            Ok(item) => items.push(item),
            Err(_) => cursor.recover(),
        }
        if cursor.take(",") {
            continue;
        }
        if cursor.take("]") {
            return Ok(items);
        }
        let _ = cursor.unexpected("`,` or `]`");
        cursor.recover();
        if cursor.at_end() {
            return Ok(items);
        }
        if !cursor.is(",") && !cursor.is("]") {
            return Ok(items);
        }
        if cursor.take("]") {
            return Ok(items);
        }
        cursor.advance();
    }
}

fn dictionary(cursor: &mut Cursor<'_>) -> Parse<Vec<(String, Vec<String>)>> {
    cursor.expect("=")?;
    cursor.expect("{")?;
    if cursor.is("}") {
        return Err(cursor.fail(cursor.span(), "Empty dictionary provided"));
    }
    let mut entries = Vec::new();
    loop {
        let key = cursor.string("a quoted key")?.to_owned();
        cursor.expect(":")?;
        let mut values = Vec::new();
        if cursor.take("[") {
            loop {
                values.push(cursor.string("a quoted value")?.to_owned());
                if !cursor.take(",") {
                    break;
                }
            }
            cursor.expect("]")?;
        } else {
            values.push(cursor.string("a quoted value")?.to_owned());
        }
        entries.push((key, values));
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("}")?;
    Ok(entries)
}

fn variable(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    let span = cursor.span();
    let name = cursor.advance().to_owned();
    if name.starts_with(['.', '_']) {
        return Err(cursor.fail(span, format!("Variable name '{name}' cannot start with '.' or '_'")));
    }
    if !cursor.is("=") {
        let failed = cursor.unexpected(&format!("`=` after the variable `{name}`"));
        if let (Some(last), Some(near)) = (cursor.diagnostics.last_mut(), nearest_section(&name)) {
            last.help = Some(format!("did you mean `{near}`?"));
        }
        return Err(failed);
    }
    cursor.expect("=")?;
    let value = if cursor.take("[") {
        let mut values = vec![variable_value(cursor, &name)?];
        while cursor.take(",") {
            values.push(variable_value(cursor, &name)?);
        }
        cursor.expect("]")?;
        Variable::Many(values)
    } else {
        Variable::One(variable_value(cursor, &name)?)
    };
    if document.variables.iter().any(|(known, _)| *known == name) {
        return Err(cursor.fail(span, format!("Variable '{name}' is already defined")));
    }
    document.variables.push((name, value));
    Ok(())
}

fn nearest_section(name: &str) -> Option<&'static str> {
    if Signature::is_known(name) {
        return Some("Rules = [ ... ]");
    }
    let sections = ["Rules", "Analyzers", "Metadata", "DataSources", "DefaultLabels"];
    sections.into_iter().find(|section| strsim::damerau_levenshtein(&name.to_lowercase(), &section.to_lowercase()) <= 2)
}

fn variable_value(cursor: &mut Cursor<'_>, name: &str) -> Parse<StringOperand> {
    match cursor.word() {
        "null" | "NULL" => {
            cursor.advance();
            return Ok(StringOperand::Null);
        }
        "empty" | "EMPTY" => {
            cursor.advance();
            return Ok(StringOperand::Empty);
        }
        "whitespaces_only" | "WHITESPACES_ONLY" => {
            cursor.advance();
            return Ok(StringOperand::WhitespacesOnly);
        }
        _ => {}
    }
    let span = cursor.span();
    let content = cursor.string(&format!("a string as the value of the variable `{name}`"))?;
    let mut parts = content.split('$').skip(1);
    if parts.any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Err(cursor.fail(span, format!("Nested variables are not supported in variable '{name}'")));
    }
    Ok(equal_text(content))
}

fn analyzer(cursor: &mut Cursor<'_>, variables: &[(String, Variable)]) -> Parse<Analyzer> {
    let span = cursor.span();
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the type of an analyzer"));
    }
    let rule_type = cursor.advance().to_owned();
    let mut parameters = rule::parameters(cursor, variables)?;
    let span = span.start..cursor.end_before();
    let Some(signature) = Signature::find(&rule_type, parameters.len()) else {
        return Err(rule::unknown_type(cursor, span, "Analyzer", &rule_type));
    };
    if !signature.analyzer {
        return Err(cursor.fail(span, format!("Analyzer Type: {rule_type} is not supported")));
    }
    for (index, parameter) in parameters.iter_mut().enumerate() {
        parameter.name = signature.parameter(index);
    }
    Ok(Analyzer { rule_type, parameters })
}

/// Own labels over defaults: a rule's label replaces a default of the same key.
pub(super) fn merged(defaults: &Labels, own: Labels) -> Labels {
    let mut merged = defaults.clone();
    for (key, value) in own {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => merged.push((key, value)),
        }
    }
    merged
}
