use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::unbox::put;
use crate::action::Action;
use crate::json::write::{Fragments, is_written};
use crate::kernel::{Kernel, Place};
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns become one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The new column, a string, put behind the others.
    r#as: String,
    /// What it holds: an object with a key for each column (`json`, the default; `struct` and `map` are the same), or an
    /// `array`.
    #[serde(default)]
    to: Shape,
    /// Whether the columns stay.
    #[serde(default)]
    keep: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Shape {
    #[default]
    Json,
    Struct,
    Map,
    Array,
}

pub(crate) const STEP: StepType = StepType {
    name: "nest",
    doc: StepDoc {
        summary: "Puts columns together into one JSON text a row: an object by their names, or an array.",
        nulls: "A NULL is `null` in the text.",
        glue: &["Create Struct", "Create Array"],
        databrew: &["NEST_TO_MAP", "NEST_TO_ARRAY", "NEST_TO_STRUCT"],
        differs: "The result is text, not a struct. Numbers are written as they are, decimals with all their digits; dates and \
                  times are ISO texts; NaN and the infinities, which JSON has not, are texts.",
        example: Example {
            types: "bigint, string, decimal(8,2)",
            input: "id,name,total\n1,Ada,1.50\n2,,2.00\n",
            job: "- nest: {columns: [name, total], as: detail}",
            output: "id,detail\n1,\"{\"\"name\"\":\"\"Ada\"\",\"\"total\"\":1.50}\"\n2,\"{\"\"name\"\":null,\"\"total\"\":2.00}\"\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, r#as, to, keep } = crate::read(parameters)?;
    let (mut nested, mut before) = (Vec::new(), Vec::new());
    for column in context.columns(columns.list())? {
        if !is_written(column.data_type()) {
            let words = crate::agree::type_words(column.data_type());
            return Err(Problem::new(format!("`{}` is {words}; JSON is written of other columns only", column.name())));
        }
        let at = context.input.fields().iter().position(|field| field.name() == column.name()).unwrap_or_default();
        if nested.contains(&at) {
            return Err(Problem::new(format!("`columns` names `{}` twice", column.name())));
        }
        let comma = if nested.is_empty() { "" } else { "," };
        before.push(match to {
            Shape::Array => comma.to_owned(),
            Shape::Json | Shape::Struct | Shape::Map => format!("{comma}{}:", Value::from(column.name().as_str())),
        });
        nested.push(at);
    }
    if nested.is_empty() {
        return Err(Problem::new("`columns` is empty"));
    }
    let kept: Vec<usize> = (0..context.input.fields().len()).filter(|at| keep || !nested.contains(at)).collect();
    let mut fields: Vec<FieldRef> = kept.iter().map(|at| Arc::clone(&context.input.fields()[*at])).collect();
    put(&mut fields, Arc::new(Field::new(r#as, DataType::Utf8, true)))?;
    let schema = Arc::new(Schema::new(fields));
    Ok(vec![Action::Kernel(Arc::new(Nest { nested, before, to, kept, schema }))])
}

#[derive(Debug)]
struct Nest {
    /// Positions of the columns that are put together.
    nested: Vec<usize>,
    /// What stands before the value of each.
    before: Vec<String>,
    to: Shape,
    /// Positions of the columns that stay.
    kept: Vec<usize>,
    schema: SchemaRef,
}

impl Kernel for Nest {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        self.kept.get(output).map_or_else(|| self.nested.clone(), |kept| vec![*kept])
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let (open, close) = match self.to {
            Shape::Json | Shape::Struct | Shape::Map => ('{', '}'),
            Shape::Array => ('[', ']'),
        };
        // Column by column, then row by row: the type of a column is looked at once.
        let columns: Vec<Fragments> =
            self.nested.iter().map(|at| Fragments::of(batch.column(*at))).collect::<Result<_, _>>()?;
        let mut offsets = Vec::with_capacity(batch.num_rows() + 1);
        let mut text = String::with_capacity(columns.iter().map(Fragments::bytes).sum());
        offsets.push(0);
        for row in 0..batch.num_rows() {
            text.push(open);
            for (before, column) in self.before.iter().zip(&columns) {
                text.push_str(before);
                text.push_str(column.get(row));
            }
            text.push(close);
            offsets.push(i32::try_from(text.len()).map_err(|_| "the texts of one batch exceed 2 GiB".to_owned())?);
        }
        let worded = |error: arrow::error::ArrowError| error.to_string();
        let texts =
            StringArray::try_new(arrow::buffer::OffsetBuffer::new(offsets.into()), text.into_bytes().into(), None);
        let mut columns: Vec<ArrayRef> = self.kept.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        columns.push(Arc::new(texts.map_err(worded)?));
        RecordBatch::try_new(self.schema(), columns).map_err(worded)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use crate::testing::{applied, batch, problem, shown, table};

    fn rows() -> RecordBatch {
        batch(
            "id int, `a\"b` string, d decimal(5,2), x double, ok boolean, day date, at timestamp",
            &[
                &[
                    Some("1"),
                    Some("q\"\n\u{e9}"),
                    Some("-0.50"),
                    Some("1.5"),
                    Some("true"),
                    Some("2024-01-31"),
                    Some("2024-01-31T10:00:00"),
                ],
                &[Some("2"), None, None, Some("NaN"), None, None, Some("2024-01-31T10:00:00.25")],
            ],
        )
    }

    #[test]
    fn an_object_by_the_names() {
        let result = applied("nest: {columns: [D, 'a\"b', x, ok, day, at], as: all, to: struct}", &rows()).unwrap();
        assert_eq!(
            shown(&result),
            "id,all\n\
             1,{\"d\":-0.50,\"a\\\"b\":\"q\\\"\\n\u{e9}\",\"x\":1.5,\"ok\":true,\"day\":\"2024-01-31\",\
             \"at\":\"2024-01-31T10:00:00\"}\n\
             2,{\"d\":null,\"a\\\"b\":null,\"x\":\"NaN\",\"ok\":null,\"day\":null,\"at\":\"2024-01-31T10:00:00.250\"}"
        );
    }

    #[test]
    fn an_array_and_columns_that_stay() {
        let rows = rows().project(&[0, 2]).unwrap();
        let result = applied("nest: {columns: [d, id], as: list, to: array, keep: true}", &rows).unwrap();
        assert_eq!(shown(&result), "id,d,list\n1,-0.50,[-0.50,1]\n2,~,[null,2]");
        let result = applied("nest: {columns: [id], as: id}", &rows.slice(0, 0)).unwrap();
        assert_eq!(shown(&result), "d,id");
        let result = applied("nest: {columns: [id, d], as: id}", &rows.slice(1, 1)).unwrap();
        assert_eq!(shown(&result), "id\n{\"id\":2,\"d\":null}");
    }

    #[test]
    fn what_cannot_be() {
        let input = table("a int, b int, c binary");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("nest: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("columns: [a, A], as: x", "names `a` twice");
        check("columns: [], as: x", "`columns` is empty");
        check("columns: a, as: B", "two columns would be called `B`");
        check("columns: c, as: x", "`c` is binary");
        check("columns: a, as: x, to: xml", "unknown variant `xml`");
    }
}
