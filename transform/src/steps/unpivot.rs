use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::agree::{common_type, type_words};
use crate::kernel::{Kernel, Place};
use crate::parameters::OneOrMany;
use crate::sql::{all, cast, name, select, type_of};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Which columns become rows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns, each of which becomes a row.
    columns: OneOrMany<String>,
    /// The new column for their names.
    name: String,
    /// The new column for their values.
    value: String,
    /// The type of the values, such as `string`; needed when the columns have types that do not go together.
    r#type: Option<String>,
    /// Whether NULL values are rows too.
    #[serde(default)]
    keep_nulls: bool,
}

pub(crate) const STEP: StepType = StepType {
    name: "unpivot",
    doc: StepDoc {
        summary: "Columns become rows: for each row and each named column one row with the column's name and value.",
        nulls: "A NULL value gives no row, unless `keep_nulls` is set.",
        glue: &["Unpivot Columns Into Rows"],
        databrew: &["UNPIVOT"],
        differs: "Spark's `stack` keeps NULL values: set `keep_nulls`.",
        example: Example {
            types: "string, bigint, bigint",
            input: "city,jan,feb\nRome,1,2\nOslo,,3\n",
            job: "- unpivot: {columns: [jan, feb], name: month, value: sold}",
            output: "city,month,sold\nRome,jan,1\nRome,feb,2\nOslo,feb,3\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, name: name_column, value, r#type, keep_nulls } = crate::read(parameters)?;
    let columns = context.columns(columns.list())?;
    let data_type = value_type(&columns, r#type.as_deref())?;
    let mut outputs = all(context.input);
    let (mut values, mut casts) = (Vec::new(), false);
    for column in columns {
        let at = context.input.fields().iter().position(|field| field.name() == column.name()).unwrap_or_default();
        if values.contains(&at) {
            return Err(Problem::new(format!("`columns` names `{}` twice", column.name())));
        }
        values.push(at);
        if column.data_type() != &data_type {
            casts = true;
            outputs[at].expression = cast(&name(column.name()), &data_type)?;
        }
    }
    let kept: Vec<usize> = (0..outputs.len()).filter(|at| !values.contains(at)).collect();
    let names = values.iter().map(|at| Some(outputs[*at].name.as_str())).collect::<StringArray>();
    let mut fields: Vec<FieldRef> = kept.iter().map(|at| Arc::clone(&context.input.fields()[*at])).collect();
    for (column, data_type) in [(name_column, DataType::Utf8), (value, data_type)] {
        if column.is_empty() || fields.iter().any(|field| field.name().eq_ignore_ascii_case(&column)) {
            return Err(Problem::new(format!("two columns would be called `{column}`")));
        }
        fields.push(Arc::new(Field::new(column, data_type, true)));
    }
    let kernel = Unpivot { kept, values, names, keep_nulls, schema: Arc::new(Schema::new(fields)) };
    let mut actions = Vec::new();
    if casts {
        actions.push(select(outputs, "")?);
    }
    actions.push(Action::Kernel(Arc::new(kernel)));
    Ok(actions)
}

fn value_type(columns: &[&FieldRef], declared: Option<&str>) -> Result<DataType, Problem> {
    if let Some(declared) = declared {
        return type_of(declared);
    }
    let (first, others) = columns.split_first().ok_or_else(|| Problem::new("`columns` is empty"))?;
    let mut data_type = first.data_type().clone();
    for column in others {
        data_type = common_type(&data_type, column.data_type()).ok_or_else(|| {
            let (left, right) = (type_words(first.data_type()), type_words(column.data_type()));
            let (first, column) = (first.name(), column.name());
            Problem::new(format!("`{first}` is {left}, `{column}` is {right}: their values cannot stand in one column"))
                .with_help("add type: string")
        })?;
    }
    Ok(data_type)
}

#[derive(Debug)]
struct Unpivot {
    /// Positions of the columns that stay.
    kept: Vec<usize>,
    /// Positions of those that become rows.
    values: Vec<usize>,
    /// Their names.
    names: StringArray,
    keep_nulls: bool,
    schema: SchemaRef,
}

impl Kernel for Unpivot {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        match self.kept.get(output) {
            Some(kept) => vec![*kept],
            // The names of columns, then their values.
            None if output == self.kept.len() => Vec::new(),
            None => self.values.clone(),
        }
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let values: Vec<&dyn Array> = self.values.iter().map(|at| batch.column(*at).as_ref()).collect();
        let nulls: Vec<_> = values.iter().map(|array| array.logical_nulls()).collect();
        let most = batch.num_rows() * values.len();
        let (mut rows, mut cells) = (Vec::with_capacity(most), Vec::with_capacity(most));
        for row in 0..batch.num_rows() {
            for (column, nulls) in nulls.iter().enumerate() {
                if self.keep_nulls || nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    rows.push(row as u32);
                    cells.push((column, row));
                }
            }
        }
        let which = UInt32Array::from_iter_values(cells.iter().map(|(column, _)| *column as u32));
        let worded = |error: arrow::error::ArrowError| error.to_string();
        let rows = UInt32Array::from(rows);
        let kept = self.kept.iter().map(|at| take(batch.column(*at), &rows, None));
        let mut columns: Vec<ArrayRef> = kept.collect::<Result<_, _>>().map_err(worded)?;
        columns.push(take(&self.names, &which, None).map_err(worded)?);
        columns.push(interleave(&values, &cells).map_err(worded)?);
        RecordBatch::try_new(self.schema(), columns).map_err(worded)
    }
}

#[cfg(test)]
mod tests {
    use crate::action::Action;
    use crate::testing::{applied, batch, bind, problem, shown, sql, table};

    const COLUMNS: &str = "a bigint, `x y` bigint, b string";

    fn rows() -> arrow::array::RecordBatch {
        batch(COLUMNS, &[&[Some("1"), Some("2"), Some("p")], &[None, Some("3"), None], &[None, None, Some("q")]])
    }

    #[test]
    fn one_row_a_value() {
        let result = applied("unpivot: {columns: [X y, a], name: key, value: val}", &rows()).unwrap();
        assert_eq!(shown(&result), "b,key,val\np,x y,2\np,a,1\n~,x y,3");
    }

    #[test]
    fn nulls_are_kept_where_they_are_wanted() {
        let result = applied("unpivot: {columns: [a, x y], name: a, value: x y, keep_nulls: true}", &rows()).unwrap();
        assert_eq!(shown(&result), "b,a,x y\np,a,1\np,x y,2\n~,a,~\n~,x y,3\nq,a,~\nq,x y,~");
    }

    #[test]
    fn all_columns_and_no_rows() {
        let item = "unpivot: {columns: [a, x y], name: key, value: val}";
        assert_eq!(shown(&applied(item, &rows().slice(2, 1)).unwrap()), "b,key,val");
        assert_eq!(shown(&applied(item, &rows().slice(0, 0)).unwrap()), "b,key,val");
        let all = batch("a int", &[&[Some("7")]]);
        assert_eq!(shown(&applied("unpivot: {columns: a, name: k, value: v}", &all).unwrap()), "k,v\na,7");
    }

    #[test]
    fn values_are_cast_to_a_common_type() {
        let input = table("a int, b bigint, c string");
        let actions = bind("unpivot: {columns: [a, b], name: k, value: v}", &input);
        assert_eq!(sql(&actions[..1]), "SELECT CAST(`a` AS BIGINT) AS c0, `b` AS c1, `c` AS c2 FROM input -> a,b,c");
        let actions = bind("unpivot: {columns: [a, c], name: k, value: v, type: string}", &input);
        assert_eq!(sql(&actions[..1]), "SELECT CAST(`a` AS STRING) AS c0, `b` AS c1, `c` AS c2 FROM input -> a,b,c");
        assert!(matches!(actions[1], Action::Kernel(_)));
    }

    #[test]
    fn what_cannot_be() {
        let input = table("a int, b bigint, c string");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("unpivot: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check(
            "columns: [a, c], name: k, value: v",
            "`a` is int, `c` is string: their values cannot stand in one column",
        );
        check("columns: [a, A], name: k, value: v", "names `a` twice");
        check("columns: [], name: k, value: v", "`columns` is empty");
        check("columns: [a], name: B, value: v", "two columns would be called `B`");
        check("columns: [a], name: k, value: K", "two columns would be called `K`");
    }
}
