//! Columns as Glue and Athena name them, and what each becomes in Arrow.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};

/// A type by its Glue/Athena name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// `tinyint`, 8 bits.
    TinyInt,
    /// `smallint`, 16 bits.
    SmallInt,
    /// `int`, 32 bits.
    Int,
    /// `bigint`, 64 bits.
    BigInt,
    /// `float`, 32 bits.
    Float,
    /// `double`, 64 bits.
    Double,
    /// `decimal(precision, scale)`, exact.
    Decimal {
        /// Total digits, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: i8,
    },
    /// `string`, UTF-8.
    String,
    /// `varchar(n)`: at most n characters.
    Varchar(u32),
    /// `char(n)`: at most n characters.
    Char(u32),
    /// `boolean`.
    Boolean,
    /// `date`, days.
    Date,
    /// `timestamp`, microseconds, without a zone.
    Timestamp,
    /// `binary`: the bytes of the field.
    Binary,
    /// `array<...>`, `struct<...>` or `map<string,...>` of what is published; inputs are read as JSON text. Holds a list, struct or
    /// map of Arrow that [`nested`](etl_transform::nested) has a name for.
    Nested(Arc<DataType>),
}

impl ColumnType {
    /// The Arrow type that a column of this type is decoded into.
    pub fn arrow(&self) -> DataType {
        match self {
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::String | Self::Varchar(_) | Self::Char(_) => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Binary => DataType::Binary,
            Self::Nested(data_type) => data_type.as_ref().clone(),
        }
    }
}

/// How the text of a column is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFormat {
    /// chrono patterns tried in order for dates and timestamps; empty means ISO 8601.
    pub datetime: Vec<String>,
    /// The decimal separator, `.` unless told.
    pub decimal_separator: u8,
    /// The thousands separator that may stand between digits, if any.
    pub thousands_separator: Option<u8>,
    /// Texts that mean true (compared without case).
    pub true_values: Vec<String>,
    /// Texts that mean false (compared without case).
    pub false_values: Vec<String>,
    /// Unquoted texts that mean NULL, for this column.
    pub nulls: Vec<String>,
    /// Whether blanks at both ends are dropped before anything else.
    pub trim: bool,
    /// Whether a decimal with more digits after the point than its scale is rounded half up; otherwise it is a fault.
    pub round: bool,
}

impl Default for TextFormat {
    fn default() -> Self {
        Self {
            datetime: Vec::new(),
            decimal_separator: b'.',
            thousands_separator: None,
            true_values: vec!["true".into(), "t".into(), "yes".into(), "y".into(), "1".into()],
            false_values: vec!["false".into(), "f".into(), "no".into(), "n".into(), "0".into()],
            nulls: vec![String::new()],
            trim: false,
            round: false,
        }
    }
}

/// A column: name, type, whether NULL is allowed, and how its text is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, unique in its schema without regard to case.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// Whether NULL is allowed; a NULL in a column that forbids it is a fault.
    pub nullable: bool,
    /// What personal data it holds, when it is marked so.
    pub pii: Option<String>,
    /// How its text is read.
    pub format: TextFormat,
}

impl Schema {
    /// The positions of the columns that are marked as personal data.
    pub fn marked(&self) -> Vec<usize> {
        let marked = self.columns.iter().enumerate().filter(|(_, column)| column.pii.is_some());
        marked.map(|(index, _)| index).collect()
    }
}

/// The columns of an input, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The Arrow schema of the decoded batches; every field is nullable there, since a rejected row may hold anything.
    pub fn arrow(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.columns.iter().map(|column| Field::new(&column.name, column.column_type.arrow(), true)).collect();
        Arc::new(ArrowSchema::new(fields))
    }

    /// The position of a column by name; the exact spelling first, then without regard to case.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        exact.or_else(|| self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name)))
    }
}
