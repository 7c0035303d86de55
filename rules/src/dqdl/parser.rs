//! The document: sections in their order, rules, analyzers.

use std::collections::HashSet;
use std::ops::Range;

use super::Parsed;
use super::ast::{Analyzer, Document, Variable};
use super::clauses::{check_labels, labels};
use super::cursor::{Cursor, MAX_ERRORS, Parse};
use super::hints;
use super::lexer::Kind;
use super::rule::{self, Scope};
use super::signature::Signature;
use super::texts::unescaped;
use super::variables::{self, Variables};

/// Parses a ruleset; every diagnostic that can be had in one go is in the result.
pub fn parse(text: &str) -> Parsed {
    let mut cursor = Cursor::new(text);
    unknown_characters(&mut cursor);
    let mut document = Document::default();
    sections(&mut cursor, &mut document);
    let mut diagnostics = cursor.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    diagnostics.dedup_by(|a, b| a.span.start == b.span.start && a.severity == b.severity);
    Parsed { document, diagnostics }
}

/// One diagnostic for every run of characters that are nothing of the language.
fn unknown_characters(cursor: &mut Cursor<'_>) {
    let mut last: Option<Range<usize>> = None;
    let mut count = 0;
    for span in cursor.unknown() {
        let text = cursor.text;
        // The second of a pair of quotes says nothing new, nor do neighbours.
        let again = last.as_ref().is_some_and(|last| {
            let between = &text[last.end..span.start];
            let paired = hints::are_quotes(&text[last.clone()], &text[span.clone()]) && !between.contains('\n');
            between.is_empty() || paired
        });
        last = if again && last.as_ref().is_some_and(|last| last.end < span.start) { None } else { Some(span.clone()) };
        if again {
            continue;
        }
        count += 1;
        if count > MAX_ERRORS {
            return;
        }
        let found = &text[span.clone()];
        let character = found.chars().next().unwrap_or_default();
        let shown = match character.is_control() || character.is_whitespace() || hints::is_unseen(character) {
            true => format!("U+{:04X}", u32::from(character)),
            false => found.to_owned(),
        };
        cursor.fail(span, format!("`{shown}` is nothing of DQDL"));
        if let Some(help) = hints::unknown(character) {
            cursor.help(help);
        }
    }
}

/// Every section; one that cannot be read leaves its diagnostic, and reading goes on with the next.
fn sections(cursor: &mut Cursor<'_>, document: &mut Document) {
    let mut faulty = Vec::new();
    if cursor.is("Metadata") && metadata(cursor, document).is_err() {
        cursor.recover_section();
    }
    if cursor.is("DataSources") && data_sources(cursor, document).is_err() {
        cursor.recover_section();
    }
    let mut declared = HashSet::new();
    while cursor.kind() == Kind::Word && !cursor.is_full() {
        let name = cursor.word();
        match variable(cursor, &mut declared) {
            Ok(variable) => document.variables.push(variable),
            Err(_) => {
                faulty.push(name.to_owned());
                cursor.recover_section();
            }
        }
    }
    if cursor.is("DefaultLabels") && default_labels(cursor, document).is_err() {
        document.default_labels.clear();
        cursor.recover_section();
    }
    // What cannot be read there leaves its diagnostic.
    let _ = body(cursor, document, &faulty);
}

fn metadata(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    cursor.expect("Metadata")?;
    for entry in dictionary(cursor)? {
        if entry.key != "Version" {
            let failed = cursor.fail(entry.span, "Unsupported key provided in Metadata section");
            cursor.help("the only key is \"Version\"");
            return Err(failed);
        }
        document.metadata = vec![(entry.key, entry.text)];
    }
    Ok(())
}

fn data_sources(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    cursor.expect("DataSources")?;
    for entry in dictionary(cursor)? {
        match (entry.key.as_str(), entry.is_list) {
            ("Primary", _) => document.primary_source = Some(entry.text),
            ("AdditionalDataSources", true) => document.additional_sources = sources(cursor, &entry),
            ("AdditionalDataSources", false) => {
                let failed = cursor.fail(entry.span, "Additional sources must be an array of values.");
                cursor.help("write `\"AdditionalDataSources\": [\"name\"]`");
                return Err(failed);
            }
            _ => {
                let failed = cursor.fail(entry.span, "Unsupported key provided in Sources section");
                cursor.help("the keys are \"Primary\" and \"AdditionalDataSources\"");
                return Err(failed);
            }
        }
    }
    Ok(())
}

fn default_labels(cursor: &mut Cursor<'_>, document: &mut Document) -> Parse<()> {
    cursor.expect("DefaultLabels")?;
    cursor.expect("=")?;
    document.default_labels = labels(cursor)?;
    check_labels(cursor, &document.default_labels, 0)
}

fn body(cursor: &mut Cursor<'_>, document: &mut Document, faulty: &[String]) -> Parse<()> {
    let start = cursor.span();
    let mut analyzers_alone = false;
    let variables = Variables::new(&document.variables, faulty);
    if cursor.take("Rules") {
        cursor.expect("=")?;
        let scope = Scope { variables: &variables, default_labels: &document.default_labels };
        document.rules = list(cursor, |cursor| rule::top(cursor, &scope, 0))?;
    } else if cursor.at_end() && cursor.has_errors() {
        // What was wrong before has swallowed them.
        return Ok(());
    } else if !cursor.is("Analyzers") {
        let failed = cursor.unexpected("`Rules = [...]` or `Analyzers = [...]`");
        if cursor.at_end() {
            cursor.help("a ruleset is `Rules = [ ... ]`");
        } else if let Some(help) = misplaced(cursor) {
            cursor.help(help);
        }
        return Err(failed);
    }
    if cursor.is("Analyzers") {
        analyzers_alone = document.rules.is_empty();
        cursor.advance();
        cursor.expect("=")?;
        document.analyzers = list(cursor, |cursor| analyzer(cursor, &variables))?;
    }
    if document.rules.is_empty() && document.analyzers.is_empty() && !cursor.has_errors() {
        return Err(cursor.fail(start, "No rules or analyzers provided."));
    }
    trailing(cursor, analyzers_alone);
    Ok(())
}

/// A section that stands where it may not.
fn misplaced(cursor: &Cursor<'_>) -> Option<&'static str> {
    const ORDER: &str = "the order is: Metadata, DataSources, variables, DefaultLabels, Rules, Analyzers";
    let section = cursor.is_any(&["Metadata", "DataSources", "DefaultLabels"]);
    let variable = cursor.kind() == Kind::Word && cursor.is_ahead(1, "=");
    if section || variable { Some(ORDER) } else { None }
}

/// Warns of text that the reference does not read.
fn trailing(cursor: &mut Cursor<'_>, analyzers_alone: bool) {
    if cursor.at_end() {
        return;
    }
    let span = cursor.span().start..cursor.last_end();
    let (message, help) = if cursor.is("Rules") && analyzers_alone {
        ("`Rules` after `Analyzers` is ignored", "Glue drops these rules without a word: put `Rules` first")
    } else if cursor.is("Rules") {
        ("a second `Rules` is ignored", "Glue drops these rules without a word: write all rules in one list")
    } else if cursor.is("Analyzers") {
        ("a second `Analyzers` is ignored", "Glue drops it without a word: write all analyzers in one list")
    } else if cursor.is(",") || cursor.is("and") || cursor.is("AND") || cursor.is("or") || cursor.is("OR") {
        (
            "text after the end of the ruleset is ignored",
            "Glue drops it without a word; the bracket before it closes the list: is it one too many?",
        )
    } else {
        ("text after the end of the ruleset is ignored", "Glue drops it without a word: remove it")
    };
    cursor.warn(span, message, help);
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
            Err(failed) if cursor.is_full() => return Err(failed),
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
        let key = unescaped(cursor.string("a quoted key")?);
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

fn variable<'a>(cursor: &mut Cursor<'a>, declared: &mut HashSet<&'a str>) -> Parse<(String, Variable)> {
    let span = cursor.span();
    let name = cursor.advance();
    if name.starts_with(['.', '_']) {
        return Err(cursor.fail(span, format!("Variable name '{name}' cannot start with '.' or '_'")));
    }
    if !cursor.is("=") {
        let failed = cursor.unexpected(&format!("`=` after the variable `{name}`"));
        if let Some(near) = nearest_section(name) {
            cursor.help(format!("did you mean `{near}`?"));
        }
        return Err(failed);
    }
    cursor.expect("=")?;
    let value = if cursor.take("[") {
        let mut values = vec![variable_value(cursor, name)?];
        while cursor.take(",") {
            values.push(variable_value(cursor, name)?);
        }
        cursor.expect("]")?;
        Variable::Many(values)
    } else {
        Variable::One(variable_value(cursor, name)?)
    };
    if !declared.insert(name) {
        return Err(cursor.fail(span, format!("Variable '{name}' is already defined")));
    }
    Ok((name.to_owned(), value))
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
    let is_number = cursor.kind() == Kind::Number;
    let content = cursor.string(&format!("a string as the value of the variable `{name}`")).inspect_err(|_| {
        if is_number {
            cursor.help("a variable holds a string or a list of strings");
        } else if let Some(near) = nearest_section(name) {
            cursor.help(format!("did you mean `{near}`?"));
        }
    })?;
    let refers = |after: &str| after.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if content.split('$').skip(1).any(refers) {
        return Err(cursor.fail(span, format!("Nested variables are not supported in variable '{name}'")));
    }
    Ok(content.to_owned())
}

/// A variable as a parameter of an analyzer, where the reference does not look it up.
fn analyzer_variable(cursor: &mut Cursor<'_>, variables: &Variables<'_>, start: usize) -> Parse<(String, String)> {
    let name = variables::name(cursor)?;
    let value = match variables.get(name) {
        Some(Variable::One(content)) => content.clone(),
        _ => {
            let help = "Glue accepts this and takes the name for the value: declare the variable as one string";
            cursor.warn(start..cursor.end_before(), format!("`${name}` is not a string variable"), help);
            name.to_owned()
        }
    };
    Ok((value, format!("${name}")))
}

fn analyzer(cursor: &mut Cursor<'_>, variables: &Variables<'_>) -> Parse<Analyzer> {
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
        let failed = cursor.fail(span, format!("Analyzer Type: {rule_type} is not supported"));
        cursor.help("an analyzer is a type that has a metric of its own, such as Completeness or RowCount");
        return Err(failed);
    }
    for (index, parameter) in parameters.iter_mut().enumerate() {
        parameter.name = signature.parameter(index);
    }
    Ok(Analyzer { rule_type, parameters })
}
