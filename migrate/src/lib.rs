//! Job files from what Glue and DataBrew hold.
//!
//! ```text
//! text ─▶ json: parts that know their line ─▶ databrew │ glue │ table ─▶ a job file's YAML, a note for each part
//! ```
//!
//! Read are recipes of DataBrew, visual jobs of Glue Studio and table definitions of the Glue Data Catalog. What cannot be
//! carried over stands as a comment in its place and is told in a [`Note`]; nothing is left out in silence. Nothing here reads
//! a file, and nothing here runs: [`migrate`] is a function from text to text.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod doc_page;

mod databrew;
mod error;
mod glue;
mod job;
mod json;
mod note;
mod sql;
mod steps;
mod table;
mod types;

use std::fmt;

pub use error::Error;
pub use note::{Note, Severity};
pub use steps::STEPS;

use json::{Document, Part};

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A recipe of DataBrew.
    Recipe,
    /// A visual job of Glue Studio.
    VisualJob,
    /// A table of the Glue Data Catalog.
    Table,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipe => "DataBrew recipe",
            Self::VisualJob => "Glue Studio visual job",
            Self::Table => "Glue table",
        })
    }
}

/// A job file, and what became of each part of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// What the input was.
    pub kind: Kind,
    /// The job file.
    pub job_yaml: String,
    /// A note for each part, in the order of the input.
    pub notes: Vec<Note>,
}

impl Migrated {
    /// How many parts there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.notes.iter().filter(|note| note.severity == severity).count()
    }
}

/// Makes a job file of a recipe, a visual job or a table definition.
///
/// # Errors
/// When the text is not JSON, or JSON of nothing that is known.
pub fn migrate(text: &str) -> Result<Migrated, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::new(text);
    let root = document.root()?;
    let (kind, part) = recognise(&root)?;
    let (mut job, notes) = match kind {
        Kind::Recipe => databrew::recipe(&part)?,
        Kind::VisualJob => glue::visual_job(&part)?,
        Kind::Table => table::table(&part, root.text("DatabaseName"))?,
    };
    let mut migrated = Migrated { kind, job_yaml: String::new(), notes };
    let (carried, changed, not_carried) =
        (migrated.count(Severity::Carried), migrated.count(Severity::Changed), migrated.count(Severity::NotCarried));
    let named = job.name.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
    job.heading = vec![
        format!(
            "From a {kind}{named}: {carried} parts carried over, {changed} to be looked at, {not_carried} not carried over."
        ),
        "Check it with `etl-engine validate FILE --job THIS`.".to_owned(),
    ];
    migrated.job_yaml = job.yaml();
    Ok(migrated)
}

/// What a file is, and the part that holds it.
fn recognise<'d>(root: &Part<'d>) -> Result<(Kind, Part<'d>), Error> {
    let unknown = |message: &str| {
        let (line, column) = root.place();
        Err(Error::Unknown { line, column, message: message.to_owned() })
    };
    if root.items().is_some() {
        return Ok((Kind::Recipe, *root));
    }
    let Some(entries) = root.entries() else { return unknown("it is no list and no map") };
    for wrapper in ["Job", "JobUpdate", "Table", "TableInput"] {
        if let Some(inner) = root.get(wrapper).filter(|inner| inner.entries().is_some()) {
            return recognise(&inner);
        }
    }
    if root.get("CodeGenConfigurationNodes").is_some() {
        return Ok((Kind::VisualJob, *root));
    }
    if root.get("Steps").is_some() {
        return Ok((Kind::Recipe, *root));
    }
    if root.get("StorageDescriptor").is_some() {
        return Ok((Kind::Table, *root));
    }
    if !entries.is_empty() && entries.iter().all(|(_, node)| glue::is_node(node)) {
        return Ok((Kind::VisualJob, *root));
    }
    if root.get("Jobs").is_some() || root.get("TableList").is_some() || root.get("Recipes").is_some() {
        return unknown("it is a list of several: take one");
    }
    if root.get("Command").is_some() {
        return unknown("the job is a script: it has no `CodeGenConfigurationNodes`");
    }
    unknown("it has none of `Steps`, `CodeGenConfigurationNodes` and `StorageDescriptor`")
}
