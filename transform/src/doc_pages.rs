//! The reference pages of the steps, as text: one a step and an index. Whoever calls writes them.

use std::fmt::Write;

use crate::registry;
use crate::step::StepType;

/// The page of a step.
pub fn page(step: &StepType) -> String {
    let doc = &step.doc;
    let mut text = format!("# {}\n\n{}\n\n", step.name, doc.summary);
    let _ = writeln!(text, "**NULLs.** {}\n", doc.nulls);
    if !doc.glue.is_empty() {
        let _ = writeln!(text, "**Glue.** {}\n", doc.glue.join(", "));
    }
    if !doc.databrew.is_empty() {
        let _ = writeln!(text, "**DataBrew.** {}\n", doc.databrew.join(", "));
    }
    if !doc.differs.is_empty() {
        let _ = writeln!(text, "**Differs.** {}\n", doc.differs);
    }
    let mut schema = (step.parameters)().to_value();
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
        map.remove("title");
    }
    let example = &doc.example;
    let _ = writeln!(text, "## Example\n\nColumns: {}\n\n```csv\n{}```\n", example.types, example.input);
    let _ = writeln!(text, "```yaml\ntransform:\n{}\n```\n\n```csv\n{}```\n", example.job.trim_end(), example.output);
    let schema = serde_json::to_string_pretty(&schema).unwrap_or_default();
    let _ = writeln!(text, "## Parameters\n\n```json\n{schema}\n```");
    text
}

/// The index: a line a step.
pub fn index() -> String {
    let mut text =
        "# Steps\n\nWhat may stand under `transform:` of a job file, in any order and number.\n\n".to_owned();
    text.push_str("| step | what it does | Glue | DataBrew |\n|---|---|---|---|\n");
    for step in registry::all() {
        let doc = &step.doc;
        let (glue, databrew) = (doc.glue.join(", "), doc.databrew.join(", "));
        let _ = writeln!(text, "| [{0}]({0}.md) | {1} | {glue} | {databrew} |", step.name, doc.summary);
    }
    text
}
