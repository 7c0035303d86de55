//! What tests of steps share.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;

use crate::action::Action;
use crate::kernel::{Kernel, Place};
use crate::registry;
use crate::step::{BindContext, Problem};

/// A schema from `name type, ...`; names may stand in backquotes.
pub(crate) fn table(columns: &str) -> SchemaRef {
    let mut fields = Vec::new();
    let mut rest = columns.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('`') {
            Some(quoted) => quoted.split_once("` ").unwrap(),
            None => rest.split_once(' ').unwrap(),
        };
        let parts = after.split_once(", ").unwrap_or((after, ""));
        fields.push(Field::new(name.replace("``", "`"), crate::sql::type_of(parts.0).unwrap(), true));
        rest = parts.1;
    }
    Arc::new(Schema::new(fields))
}

/// A batch of these columns from texts; `None` is NULL.
pub(crate) fn batch(columns: &str, rows: &[&[Option<&str>]]) -> RecordBatch {
    let schema = table(columns);
    let arrays = schema.fields().iter().enumerate().map(|(at, field)| -> ArrayRef {
        let texts: StringArray = rows.iter().map(|row| row[at]).collect();
        let array = cast(&texts, field.data_type()).unwrap();
        assert_eq!(array.null_count(), texts.null_count(), "{field}");
        array
    });
    RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).unwrap()
}

/// The declared data sets of tests: `countries` as in the examples, `prices` with numbers.
fn sources() -> Vec<(String, SchemaRef)> {
    vec![
        ("countries".to_owned(), table("code string, name string")),
        ("prices".to_owned(), table("id int, price decimal(8,2), valid date, `odd``name` string")),
    ]
}

/// The actions of an item of `transform`, or why it cannot be bound.
pub(crate) fn bound(item: &str, input: &SchemaRef) -> Result<Vec<Action>, Problem> {
    let item = serde_saphyr::from_str(item).unwrap();
    registry::bind(&item, &BindContext { input, sources: &sources() })
}

/// The actions of an item of `transform`.
pub(crate) fn bind(item: &str, input: &SchemaRef) -> Vec<Action> {
    bound(item, input).unwrap_or_else(|problem| panic!("{problem:?}"))
}

/// The text of the one query that an item gives, or why it cannot be bound.
pub(crate) fn query(item: &str, input: &SchemaRef) -> Result<String, Problem> {
    match bound(item, input)?.as_slice() {
        [Action::Query { sql, .. }] => Ok(sql.clone()),
        other => panic!("one query is expected, not {other:?}"),
    }
}

/// Why an item cannot be bound, and what to do about it.
pub(crate) fn problem(item: &str, input: &SchemaRef) -> String {
    match bound(item, input) {
        Ok(actions) => panic!("no problem: {actions:?}"),
        Err(Problem { message, help: None }) => message,
        Err(Problem { message, help: Some(help) }) => format!("{message} ({help})"),
    }
}

/// The text of the one query there is, with its names.
pub(crate) fn sql(actions: &[Action]) -> String {
    let [Action::Query { sql, names: Some(names), .. }] = actions else { panic!("{actions:?}") };
    format!("{sql} -> {}", names.join(","))
}

/// Whether the one query there is sees the order of the rows.
pub(crate) fn is_ordered(actions: &[Action]) -> bool {
    matches!(actions, [Action::Query { ordered: true, .. }])
}

/// The last of the actions, which is a kernel.
pub(crate) fn kernel(actions: &[Action]) -> &dyn Kernel {
    let Some(Action::Kernel(kernel)) = actions.last() else { panic!("{actions:?}") };
    kernel.as_ref()
}

/// What the kernel of an item makes of a batch, or its error.
pub(crate) fn applied(item: &str, batch: &RecordBatch) -> Result<RecordBatch, String> {
    let actions = bind(item, &batch.schema());
    let kernel = kernel(&actions);
    let result = kernel.apply(batch, Place::default())?;
    assert_eq!(result.schema(), kernel.schema());
    Ok(result)
}

/// The values of a column as JSON, one a row.
pub(crate) fn json_shown(array: &ArrayRef) -> Vec<String> {
    let schema = Schema::new(vec![Field::new("v", array.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(array)]).unwrap();
    let mut written = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut written);
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let text = String::from_utf8(written).unwrap();
    let value = |line: &str| line.strip_prefix("{\"v\":").unwrap().strip_suffix('}').unwrap().to_owned();
    text.split_terminator('\n').map(value).collect()
}

/// Nested types of these scalar ones, a few levels deep; `names` is a pattern for the names of fields.
pub(crate) fn nested_type(names: &'static str, scalars: Vec<DataType>) -> impl Strategy<Value = DataType> {
    let level = move |inner: BoxedStrategy<DataType>| {
        let list = inner.clone().prop_map(|item| DataType::List(Arc::new(Field::new("item", item, true))));
        let map = inner.clone().prop_map(|value| {
            let fields = vec![Field::new("keys", DataType::Utf8, false), Field::new("values", value, true)];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields.into()), false)), false)
        });
        let structure = prop::collection::vec((names, inner), 1..4).prop_map(|mut fields| {
            let mut known = std::collections::HashSet::new();
            fields.retain(|(name, _)| known.insert(name.to_lowercase()));
            let fields: Vec<Field> = fields.into_iter().map(|(name, inner)| Field::new(name, inner, true)).collect();
            DataType::Struct(fields.into())
        });
        prop_oneof![list, map, structure].boxed()
    };
    let inner = prop::sample::select(scalars).prop_recursive(3, 12, 4, level);
    level(inner.boxed())
}

/// A batch as CSV without quotes; NULL is `~`.
pub(crate) fn shown(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let columns: Vec<Vec<String>> = batch.columns().iter().map(values_shown).collect();
    let header: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut lines = vec![header.join(",")];
    for row in 0..batch.num_rows() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
        lines.push(cells.join(","));
    }
    lines.join("\n")
}

/// The values of an array; NULL is `~`.
pub(crate) fn values_shown(array: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::new().with_null("~");
    let formatter = ArrayFormatter::try_new(array, &options).unwrap();
    (0..array.len()).map(|row| formatter.value(row).to_string()).collect()
}
