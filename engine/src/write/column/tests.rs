//! Columns written here, read back by the Parquet library.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::{concat_batches, take_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use proptest::prelude::*;

use crate::partition::{PartitionSpec, RowRange, Splitter};
use crate::write::encoder::Encoder;
use crate::write::options::{Compression, Layout, OutputFormat, layout};

/// Columns of every kind that has an encoder here, of the values that a column of a file may hold.
fn batch(values: &[Option<i64>], spread: i64) -> RecordBatch {
    let ints =
        |limit: i64| move |value: &Option<i64>| value.map(|value| if limit == 0 { value } else { value % limit });
    let texts = |value: &Option<i64>| {
        value.map(|value| format!("{}{}", "äz".repeat((value % 40).unsigned_abs() as usize), value % spread))
    };
    let texts: Vec<Option<String>> = values.iter().map(texts).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("big", Arc::new(values.iter().map(ints(0)).collect::<Int64Array>())),
        ("few", Arc::new(values.iter().map(ints(spread)).collect::<Int64Array>())),
        ("int", Arc::new(values.iter().map(|value| value.map(|value| value as i32)).collect::<Int32Array>())),
        ("tiny", Arc::new(values.iter().map(|value| value.map(|value| value as i8)).collect::<Int8Array>())),
        (
            "day",
            Arc::new(values.iter().map(|value| value.map(|value| (value % 100_000) as i32)).collect::<Date32Array>()),
        ),
        ("at", Arc::new(values.iter().copied().collect::<TimestampMicrosecondArray>())),
        (
            "money",
            Arc::new(
                values
                    .iter()
                    .map(|value| value.map(|value| i128::from(value % 1_000_000)))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        ("text", Arc::new(StringArray::from(texts.clone()))),
        (
            "bytes",
            Arc::new(texts.iter().map(|text| text.as_ref().map(|text| text.as_bytes())).collect::<BinaryArray>()),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn written(batches: &[RecordBatch], rows: &RowRange, layout: Layout, row_group_bytes: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(OutputFormat::Parquet, &batches[0].schema(), &Arc::new(layout)).unwrap();
    for (index, batch) in batches.iter().enumerate() {
        file.extend(encoder.write(batch, rows, row_group_bytes, index % 2 == 0).unwrap().concat());
    }
    file.extend(encoder.finish().unwrap().concat());
    file
}

fn read(file: Vec<u8>) -> (Vec<RecordBatch>, ParquetMetaData) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap();
    let metadata = builder.metadata().as_ref().clone();
    (builder.build().unwrap().map(Result::unwrap).collect(), metadata)
}

/// The bounds that a chunk's statistics name, as they stand in the file.
fn bounds(statistics: &Statistics) -> (Option<Vec<u8>>, Option<Vec<u8>>, Option<u64>) {
    let bytes = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    (bytes(statistics.min_bytes_opt()), bytes(statistics.max_bytes_opt()), statistics.null_count_opt())
}

fn value() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 4 => any::<i64>().prop_map(Some), 6 => (0i64..50).prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is read is what was written: any rows of any batches, any size of page and row group, with and without a
    /// dictionary. Expected rows are those that arrow's `take` gives, expected statistics those of the library's own writer.
    #[test]
    fn what_is_read_is_what_was_written(
        values in prop::collection::vec(value(), 1..3000),
        spread in prop_oneof![Just(3i64), Just(200), Just(1_000_000)],
        picked in prop::option::of(2usize..7),
        (page_rows, page_bytes) in prop_oneof![Just((64usize, 1usize << 20)), Just((20_000, 1 << 20)), Just((20_000, 2000))],
        row_group_bytes in prop_oneof![Just(1u64 << 30), Just(20_000u64)],
        dictionary in any::<bool>(),
        compression in prop_oneof![Just(Compression::None), Just(Compression::Snappy), Just(Compression::Zstd(1))],
        repeats in 1usize..4,
    ) {
        let batch = batch(&values, spread);
        let (rows, expected) = match picked {
            None => (RowRange::first(batch.num_rows()), batch.clone()),
            Some(every) => {
                let indices: Vec<u32> = (0..batch.num_rows() as u32).step_by(every).collect();
                let expected = take_record_batch(&batch, &UInt32Array::from(indices.clone())).unwrap();
                (RowRange::named(indices.clone().into(), 0..indices.len()), expected)
            }
        };
        let batches = vec![batch.clone(); repeats];
        let mut layout = layout(&batch, compression, 1 << 20, &Default::default()).unwrap();
        (layout.page_rows, layout.page_bytes) = (page_rows, page_bytes);
        layout.columns.iter_mut().for_each(|column| column.dictionary = dictionary);
        let (found, metadata) = read(written(&batches, &rows, layout, row_group_bytes));
        let expected = concat_batches(&batch.schema(), &vec![expected; repeats]).unwrap();
        prop_assert_eq!(concat_batches(&batch.schema(), &found).unwrap(), expected.clone());

        if metadata.num_row_groups() == 1 {
            let mut library = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
            library.write(&expected).unwrap();
            let (_, other) = read(library.into_inner().unwrap());
            for (ours, theirs) in metadata.row_group(0).columns().iter().zip(other.row_group(0).columns()) {
                let (ours, theirs) = (ours.statistics().unwrap(), theirs.statistics().unwrap());
                // Cut texts differ in what they end in; whether they hold is tested beside them.
                if theirs.min_is_exact() && theirs.max_is_exact() {
                    prop_assert_eq!(bounds(ours), bounds(theirs));
                }
            }
        }
    }
}

#[test]
fn a_column_of_nothing_but_null() {
    let batch = batch(&[None; 300], 3);
    let layout = layout(&batch, Compression::Snappy, 1 << 20, &Default::default()).unwrap();
    let (found, _) = read(written(std::slice::from_ref(&batch), &RowRange::first(300), layout, 1 << 30));
    assert_eq!(found, [batch]);
}

#[test]
fn threads_do_not_change_the_bytes() {
    let values: Vec<Option<i64>> =
        (0..5000).map(|i: i64| (i % 11 != 0).then(|| i.wrapping_mul(0x1E37_79B9_7F4A_7C15))).collect();
    let batch = batch(&values, 100);
    let file = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let layout = layout(&batch, Compression::Zstd(1), 1 << 20, &Default::default()).unwrap();
        pool.install(|| written(&vec![batch.clone(); 4], &RowRange::first(5000), layout, 100_000))
    };
    assert!(file(1) == file(4));
}

#[test]
fn a_split_names_the_rows_that_take_would_take() {
    let keys: Vec<Option<&str>> = (0..1000).map(|i| [Some("a"), None, Some("b"), Some("")][i * i % 7 % 4]).collect();
    let batch = RecordBatch::try_from_iter([("key", Arc::new(StringArray::from(keys.clone())) as ArrayRef)]).unwrap();
    let spec = PartitionSpec {
        fields: vec![crate::partition::PartitionField {
            name: "key".into(),
            column: 0,
            transform: crate::partition::PartitionTransform::Identity,
        }],
    };
    let mut splitter = Splitter::new(spec, &batch.schema()).unwrap();
    for _ in 0..2 {
        let mut seen = 0;
        for part in splitter.split(&batch).unwrap() {
            let key = splitter.values(part.partition)[0].1.clone();
            let expected: Vec<usize> = (0..1000).filter(|&row| keys[row].map(str::to_owned) == key).collect();
            let mut found = Vec::new();
            part.rows.for_each(|row| found.push(row));
            assert_eq!(found, expected);
            seen += found.len();
        }
        assert_eq!(seen, 1000);
    }
}
