//! Columns as rules name them: resolved once against the schema, read once per batch.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, SchemaRef};

use crate::batch::BatchColumns;
use crate::error::RuleError;

/// A column found in the schema; structs are reached as `parent.child`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    written: String,
    path: Vec<usize>,
    data_type: DataType,
}

impl ColumnRef {
    /// Finds a column: exact name, then the only name that differs in case, then a struct path.
    ///
    /// Backticks around a name (or around one step of a path) quote it, as in Spark.
    pub fn find(schema: &SchemaRef, written: &str) -> Option<ColumnRef> {
        let steps = split_path(written);
        let whole = written.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(written);
        let fields: Vec<&Field> = schema.fields().iter().map(AsRef::as_ref).collect();
        if let Some(index) = position(&fields, whole) {
            return Some(ColumnRef {
                written: written.to_owned(),
                path: vec![index],
                data_type: fields[index].data_type().clone(),
            });
        }
        let mut fields = fields;
        let mut path = Vec::with_capacity(steps.len());
        let mut data_type: Option<&DataType> = None;
        for step in &steps {
            if let Some(DataType::Struct(children)) = data_type {
                fields = children.iter().map(AsRef::as_ref).collect();
            } else if data_type.is_some() {
                return None;
            }
            let index = position(&fields, step)?;
            path.push(index);
            data_type = Some(fields[index].data_type());
        }
        Some(ColumnRef { written: written.to_owned(), path, data_type: data_type?.clone() })
    }

    /// The top-level column at a position.
    pub fn at(schema: &SchemaRef, index: usize) -> Option<ColumnRef> {
        let field = schema.fields().get(index)?;
        Some(ColumnRef { written: field.name().clone(), path: vec![index], data_type: field.data_type().clone() })
    }

    /// The name as the rule wrote it; metric names and messages use it.
    pub fn name(&self) -> &str {
        &self.written
    }

    /// The column's type; a dictionary counts as its values.
    pub fn data_type(&self) -> &DataType {
        match &self.data_type {
            DataType::Dictionary(_, values) => values,
            other => other,
        }
    }

    /// The position of the top-level column in the schema.
    pub fn index(&self) -> usize {
        self.path.first().copied().unwrap_or(0)
    }

    /// A text that is equal for references to the same column.
    pub(crate) fn key(&self) -> String {
        format!("{:?}", self.path)
    }

    /// Whether the column holds text.
    pub fn is_string(&self) -> bool {
        matches!(self.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    }

    /// Whether the column holds numbers.
    pub fn is_numeric(&self) -> bool {
        self.data_type().is_numeric()
    }

    /// The column of a batch. Dictionaries come unpacked, so that NULLs are in one place.
    pub fn array(&self, batch: &BatchColumns<'_>) -> Result<ArrayRef, RuleError> {
        batch.array(self)
    }

    /// The column of a batch as text; other types are cast.
    pub fn strings(&self, batch: &BatchColumns<'_>) -> Result<StringArray, RuleError> {
        batch.strings(self)
    }

    /// The column where nothing has to be made of it: top-level and no dictionary.
    pub(crate) fn plain(&self, batch: &RecordBatch) -> Option<ArrayRef> {
        self.top(batch).filter(|array| !matches!(array.data_type(), DataType::Dictionary(_, _))).cloned()
    }

    /// The column as it stands in the batch, where it is top-level.
    pub(crate) fn top<'a>(&self, batch: &'a RecordBatch) -> Option<&'a ArrayRef> {
        match self.path.as_slice() {
            [index] => batch.columns().get(*index),
            _ => None,
        }
    }

    /// The column out of its structs and dictionary.
    pub(crate) fn unpacked(&self, batch: &RecordBatch) -> Result<ArrayRef, RuleError> {
        let missing = || RuleError::Schema(format!("column `{}` is missing", self.written));
        let (first, rest) = self.path.split_first().ok_or_else(missing)?;
        let mut array = batch.columns().get(*first).ok_or_else(missing)?.clone();
        for step in rest {
            let parent = array.as_struct_opt().ok_or_else(missing)?;
            let child = parent.columns().get(*step).ok_or_else(missing)?;
            let nulls = NullBuffer::union(parent.nulls(), child.nulls());
            array = match nulls {
                None => child.clone(),
                Some(nulls) => make_array(
                    child
                        .to_data()
                        .into_builder()
                        .nulls(Some(nulls))
                        .build()
                        .map_err(|error| self.unreadable(&error.to_string()))?,
                ),
            };
        }
        match array.data_type() {
            DataType::Dictionary(_, values) => {
                cast(&array, values).map_err(|error| self.unreadable(&error.to_string()))
            }
            _ => Ok(array),
        }
    }

    /// The values as text.
    pub(crate) fn cast_to_text(&self, array: &ArrayRef) -> Result<ArrayRef, RuleError> {
        cast(array, &DataType::Utf8).map_err(|error| self.unreadable(&error.to_string()))
    }

    /// The error for a column that a kernel refuses.
    pub(crate) fn unreadable(&self, message: &str) -> RuleError {
        RuleError::Column { column: self.written.clone(), message: message.to_owned() }
    }
}

fn position(fields: &[&Field], name: &str) -> Option<usize> {
    if let Some(exact) = fields.iter().position(|field| field.name() == name) {
        return Some(exact);
    }
    let mut folded = fields.iter().enumerate().filter(|(_, field)| field.name().to_lowercase() == name.to_lowercase());
    match (folded.next(), folded.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// Splits `a.b` at dots outside backticks.
fn split_path(written: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for character in written.chars() {
        match character {
            '`' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            other => {
                if let Some(step) = steps.last_mut() {
                    step.push(other);
                }
            }
        }
    }
    steps
}

/// The column name nearest to a misspelt one; `None` when nothing is close.
pub fn nearest_column<'a>(schema: &'a SchemaRef, written: &str) -> Option<&'a str> {
    let wanted = written.to_lowercase();
    let (name, score) = schema
        .fields()
        .iter()
        .map(|field| (field.name().as_str(), strsim::jaro_winkler(&field.name().to_lowercase(), &wanted)))
        .max_by(|left, right| left.1.total_cmp(&right.1))?;
    (score >= 0.8).then_some(name)
}

/// The type as Spark names it, for messages that quote Deequ.
pub(crate) fn spark_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Int8 => "ByteType".to_owned(),
        DataType::Int16 | DataType::UInt8 => "ShortType".to_owned(),
        DataType::Int32 | DataType::UInt16 => "IntegerType".to_owned(),
        DataType::Int64 | DataType::UInt32 => "LongType".to_owned(),
        DataType::Float32 => "FloatType".to_owned(),
        DataType::Float64 => "DoubleType".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DecimalType({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "StringType".to_owned(),
        DataType::Boolean => "BooleanType".to_owned(),
        DataType::Date32 | DataType::Date64 => "DateType".to_owned(),
        DataType::Timestamp(_, _) => "TimestampType".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BinaryType".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Fields, Schema};

    use super::*;

    fn schema() -> SchemaRef {
        let inner = Fields::from(vec![Field::new("_1", DataType::Utf8, true)]);
        Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("Some.Date", DataType::Utf8, true),
            Field::new("info", DataType::Struct(inner), true),
        ]))
    }

    #[test]
    fn finds_quoted_nested_and_differently_cased_names() {
        let path = |written: &str| ColumnRef::find(&schema(), written).map(|column| column.path);
        assert_eq!(path("id"), Some(vec![0]));
        assert_eq!(path("ID"), Some(vec![0]));
        assert_eq!(path("Some.Date"), Some(vec![1]));
        assert_eq!(path("`Some.Date`"), Some(vec![1]));
        assert_eq!(path("info._1"), Some(vec![2, 0]));
        assert_eq!(path("info._2"), None);
        assert_eq!(path("id._1"), None);
    }

    #[test]
    fn suggests_only_what_is_close() {
        assert_eq!(nearest_column(&schema(), "infoo"), Some("info"));
        assert_eq!(nearest_column(&schema(), "zzzz"), None);
    }
}
