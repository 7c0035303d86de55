//! `explain`: what a rule type means, from the registry that also makes docs/reference/rules.

use etl_engine::{Error, Result};
use etl_rules::doc_pages::{Clauses, NO_DIFFERENCE, facts, syntax_lines};
use etl_rules::dqdl::signature::Signature;
use etl_rules::{RuleType, registry};
use serde_json::{Value, json};

use super::list;
use crate::args::Explain;
use crate::failure::Failure;
use crate::render::table;
use crate::terminal::{Ink, Look};
use crate::world::World;

/// Does it; gives the exit code.
pub(super) fn execute(args: &Explain, world: &mut World) -> Result<u8, Failure> {
    let Some(name) = &args.rule else {
        match args.json {
            true => {
                world.output.document(&list("rules", registry::all().iter().map(|kind| document(*kind)).collect()))?
            }
            false => world.output.text(&index(world.look))?,
        }
        return Ok(0);
    };
    let rule_type = find(name)?;
    match args.json {
        true => world.output.document(&document(rule_type))?,
        false => world.output.text(&render(rule_type, world.look))?,
    }
    Ok(0)
}

fn find(name: &str) -> Result<&'static dyn RuleType> {
    registry::find_in_any_case(name).ok_or_else(|| {
        let help = match Signature::nearest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`etl-engine explain` lists them all".to_owned(),
        };
        Error::configuration(format!("there is no rule type `{name}`")).with_help(help)
    })
}

fn document(rule_type: &dyn RuleType) -> Value {
    let (doc, clauses) = (rule_type.doc(), Clauses::of(rule_type));
    json!({
        "name": rule_type.name(),
        "summary": doc.summary,
        "syntax": doc.syntax,
        "conditions": clauses.conditions,
        "where": clauses.filter,
        "threshold": clauses.threshold,
        "last": clauses.history,
        "analyzer": clauses.analyzer,
        "rule": clauses.rule,
        "rows": doc.rows.sentence(),
        "metrics": doc.metrics,
        "nulls": doc.nulls,
        "differs_from_glue": doc.differs_from_glue,
        "example": doc.example,
    })
}

fn index(look: Look) -> String {
    let row = |rule_type: &&dyn RuleType| vec![rule_type.name().to_owned(), rule_type.doc().summary.to_owned()];
    let rows = registry::all().iter().map(row).collect();
    let next = "etl-engine explain <RULE> says what it takes, what NULL does, and where it differs from AWS Glue";
    format!("{}\n{} {next}\n", table(&["rule", "what it does"], rows, &[], look), look.paint(Ink::Bold, "next:"))
}

fn render(rule_type: &dyn RuleType, look: Look) -> String {
    let doc = rule_type.doc();
    let heading = |text: &str| format!("\n{}\n", look.paint(Ink::Bold, text));
    let mut text = format!("{}\n", look.paint(Ink::Bold, rule_type.name()));
    text += &paragraph(doc.summary, 2, 2, look);
    text += &heading("Syntax");
    for line in syntax_lines(rule_type) {
        text += &format!("  {line}\n");
    }
    text += "\n";
    let facts = facts(rule_type);
    let widest = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, fact) in &facts {
        let label = look.paint(Ink::Dim, &format!("{name:widest$}"));
        let indent = widest + 4;
        text += &format!("  {label}  {}", paragraph(fact, indent, 0, look).trim_start());
    }
    let differs = if doc.differs_from_glue.is_empty() { NO_DIFFERENCE } else { doc.differs_from_glue };
    for (title, words) in [("NULL", doc.nulls), ("Compared with AWS Glue", differs)] {
        text += &heading(title);
        text += &paragraph(words, 2, 2, look);
    }
    text += &heading("Example");
    text += &format!("  {}\n", doc.example);
    text
}

/// Words indented, and broken where the terminal ends; in a pipe they stay on one line.
fn paragraph(words: &str, indent: usize, first: usize, look: Look) -> String {
    let width = look.width.map_or(usize::MAX, |width| usize::from(width).min(110));
    let mut text = " ".repeat(first);
    let mut column = indent;
    for (index, word) in words.split(' ').enumerate() {
        if index > 0 && column + 1 + word.len() > width {
            text.push('\n');
            text += &" ".repeat(indent);
            column = indent;
        } else if index > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += word.len();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Look = Look { color: false, unicode: false, width: None };

    #[test]
    fn fits_the_terminal_and_is_not_wrapped_in_a_pipe() {
        let narrow = Look { width: Some(60), ..PIPE };
        for rule_type in registry::all() {
            let (doc, text) = (rule_type.doc(), render(*rule_type, narrow));
            let prose = text.split("NULL\n").nth(1).unwrap_or_default().split("\nExample").next().unwrap_or_default();
            assert!(prose.lines().all(|line| line.len() <= 60), "{prose}");
            assert!(render(*rule_type, PIPE).lines().any(|line| line.trim_start() == doc.nulls));
        }
    }
}
