//! Nodes of several inputs: one goes on, the others become data sets beside it.

use serde_json::{Map, Value, json};

use super::graph::{Node, Side, is_source, path};
use super::nodes::Context;
use super::sources;
use crate::databrew::action::{Mapped, Refusal};
use crate::databrew::alias;
use crate::sql::name;

/// The inputs of a node but the main one.
fn others(node: &Node<'_>, context: &Context<'_, '_>) -> Result<Vec<String>, Refusal> {
    let main = context.graph.main_input(node).ok_or_else(|| Refusal::new("it has no input"))?;
    Ok(node.inputs.iter().filter(|input| **input != main.id).cloned().collect())
}

/// Declares a side input as a data set; its nodes need no more notes of their own.
fn declare<'g, 'd>(mapped: &mut Mapped, side: &Side<'g, 'd>, context: &mut Context<'g, 'd>) -> Result<String, Refusal> {
    let source = sources::source(side.source)?;
    let mut alias = alias(&side.source.name());
    // Glue Studio calls all nodes of a type the same until somebody names them.
    let same = context
        .graph
        .nodes
        .iter()
        .filter(|node| is_source(&node.kind) && crate::databrew::alias(&node.name()) == alias);
    if same.count() > 1 {
        alias = crate::databrew::alias(&format!("{alias}_{}", side.source.id));
    }
    let mut settings = source.settings;
    if let Some(schema) = source.schema {
        settings["schema"] = schema;
    }
    mapped.sources.push((alias.clone(), settings));
    for node in &side.nodes {
        let changed = if node.id == side.source.id { source.changed.clone() } else { Vec::new() };
        context.claimed.push((*node, format!("the data set `{alias}`"), changed));
    }
    if side.columns.is_some() {
        mapped.changed.push(format!("types of `{alias}` are those of its `schema`"));
    }
    Ok(alias)
}

pub(super) fn join(node: &Node<'_>, context: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let others = others(node, context)?;
    let [right] = others.as_slice() else { return Err(Refusal::new("it does not join two inputs")) };
    let keys = |id: &str| -> Vec<String> {
        let columns = node.value("Columns").unwrap_or(Value::Null);
        let side =
            columns.as_array().into_iter().flatten().find(|side| side.get("From").and_then(Value::as_str) == Some(id));
        let keys = side.and_then(|side| side.get("Keys")).and_then(Value::as_array);
        keys.into_iter().flatten().map(path).collect()
    };
    let main = node.inputs.iter().find(|input| *input != right).map(String::as_str).unwrap_or_default();
    let (here, there) = (keys(main), keys(right));
    if here.is_empty() || here.len() != there.len() {
        return Err(Refusal::new("its keys do not pair"));
    }
    let kind = node.body.text("JoinType").unwrap_or_default();
    let (step, kind) = match kind.as_str() {
        "equijoin" | "inner" => ("lookup", "inner"),
        "left" => ("lookup", "left"),
        "leftsemi" => ("lookup", "semi"),
        "leftanti" => ("lookup", "anti"),
        "right" => ("join", "right"),
        "outer" => ("join", "full"),
        other => return Err(Refusal::new(format!("there is no join {other}"))),
    };
    let side = context.graph.side(right)?;
    let mut on = Map::new();
    for (here, there) in here.iter().zip(&there) {
        let origin = side.origin(there).ok_or_else(|| Refusal::new(format!("its key `{there}` is not there")))?;
        on.insert(here.clone(), Value::from(origin));
    }
    let mut mapped = Mapped::default();
    let source = declare(&mut mapped, &side, context)?;
    let mut parameters = json!({"source": source, "on": on, "kind": kind});
    if let Some(columns) = side.columns.as_ref().filter(|_| !matches!(kind, "semi" | "anti")) {
        let added = columns.iter().filter(|(_, out)| !there.contains(out));
        let added: Map<String, Value> = added.map(|(from, out)| (from.clone(), Value::from(out.as_str()))).collect();
        parameters["columns"] = Value::Object(added);
    }
    let names_differ = here.iter().zip(&there).any(|(here, there)| here != there);
    let mapped = Mapped { steps: vec![crate::job::Step::new(step, parameters)], ..mapped };
    Ok(mapped.changed_if(
        names_differ && !matches!(kind, "semi" | "anti"),
        "the key stands once, under its name on the left",
    ))
}

pub(super) fn union(node: &Node<'_>, context: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let distinct = node.body.text("UnionType").is_some_and(|kind| kind.eq_ignore_ascii_case("DISTINCT"));
    let mut mapped = Mapped::default();
    for other in others(node, context)? {
        let source = behind(&mut mapped, &other, context)?;
        let step = if distinct { json!({"source": source, "distinct": true}) } else { json!({"source": source}) };
        mapped = mapped.then("union", step);
    }
    Ok(mapped.changed("columns are matched by name"))
}

/// A side input whose rows are put behind, so whose columns must be those of its source.
fn behind(mapped: &mut Mapped, id: &str, context: &mut Context<'_, '_>) -> Result<String, Refusal> {
    let side = context.graph.side(id)?;
    if side.columns.as_ref().is_some_and(|columns| columns.iter().any(|(from, out)| from != out)) {
        return Err(Refusal::new("columns of its side input have other names: write that way out by a job of its own"));
    }
    declare(mapped, &side, context)
}

pub(super) fn merge(node: &Node<'_>, context: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let others = others(node, context)?;
    let [staged] = others.as_slice() else { return Err(Refusal::new("it does not merge two inputs")) };
    let mut mapped = Mapped::default();
    let source = behind(&mut mapped, staged, context)?;
    let keys = node.paths("PrimaryKeys");
    Ok(mapped
        .then("union", json!({"source": source}))
        .then("drop_duplicates", json!({"columns": keys, "keep": "last"}))
        .changed("of rows with one key the last stays, also where both are on one side"))
}

pub(super) fn spark_sql(node: &Node<'_>, context: &mut Context<'_, '_>) -> Result<Mapped, Refusal> {
    let query = node.text("SqlQuery")?;
    let query = query.trim().trim_end_matches(';').trim_end();
    let aliases = match node.value("SqlAliases") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let called = |id: &str| -> Result<String, Refusal> {
        let found = aliases.iter().find(|item| item.get("From").and_then(Value::as_str) == Some(id));
        let alias = found.and_then(|item| item.get("Alias")).and_then(Value::as_str);
        alias.map(str::to_owned).ok_or_else(|| Refusal::new(format!("it has no alias for `{id}`")))
    };
    let main = context.graph.main_input(node).ok_or_else(|| Refusal::new("it has no input"))?;
    let mut mapped = Mapped::default();
    // The names that the query uses, each a table of its own.
    let mut tables = Vec::new();
    let here = called(&main.id)?;
    if here != "input" {
        tables.push(format!("{} AS (SELECT * FROM input)", name(&here)));
    }
    for other in others(node, context)? {
        let there = called(&other)?;
        let side = context.graph.side(&other)?;
        let source = declare(&mut mapped, &side, context)?;
        let columns = match &side.columns {
            None => "*".to_owned(),
            Some(columns) => {
                let columns = columns.iter().map(|(from, out)| format!("{} AS {}", name(from), name(out)));
                columns.collect::<Vec<_>>().join(", ")
            }
        };
        if there != source || columns != "*" {
            tables.push(format!("{} AS (SELECT {columns} FROM {source})", name(&there)));
        }
    }
    let own = query.get(..5).filter(|start| start.trim_end().eq_ignore_ascii_case("with")).and_then(|_| query.get(5..));
    let query = match (tables.is_empty(), own) {
        (true, _) => query.to_owned(),
        (false, Some(rest)) => format!("WITH {}, {}", tables.join(", "), rest.trim_start()),
        (false, None) => format!("WITH {}\n{query}", tables.join(", ")),
    };
    mapped.steps.push(crate::job::Step::new("sql", Value::from(query)));
    Ok(mapped)
}
