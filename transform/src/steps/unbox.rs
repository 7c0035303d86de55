use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::agree::type_words;
use crate::json::OnError;
use crate::json::column::{column, type_of};
use crate::json::find::{Found, Node};
use crate::json::{malformed, path};
use crate::kernel::{Kernel, Place};
use crate::names::Texts;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column of JSON texts, and the values that become columns.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column, of type string.
    column: String,
    /// What the texts are.
    #[serde(default)]
    format: Format,
    /// Paths to types: keys with dots between them, a key with dots in backquotes. `string` takes objects and arrays as JSON.
    fields: Texts,
    /// What the names of the new columns begin with, before the path; the column's name and a dot when not given.
    prefix: Option<String>,
    /// Whether the column stays.
    #[serde(default)]
    keep: bool,
    /// What becomes of texts that are not JSON and of values that do not fit: `fail` (the default) or `null`.
    #[serde(default)]
    on_error: OnError,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Format {
    #[default]
    Json,
}

pub(crate) const STEP: StepType = StepType {
    name: "unbox",
    doc: StepDoc {
        summary: "Values within JSON texts become columns with types, put behind the others.",
        nulls: "What is absent or `null` is NULL; so is every value of a NULL text.",
        glue: &["Unbox", "UnnestFrame", "Flatten"],
        databrew: &["UNNEST_MAP", "UNNEST_STRUCT", "UNNEST_STRUCT_N"],
        differs: "The values and their types are listed, so that the columns do not depend on the data. Numbers are exact: one \
                  with more digits than its type holds does not fit. Text that holds a number or a truth value fits such a type. \
                  Glue's formats other than JSON are not read.",
        example: Example {
            types: "bigint, string",
            input: "id,payload\n1,\"{\"\"user\"\": {\"\"name\"\": \"\"Ada\"\"}, \"\"total\"\": 1.50}\"\n2,{}\n",
            job: "- unbox: {column: payload, fields: {user.name: string, total: \"decimal(8,2)\"}}",
            output: "id,payload.user.name,payload.total\n1,Ada,1.50\n2,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, format: Format::Json, fields, prefix, keep, on_error } = crate::read(parameters)?;
    let prefix = prefix.unwrap_or_else(|| format!("{column}."));
    let unbox = Unbox::new(context.input, context.column(&column)?, wanted(&fields, &prefix)?, keep, on_error)?;
    Ok(vec![Action::Kernel(Arc::new(unbox))])
}

/// The keys that lead to a value, and the column that it becomes.
pub(super) type Wanted = (Vec<String>, FieldRef);

/// Values by their paths and types.
pub(super) fn wanted(fields: &Texts, prefix: &str) -> Result<Vec<Wanted>, Problem> {
    let one = |(path, data_type): &(String, String)| {
        let keys = path::keys(path)?;
        let within = |problem: Problem| Problem { message: format!("`{path}`: {}", problem.message), ..problem };
        let data_type = type_of(data_type).map_err(within)?;
        let field = Field::new(format!("{prefix}{}", keys.join(".")), data_type, true);
        Ok((keys, Arc::new(field)))
    };
    fields.0.iter().map(one).collect()
}

/// Values of the texts of one column as columns.
#[derive(Debug)]
pub(super) struct Unbox {
    /// The texts' position.
    column: usize,
    keep: bool,
    wanted: Node,
    /// The new columns, by their numbers in `wanted`.
    fields: Vec<FieldRef>,
    on_error: OnError,
    schema: SchemaRef,
}

impl Unbox {
    /// `column` is one of `input`.
    pub(super) fn new(
        input: &SchemaRef,
        column: &FieldRef,
        wanted: Vec<Wanted>,
        keep: bool,
        on_error: OnError,
    ) -> Result<Self, Problem> {
        let at = text_column(input, column)?;
        if wanted.is_empty() {
            return Err(Problem::new("`fields` is empty"));
        }
        let mut all: Vec<FieldRef> = input.fields().iter().cloned().collect();
        if !keep {
            all.remove(at);
        }
        let (mut root, mut fields) = (Node::default(), Vec::with_capacity(wanted.len()));
        for (number, (keys, field)) in wanted.into_iter().enumerate() {
            if !root.want(&keys, number) {
                return Err(Problem::new(format!("`fields` names `{}` twice", keys.join("."))));
            }
            put(&mut all, Arc::clone(&field))?;
            fields.push(field);
        }
        Ok(Self { column: at, keep, wanted: root, fields, on_error, schema: Arc::new(Schema::new(all)) })
    }
}

/// The position of a column that must hold texts.
pub(super) fn text_column(input: &SchemaRef, column: &FieldRef) -> Result<usize, Problem> {
    if !column.data_type().is_string() {
        let words = type_words(column.data_type());
        return Err(Problem::new(format!("`{}` is {words}; JSON is read from string columns", column.name())));
    }
    let position = input.fields().iter().position(|field| field.name() == column.name());
    position.ok_or_else(|| Problem::new(format!("there is no column `{}`", column.name())))
}

/// Puts a field behind the others, if its name is not taken.
pub(super) fn put(fields: &mut Vec<FieldRef>, field: FieldRef) -> Result<(), Problem> {
    if field.name().is_empty() || fields.iter().any(|known| known.name().eq_ignore_ascii_case(field.name())) {
        return Err(Problem::new(format!("two columns would be called `{}`", field.name())));
    }
    fields.push(field);
    Ok(())
}

/// The column of a batch as texts.
pub(super) fn texts(batch: &RecordBatch, at: usize) -> Result<&StringArray, String> {
    let name = batch.schema_ref().field(at).name();
    batch.column(at).as_any().downcast_ref().ok_or_else(|| format!("`{name}` holds no texts"))
}

impl Kernel for Unbox {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        let kept = self.schema.fields().len() - self.fields.len();
        match output < kept {
            true if !self.keep && output >= self.column => vec![output + 1],
            true => vec![output],
            false => vec![self.column],
        }
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let (texts, name) = (texts(batch, self.column)?, batch.schema_ref().field(self.column).name());
        let mut found: Found<'_> = vec![vec![None; batch.num_rows()]; self.fields.len()];
        for row in 0..batch.num_rows() {
            if texts.is_null(row) {
                continue;
            }
            match self.wanted.find(texts.value(row), row, &mut found) {
                Ok(None) => {}
                Ok(Some(number)) => self.on_error.check(|| {
                    let field = self.fields[number].name();
                    format!("`{name}` holds something else than an object on the way to `{field}`")
                })?,
                Err(error) => self.on_error.check(|| malformed(name, &error))?,
            }
        }
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        if !self.keep {
            columns.remove(self.column);
        }
        for (values, field) in found.iter().zip(&self.fields) {
            columns.push(column(values, field.data_type(), self.on_error).map_err(|_| {
                let words = type_words(field.data_type());
                format!(
                    "`{name}`: a value for `{}` does not fit {words}; with `on_error: null` it is NULL",
                    field.name()
                )
            })?);
        }
        RecordBatch::try_new(self.schema(), columns).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use crate::testing::{applied, batch, problem, shown, table};

    fn rows() -> RecordBatch {
        batch(
            "id int, j string, t bigint",
            &[
                &[Some("1"), Some(r#"{"a": {"b": 12, "c.d": "x"}, "e": [1, 2]}"#), None],
                &[Some("2"), None, Some("5")],
                &[Some("3"), Some(r#"{"e": {"f": null}, "a": null}"#), None],
            ],
        )
    }

    #[test]
    fn values_become_columns() {
        let result =
            applied("unbox: {column: J, fields: {\"a.`c.d`\": string, a.b: int, e: string}}", &rows()).unwrap();
        assert_eq!(shown(&result), "id,t,J.a.c.d,J.a.b,J.e\n1,~,x,12,[1, 2]\n2,5,~,~,~\n3,~,~,~,{\"f\": null}");
    }

    #[test]
    fn the_column_may_stay() {
        let item = "unbox: {column: j, keep: true, prefix: \"\", fields: {a.b: bigint}}";
        assert_eq!(shown(&applied(item, &rows().slice(1, 1)).unwrap()), "id,j,t,a.b\n2,~,5,~");
        assert_eq!(shown(&applied(item, &rows().slice(0, 0)).unwrap()), "id,j,t,a.b");
        let item = "unbox: {column: j, prefix: \"\", fields: {j: bigint}}";
        assert_eq!(shown(&applied(item, &rows().slice(0, 1)).unwrap()), "id,t,j\n1,~,~");
    }

    #[test]
    fn faults_are_told_without_values_or_are_null() {
        let check = |text: &str, words: &str, nulled: &str| {
            let rows = batch("j string", &[&[Some(r#"{"n": 1, "o": {"x": 1}}"#)], &[Some(text)]]);
            let item = |rest: &str| format!("unbox: {{column: j, fields: {{n: int, o.x: int}}{rest}}}");
            let error = applied(&item(""), &rows).unwrap_err();
            assert!(error.contains(words) && error.ends_with("with `on_error: null` it is NULL"), "{error}");
            assert!(!error.contains("secret"), "{error}");
            let result = applied(&item(", on_error: null"), &rows);
            assert_eq!(shown(&result.unwrap()), format!("j.n,j.o.x\n1,1\n{nulled}"));
        };
        check(r#"{"n": "secret", "o": {"x": 2}}"#, "`j`: a value for `j.n` does not fit int", "~,2");
        check(r#"{"n": 3, "o": "secret"}"#, "`j` holds something else than an object on the way to `j.o.x`", "3,~");
        check(r#"{"n": 3, "o": {"x": secret"#, "`j` holds a text that is not JSON from character 21 of line 1", "~,~");
        check(r#"{"n": 3, "#, "`j` holds a text that ends in the middle of its JSON", "~,~");
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id int, j string");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("unbox: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("column: id, fields: {a: int}", "`id` is int; JSON is read from string columns");
        check("column: j, fields: {}", "`fields` is empty");
        check("column: j, fields: {a..b: int}", "`a..b` is not a path");
        check("column: j, fields: {a: int, \"`a`\": int}", "names `a` twice");
        check("column: j, fields: {a: number}", "`a`: unknown type `number`");
        check("column: j, fields: {ID: int}, prefix: \"\"", "two columns would be called `ID`");
        check("column: j, fields: {j: int}, prefix: \"\", keep: true", "two columns would be called `j`");
        check("column: j, format: xml, fields: {a: int}", "unknown variant `xml`");
    }
}
