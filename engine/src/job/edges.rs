//! What a job has to do with the world around it: catalog, audit, notification, encryption, lineage. Nothing here changes
//! a verdict or a row.

use super::bind::Problems;
use super::spec::{Amount, JobSpec};
use crate::catalog::{CatalogTable, Evolution};
use crate::source::StorageOptions;

/// The edges of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edges {
    /// The table that is made known.
    pub catalog: Option<CatalogTable>,
    /// The DynamoDB table of the audit trail.
    pub audit_table: Option<String>,
    /// The SNS topic that is told of failures.
    pub topic: Option<String>,
    /// The URL that failures are posted to.
    pub webhook: Option<String>,
    /// How objects are kept.
    pub storage: StorageOptions,
    /// Where OpenLineage events go.
    pub lineage: Option<LineageTarget>,
}

/// Where OpenLineage events go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineageTarget {
    /// A file.
    pub file: Option<String>,
    /// A URL.
    pub url: Option<String>,
    /// The namespace of the job.
    pub namespace: String,
}

pub(super) fn bind(spec: &JobSpec, base: &dyn Fn(&str) -> String, problems: &mut Problems) -> Edges {
    let catalog = spec.catalog.as_ref().and_then(|catalog| catalog.glue.as_ref()).map(|glue| {
        for (key, text) in [("database", &glue.database), ("table", &glue.table)] {
            if text.is_empty() || text.chars().any(|c| c.is_uppercase() || c.is_whitespace() || c == '/') {
                problems.with_help(
                    format!("catalog.glue.{key}: `{text}` is not a name that Athena can use"),
                    "use lower case letters, digits and underscores",
                );
            }
        }
        let evolution = match glue.evolution.as_deref() {
            None | Some("add") => Evolution::Add,
            Some("strict") => Evolution::Strict,
            Some("replace") => Evolution::Replace,
            Some(other) => {
                problems.add(format!("catalog.glue.evolution: `{other}` is not one of add, strict, replace"));
                Evolution::Add
            }
        };
        CatalogTable {
            database: glue.database.clone(),
            table: glue.table.clone(),
            catalog_id: glue.catalog_id.clone(),
            evolution,
        }
    });
    if catalog.is_some() && spec.sink.is_none() {
        problems.with_help("`catalog` without a sink", "add `sink: {location: ...}`: what is published is made known");
    }
    let url = |key: &str, text: Option<&String>, problems: &mut Problems| {
        if let Some(text) = text.filter(|text| !text.starts_with("https://") && !text.starts_with("http://")) {
            problems.add(format!("{key}: `{text}` is not an http(s) URL"));
        }
        text.cloned()
    };
    let notify = spec.notify.clone().unwrap_or_default();
    let lineage = spec.lineage.as_ref().map(|lineage| {
        if lineage.file.is_none() && lineage.url.is_none() {
            problems.with_help("lineage: neither `file` nor `url` is given", "say where the events go");
        }
        LineageTarget {
            file: lineage.file.as_deref().map(base),
            url: url("lineage.url", lineage.url.as_ref(), problems),
            namespace: lineage.namespace.clone().unwrap_or_else(|| "etl-engine".to_owned()),
        }
    });
    let storage = spec.storage.clone().unwrap_or_default();
    let bucket_owner = storage.bucket_owner.map(|owner| match owner {
        Amount::Number(number) => format!("{number:012}"),
        Amount::Text(text) => text,
    });
    if let Some(owner) = &bucket_owner
        && (owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()))
    {
        problems.add(format!("storage.bucket_owner: `{owner}` is not an account of 12 digits"));
    }
    Edges {
        catalog,
        audit_table: spec.audit.as_ref().and_then(|audit| audit.dynamodb.as_ref()).map(|audit| audit.table.clone()),
        topic: notify.sns.map(|sns| sns.topic),
        webhook: url("notify.webhook.url", notify.webhook.as_ref().map(|webhook| &webhook.url), problems),
        storage: StorageOptions { kms_key: storage.kms_key, bucket_owner },
        lineage,
    }
}
