//! The world of a workflow and of a run, as the environment says.
//!
//! | variable | what it says |
//! |---|---|
//! | `ETL_JOBS` | the folder of job files, `<dataset>.yaml` |
//! | `ETL_AUDIT_TABLE` | the DynamoDB table of the audit |
//! | `ETL_FAILED` | where invalid files are moved to |
//! | `ETL_WORK` | where lists of files are left |
//! | `ETL_TOPIC` | the SNS topic that is told |
//! | `ETL_KMS_KEY`, `ETL_BUCKET_OWNER` | how objects are kept, for jobs that do not say |
//! | `ETL_MAX_ATTEMPTS`, `ETL_INLINE_MAX`, `ETL_LEASE_SECONDS` | see [`Settings`] |
//! | `ETL_FUNCTION_MEMORY_MB`, `ETL_FUNCTION_DISK_MB` | the function that validates, for those who route files to it |
//! | `ETL_MEMORY` | memory of a run, such as `6GiB`; in a function four fifths of its memory |

use std::sync::Arc;

use chrono::TimeDelta;
use etl_engine::audit::AuditLog;
use etl_engine::catalog::Catalog;
use etl_engine::job::{Job, parse_size};
use etl_engine::keys::KeySource;
use etl_engine::notify::Notifier;
use etl_engine::report::lineage::LineageSink;
use etl_engine::source::{StorageOptions, StoreProvider};
use etl_engine::workflow::{FunctionSize, Jobs, Settings, Workflow};
use etl_engine::{Error, Result, RunContext};

use crate::audit::DynamoAudit;
use crate::catalog::GlueCatalog;
use crate::clients::Clients;
use crate::keys::Keys;
use crate::lineage::LineageOut;
use crate::notify::{NotifyOut, SnsNotifier};
use crate::stores::Stores;

/// Looks a variable up; empty ones are absent.
type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

const MIB: u64 = 1 << 20;

/// The workflow that the environment describes.
///
/// # Errors
/// `Configuration` that names the variable which is missing or wrong.
pub fn workflow(environment: Environment<'_>, clients: &Clients) -> Result<Workflow> {
    let stores: Arc<dyn StoreProvider> = Arc::new(Stores::default());
    let notifier: Arc<dyn Notifier> = match environment("ETL_TOPIC") {
        Some(topic) => Arc::new(SnsNotifier::new(clients.clone(), topic)),
        // What nobody subscribed to is in the log.
        None => NotifyOut::new(std::io::stderr()),
    };
    Ok(Workflow {
        jobs: Arc::new(Jobs::folder(&needed(environment, "ETL_JOBS", "s3://bucket/jobs/")?)),
        audit: Arc::new(DynamoAudit::new(clients.clone(), needed(environment, "ETL_AUDIT_TABLE", "etl-audit")?)),
        catalog: Some(Arc::new(GlueCatalog::new(clients.clone()))),
        lineage: Some(Arc::new(LineageOut::default())),
        keys: Some(Arc::new(Keys::new(clients.clone()))),
        notifier,
        stores,
        now: chrono::Utc::now,
        temp_dir: std::env::temp_dir(),
        settings: settings(environment)?,
    })
}

fn needed(environment: Environment<'_>, name: &str, example: &str) -> Result<String> {
    environment(name).ok_or_else(|| {
        Error::configuration(format!("{name} is not set")).with_help(format!("set it, for example to {example}"))
    })
}

fn settings(environment: Environment<'_>) -> Result<Settings> {
    let number = |name: &str, default: u64| match environment(name) {
        None => Ok(default),
        Some(text) => text.trim().parse().map_err(|_| Error::configuration(format!("{name}: `{text}` is no number"))),
    };
    let defaults = Settings::default();
    let in_function = environment("AWS_LAMBDA_FUNCTION_NAME").is_some();
    let own_memory = number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0)? * MIB;
    let function = FunctionSize {
        memory_bytes: match number("ETL_FUNCTION_MEMORY_MB", 0)? {
            0 if in_function && own_memory > 0 => own_memory,
            0 => FunctionSize::planned().memory_bytes,
            mebibytes => mebibytes * MIB,
        },
        disk_bytes: number("ETL_FUNCTION_DISK_MB", 512)? * MIB,
        arm: cfg!(target_arch = "aarch64"),
    };
    let memory_bytes = match environment("ETL_MEMORY") {
        Some(text) => Some(parse_size(&text).map_err(|why| Error::configuration(format!("ETL_MEMORY: {why}")))?),
        None => (own_memory > 0).then_some(own_memory / 5 * 4),
    };
    let lease = i64::try_from(number("ETL_LEASE_SECONDS", 120)?).unwrap_or(i64::MAX).clamp(3, 3600);
    Ok(Settings {
        failed: environment("ETL_FAILED"),
        work: environment("ETL_WORK"),
        max_tries: u32::try_from(number("ETL_MAX_ATTEMPTS", defaults.max_tries.into())?).unwrap_or(u32::MAX),
        inline_files: usize::try_from(number("ETL_INLINE_MAX", defaults.inline_files as u64)?).unwrap_or(usize::MAX),
        lease: TimeDelta::seconds(lease),
        patience: defaults.patience,
        memory_bytes,
        storage: StorageOptions { kms_key: environment("ETL_KMS_KEY"), bucket_owner: environment("ETL_BUCKET_OWNER") },
        function: in_function.then_some(function),
    })
}

/// Gives a run the edges that its job names: audit table, catalog, lineage, keys.
pub fn with_edges(job: &Job, clients: &Clients, mut cx: RunContext) -> RunContext {
    let edges = &job.edges;
    if let Some(table) = &edges.audit_table {
        cx.audit = Some(Arc::new(DynamoAudit::new(clients.clone(), table)) as Arc<dyn AuditLog>);
    }
    if edges.catalog.is_some() {
        cx.catalog = Some(Arc::new(GlueCatalog::new(clients.clone())) as Arc<dyn Catalog>);
    }
    if edges.lineage.is_some() {
        cx.lineage = Some(Arc::new(LineageOut::default()) as Arc<dyn LineageSink>);
    }
    if !job.keys.is_empty() {
        cx.keys = Some(Arc::new(Keys::new(clients.clone())) as Arc<dyn KeySource>);
    }
    cx
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings> {
        settings(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_function_keeps_a_fifth_of_its_memory_to_itself() {
        let settings = read(&[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1000")]).unwrap();
        assert_eq!(settings.memory_bytes, Some(800 * MIB));
        assert_eq!(settings.function.unwrap().memory_bytes, 1000 * MIB);
    }

    #[test]
    fn a_container_has_no_function_and_takes_what_it_is_told() {
        let settings = read(&[("ETL_MEMORY", "6GiB"), ("ETL_KMS_KEY", "k")]).unwrap();
        assert_eq!((settings.memory_bytes, settings.function), (Some(6 << 30), None));
        assert_eq!(settings.storage.kms_key.as_deref(), Some("k"));
        assert!(read(&[("ETL_MAX_ATTEMPTS", "many")]).unwrap_err().to_string().contains("ETL_MAX_ATTEMPTS"));
    }
}
