//! The reference pages of the rule types, as text: one a type and an index. Whoever calls writes them.
//!
//! All that a page says comes from the registry: the words from [`RuleDoc`](crate::RuleDoc), the clauses from the signatures
//! of DQDL, whether `last(k)` is understood from the type itself.

use std::fmt::Write;

use crate::dqdl::ast::Rule;
use crate::dqdl::parse;
use crate::dqdl::signature::{Returns, SIGNATURES};
use crate::registry;
use crate::rule::RuleType;

/// What a rule type may be combined with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clauses {
    /// What its condition may be about; `none` = it may stand without one.
    pub conditions: Vec<&'static str>,
    /// Whether `where` is allowed.
    pub filter: bool,
    /// Whether `with threshold` is allowed.
    pub threshold: bool,
    /// Whether its condition may look at earlier runs by `last(k)`.
    pub history: bool,
    /// Whether it may stand under `Analyzers`.
    pub analyzer: bool,
    /// Whether it may stand under `Rules`.
    pub rule: bool,
}

impl Clauses {
    /// Those of a rule type, all its forms taken together.
    pub fn of(rule_type: &dyn RuleType) -> Clauses {
        let forms = || SIGNATURES.iter().filter(|signature| signature.name == rule_type.name());
        let rule = forms().any(|signature| signature.rule);
        let mut returns: Vec<Returns> = Vec::new();
        for form in forms().filter(|signature| signature.rule) {
            for kind in form.returns {
                if !returns.contains(kind) {
                    returns.push(*kind);
                }
            }
        }
        // "none" reads best at the end.
        returns.sort_by_key(|kind| *kind == Returns::Boolean);
        let name = |kind: Returns| match kind {
            Returns::Boolean => "none",
            Returns::String => "text",
            other => other.name(),
        };
        Clauses {
            filter: forms().any(|signature| signature.filter),
            threshold: forms().any(|signature| signature.threshold),
            history: returns.contains(&Returns::Number) && has_history(rule_type),
            analyzer: forms().any(|signature| signature.analyzer),
            rule,
            conditions: if rule { returns.into_iter().map(name).collect() } else { vec!["none"] },
        }
    }
}

/// Whether the type has a metric whose history its condition can read, by its example.
fn has_history(rule_type: &dyn RuleType) -> bool {
    let document = parse(&format!("Rules = [ {} ]", rule_type.doc().example)).document;
    let Some(Rule::Leaf(leaf)) = document.rules.first() else { return false };
    let parameters: Vec<String> = leaf.parameters.iter().map(|parameter| parameter.value.clone()).collect();
    rule_type.history_metric(&parameters).is_some()
}

/// What a rule type takes and gives, as pairs of a name and a text.
pub fn facts(rule_type: &dyn RuleType) -> Vec<(&'static str, String)> {
    let (doc, clauses) = (rule_type.doc(), Clauses::of(rule_type));
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let analyzer = match (clauses.analyzer, clauses.rule) {
        (true, false) => "only".to_owned(),
        (analyzer, _) => yes_or_no(analyzer),
    };
    vec![
        ("condition", clauses.conditions.join(", ")),
        ("where", yes_or_no(clauses.filter)),
        ("threshold", yes_or_no(clauses.threshold)),
        ("last(k)", yes_or_no(clauses.history)),
        ("analyzer", analyzer),
        ("rows", doc.rows.sentence().to_owned()),
        ("metrics", doc.metrics.join("; ")),
    ]
}

/// The lines of a rule type's syntax: one a form, and none much longer than a line of a page.
pub fn syntax_lines(rule_type: &dyn RuleType) -> Vec<String> {
    const LONGEST: usize = 100;
    let next_form = format!(" | {}", rule_type.name());
    let mut lines = Vec::new();
    for (index, form) in rule_type.doc().syntax.split(&next_form).enumerate() {
        let mut line = if index == 0 { String::new() } else { rule_type.name().to_owned() };
        for (part, text) in form.split(" [").enumerate() {
            let text = if part == 0 { text.to_owned() } else { format!(" [{text}") };
            if part > 0 && line.len() + text.len() > LONGEST {
                lines.push(std::mem::replace(&mut line, "   ".to_owned()));
            }
            line.push_str(&text);
        }
        lines.push(line);
    }
    lines
}

/// The page of a rule type, in Markdown.
pub fn page(rule_type: &dyn RuleType) -> String {
    let (name, doc) = (rule_type.name(), rule_type.doc());
    let mut page = format!("{MADE}# {name}\n\n{}\n\n```text\n", prose(doc.summary));
    for line in syntax_lines(rule_type) {
        page += &format!("{line}\n");
    }
    page += "```\n\n| | |\n|---|---|\n";
    for (fact, text) in facts(rule_type) {
        let text = match fact {
            "metrics" => doc.metrics.iter().map(|metric| format!("`{metric}`")).collect::<Vec<_>>().join(", "),
            _ => text,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| {fact} | {text} |");
    }
    page += &format!("\n## NULL\n\n{}\n", prose(doc.nulls));
    let differs = if doc.differs_from_glue.is_empty() { NO_DIFFERENCE } else { doc.differs_from_glue };
    page += &format!("\n## Compared with Glue\n\n{}\n", prose(differs));
    let list = if Clauses::of(rule_type).rule { "Rules" } else { "Analyzers" };
    page += &format!("\n## Example\n\n```text\n{list} = [\n    {}\n]\n```\n", doc.example);
    page
}

/// What is said of Glue where nothing differs.
pub const NO_DIFFERENCE: &str = "The answer is Glue's.";

/// The index of the pages, in Markdown.
pub fn index() -> String {
    let mut page = format!("{MADE}{}\n| rule | what it does | result by row |\n|---|---|---|\n", linked(INTRODUCTION));
    for rule_type in registry::all() {
        let (name, doc) = (rule_type.name(), rule_type.doc());
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| [{name}]({name}.md) | {} | {} |", cell(doc.summary), doc.rows.short());
    }
    page
}

/// Every page with the name of its file, the index first.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), index())];
    pages.extend(registry::all().iter().map(|rule_type| (format!("{}.md", rule_type.name()), page(*rule_type))));
    pages
}

const MADE: &str = "<!-- Made from rules/src/types: UPDATE_DOCS=1 cargo test -p etl-rules --test doc_pages -->\n\n";

const INTRODUCTION: &str = "\
# Rule types

`etl-engine explain <Rule>` prints these pages. What holds for all of them, as in Glue unless said otherwise:

- A number condition is `=`, `!=`, `>`, `>=`, `<`, `<=`, `[not] between a and b`, `[not] in [..]`. `between` leaves out both
  ends. Metrics are doubles and `=` is exact: write `between` where a ratio is computed. NaN meets no ordering.
- Operators in an expression bind equally, from the left: `1 + 2 * 3` is 9. AND binds tighter than OR.
- `where \"..\"` is an SQL predicate (docs/sql.md); rows for which it is false or NULL are out of scope. When it leaves no row,
  a rule about values passes; RowCount is 0.
- `with threshold` is a condition on the share of rows, or of files, that meet the rule; without it the share must be 1.
- `last(k)` gives the newest k values of the rule's metric in earlier runs, newest first, and 0.0 when there are none:
  `RowCount > avg(last(10)) * 0.6`. Functions: avg, median, max, min, sum, std, abs, percentile, index.
- Rules joined by `and` and `or` are each judged on the whole dataset; with the option
  `compositeRuleEvaluation.method=ROW` on each row.
- A rule about a column that does not exist, or of the wrong type, fails and stops nothing, and a warning says so.
- Rules see the rows that fit the schema. Which of them reject rows, and what that does to the verdict: docs/semantics.md.
- A type under `Analyzers` is measured and not judged; `etl-engine history` shows the metrics of published runs.
";

/// Markdown of a text from the registry: broken into lines, mentions of other pages being links.
fn prose(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut lines = String::new();
    let mut length = 0;
    for word in linked(text).split(' ') {
        if length > 0 && length + 1 + word.len() > LONGEST {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

/// The same for one cell of a table.
fn cell(text: &str) -> String {
    linked(text).replace('|', "\\|")
}

fn linked(text: &str) -> String {
    ["sql", "semantics"].iter().fold(text.to_owned(), |text, page| {
        text.replace(&format!("docs/{page}.md"), &format!("[docs/{page}.md](../../{page}.md)"))
    })
}
