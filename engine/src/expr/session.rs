//! A DataFusion session that holds the listed functions and nothing else: no file formats, no object stores, no table
//! functions, no catalog but the declared tables.

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, SchemaProvider};
use datafusion::catalog::{
    CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
};
use datafusion::common::{Result, exec_err};
use datafusion::config::SpillCompression;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::planner::AggregateFunctionPlanner;
use datafusion::functions_window::planner::WindowFunctionPlanner;
use datafusion::optimizer::Analyzer;
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use url::Url;

use super::functions;
use super::messages::panic_text;
use super::operators::{SparkOperators, analyzer_rules};
use super::scan::DeclaredTable;

/// The stack of the threads that plan and run: trees are walked by recursion, and a chain of `or` is deep.
const STACK_BYTES: usize = 64 << 20;

/// A registry without stores that takes none: whatever is asked for is refused.
#[derive(Debug)]
struct NoStores;

impl ObjectStoreRegistry for NoStores {
    fn register_store(&self, _: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        Some(store)
    }

    fn get_store(&self, _: &Url) -> Result<Arc<dyn ObjectStore>> {
        exec_err!("a query reads no files")
    }
}

/// A runtime without stores; the caller adds memory and disk.
pub(super) fn runtime() -> RuntimeEnvBuilder {
    RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(NoStores))
}

/// The settings: one partition, so that sums of doubles do not depend on the number of threads; NULL is the least value.
pub(super) fn config() -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(8192)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema("tables", "tables");
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.default_null_ordering = "nulls_min".to_owned();
    options.execution.spill_compression = SpillCompression::Lz4Frame;
    config
}

/// A session over the tables.
pub(super) fn state(
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    tables: Vec<DeclaredTable>,
) -> Result<SessionState> {
    let schema = MemorySchemaProvider::new();
    for table in tables {
        schema.register_table(table.name().to_owned(), Arc::new(table))?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema("tables", Arc::new(schema))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog("tables".to_owned(), Arc::new(catalog));
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_catalog_list(Arc::new(catalogs))
        .with_expr_planners(vec![
            Arc::new(SparkOperators),
            Arc::new(AggregateFunctionPlanner),
            Arc::new(WindowFunctionPlanner),
        ])
        .with_scalar_functions(functions::scalars())
        .with_aggregate_functions(functions::aggregates())
        .with_window_functions(functions::windows());
    *builder.analyzer() = Some(Analyzer::with_rules(analyzer_rules()));
    Ok(builder.build())
}

/// Runs on a thread with a deep stack; a panic there is an error here.
pub(super) fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sql".into()).stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| format!("no thread could be started: {error}"))?;
        thread.join().unwrap_or_else(|panic| {
            let text = panic_text(panic.as_ref());
            Err(format!("it could not be planned: {text}"))
        })
    })
}
