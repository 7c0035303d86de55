use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::flatten::Flatten;
use super::split_fields::table_name;
use super::unbox::{Unbox, wanted};
use crate::action::Action;
use crate::json::OnError;
use crate::json::column::type_of;
use crate::json::path;
use crate::kernel::Kernel;
use crate::names::Texts;
use crate::parameters::OneOrMany;
use crate::sql::{Output, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column of JSON texts, the values that become columns and the arrays that become tables.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column, of type string; it goes.
    column: String,
    /// Paths to types, as in `unbox`: the values that become columns.
    #[serde(default)]
    fields: Texts,
    /// What the names of these columns begin with, before the path; the column's name and a dot when not given.
    prefix: Option<String>,
    /// Names of tables to the arrays that become them.
    children: BTreeMap<String, Child>,
    /// What becomes of texts that are not JSON and of values that do not fit: `fail` (the default) or `null`.
    #[serde(default)]
    on_error: OnError,
}

/// An array that becomes a table: a row for each element.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Child {
    /// The path to the array; none: the text itself is one.
    path: Option<String>,
    /// The columns by which the table is joined with the main one; it has them too.
    key: OneOrMany<String>,
    /// Paths within an element to types, for elements that are objects.
    #[serde(default)]
    fields: Texts,
    /// The type of the elements, which become the column `value`, for elements that are not objects; `string` when neither
    /// this nor `fields` is given.
    r#type: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "relationalize",
    doc: StepDoc {
        summary: "Turns JSON texts into flat tables: values become columns, each array a table of its own with the key of its \
                  row and `index`, the element's place from 0.",
        nulls: "What is absent or `null` is NULL; a NULL or empty array gives its table no rows.",
        glue: &["Relationalize"],
        databrew: &[],
        differs: "Glue makes up an `id` that means nothing in the next run; here tables are joined by columns of yours, and \
                  `surrogate_key` makes one where there is none. Tables are named by the job, not by the path. Values and types \
                  are listed, so that tables do not depend on the data. Arrays within arrays stay JSON texts.",
        example: Example {
            types: "bigint, string",
            input: "id,doc\n1,\"{\"\"by\"\": {\"\"name\"\": \"\"Ada\"\"}, \"\"items\"\": [{\"\"sku\"\": \"\"x\"\"}]}\"\n2,\n",
            job: "- relationalize:\n    column: doc\n    fields: {by.name: string}\n    children:\n      items: {path: items, key: id, fields: {sku: string}}\n",
            output: "id,doc.by.name\n1,Ada\n2,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, fields, prefix, children, on_error } = crate::read(parameters)?;
    let prefix = prefix.unwrap_or_else(|| format!("{column}."));
    let column = context.column(&column)?;
    let mut actions = Vec::new();
    for (table, child) in children {
        let within = |problem: Problem| Problem { message: format!("`{table}`: {}", problem.message), ..problem };
        let branch = child_actions(context, column, child, on_error).map_err(within)?;
        actions.push(Action::Branch { table: table_name(table)?, actions: branch });
    }
    if actions.is_empty() {
        return Err(Problem::new("`children` is empty").with_help("values alone are for `unbox`"));
    }
    actions.push(if fields.0.is_empty() {
        let mut outputs = crate::sql::all(context.input);
        outputs.retain(|output| &output.name != column.name());
        select(outputs, "")?
    } else {
        Action::Kernel(Arc::new(Unbox::new(context.input, column, wanted(&fields, &prefix)?, false, on_error)?))
    });
    Ok(actions)
}

/// The key and the texts, then the array, then a row for each element, then the values of each element.
fn child_actions(
    context: &BindContext<'_>,
    column: &FieldRef,
    child: Child,
    on_error: OnError,
) -> Result<Vec<Action>, Problem> {
    let Child { path, key, fields, r#type } = child;
    if r#type.is_some() && !fields.0.is_empty() {
        return Err(Problem::new("`type` is for elements without `fields`"));
    }
    let mut copied = context.columns(key.list())?;
    if copied.is_empty() {
        return Err(Problem::new("`key` names no column").with_help("make one by `surrogate_key` before this step"));
    }
    if copied.iter().any(|key| key.name() == column.name()) {
        return Err(Problem::new(format!("`{}` cannot be its own key", column.name())));
    }
    copied.push(column);
    let mut actions = vec![select(copied.iter().map(|column| Output::column(column)).collect(), "")?];
    let mut schema: SchemaRef = Arc::new(Schema::new(copied.into_iter().cloned().collect::<Vec<_>>()));
    let mut texts = Arc::clone(column);
    if let Some(path) = path {
        texts = Arc::new(Field::new(format!("{}.{path}", column.name()), DataType::Utf8, true));
        let array = vec![(path::keys(&path)?, Arc::clone(&texts))];
        let unbox = Unbox::new(&schema, column, array, false, on_error)?;
        schema = unbox.schema();
        actions.push(Action::Kernel(Arc::new(unbox)));
    }
    let element = match fields.0.is_empty() {
        true => Arc::new(Field::new("value", r#type.as_deref().map_or(Ok(DataType::Utf8), type_of)?, true)),
        false => Arc::clone(&texts),
    };
    let flatten = Flatten::new(&schema, &texts, element, Some("index"), false, on_error)?;
    schema = flatten.schema();
    actions.push(Action::Kernel(Arc::new(flatten)));
    if !fields.0.is_empty() {
        let unbox = Unbox::new(&schema, &texts, wanted(&fields, "")?, false, on_error)?;
        actions.push(Action::Kernel(Arc::new(unbox)));
    }
    Ok(actions)
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use crate::action::Action;
    use crate::kernel::Place;
    use crate::testing::{batch, bind, kernel, problem, shown, sql, table};

    fn rows() -> RecordBatch {
        let first = r#"{"a": 1, "items": [{"sku": "x", "n": {"k": 2}}, {"sku": "y"}], "tags": ["p", null]}"#;
        batch("id int, j string", &[&[Some("7"), Some(first)], &[Some("8"), None], &[Some("9"), Some("{}")]])
    }

    /// The rows of the branch, as the kernels after its SELECT of key and texts make them.
    fn check(item: &str, expected: &[(&str, &str)], main: &str) {
        let rows = rows();
        let actions = bind(item, &rows.schema());
        let (branches, last) = actions.split_at(actions.len() - 1);
        assert_eq!(branches.len(), expected.len());
        for (branch, (name, csv)) in branches.iter().zip(expected) {
            let Action::Branch { table, actions } = branch else { panic!("{branch:?}") };
            assert_eq!(table, name);
            assert_eq!(sql(&actions[..1]), "SELECT `id` AS c0, `j` AS c1 FROM input -> id,j");
            let mut rows = rows.clone();
            for action in &actions[1..] {
                let Action::Kernel(kernel) = action else { panic!("{action:?}") };
                rows = kernel.apply(&rows, Place::default()).unwrap();
                assert_eq!(rows.schema(), kernel.schema());
            }
            assert_eq!(shown(&rows), *csv);
        }
        match last {
            [Action::Query { .. }] => assert_eq!(sql(last), main),
            _ => assert_eq!(shown(&kernel(last).apply(&rows, Place::default()).unwrap()), main),
        }
    }

    #[test]
    fn arrays_become_tables() {
        check(
            "relationalize: {column: j, fields: {a: int}, children: {\
             tags: {path: tags, key: id}, items: {path: items, key: ID, fields: {n.k: int, sku: string}}}}",
            &[("items", "id,index,n.k,sku\n7,0,2,x\n7,1,~,y"), ("tags", "id,value,index\n7,p,0\n7,~,1")],
            "id,j.a\n7,1\n8,~\n9,~",
        );
    }

    #[test]
    fn tables_alone() {
        check(
            "relationalize: {column: j, children: {t: {path: x.`y.z`, key: id, type: bigint}}}",
            &[("t", "id,value,index")],
            "SELECT `id` AS c0 FROM input -> id",
        );
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id int, j string, index int");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("relationalize: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("column: j, children: {}", "`children` is empty");
        check("column: j, children: {a-b: {path: a, key: id}}", "`a-b` is not a table's name");
        check(
            "column: j, children: {t: {path: a, key: []}}",
            "`t`: `key` names no column (make one by `surrogate_key`",
        );
        check("column: j, children: {t: {path: a, key: j}}", "`t`: `j` cannot be its own key");
        check("column: j, children: {t: {path: a, key: index}}", "two columns would be called `index`");
        check("column: j, children: {t: {path: a, key: id, type: int, fields: {b: int}}}", "without `fields`");
        check("column: id, children: {t: {path: a, key: j}}", "`t`: `id` is int; JSON is read from string columns");
    }
}
