//! The columns between steps: types that files can hold, by their Glue names.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use etl_transform::nested;

use crate::schema::{Column, ColumnType, Schema, TextFormat};

/// The type that a column of `data_type` is kept as; `None` when files have no place for it.
pub(super) fn kept_as(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Timestamp(_, _) | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        other => column_type(other).map(|known| known.arrow())?,
    })
}

fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match *data_type {
        DataType::List(_) | DataType::Struct(_) | DataType::Map(..) => {
            nested::type_text(data_type)?;
            ColumnType::Nested(Arc::new(data_type.clone()))
        }
        DataType::Int8 => ColumnType::TinyInt,
        DataType::Int16 => ColumnType::SmallInt,
        DataType::Int32 => ColumnType::Int,
        DataType::Int64 => ColumnType::BigInt,
        DataType::Float32 => ColumnType::Float,
        DataType::Float64 => ColumnType::Double,
        DataType::Decimal128(precision, scale) if scale >= 0 => ColumnType::Decimal { precision, scale },
        DataType::Utf8 => ColumnType::String,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
        DataType::Binary => ColumnType::Binary,
        _ => return None,
    })
}

/// The columns as the sink and catalogs see them; `changed`: steps came between them and the input.
pub(super) fn schema_of(columns: &SchemaRef, input: &Schema, changed: bool) -> Schema {
    let columns = columns.fields().iter().map(|field| {
        let came = input.columns.iter().find(|column| {
            // A text may have become a longer one, which `varchar(n)` would cut off.
            let limited = matches!(column.column_type, ColumnType::Varchar(_) | ColumnType::Char(_));
            column.name == *field.name() && column.column_type.arrow() == *field.data_type() && !(limited && changed)
        });
        Column {
            name: field.name().clone(),
            // Every type was checked when its step was bound.
            column_type: came
                .map(|column| column.column_type.clone())
                .or_else(|| column_type(field.data_type()))
                .unwrap_or(ColumnType::String),
            nullable: true,
            pii: None,
            format: TextFormat::default(),
        }
    });
    Schema { columns: columns.collect() }
}
