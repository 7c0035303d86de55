//! The rules' text. It has nothing to do with bytes of data, but all targets are in one place.

use etl_rules::dqdl::{Document, json, parse};

/// A ruleset of any text: nothing makes the parser panic, its places lie in the text, and canonical text means itself.
pub fn dqdl(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = parse(&text);
    for diagnostic in &parsed.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?}");
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1, "{diagnostic:?}");
    }
    json::rules(&parsed.document);
    json::analyzers(&parsed.document);
    if parsed.is_valid() && text_alone(&text, &parsed.document) {
        canonical(&parsed.document);
    }
}

/// Whether the canonical text of the rules holds all there is: variables and defaults stand elsewhere. Lists unescape
/// backslashes, as the reference does, and the canonical text shows them unescaped, which may read as something else.
fn text_alone(text: &str, document: &Document) -> bool {
    document.variables.is_empty() && document.default_labels.is_empty() && !text.contains('\\')
}

/// The canonical text of rules and analyzers is read, and is its own canonical text.
fn canonical(document: &Document) {
    let rules: Vec<String> = document.rules.iter().map(ToString::to_string).collect();
    let analyzers: Vec<String> = document.analyzers.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for (section, entries) in [("Rules", &rules), ("Analyzers", &analyzers)] {
        if !entries.is_empty() {
            text.push_str(&format!("{section} = [ {} ]\n", entries.join(", ")));
        }
    }
    let again = parse(&text);
    assert!(again.is_valid(), "{text}: {:?}", again.diagnostics);
    let printed = |document: &Document| document.rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(printed(&again.document), rules);
    assert_eq!(again.document.analyzers.iter().map(ToString::to_string).collect::<Vec<_>>(), analyzers);
}
