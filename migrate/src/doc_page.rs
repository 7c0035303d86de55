//! The page that says what stands for what, as text. Whoever calls writes it.

use std::fmt::Write;

use crate::databrew::GROUPS;
use crate::glue::NODES;

/// The page.
pub fn page() -> String {
    let mut text = "# From Glue and DataBrew\n\n".to_owned();
    text.push_str(INTRODUCTION);
    let actions = crate::databrew::actions();
    let (mut all, mut carried) = (0, 0);
    for action in actions {
        all += 1;
        carried += usize::from(!action.ours.is_empty());
    }
    let _ = writeln!(text, "\n## DataBrew action → ours\n\n{carried} of {all} actions have a counterpart.");
    for (title, actions) in GROUPS {
        let _ = writeln!(text, "\n### {title}\n\n| action | ours | not carried over, or different |\n|---|---|---|");
        for action in *actions {
            let ours = match action.ours {
                "" => "-".to_owned(),
                ours => steps(ours),
            };
            let _ = writeln!(text, "| {} | {ours} | {} |", action.operation, action.differs.replace('|', "\\|"));
        }
    }
    text.push_str(CONDITIONS);
    text.push_str("\n## Glue Studio node → ours\n\n| node | ours | not carried over, or different |\n|---|---|---|\n");
    for (node, ours, differs) in ENDS {
        let _ = writeln!(text, "| {node} | {ours} | {differs} |");
    }
    for node in NODES {
        let ours = if node.ours.is_empty() { "-".to_owned() } else { steps(node.ours) };
        let _ = writeln!(text, "| {} | {ours} | {} |", node.name, node.differs);
    }
    text.push_str(TABLES);
    text
}

/// Names of steps as code; words as they are.
fn steps(names: &str) -> String {
    let known = |name: &str| crate::STEPS.contains(&name) || name == "rules_text";
    let coded = names.split(", ").map(|name| if known(name) { format!("`{name}`") } else { name.to_owned() });
    coded.collect::<Vec<_>>().join(", ")
}

/// Sources and targets.
const ENDS: [(&str, &str, &str); 9] = [
    ("S3CsvSource", "`source`, `format: csv`", "`Escaper`, `Exclusions`, `SkipFirst`, guillemets."),
    ("S3JsonSource", "`source`, `format: ndjson`", "`JsonPath`, records of several lines."),
    ("S3ParquetSource", "`source`, `format: parquet`", "`Exclusions`."),
    ("CatalogSource, S3CatalogSource", "`source`", "The table's location must be given; `PartitionPredicate`."),
    ("other sources", "-", "Databases, streams and connectors are not read: write their rows to files first."),
    ("S3GlueParquetTarget, S3ParquetTarget", "`sink`, `catalog`", "Compression other than snappy and none is zstd."),
    ("S3DirectTarget", "`sink`, `catalog`", "Parquet is written, whatever the format."),
    ("S3CatalogTarget, CatalogTarget", "`catalog`", "The sink's location must be given."),
    ("other targets", "-", "Databases, streams and connectors; Hudi, Delta and Iceberg."),
];

const CONDITIONS: &str = "
### Conditions

`ConditionExpressions` of REMOVE_VALUES become a `filter`. A condition on another step makes it a `derive` of `CASE WHEN`,
where the action is an expression over the row; where it is none, the step is not carried over. IS_INVALID has no counterpart:
declare the column's type in `schema`, and rows that do not fit are set aside with their reason.
";

const TABLES: &str = "
The longest way from a source to a target becomes the job. Where another way joins it, its source becomes a data set under
`sources`; ApplyMapping, SelectFields, DropFields and RenameField on that way are taken into account, and any other step makes
the node one that is not carried over. Further ways are told of: each wants a job of its own.

## Glue table → ours

| part | ours | not carried over, or different |
|---|---|---|
| Columns | `schema.columns` | Arrays, maps and structs are left out, and allowed in the files. |
| Location | `source.location` | |
| PartitionKeys | a comment | Values stand in the paths, not in the files. |
| ParquetHiveSerDe | `format: parquet` | |
| JsonSerDe (OpenX, HCatalog) | `format: ndjson` | |
| OpenCSVSerde | `format: csv` | `escapeChar`; dates as numbers. |
| LazySimpleSerDe | `format: csv`, no quotes | `escape.delim`; an empty text is NULL. |
| other SerDes | - | ORC, Avro, Ion, Grok, Regex. |
| views, Iceberg tables, projected partitions | - | |
";

const INTRODUCTION: &str = "\
`etl-engine migrate FILE` reads a DataBrew recipe, a Glue Studio visual job or a Glue table definition, as the AWS CLI prints\n\
them, and writes a job file. Each part of the input is told of with its line: carried over, carried over but to be looked at,\n\
or not carried over. What is not carried over stands as a comment in its place.\n";
