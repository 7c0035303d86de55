use std::io::Write;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, LargeStringArray, StringArray, StructArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema as ArrowSchema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tempfile::NamedTempFile;

use super::*;
use crate::decode::parquet::rows_as_json;
use crate::schema::{Column, ColumnType, Schema as Columns, TextFormat};

/// Rows of a row group.
const GROUP: usize = 100;

/// Three row groups; `late` has NULLs in the last one, `gone` everywhere.
fn table() -> RecordBatch {
    let rows = 0..3 * GROUP as i64;
    let text = |row: i64| format!("text {row}");
    let inner: ArrayRef = Arc::new(rows.clone().collect::<Int64Array>());
    let inner_field = Arc::new(Field::new("inner", DataType::Int64, false));
    let columns: [(Field, ArrayRef); 9] = [
        (Field::new("id", DataType::Int64, true), Arc::new(rows.clone().collect::<Int64Array>())),
        (Field::new("required", DataType::Int64, false), Arc::new(rows.clone().collect::<Int64Array>())),
        (
            Field::new("late", DataType::Int64, true),
            Arc::new(rows.clone().map(|row| (row != 299).then_some(row)).collect::<Int64Array>()),
        ),
        (Field::new("gone", DataType::Int64, true), Arc::new(rows.clone().map(|_| None).collect::<Int64Array>())),
        (Field::new("narrow", DataType::Int32, true), Arc::new(Int32Array::from(vec![7; 300]))),
        (
            Field::new("large", DataType::LargeUtf8, true),
            Arc::new(rows.clone().map(|row| Some(text(row))).collect::<LargeStringArray>()),
        ),
        (
            Field::new("short", DataType::Utf8, true),
            Arc::new(rows.clone().map(|row| Some(text(row))).collect::<StringArray>()),
        ),
        (
            Field::new("nested", DataType::Struct(vec![Arc::clone(&inner_field)].into()), true),
            Arc::new(StructArray::from(vec![(inner_field, inner)])),
        ),
        (Field::new("extra", DataType::Date32, true), Arc::new(Date32Array::from_iter_values(0..300))),
    ];
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays).unwrap()
}

fn file(table: &RecordBatch, statistics: EnabledStatistics) -> (NamedTempFile, ParquetInput) {
    file_of(table, statistics, GROUP)
}

fn file_of(table: &RecordBatch, statistics: EnabledStatistics, group: usize) -> (NamedTempFile, ParquetInput) {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(group)).set_statistics_enabled(statistics).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties)).unwrap();
    writer.write(table).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&writer.into_inner().unwrap()).unwrap();
    let place = Place::File(file.path().to_owned());
    let input = ObjectRef { uri: "table.parquet".to_owned(), size: Some(1), version: None, place, hashed: false };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let open = ParquetInput::open(&input, runtime.handle(), &Cancel::default()).unwrap();
    (file, open)
}

/// The schema of the job: it knows every column but `extra`, and one that the file has not.
fn columns() -> Columns {
    let column = |name: &str, column_type: ColumnType| Column {
        name: name.to_owned(),
        column_type,
        nullable: true,
        pii: None,
        format: TextFormat::default(),
    };
    let inner = DataType::Struct(vec![Field::new("inner", DataType::Int64, false)].into());
    Columns {
        columns: vec![
            column("ID", ColumnType::BigInt),
            column("absent", ColumnType::BigInt),
            column("required", ColumnType::BigInt),
            column("late", ColumnType::BigInt),
            column("gone", ColumnType::BigInt),
            column("narrow", ColumnType::BigInt),
            column("large", ColumnType::String),
            column("short", ColumnType::Varchar(8)),
            column("nested", ColumnType::Nested(Arc::new(inner))),
        ],
    }
}

/// The columns of the file that are decoded when `wanted` is wanted of every column of the schema.
fn decoded(open: &ParquetInput, schema: &Columns, wanted: ColumnUse) -> Vec<String> {
    let fitter = RowFitter::new(schema, open.schema()).unwrap();
    let taken = open.take(&fitter, &vec![wanted; schema.columns.len()], &[]);
    let names = open.schema().fields().iter().zip(taken).filter(|(_, taken)| *taken == Taken::Values);
    names.map(|(field, _)| field.name().clone()).collect()
}

#[test]
fn what_is_asked_for_is_decoded_and_extra_columns_are_not() {
    let (_file, open) = file(&table(), EnabledStatistics::Chunk);
    let known = ["id", "required", "late", "gone", "narrow", "large", "short", "nested"];
    assert_eq!(decoded(&open, &columns(), ColumnUse::Values), known);
    let fitter = RowFitter::new(&columns(), open.schema()).unwrap();
    let all = open.take(&fitter, &[ColumnUse::Values; 9], &[]);
    assert_eq!(open.take(&fitter, &[], &[]), all, "nothing said is all asked for");
}

#[test]
fn a_column_that_the_schema_could_find_fault_with_is_decoded_though_no_rule_looks() {
    let (_file, open) = file(&table(), EnabledStatistics::Chunk);
    assert_eq!(decoded(&open, &columns(), ColumnUse::None), ["narrow", "short"]);
    let mut strict = columns();
    strict.columns.retain(|column| column.name != "absent");
    strict.columns.iter_mut().for_each(|column| column.nullable = false);
    assert_eq!(decoded(&open, &strict, ColumnUse::None), ["late", "gone", "narrow", "short", "nested"]);
}

#[test]
fn completeness_of_a_column_is_told_by_the_file_only_where_every_row_group_knows_of_no_null() {
    let (_file, open) = file(&table(), EnabledStatistics::Chunk);
    let doubtful = ["late", "gone", "narrow", "short", "nested"];
    assert_eq!(decoded(&open, &columns(), ColumnUse::Nulls), doubtful);
    let (_file, silent) = file(&table(), EnabledStatistics::None);
    let unknown = ["id", "late", "gone", "narrow", "large", "short", "nested"];
    assert_eq!(decoded(&silent, &columns(), ColumnUse::Nulls), unknown);
}

#[test]
fn what_stands_in_for_a_column_has_its_type_and_length_and_nulls_only_where_nobody_looks() {
    let (_file, open) = file(&table(), EnabledStatistics::Chunk);
    let schema = columns();
    let fitter = RowFitter::new(&schema, open.schema()).unwrap();
    let all: Vec<DataType> = [
        DataType::Null,
        DataType::Boolean,
        DataType::Binary,
        DataType::Decimal128(15, 2),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
    ]
    .into_iter()
    .chain(schema.columns.iter().map(|column| column.column_type.arrow()))
    .collect();
    for data_type in all {
        let nulls = Taken::Nulls(data_type.clone()).filler(3).unwrap().unwrap();
        assert_eq!((nulls.data_type(), nulls.len(), nulls.logical_null_count()), (&data_type, 3, 3));
        if data_type != DataType::Null && !data_type.is_nested() {
            let none = Taken::NoNulls(data_type.clone()).filler(3).unwrap().unwrap();
            assert_eq!((none.data_type(), none.len(), none.logical_null_count()), (&data_type, 3, 0));
        }
    }
    // Decoded columns keep their places among those that are not.
    let mut uses = vec![ColumnUse::None; schema.columns.len()];
    (uses[0], uses[3]) = (ColumnUse::Nulls, ColumnUse::Values);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut rows = open.rows(&open.take(&fitter, &uses, &[])).unwrap();
    let mut read = Vec::new();
    while let Some(batch) = rows.next(&pool, &Cancel::default()).unwrap() {
        let fitted = fitter.fit(&batch).unwrap();
        // `narrow` fits, and the texts are longer than `short` may be from row 100 on.
        assert!(fitted.faults.iter().all(|fault| fault.column == Some(7)), "{:?}", fitted.faults);
        read.push(fitted.batch);
    }
    let read = concat_batches(&read[0].schema(), &read).unwrap();
    let nulls: Vec<usize> = read.columns().iter().map(|column| column.null_count()).collect();
    assert_eq!(nulls, [0, 300, 300, 1, 300, 0, 300, 0, 300]);
    assert_eq!(read.column(3).as_primitive::<Int64Type>().value(298), 298);
}

#[test]
fn a_file_of_which_nothing_is_decoded_has_all_its_rows() {
    let (_file, open) = file(&table().project(&[0, 2]).unwrap(), EnabledStatistics::Chunk);
    let schema = Columns { columns: columns().columns.into_iter().take(1).collect() };
    assert_eq!(decoded(&open, &schema, ColumnUse::Nulls), Vec::<String>::new());
    let fitter = RowFitter::new(&schema, open.schema()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut rows = open.rows(&open.take(&fitter, &[ColumnUse::None], &[])).unwrap();
    let mut count = 0;
    while let Some(batch) = rows.next(&pool, &Cancel::default()).unwrap() {
        count += fitter.fit(&batch).unwrap().batch.num_rows();
    }
    assert_eq!(count, 300);
}

/// Two row groups of texts, of which `few` differ; every 100th is NULL.
fn texts(few: usize, rows: usize) -> (RecordBatch, NamedTempFile, ParquetInput) {
    let texts = (0..rows).map(|row| (row % 100 != 7).then(|| format!("text {}", row % few)));
    let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
    let table = RecordBatch::try_from_iter_with_nullable([("large", texts, true)]).unwrap();
    let (file, open) = file_of(&table, EnabledStatistics::Chunk, rows / 2);
    (table, file, open)
}

#[test]
fn few_texts_come_as_dictionaries_where_those_are_taken() {
    let (table, _file, open) = texts(5, 90_000);
    let schema = Columns { columns: vec![columns().columns[6].clone()] };
    let fitter = RowFitter::new(&schema, open.schema()).unwrap();
    let taken = open.take(&fitter, &[ColumnUse::Values], &[true]);
    assert_eq!(taken, [Taken::Dictionary]);
    assert_eq!(open.take(&fitter, &[ColumnUse::Values], &[false]), [Taken::Values]);
    assert_eq!(open.take(&fitter, &[], &[]), [Taken::Values]);

    let fitter = fitter.keeping_dictionaries(|column| column == 0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut rows = open.rows(&taken).unwrap();
    let mut read = Vec::new();
    while let Some(batch) = rows.next(&pool, &Cancel::default()).unwrap() {
        let fitted = fitter.fit(&batch).unwrap().batch;
        assert!(fitted.column(0).as_dictionary::<Int32Type>().values().len() <= 5);
        read.push(arrow::compute::cast(fitted.column(0), &DataType::Utf8).unwrap());
    }
    let read: Vec<&dyn Array> = read.iter().map(AsRef::as_ref).collect();
    assert_eq!(&arrow::compute::concat(&read).unwrap(), table.column(0));
}

#[test]
fn many_texts_short_row_groups_and_limited_texts_come_as_texts() {
    let schema = Columns { columns: vec![columns().columns[6].clone()] };
    let taken = |open: &ParquetInput, schema: &Columns| {
        let fitter = RowFitter::new(schema, open.schema()).unwrap();
        open.take(&fitter, &[ColumnUse::Values], &[true])
    };
    assert_eq!(taken(&texts(5, 90_000).2, &schema), [Taken::Dictionary]);
    assert_eq!(taken(&texts(20_000, 90_000).2, &schema), [Taken::Values]);
    assert_eq!(taken(&texts(5, 40_000).2, &schema), [Taken::Values]);
    let mut limited = schema;
    limited.columns[0].column_type = ColumnType::Varchar(6);
    assert_eq!(taken(&texts(5, 90_000).2, &limited), [Taken::Values]);
}

#[test]
fn a_row_read_back_is_the_row_as_it_is_shown_among_all_others() {
    let table = table();
    let (_file, open) = file(&table, EnabledStatistics::Chunk);
    let (text, starts) = rows_as_json(&table).unwrap();
    let originals = open.originals(None);
    for record in [299, 0, 99, 100, 101, 250] {
        let line = text.slice(starts[record] as usize..starts[record + 1] as usize - 1);
        assert_eq!(originals.raw(record as u64).unwrap(), line);
    }
    assert_eq!(originals.raw(300).unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn a_row_read_back_is_masked() {
    let (_file, open) = file(&table(), EnabledStatistics::Chunk);
    let mut schema = columns();
    schema.columns[6].pii = Some("name".to_owned());
    let fitter = RowFitter::new(&schema, open.schema()).unwrap();
    let raw = open.originals(Some(Arc::new(fitter))).raw(123).unwrap();
    // Of `extra` nobody knows what it holds.
    let shown = r#"{"id":123,"required":123,"late":123,"narrow":7,"large":"********","short":"text 123","nested":{"inner":123},"extra":"**********"}"#;
    assert_eq!(std::str::from_utf8(&raw).unwrap(), shown);
}
