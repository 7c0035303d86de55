//! Where the accepted rows of a pass go: straight into one table, or through steps into one or more.

use std::path::Path as FilePath;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::catalog::RUN_KEY;
use crate::collect::RowSink;
use crate::commit::{AttemptId, RunId, data_prefix, table_prefix};
use crate::error::{Error, Result};
use crate::exec::{Limits, Permit};
use crate::partition::PartitionSpec;
use crate::run::Action;
use crate::schema::{ColumnType, Schema};
use crate::source::{Located, StoreProvider, locate};
use crate::transform::{OutputTable, RowOrigin, TransformSink, Written};
use crate::write::{OutputFormat, TableWriter, WriterContext, single_file_options};

/// Takes accepted rows.
pub(crate) enum Output {
    /// As they are.
    Rows(Box<TableWriter>),
    /// Through steps.
    Steps(Box<TransformSink>),
}

impl RowSink for Output {
    fn write(&mut self, batch: RecordBatch, permit: Permit) -> Result<()> {
        match self {
            Self::Rows(table) => table.write(batch, permit),
            Self::Steps(steps) => steps.write(batch, permit),
        }
    }

    fn write_from(&mut self, batch: RecordBatch, origin: RowOrigin, permit: Permit) -> Result<()> {
        match self {
            Self::Rows(table) => table.write(batch, permit),
            Self::Steps(steps) => steps.write_from(batch, origin, permit),
        }
    }
}

impl Output {
    /// Waits for all files.
    ///
    /// # Errors
    /// Those of the steps and the writers.
    pub(crate) fn close(self) -> Result<Written> {
        match self {
            Self::Rows(table) => Ok(Written { files: vec![table.close()?], ..Written::default() }),
            Self::Steps(steps) => steps.close(),
        }
    }

    /// Gives up: no file stays.
    pub(crate) fn abort(self) {
        match self {
            Self::Rows(table) => table.abort(),
            Self::Steps(steps) => steps.abort(),
        }
    }
}

/// Makes the writers of a run.
pub(crate) struct Writers<'a> {
    pub(crate) action: &'a Action,
    pub(crate) sink: Option<&'a crate::job::Sink>,
    pub(crate) root: Option<&'a Located>,
    pub(crate) run_id: &'a RunId,
    pub(crate) attempt: &'a AttemptId,
    pub(crate) limits: Limits,
    pub(crate) stores: &'a dyn StoreProvider,
    pub(crate) runtime: &'a tokio::runtime::Handle,
    pub(crate) pool: &'a Arc<rayon::ThreadPool>,
    pub(crate) dry: bool,
    /// Whether a catalog is told of the tables.
    pub(crate) catalog: bool,
}

impl Writers<'_> {
    /// Whether rows are wanted at all.
    pub(crate) fn wanted(&self) -> bool {
        matches!(self.action, Action::Convert { .. }) || (self.root.is_some() && !self.dry)
    }

    /// The writer of each table; none when no rows are wanted. What the sink says is checked even then.
    ///
    /// # Errors
    /// `Configuration` when the sink does not fit the columns.
    pub(crate) fn open(&self, tables: &[OutputTable]) -> Result<Vec<TableWriter>> {
        let memory_bytes = self.limits.writer_bytes() / tables.len().max(1) as u64;
        if let Action::Convert { output, format } = self.action {
            let [table] = tables else {
                return Err(Error::configuration("the steps write more than one table, and `convert` writes one file")
                    .with_help("use `run` with a sink"));
            };
            let format = match format {
                Some(format) => *format,
                None => format_of(output)?,
            };
            return Ok(vec![self.single_file(output, format, &table.schema.arrow())?]);
        }
        let (Some(root), Some(sink)) = (self.root, self.sink) else { return Ok(Vec::new()) };
        let options = sink.write_options(memory_bytes);
        let run_key = |table: &OutputTable| table.schema.index_of(RUN_KEY).is_some();
        if self.catalog && tables.iter().any(run_key) {
            return Err(Error::configuration(format!("a column is called `{RUN_KEY}`"))
                .with_help("the catalog needs that name for the run; rename the column"));
        }
        let known = |name: &String| tables.iter().any(|table| table.schema.index_of(name).is_some());
        if let Some(name) = sink.columns.keys().find(|name| !known(name)) {
            return Err(Error::configuration(format!("sink.columns: no column `{name}` is written")));
        }
        let nested = |name: &String| {
            let found = tables.iter().filter_map(|table| Some(&table.schema.columns[table.schema.index_of(name)?]));
            found.into_iter().any(|column| matches!(column.column_type, ColumnType::Nested(_)))
        };
        if let Some(name) = sink.columns.keys().find(|name| nested(name)) {
            return Err(Error::configuration(format!("sink.columns: `{name}` is nested, and takes no choices")));
        }
        let mut writers = Vec::with_capacity(tables.len());
        for table in tables {
            let by = if table.name.is_none() { sink.partition_by.as_slice() } else { &[] };
            let spec = PartitionSpec::bind(by, &table.schema)?;
            if self.dry {
                continue;
            }
            let mut context = self.context(root);
            if let Some(name) = &table.name {
                context.prefix = table_prefix(&root.path, self.run_id, self.attempt, name);
            }
            // Tables beside have their own columns; what is asked of those of a name holds for all.
            let choices = sink.columns.clone();
            writers.push(TableWriter::new(context, &table.schema.arrow(), spec, options)?.with_choices(choices));
        }
        Ok(writers)
    }

    /// Where the files of the run go, and who writes them.
    pub(crate) fn context(&self, root: &Located) -> WriterContext {
        WriterContext::of(root, data_prefix(&root.path, self.run_id, self.attempt), self.runtime, self.pool)
    }

    /// A writer of one file, by its name.
    ///
    /// # Errors
    /// `Configuration` for a place that is none.
    pub(crate) fn single_file(&self, output: &str, format: OutputFormat, schema: &SchemaRef) -> Result<TableWriter> {
        let target = locate(output, self.stores)?;
        let mut context = self.context(&target);
        context.single = Some(target.path.clone());
        let options = single_file_options(format, self.limits.writer_bytes());
        TableWriter::new(context, schema, PartitionSpec::default(), options)
    }
}

/// The job's own table of rows as they were read.
pub(crate) fn plain(schema: &Schema) -> Vec<OutputTable> {
    vec![OutputTable::new(None, schema.clone())]
}

/// The format of a file by its name.
///
/// # Errors
/// `Configuration` when the name does not tell.
pub(crate) fn format_of(output: &str) -> Result<OutputFormat> {
    let extension = FilePath::new(output).extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("parquet" | "pq") => Ok(OutputFormat::Parquet),
        Some("csv") => Ok(OutputFormat::Csv),
        Some("ndjson" | "jsonl" | "json") => Ok(OutputFormat::Ndjson),
        _ => Err(Error::configuration(format!("`{output}`: the format cannot be told from the name"))
            .with_help("end it in .parquet, .csv or .ndjson, or give --to")),
    }
}
