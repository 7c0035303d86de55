//! Far more partitions than files may be open: nothing lost, nothing in a wrong place.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::options::{Compression, OutputFormat, WriteOptions};
use super::table::{TableWriter, WriterContext};
use super::upload::DataFile;
use crate::collect::RowSink;
use crate::exec::{Cancel, Permits};
use crate::partition::{PartitionField, PartitionSpec, PartitionTransform};

/// The rows of each file, as (partition, ids), and what the writer says of the files.
struct Written {
    files: Vec<DataFile>,
    rows: Vec<(Option<String>, Vec<i64>)>,
}

fn write(keys: &[Vec<Option<u32>>], max_open_writers: usize, memory_bytes: u64, threads: usize) -> Written {
    let runtime = Runtime::new().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let context = WriterContext {
        store: Arc::clone(&store),
        prefix: Path::from("data"),
        single: None,
        part_bytes: 1 << 16,
        runtime: runtime.handle().clone(),
        pool: Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()),
    };
    let options = WriteOptions {
        format: OutputFormat::Parquet,
        compression: Compression::Snappy,
        file_bytes: 1 << 20,
        row_group_bytes: 1 << 20,
        max_open_writers,
        memory_bytes,
    };
    let field = PartitionField { name: "key".into(), column: 0, transform: PartitionTransform::Identity };
    let mut next = 0;
    let mut table: Option<TableWriter> = None;
    let permits = Permits::new(2);
    for keys in keys {
        let texts: StringArray = keys.iter().map(|key| key.map(|key| format!("k{key}"))).collect();
        let ids: Int64Array = (next..next + keys.len() as i64).collect();
        next += keys.len() as i64;
        let columns: [(&str, ArrayRef, bool); 2] = [("key", Arc::new(texts), true), ("id", Arc::new(ids), true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let spec = PartitionSpec { fields: vec![field.clone()] };
        let table =
            table.get_or_insert_with(|| TableWriter::new(context.clone(), &batch.schema(), spec, options).unwrap());
        // Two permits and no more: a writer that kept them would hang here.
        let permit = permits.acquire(&Cancel::default()).unwrap();
        table.write(batch, permit).unwrap();
    }
    let files = table.map_or(Vec::new(), |table| table.close().unwrap());
    let listed: Vec<_> = runtime.block_on(store.list(None).try_collect()).unwrap();
    assert_eq!(listed.len(), files.len(), "every file is reported");
    let rows = files.iter().map(|file| {
        let bytes =
            runtime.block_on(async { store.get(&Path::from(file.path.as_str())).await?.bytes().await }).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let ids =
            reader.flat_map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
        (file.partition[0].1.clone(), ids)
    });
    Written { rows: rows.collect(), files }
}

fn check(keys: &[Vec<Option<u32>>], written: &Written) {
    let flat: Vec<Option<u32>> = keys.iter().flatten().copied().collect();
    let mut seen = vec![false; flat.len()];
    for (file, (partition, ids)) in written.files.iter().zip(&written.rows) {
        assert_eq!(file.rows as usize, ids.len());
        assert!(!ids.is_empty(), "no file is empty");
        assert!(ids.is_sorted(), "rows of a file keep the order of the input");
        let directory = partition.clone().unwrap_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned());
        assert!(file.path.starts_with(&format!("data/key={directory}/")), "{}", file.path);
        for &id in ids {
            assert_eq!(flat[id as usize].map(|key| format!("k{key}")), *partition);
            assert!(!std::mem::replace(&mut seen[id as usize], true), "row {id} stands twice");
        }
    }
    assert!(seen.into_iter().all(|seen| seen), "a row is lost");
    for pair in written.rows.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[0].1.last() < pair[1].1.first(), "files of a partition are listed in the order of their rows");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_in_one_file_of_its_partition(
        keys in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.95, 0u32..200), 0..400), 0..12),
        max_open_writers in 1usize..12,
        memory_bytes in prop_oneof![Just(4u64 << 10), Just(64 << 10), Just(64 << 20)],
        threads in 1usize..4,
    ) {
        let keys: Vec<_> = keys.into_iter().filter(|batch| !batch.is_empty()).collect();
        let first = write(&keys, max_open_writers, memory_bytes, threads);
        check(&keys, &first);
        // The files, but for their names, are those that one thread writes.
        let contents = |written: &Written| -> BTreeMap<_, _> {
            written.files.iter().zip(&written.rows).map(|(file, rows)| ((rows.clone(), file.sha256.clone()), file.size)).collect()
        };
        prop_assert_eq!(contents(&first), contents(&write(&keys, max_open_writers, memory_bytes, 1)));
    }
}

#[test]
fn many_partitions_do_not_mean_a_file_a_batch() {
    // 40 batches, each with rows of all 100 partitions, 10 files open: one file each, since all fit into what is gathered.
    let batch: Vec<Option<u32>> = (0..1000).map(|row| Some(row * 7 % 100)).collect();
    let keys = vec![batch; 40];
    let written = write(&keys, 10, 64 << 20, 2);
    check(&keys, &written);
    assert_eq!(written.files.len(), 100);
}
