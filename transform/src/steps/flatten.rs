use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::unbox::{put, text_column, texts};
use crate::action::Action;
use crate::agree::type_words;
use crate::json::column::{column, type_of};
use crate::json::find::elements;
use crate::json::{OnError, malformed};
use crate::kernel::{Kernel, Place};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A column of JSON arrays, and what becomes of their elements.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column, of type string.
    column: String,
    /// The name of the column of the elements, in the place of the arrays; that of the arrays when not given.
    r#as: Option<String>,
    /// The type of the elements, `string` when not given; `string` takes objects and arrays as JSON.
    r#type: Option<String>,
    /// A new column for the place of the element in its array, from 0.
    index: Option<String>,
    /// Whether a row without elements stays, with NULL.
    #[serde(default)]
    outer: bool,
    /// What becomes of texts that are not JSON arrays and of elements that do not fit: `fail` (the default) or `null`.
    #[serde(default)]
    on_error: OnError,
}

pub(crate) const STEP: StepType = StepType {
    name: "flatten",
    doc: StepDoc {
        summary: "One row for each element of the JSON arrays in a column; the other columns repeat.",
        nulls: "A NULL text and an empty array give no row, unless `outer` is set; an element that is `null` gives a row.",
        glue: &["Explode Array Or Map Into Rows"],
        databrew: &["UNNEST_ARRAY"],
        differs: "Arrays are JSON texts. Elements that are objects stay JSON: follow it with `unbox`.",
        example: Example {
            types: "bigint, string",
            input: "id,tags\n1,\"[\"\"a\"\", \"\"b\"\"]\"\n2,[]\n3,\n",
            job: "- flatten: {column: tags, as: tag, index: place, outer: true}",
            output: "id,tag,place\n1,a,0\n1,b,1\n2,,\n3,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, r#as, r#type, index, outer, on_error } = crate::read(parameters)?;
    let column = context.column(&column)?;
    let name = r#as.as_deref().unwrap_or(column.name());
    let data_type = r#type.as_deref().map_or(Ok(DataType::Utf8), type_of)?;
    let element = Arc::new(Field::new(name, data_type, true));
    let flatten = Flatten::new(context.input, column, element, index.as_deref(), outer, on_error)?;
    Ok(vec![Action::Kernel(Arc::new(flatten))])
}

/// Rows for the elements of the arrays of one column.
#[derive(Debug)]
pub(super) struct Flatten {
    /// The arrays' position.
    column: usize,
    element: FieldRef,
    index: bool,
    outer: bool,
    on_error: OnError,
    schema: SchemaRef,
}

impl Flatten {
    /// `column` is one of `input`.
    pub(super) fn new(
        input: &SchemaRef,
        column: &FieldRef,
        element: FieldRef,
        index: Option<&str>,
        outer: bool,
        on_error: OnError,
    ) -> Result<Self, Problem> {
        let at = text_column(input, column)?;
        let mut fields = Vec::new();
        for (position, field) in input.fields().iter().enumerate() {
            put(&mut fields, Arc::clone(if position == at { &element } else { field }))?;
        }
        if let Some(index) = index {
            put(&mut fields, Arc::new(Field::new(index, DataType::Int64, true)))?;
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { column: at, element, index: index.is_some(), outer, on_error, schema })
    }
}

impl Kernel for Flatten {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        let of_rows = self.schema.fields().len() - usize::from(self.index);
        if output < of_rows { vec![output] } else { Vec::new() }
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let (texts, name) = (texts(batch, self.column)?, batch.schema_ref().field(self.column).name());
        let (mut rows, mut values, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            if texts.is_valid(row) {
                match elements(texts.value(row), &mut values) {
                    Ok(true) => {}
                    Ok(false) => self.on_error.check(|| format!("`{name}` holds JSON that is not an array"))?,
                    Err(error) => self.on_error.check(|| malformed(name, &error))?,
                }
            }
            let count = values.len() - rows.len();
            if count == 0 && self.outer {
                values.push(None);
                places.push(None);
            }
            if self.index {
                places.extend((0..count).map(|place| Some(place as i64)));
            }
            rows.resize(values.len(), row as u32);
        }
        let rows = UInt32Array::from(rows);
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (at, array) in batch.columns().iter().enumerate() {
            columns.push(match at == self.column {
                true => column(&values, self.element.data_type(), self.on_error).map_err(|_| {
                    let words = type_words(self.element.data_type());
                    format!("`{name}`: an element does not fit {words}; with `on_error: null` it is NULL")
                })?,
                false => take(array, &rows, None).map_err(|error| error.to_string())?,
            });
        }
        if self.index {
            columns.push(Arc::new(Int64Array::from(places)) as ArrayRef);
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
                &[Some("1"), Some(r#"[1, null, "3"]"#), Some("7")],
                &[Some("2"), Some("[]"), None],
                &[None, None, Some("8")],
                &[Some("4"), Some("[4]"), Some("9")],
            ],
        )
    }

    #[test]
    fn one_row_an_element() {
        let result = applied("flatten: {column: J, type: int}", &rows()).unwrap();
        assert_eq!(shown(&result), "id,j,t\n1,1,7\n1,~,7\n1,3,7\n4,4,9");
        let result = applied("flatten: {column: j, as: e, type: bigint, index: at}", &rows()).unwrap();
        assert_eq!(shown(&result), "id,e,t,at\n1,1,7,0\n1,~,7,1\n1,3,7,2\n4,4,9,0");
    }

    #[test]
    fn rows_without_elements_may_stay() {
        let item = "flatten: {column: j, as: e, index: at, outer: true}";
        let expected = "id,e,t,at\n1,1,7,0\n1,~,7,1\n1,3,7,2\n2,~,~,~\n~,~,8,~\n4,4,9,0";
        assert_eq!(shown(&applied(item, &rows()).unwrap()), expected);
        assert_eq!(shown(&applied(item, &rows().slice(0, 0)).unwrap()), "id,e,t,at");
    }

    #[test]
    fn objects_stay_json() {
        let rows = batch("j string", &[&[Some(r#"[{"a": [1]}, [2], "\u00e9"]"#)]]);
        assert_eq!(shown(&applied("flatten: {column: j}", &rows).unwrap()), "j\n{\"a\": [1]}\n[2]\n\u{e9}");
    }

    #[test]
    fn faults_are_told_without_values_or_are_null() {
        let check = |text: &str, words: &str, nulled: &str| {
            let rows = batch("j string", &[&[Some("[1]")], &[Some(text)]]);
            let error = applied("flatten: {column: j, type: int}", &rows).unwrap_err();
            assert!(error.contains(words) && !error.contains("secret"), "{error}");
            let result = applied("flatten: {column: j, type: int, outer: true, on_error: null}", &rows);
            assert_eq!(shown(&result.unwrap()), format!("j\n1\n{nulled}"));
        };
        check(r#"["secret", 2]"#, "`j`: an element does not fit int", "~\n2");
        check(r#"{"secret": 2}"#, "`j` holds JSON that is not an array", "~");
        check(r#""secret""#, "`j` holds JSON that is not an array", "~");
        check("[2, secret", "`j` holds a text that is not JSON", "~");
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id int, j string");
        assert!(problem("flatten: {column: id}", &input).contains("JSON is read from string columns"));
        assert!(problem("flatten: {column: j, as: ID}", &input).contains("two columns would be called `ID`"));
        assert!(problem("flatten: {column: j, index: J}", &input).contains("two columns would be called `J`"));
        assert!(problem("flatten: {column: j, type: binary}", &input).contains("no binary values"));
    }
}
