//! Transforms of a visual job. Source: Glue web API, `CodeGenConfigurationNode`.

use serde_json::{Map, Value, json};

use super::graph::{Graph, Node, is_target, mappings};
use super::{filter, joins};
use crate::databrew::action::{Mapped, Refusal};
use crate::sql;
use crate::types::of_glue;

/// What a node may look at beside itself.
pub(crate) struct Context<'g, 'd> {
    pub(crate) graph: &'g Graph<'d>,
    /// The next node on the way.
    pub(crate) next: Option<&'g Node<'d>>,
    /// Other nodes that were carried over with this one: what became of them, and what is to be looked at.
    pub(crate) claimed: Vec<(&'g Node<'d>, String, Vec<String>)>,
}

/// A type of node.
pub(crate) struct NodeType {
    pub(crate) name: &'static str,
    /// What stands for it; empty when nothing does.
    pub(crate) ours: &'static str,
    /// What is not carried over or means something else.
    pub(crate) differs: &'static str,
    pub(crate) map: fn(&Node<'_>, &mut Context<'_, '_>) -> Result<Mapped, Refusal>,
}

const fn node(
    name: &'static str,
    ours: &'static str,
    differs: &'static str,
    map: fn(&Node<'_>, &mut Context<'_, '_>) -> Result<Mapped, Refusal>,
) -> NodeType {
    NodeType { name, ours, differs, map }
}

const NULLS: &str = "It becomes the last step: which columns are empty is known then.";
const IMPUTED: &str = "values are not learned from other columns: use `fill_missing` with `median` or `most_common`";
const CODE: &str = "Python is not run: write what it does in `derive`, `filter` or `sql`";
const DETECTED: &str = "what is personal is not found out by a step: mark the columns by `pii:` in the schema and name them in `hash`, `redact`, \
     `mask_range` or `mask_custom` (docs/pii.md)";

/// The transforms, in the order of their names.
pub(crate) const NODES: &[NodeType] = &[
    node("Aggregate", "aggregate", "kurtosis, skewness.", aggregate),
    node("ApplyMapping", "apply_mapping", "Nested columns.", apply_mapping),
    node("CustomCode", "", CODE, |_, _| Err(Refusal::new(CODE))),
    node("DropDuplicates", "drop_duplicates", "", |node, _| {
        let columns = node.paths("Columns");
        let step = if columns.is_empty() { json!({}) } else { json!({"columns": columns}) };
        Ok(Mapped::step("drop_duplicates", step))
    }),
    node("DropFields", "drop_fields", "", |node, _| Ok(Mapped::step("drop_fields", json!(paths(node)?)))),
    node("DropNullFields", "drop_null_fields", NULLS, |node, _| Ok(null_fields(node))),
    node(
        "DynamicTransform",
        "derive, merge_columns",
        "Visual transforms other than gs_derived, gs_concat, gs_now.",
        dynamic,
    ),
    node("EvaluateDataQuality", "rules_text", "Rules judge rows as they are read. One ruleset.", |_, _| {
        Ok(Mapped::default())
    }),
    node("EvaluateDataQualityMultiFrame", "rules_text", "As EvaluateDataQuality.", |_, _| Ok(Mapped::default())),
    node("FillMissingValues", "", IMPUTED, |_, _| Err(Refusal::new(IMPUTED))),
    node("Filter", "filter", "", |node, _| filter::filter(node)),
    node("Join", "lookup, join", "The key stands once. One side must come from a source.", joins::join),
    node("Merge", "union, drop_duplicates", "One side must come from a source.", joins::merge),
    node("PIIDetection", "", DETECTED, |_, _| Err(Refusal::new(format!("{DETECTED}{}", crate::databrew::READABLE)))),
    node("Recipe", "the steps of the recipe", "As DataBrew's actions.", |_, _| Ok(Mapped::default())),
    node("RenameField", "rename_fields", "", |node, _| {
        let mut names = Map::new();
        names.insert(node.path("SourcePath")?, Value::from(node.path("TargetPath")?));
        Ok(Mapped::step("rename_fields", Value::Object(names)))
    }),
    node("SelectFields", "select_fields", "", |node, _| Ok(Mapped::step("select_fields", json!(paths(node)?)))),
    node("SelectFromCollection", "-", "Nothing is to be done.", |_, _| Ok(Mapped::default())),
    node("SparkSQL", "sql", "docs/sql.md. Other inputs must come from a source.", joins::spark_sql),
    node("Spigot", "", SAMPLE, |_, _| Err(Refusal::new(SAMPLE))),
    node(
        "SplitFields",
        "split_fields, select_fields, drop_fields",
        "Other parts must go to a target as they are.",
        split_fields,
    ),
    node("Union", "union", "Columns are matched by name. One side must come from a source.", joins::union),
];

fn null_fields(node: &Node<'_>) -> Mapped {
    let boxes = node.value("NullCheckBoxList").unwrap_or_default();
    let ticked = [("IsEmpty", ""), ("IsNullString", "null"), ("IsNegOne", "-1")]
        .into_iter()
        .filter(|(name, _)| boxes.get(name) == Some(&Value::Bool(true)))
        .map(|(_, value)| value.to_owned());
    let listed = match node.value("NullTextList") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let listed = listed.iter().filter_map(|item| item.get("Value").and_then(Value::as_str)).map(str::to_owned);
    let values: Vec<String> = ticked.chain(listed).collect();
    Mapped::step("drop_null_fields", if values.is_empty() { json!({}) } else { json!({"null_values": values}) })
}

const SAMPLE: &str = "no sample of the rows is written";

/// That there is no such transform.
pub(crate) fn unknown(kind: &str) -> Refusal {
    let scored = NODES.iter().map(|node| (strsim::damerau_levenshtein(kind, node.name), node.name));
    match scored.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 3) {
        Some((_, near)) => Refusal::new(format!("no such transform is known; the nearest is {near}")),
        None => Refusal::new("no such transform is known"),
    }
}

fn paths(node: &Node<'_>) -> Result<Vec<String>, Refusal> {
    match node.paths("Paths") {
        paths if paths.is_empty() => Err(Refusal::new("it names no columns")),
        paths => Ok(paths),
    }
}

fn apply_mapping(node: &Node<'_>, _: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let mut items = Vec::new();
    let mut changed = Vec::new();
    for mapping in mappings(node).into_iter().filter(|mapping| !mapping.dropped) {
        if mapping.from.contains('.') {
            changed.push(format!("`{}` is within a column: `unbox` it first", mapping.from));
        }
        items.push(match (of_glue(&mapping.from_type), of_glue(&mapping.to_type)) {
            (Some(from_type), Some(to_type)) if !mapping.nested => {
                json!([mapping.from, from_type, mapping.to, to_type])
            }
            _ => {
                changed.push(format!("`{}` keeps its type: there is no type `{}`", mapping.from, mapping.to_type));
                json!({"from": mapping.from, "to": mapping.to})
            }
        });
    }
    match items.is_empty() {
        true => Err(Refusal::new("it has no `Mapping`")),
        false => Ok(Mapped { changed, ..Mapped::step("apply_mapping", Value::Array(items)) }),
    }
}

fn aggregate(node: &Node<'_>, _: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let Some(Value::Array(aggregates)) = node.value("Aggs") else { return Err(Refusal::new("it has no `Aggs`")) };
    let mut columns = Map::new();
    for aggregate in &aggregates {
        let column = aggregate.get("Column").map(super::graph::path).unwrap_or_default();
        let function = aggregate.get("AggFunc").and_then(Value::as_str).unwrap_or_default();
        let of = sql::name(&column);
        // The names are Spark's.
        let (name, call) = match function {
            "countDistinct" => (format!("count(DISTINCT {column})"), format!("count(DISTINCT {of})")),
            "sumDistinct" => (format!("sum(DISTINCT {column})"), format!("sum(DISTINCT {of})")),
            "avg" | "count" | "first" | "last" | "max" | "min" | "stddev_samp" | "stddev_pop" | "sum" | "var_samp"
            | "var_pop" => (format!("{function}({column})"), format!("{function}({of})")),
            other => return Err(Refusal::new(format!("there is no aggregate {other}"))),
        };
        columns.insert(name, Value::from(call));
    }
    Ok(Mapped::step("aggregate", json!({"by": node.paths("Groups"), "columns": columns})))
}

/// The part that the way goes on with, and the other one if it goes to a target as it is.
fn split_fields(node: &Node<'_>, context: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let columns = paths(node)?;
    let index = |node: &Node<'_>| node.body.get("Index").map(|index| index.value() == 1);
    let second = context.next.and_then(index).unwrap_or(true);
    if !second {
        return Ok(Mapped::step("select_fields", json!(columns)));
    }
    let others = context.graph.consumers(&node.id).filter(|other| index(other) == Some(false));
    let other = others.into_iter().find_map(|other| {
        let target = context.graph.consumers(&other.id).find(|next| is_target(&next.kind))?;
        Some((other, target))
    });
    let Some((other, target)) = other else { return Ok(Mapped::step("drop_fields", json!(columns))) };
    let table = crate::databrew::alias(&target.name());
    for claimed in [other, target] {
        let words = vec![format!("the table `{table}`, published beside the main one")];
        context.claimed.push((claimed, "split_fields".to_owned(), words));
    }
    Ok(Mapped::step("split_fields", json!({"columns": columns, "into": table})))
}

/// A visual transform of Glue's own or of a customer's, by the name of its function.
fn dynamic(node: &Node<'_>, _: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let parameters = match node.value("Parameters") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let list = |name: &str| -> Vec<String> {
        let found = parameters.iter().find(|item| item.get("Name").and_then(Value::as_str) == Some(name));
        match found.and_then(|item| item.get("Value")) {
            Some(Value::Array(items)) => items.iter().map(super::graph::path).collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    };
    let one = |name: &str| {
        list(name).into_iter().next().ok_or_else(|| Refusal::new(format!("its parameter `{name}` is missing")))
    };
    let function = node.text("FunctionName")?;
    match function.as_str() {
        "gs_derived" => Ok(Mapped::column(one("colName")?, one("expr")?)),
        "gs_now" => Ok(Mapped::column(one("colName")?, "current_timestamp()").changed("the start of the run, in UTC")),
        "gs_concat" => {
            let columns = list("colList");
            let separator = one("spacer").unwrap_or_default();
            Ok(Mapped::step(
                "merge_columns",
                json!({"columns": columns, "as": one("colName")?, "separator": separator}),
            ))
        }
        other => Err(Refusal::new(format!("there is no counterpart of the visual transform `{other}`"))),
    }
}
