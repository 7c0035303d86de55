//! What goes wrong, in one line and in the words of the text: planner's errors, errors of a run, panics.

use std::any::Any;

use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, SchemaError};

use super::query::QueryLimits;
use super::sandbox::nearest;
use super::scan::Stopped;
use crate::error::{Error, ErrorKind};

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the SQL engine panicked")
}

/// What the planner said, in one line and in the names of the text.
pub(super) fn planner_error(error: &DataFusionError, schemas: &[SchemaRef]) -> String {
    let root = error.find_root();
    if let DataFusionError::SchemaError(schema_error, _) = root {
        match schema_error.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let known = |table: &str| {
                    valid_fields
                        .iter()
                        .filter_map(|column| column.relation.as_ref())
                        .any(|known| known.table() == table)
                };
                if let Some(relation) = field.relation.as_ref().filter(|relation| !known(relation.table())) {
                    return format!("`{}` is not a table of this SELECT", relation.table());
                }
                let valid = valid_fields.iter().map(|column| column.name.as_str());
                let near = nearest(&field.name, valid.filter(|name| !name.contains('\u{0}')));
                let near = near.map(|near| format!(": did you mean `{}`?", spelled(near, schemas)));
                return format!("there is no column `{}`{}", field.name, near.unwrap_or_default());
            }
            SchemaError::AmbiguousReference { field } => {
                return format!("`{}` is a column of several tables; write `table.{0}`", field.name);
            }
            _ => {}
        }
    }
    let text = root.strip_backtrace();
    let text = text.lines().next().unwrap_or_default();
    let kinds = ["Error during planning: ", "Execution error: ", "This feature is not implemented: ", "SQL error: "];
    let text = kinds.iter().find_map(|kind| text.strip_prefix(kind)).unwrap_or(text);
    text.chars().take(400).collect()
}

/// A column's name as its table spells it.
pub(super) fn spelled<'a>(lower: &'a str, schemas: &'a [SchemaRef]) -> &'a str {
    let fields = schemas.iter().flat_map(|schema| schema.fields().iter());
    let mut same = fields.filter(|field| field.name().to_lowercase() == lower);
    same.next().map_or(lower, |field| field.name().as_str())
}

/// An error of DataFusion as one of ours.
pub(super) fn worded(error: DataFusionError, limits: &QueryLimits) -> Error {
    // Under a sort the bound on the disk comes as an error of Arrow's that wraps it as text.
    if error.to_string().contains("exceeded the allowable limit") {
        let mib = limits.temp_bytes.div_ceil(1 << 20);
        return Error::new(ErrorKind::Configuration, format!("the query needs more than {mib} MiB of temporary disk"))
            .with_help("let it select fewer columns or rows, or raise the limit");
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) => {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            match text.contains("disk") || text.contains("temporary") {
                true => Error::new(
                    ErrorKind::Configuration,
                    format!("the query needs more than {} MiB of temporary disk", mib(limits.temp_bytes)),
                ),
                false => Error::new(
                    ErrorKind::Configuration,
                    format!("the query needs more than {} MiB of memory", mib(limits.memory_bytes)),
                ),
            }
            .with_help("let it select fewer columns or rows, or raise the limit")
        }
        DataFusionError::External(external) => {
            if let Some(stopped) = external.downcast_ref::<Stopped>() {
                return match stopped {
                    Stopped::Deadline => Error::new(
                        ErrorKind::Configuration,
                        format!("the query took longer than {} seconds", limits.timeout.as_secs_f64()),
                    )
                    .with_help("simplify it, or raise the limit"),
                    Stopped::Cancelled | Stopped::Unwanted => crate::exec::pipeline::cancelled(),
                };
            }
            match external.downcast_ref::<Error>() {
                Some(own) => {
                    let copied = Error::new(own.kind(), own.to_string());
                    match own.help() {
                        Some(help) => copied.with_help(help),
                        None => copied,
                    }
                }
                None => Error::new(ErrorKind::Configuration, runtime_message(&error)),
            }
        }
        DataFusionError::IoError(_) => Error::storage("temporary files of the query failed", error)
            .with_help("free space in the temporary directory"),
        _ => Error::new(ErrorKind::Configuration, runtime_message(&error)),
    }
}

/// What went wrong while rows were computed, without the value that did it.
pub(super) fn runtime_message(error: &DataFusionError) -> String {
    let root = error.find_root();
    let text = root.strip_backtrace();
    let text = text.lines().next().unwrap_or_default();
    let own = text.strip_prefix("Execution error: ").unwrap_or(text);
    match root {
        // Our own messages name functions and tables between backticks, never a value.
        DataFusionError::Execution(_) if own.starts_with('`') || own.contains("subquery") => own.to_owned(),
        DataFusionError::Plan(_) | DataFusionError::NotImplemented(_) | DataFusionError::SchemaError(..) => {
            own.to_owned()
        }
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => {
            "a value could not be computed: it is out of range or not of the form that a function needs".to_owned()
        }
        _ => "it could not be evaluated".to_owned(),
    }
}
