//! Which columns of a Parquet file are decoded where nobody wants its rows as they stand.
//!
//! A column is left alone when nothing that its values could be would change what is said of the file: no rule looks at
//! them, and the schema cannot find fault with them. Pure: what the file says of itself and what is wanted in, a choice out.

use arrow::array::{Array, ArrayRef, make_array, new_null_array};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use etl_rules::ColumnUse;
use parquet::basic::ConvertedType;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::SchemaDescriptor;

use crate::decode::parquet::RowFitter;
use crate::error::Result;
use crate::schema::{Column, ColumnType};

/// What is made of a column of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its values.
    Values,
    /// Its texts, as a dictionary with keys of 32 bits.
    Dictionary,
    /// NULLs of this type: nobody looks at the column.
    Nulls(DataType),
    /// Values without meaning of this type, none of them NULL: only that is wanted, and the file itself says it.
    NoNulls(DataType),
}

impl Taken {
    /// Whether the column is decoded.
    pub(super) fn is_decoded(&self) -> bool {
        matches!(self, Self::Values | Self::Dictionary)
    }

    /// Rows that stand in for the column; `None` where it is decoded.
    pub(super) fn filler(&self, rows: usize) -> Result<Option<ArrayRef>> {
        Ok(match self {
            Self::Values | Self::Dictionary => None,
            Self::Nulls(data_type) => Some(new_null_array(data_type, rows)),
            Self::NoNulls(data_type) => {
                let zeros = new_null_array(data_type, rows).to_data();
                Some(make_array(zeros.into_builder().nulls(None).build()?))
            }
        })
    }
}

/// The type of a dictionary of texts.
pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// What is made of each column of a file. Of the columns that `fitter` fits them to, `uses` is what is wanted, everything
/// when it is empty, and `dictionaries` are those that may come as such.
pub(super) fn take(
    metadata: &ParquetMetaData,
    schema: &SchemaRef,
    fitter: &RowFitter,
    uses: &[ColumnUse],
    dictionaries: &[bool],
) -> Vec<Taken> {
    let leaves = Leaves::of(metadata.file_metadata().schema_descr());
    let of_column = |(position, field): (usize, &FieldRef)| {
        let mut readers = fitter.read_from(position);
        let Some((index, column)) = readers.next() else { return Taken::Nulls(DataType::Null) };
        let wanted = uses.get(index).copied().unwrap_or(ColumnUse::Values);
        if readers.next().is_some() || !always_fits(field.data_type(), column) {
            return Taken::Values;
        }
        let data_type = column.column_type.arrow();
        if wanted == ColumnUse::Values {
            let may_come = data_type == DataType::Utf8 && dictionaries.get(index) == Some(&true);
            return match may_come && leaves.are_dictionaries(position, metadata) {
                true => Taken::Dictionary,
                false => Taken::Values,
            };
        }
        if wanted == ColumnUse::None && column.nullable {
            return Taken::Nulls(data_type);
        }
        match !data_type.is_nested() && leaves.hold_no_nulls(position, metadata) {
            true => Taken::NoNulls(data_type),
            false => Taken::Values,
        }
    };
    schema.fields().iter().enumerate().map(of_column).collect()
}

/// Whether no value of type `from` but NULL could be a fault of the column.
fn always_fits(from: &DataType, column: &Column) -> bool {
    match &column.column_type {
        ColumnType::Varchar(_) | ColumnType::Char(_) => false,
        ColumnType::String => is_text(from),
        other => *from == other.arrow(),
    }
}

/// Whether it is text in any of its forms: writers differ in them.
fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Bytes of a dictionary, compressed, that holds few texts.
const FEW_TEXTS_BYTES: i64 = 4 << 10;
/// Rows of a row group below which too many batches would span two of them, and be packed anew.
const DICTIONARY_ROWS: i64 = 32 << 10;

/// The first leaf of each column of a file.
struct Leaves(Vec<Option<usize>>);

impl Leaves {
    fn of(descriptor: &SchemaDescriptor) -> Self {
        let mut first = vec![None; descriptor.root_schema().get_fields().len()];
        for leaf in 0..descriptor.num_columns() {
            if let Some(known) = first.get_mut(descriptor.get_column_root_idx(leaf)) {
                known.get_or_insert(leaf);
            }
        }
        Self(first)
    }

    /// Whether the file says that a column that is not nested has no NULLs. One row group that says nothing is enough to
    /// doubt it.
    fn hold_no_nulls(&self, column: usize, metadata: &ParquetMetaData) -> bool {
        let Some(&Some(leaf)) = self.0.get(column) else { return false };
        if metadata.file_metadata().schema_descr().column(leaf).max_def_level() == 0 {
            return true;
        }
        let mut groups = metadata.row_groups().iter().map(|group| group.columns().get(leaf));
        groups.all(|chunk| chunk.and_then(|chunk| chunk.statistics()?.null_count_opt()) == Some(0))
    }

    /// Whether a column that is not nested consists of dictionaries of few texts: then it costs less to take it as such,
    /// and rules look at each text once.
    fn are_dictionaries(&self, column: usize, metadata: &ParquetMetaData) -> bool {
        let Some(&Some(leaf)) = self.0.get(column) else { return false };
        // Bytes that only an Arrow schema in the file calls text come as bytes in the Parquet library's dictionaries.
        if metadata.file_metadata().schema_descr().column(leaf).converted_type() != ConvertedType::UTF8 {
            return false;
        }
        let groups = metadata.row_groups();
        let rows = groups.iter().fold(0_i64, |rows, group| rows.saturating_add(group.num_rows()));
        let of_few_texts = |group: &RowGroupMetaData| {
            // A writer that finds too many texts for a dictionary goes on without it, but not before it is larger.
            let size =
                |chunk: &ColumnChunkMetaData| chunk.data_page_offset().checked_sub(chunk.dictionary_page_offset()?);
            group.columns().get(leaf).and_then(size).is_some_and(|size| (1..=FEW_TEXTS_BYTES).contains(&size))
        };
        rows >= DICTIONARY_ROWS.saturating_mul(groups.len() as i64) && groups.iter().all(of_few_texts)
    }
}
