//! From options to a job's text form, the same one that job files have.

use etl_engine::job::open::read_text;
use etl_engine::job::spec::{Amount, OtherSourceSpec, SchemaSpec, Texts};
use etl_engine::job::{self, Faulty, JobSpec, OpenError};
use etl_engine::source::StoreProvider;

use crate::args::{Limits, Reading, Ruling};

/// A job that says nothing.
pub(super) fn empty() -> JobSpec {
    JobSpec { version: 1, ..JobSpec::default() }
}

/// Takes over what rules need beside the data. Names on the command line are relative to the working directory, so they
/// are not part of the job file's world: they go into the checked job.
pub(super) fn rule(ruling: &Ruling, spec: &mut JobSpec) {
    for (alias, location) in &ruling.sources {
        let source = OtherSourceSpec { location: Texts::One(absolute(location)), ..OtherSourceSpec::default() };
        let declared = spec.sources.entry(alias.clone()).or_insert_with(|| source.clone());
        declared.location = source.location;
    }
    spec.rule_options.extend(ruling.options.iter().cloned());
    if let Some(output) = &ruling.row_outcomes {
        spec.row_outcomes = Some(absolute(output));
    }
}

/// A path that means the same beside a job file as in the working directory; URLs are whole already.
fn absolute(location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    std::path::absolute(location).map_or_else(|_| location.to_owned(), |path| path.display().to_string())
}

/// Takes over how the input is read.
pub(super) fn apply(reading: &Reading, spec: &mut JobSpec) {
    if let Some(format) = &reading.format {
        spec.source.format = Some(format.clone());
    }
    if let Some(delimiter) = &reading.delimiter {
        spec.source.csv.delimiter = Some(delimiter.clone());
    }
    if let Some(encoding) = &reading.encoding {
        spec.source.csv.encoding = Some(encoding.clone());
    }
}

/// Takes over what the run may use.
pub(super) fn limit(limits: &Limits, spec: &mut JobSpec) {
    if let Some(threads) = limits.threads {
        spec.limits.threads = Some(threads);
    }
    if let Some(memory) = limits.memory {
        spec.limits.memory = Some(Amount::Number(memory));
    }
}

/// Reads and checks a schema file.
///
/// # Errors
/// What is wrong with it, in its own text rather than in the job's.
pub(super) async fn schema(
    file: &str,
    nulls: Option<&[String]>,
    stores: &dyn StoreProvider,
) -> Result<SchemaSpec, OpenError> {
    let text = read_text(file, stores).await?;
    let wrong = |problems| Faulty::file("schema file", file, &text, problems);
    let spec = job::load_schema(&text).map_err(wrong)?;
    job::bind_columns(&spec, nulls).map_err(wrong)?;
    Ok(spec)
}

/// A number of rows, or a share.
pub(super) fn amount(text: &str) -> Amount {
    text.trim().parse().map_or_else(|_| Amount::Text(text.to_owned()), Amount::Number)
}
