//! What the tests share: Arrow tables from JSON cases, and a `where` compiler for a few simple shapes.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses a part")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use etl_rules::{BindContext, Facts, FileFact, Need, Predicate, PredicateCompiler, ReferenceScan, RuleSet, dqdl};
use serde_json::Value;

/// Builds the table of a case; `None` when a column type is unknown here.
pub fn table(data: &Value) -> Option<RecordBatch> {
    let columns = data["columns"].as_array()?;
    let rows = data["rows"].as_array()?;
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let cells: Vec<&Value> = rows.iter().map(|row| &row[index]).collect();
        let array = array(column["type"].as_str()?, &cells)?;
        fields.push(Field::new(column["name"].as_str()?, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).ok()
}

fn array(data_type: &str, cells: &[&Value]) -> Option<ArrayRef> {
    let int = |cell: &&Value| cell.as_i64();
    Some(match data_type {
        "string" => Arc::new(cells.iter().map(|cell| cell.as_str()).collect::<StringArray>()),
        "int" => Arc::new(cells.iter().map(|cell| int(cell).map(|v| v as i32)).collect::<Int32Array>()),
        "long" | "bigint" => Arc::new(cells.iter().map(int).collect::<Int64Array>()),
        "double" => Arc::new(cells.iter().map(|cell| cell.as_f64()).collect::<Float64Array>()),
        "boolean" => Arc::new(cells.iter().map(|cell| cell.as_bool()).collect::<BooleanArray>()),
        "date" => Arc::new(
            cells
                .iter()
                .map(|cell| {
                    let date: chrono::NaiveDate = cell.as_str()?.parse().ok()?;
                    Some((date - chrono::NaiveDate::default()).num_days() as i32)
                })
                .collect::<Date32Array>(),
        ),
        other => {
            let inner = other.strip_prefix("struct<")?.strip_suffix('>')?;
            let mut children = Vec::new();
            for field in inner.split(',') {
                let (name, data_type) = field.split_once(':')?;
                let cells: Vec<&Value> = cells.iter().map(|cell| &cell[name]).collect();
                let array = array(data_type, &cells)?;
                children.push((Arc::new(Field::new(name, array.data_type().clone(), true)), array));
            }
            Arc::new(StructArray::from(children))
        }
    })
}

/// `column op literal`, `column in (..)`, joined by `and`: enough for the cases, and no more.
pub struct SimpleWhere;

struct Comparison {
    column: usize,
    operator: String,
    operands: Vec<String>,
}

impl PredicateCompiler for SimpleWhere {
    /// Any query counts something: there is no SQL engine here to ask.
    fn plan_query(&self, _sql: &str, _schema: &SchemaRef, _facts: &Facts) -> Result<SchemaRef, String> {
        Ok(Arc::new(Schema::new(vec![Field::new("count", DataType::Int64, true)])))
    }

    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Predicate>, String> {
        let mut comparisons = Vec::new();
        for part in sql.split(" and ") {
            let (name, rest) = part.trim().split_once(' ').ok_or("not a comparison")?;
            let column = schema.index_of(name).map_err(|error| error.to_string())?;
            let (operator, operands) = rest.trim().split_once(' ').ok_or("not a comparison")?;
            if !["=", "!=", ">", ">=", "<", "<=", "in"].contains(&operator) {
                return Err(format!("operator {operator}"));
            }
            let operands = operands.trim().trim_start_matches('(').trim_end_matches(')');
            let operands = operands.split(',').map(|operand| operand.trim().trim_matches('\'').to_owned()).collect();
            comparisons.push(Comparison { column, operator: operator.to_owned(), operands });
        }
        Ok(Box::new(Comparisons(comparisons)))
    }
}

struct Comparisons(Vec<Comparison>);

impl Predicate for Comparisons {
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, String> {
        (0..batch.num_rows())
            .map(|row| {
                let mut all = Some(true);
                for comparison in &self.0 {
                    let array = batch.column(comparison.column);
                    let holds = if array.is_null(row) {
                        None
                    } else {
                        let value = array_value_to_string(array, row).map_err(|error| error.to_string())?;
                        Some(comparison.holds(&value, array.data_type().is_numeric()))
                    };
                    all = match (all, holds) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    };
                }
                Ok(all)
            })
            .collect()
    }
}

impl Comparison {
    fn holds(&self, value: &str, numeric: bool) -> bool {
        let compare = |operand: &String| {
            if numeric {
                let (value, operand) = (value.parse::<f64>().unwrap(), operand.parse::<f64>().unwrap());
                value.total_cmp(&operand)
            } else {
                value.cmp(operand)
            }
        };
        let first = compare(&self.operands[0]);
        match self.operator.as_str() {
            "=" => first.is_eq(),
            "!=" => first.is_ne(),
            ">" => first.is_gt(),
            ">=" => first.is_ge(),
            "<" => first.is_lt(),
            "<=" => first.is_le(),
            _ => self.operands.iter().any(|operand| compare(operand).is_eq()),
        }
    }
}

/// Binds a document with the data sets in `references`, each scanned for what the rules want to know.
pub fn bind_with_references(
    document: &dqdl::Document,
    cx: &BindContext<'_>,
    references: &[(&str, RecordBatch)],
) -> Result<RuleSet, Vec<dqdl::Diagnostic>> {
    let mut facts = Facts::default();
    for (alias, batch) in references {
        facts.declare(*alias, batch.schema());
    }
    let needs: Vec<Need> = RuleSet::needs(document, &BindContext { facts: &facts, ..*cx });
    for (alias, batch) in references {
        let mut scan = ReferenceScan::new(alias, &batch.schema(), &needs);
        // In two parts: a scan is a pass like any other.
        let half = batch.num_rows() / 2;
        scan.update(&batch.slice(0, half)).unwrap();
        scan.update(&batch.slice(half, batch.num_rows() - half)).unwrap();
        facts.learn(scan);
    }
    for need in needs {
        if let Need::Files(need) = need {
            facts.learn_files(need, Ok(vec![file("data/a.csv", 10, "2026-01-14T08:00:00Z", Some("aa"))]));
        }
    }
    RuleSet::bind(document, &BindContext { facts: &facts, ..*cx })
}

/// What is known of a file.
pub fn file(uri: &str, size: u64, modified: &str, checksum: Option<&str>) -> FileFact {
    let modified = modified.parse().unwrap();
    FileFact { uri: uri.to_owned(), size, modified, checksum: checksum.map(str::to_owned) }
}

/// A schema with one nullable column.
pub fn one_column(name: &str, data_type: DataType) -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(name, data_type, true),
        Field::new("category", DataType::Utf8, true),
        Field::new("status_", DataType::Utf8, true),
    ]))
}
