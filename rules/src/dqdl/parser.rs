//! The document: sections in their order, rules, analyzers.

use std::ops::Range;

use super::ast::{Analyzer, Document, Variable};
use super::clauses::{check_labels, labels};
use super::condition::{self, Variables};
use super::cursor::{Cursor, Parse};
use super::lexer::Kind;
use super::rule::{self, Scope};
use super::signature::Signature;
use super::{Diagnostic, Parsed};

/// After how many errors reading stops.
const MAX_ERRORS: usize = 100;

/// Parses a ruleset; every diagnostic that can be had in one go is in the result.
pub fn parse(text: &str) -> Parsed {
    let mut cursor = Cursor::new(text);
    for span in cursor.unknown().into_iter().take(MAX_ERRORS) {
        let found = &text[span.clone()];
        cursor.diagnostics.push(Diagnostic::error(text, span, format!("`{found}` is nothing of DQDL")));
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
        for entry in dictionary(cursor)? {
            if entry.key != "Version" {
                return Err(cursor.fail(entry.span, "Unsupported key provided in Metadata section"));
            }
            document.metadata = vec![(entry.key, entry.text)];
        }
    }
    if cursor.take("DataSources") {
        for entry in dictionary(cursor)? {
            match (entry.key.as_str(), entry.is_list) {
                ("Primary", _) => document.primary_source = Some(entry.text),
                ("AdditionalDataSources", true) => document.additional_sources = sources(cursor, &entry),
                ("AdditionalDataSources", false) => {
                    return Err(cursor.fail(entry.span, "Additional sources must be an array of values."));
                }
                _ => return Err(cursor.fail(entry.span, "Unsupported key provided in Sources section")),
            }
        }
    }
    while cursor.kind() == Kind::Word {
        variable(cursor, document)?;
    }
    if cursor.take("DefaultLabels") {
        cursor.expect("=")?;
        document.default_labels = labels(cursor)?;
        check_labels(cursor, &document.default_labels, 0)?;
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
    if document.rules.is_empty() && document.analyzers.is_empty() && !cursor.has_errors() {
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
        let from = cursor.position();
        cursor.begin_item();
        match item(cursor) {
            Ok(item) => items.push(item),
            Err(failed) if cursor.diagnostics.len() >= MAX_ERRORS => return Err(failed),
            Err(_) => cursor.recover(from),
        }
        if cursor.take(",") {
            continue;
        }
        if cursor.take("]") {
            return Ok(items);
        }
        let _ = cursor.unexpected("`,` or `]`");
        cursor.recover(cursor.position());
        if !cursor.take(",") {
            cursor.take("]");
            return Ok(items);
        }
    }
}

/// An entry of a dictionary.
struct Entry {
    key: String,
    /// The value as the reference reads it: brackets kept, quotes and blanks between the tokens left out.
    text: String,
    is_list: bool,
    span: Range<usize>,
}

fn dictionary(cursor: &mut Cursor<'_>) -> Parse<Vec<Entry>> {
    cursor.expect("=")?;
    cursor.expect("{")?;
    if cursor.is("}") {
        return Err(cursor.fail(cursor.span(), "Empty dictionary provided"));
    }
    let mut entries = Vec::new();
    loop {
        let start = cursor.span().start;
        let key = condition::unescaped(cursor.string("a quoted key")?);
        cursor.expect(":")?;
        let from = cursor.position();
        let is_list = cursor.take("[");
        cursor.string("a quoted value")?;
        if is_list {
            while cursor.take(",") {
                cursor.string("a quoted value")?;
            }
            cursor.expect("]")?;
        }
        let text = cursor.compact(from).replace('"', "");
        entries.push(Entry { key, text, is_list, span: start..cursor.end_before() });
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("}")?;
    Ok(entries)
}

/// The names of a list as the reference reads them: it drops blanks and brackets and splits at commas.
fn sources(cursor: &mut Cursor<'_>, entry: &Entry) -> Vec<String> {
    if entry.text.contains(' ') {
        cursor.warn(
            entry.span.clone(),
            "blanks in the names of data sources are dropped",
            "Glue drops them without a word: name the sources without blanks",
        );
    }
    let mut names: Vec<String> = entry.text.replace(['[', ']', ' '], "").split(',').map(str::to_owned).collect();
    // Java's split leaves out what is empty at the end, unless there was nothing to split.
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
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

/// A text or a keyword, which here is only a text.
fn variable_value(cursor: &mut Cursor<'_>, name: &str) -> Parse<String> {
    let span = cursor.span();
    if cursor.is_any(&["null", "NULL", "empty", "EMPTY", "whitespaces_only", "WHITESPACES_ONLY"]) {
        let word = cursor.advance().to_owned();
        cursor.warn(
            span,
            format!("`{word}` as the value of a variable is plain text"),
            "Glue takes it as such: write the keyword in the rule to have its meaning",
        );
        return Ok(word);
    }
    if cursor.is("$") {
        return Err(cursor.fail(span, format!("Nested variables are not supported in variable '{name}'")));
    }
    let content = cursor.string(&format!("a string as the value of the variable `{name}`"))?;
    let refers = |after: &str| after.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if content.split('$').skip(1).any(refers) {
        return Err(cursor.fail(span, format!("Nested variables are not supported in variable '{name}'")));
    }
    Ok(content.to_owned())
}

/// A variable as a parameter of an analyzer, where the reference does not look it up.
fn analyzer_variable(cursor: &mut Cursor<'_>, variables: &Variables, start: usize) -> Parse<(String, String)> {
    let name = condition::variable_name(cursor)?;
    let value = match variables.iter().find(|(known, _)| known == name) {
        Some((_, Variable::One(content))) => content.clone(),
        _ => {
            let help = "Glue accepts this and takes the name for the value: declare the variable as one string";
            cursor.warn(start..cursor.end_before(), format!("`${name}` is not a string variable"), help);
            name.to_owned()
        }
    };
    Ok((value, format!("${name}")))
}

fn analyzer(cursor: &mut Cursor<'_>, variables: &Variables) -> Parse<Analyzer> {
    let span = cursor.span();
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the type of an analyzer"));
    }
    let rule_type = cursor.advance().to_owned();
    let mut parameters = rule::parameters(cursor, |cursor, start| analyzer_variable(cursor, variables, start))?;
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
