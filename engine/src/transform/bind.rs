//! Steps and columns to chains and stages: planned once, before the first row.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use chrono::{DateTime, Utc};
use etl_transform::{
    Action, BindContext, JoinKind, Lookup, OriginColumn, OriginValue, Problem, Protection, ROW_NUMBER, key_type,
    registry,
};
use serde_json::Value;

use super::chain::{Chain, End, Operation};
use super::columns::{kept_as, schema_of};
use super::lookup::LookupTable;
use super::{DropNulls, OperationInfo, OutputTable, Stage, StepMode, Transform};
use crate::error::{Error, Result};
use crate::expr::{Query, SqlEngine};
use crate::keys::hide_keys;
use crate::schema::Schema;

/// What binding steps takes.
pub struct TransformWorld<'a> {
    /// The items of `transform`.
    pub steps: &'a [Value],
    /// The columns of accepted rows.
    pub input: &'a Schema,
    /// The other data sets, by alias.
    pub sources: &'a [(String, SchemaRef)],
    /// The columns of those that are marked as personal data, by alias and position.
    pub marked: &'a [(String, Vec<usize>)],
    /// The names of the keys that the job declares.
    pub keys: &'a [String],
    /// The clock of the run.
    pub now: DateTime<Utc>,
}

/// What is still to be bound.
enum Todo<'a> {
    Step(usize, &'a Value),
    Action(usize, &'static str, Action),
}

/// How far a line of steps has come.
#[derive(Clone)]
struct Line {
    columns: SchemaRef,
    /// Which columns hold personal data, or are made of some.
    marks: Vec<bool>,
    /// The table that it is on the way to.
    table: usize,
    /// Whether rows can still be told where they came from.
    traced: bool,
    /// Whether nothing but leaving rows out has happened to them.
    grain: bool,
    /// Whether all rows that were accepted are still there.
    complete: bool,
}

struct Binder<'a> {
    world: &'a TransformWorld<'a>,
    engine: SqlEngine,
    stages: Vec<Option<Stage>>,
    tables: Vec<OutputTable>,
    operations: Vec<OperationInfo>,
    lookups: Vec<LookupTable>,
    protections: Vec<(Protection, SchemaRef)>,
    demands: Vec<(usize, &'static str, String)>,
    wants_origin: bool,
}

impl Transform {
    /// Binds the steps of a job.
    ///
    /// # Errors
    /// `Configuration` that names the step, and what to do.
    pub fn bind(world: &TransformWorld<'_>) -> Result<Transform> {
        let mut binder = Binder {
            world,
            engine: SqlEngine::new(world.now),
            stages: Vec::new(),
            tables: vec![OutputTable::new(None, Schema { columns: Vec::new() })],
            operations: Vec::new(),
            lookups: Vec::new(),
            protections: Vec::new(),
            demands: Vec::new(),
            wants_origin: false,
        };
        let todo = world.steps.iter().enumerate().map(|(index, step)| Todo::Step(index + 1, step)).collect();
        let marks = world.input.columns.iter().map(|column| column.pii.is_some()).collect();
        let line = Line { columns: world.input.arrow(), marks, table: 0, traced: true, grain: true, complete: true };
        let first = Arc::new(binder.chain(todo, line)?);
        let stages = binder.stages.into_iter().map(|stage| stage.ok_or_else(|| Error::internal("a stage was lost")));
        Ok(Transform {
            first,
            stages: stages.collect::<Result<_>>()?,
            tables: binder.tables,
            operations: binder.operations,
            lookups: binder.lookups,
            protections: binder.protections,
            demands: binder.demands,
            wants_origin: binder.wants_origin,
        })
    }

    /// The columns of a data set that stages read, by position; `None` when none reads it at all.
    pub(super) fn reads(&self, alias: &str) -> Option<Vec<usize>> {
        let reading: Vec<Vec<usize>> = self.stages.iter().filter_map(|stage| stage.query.reads(alias)).collect();
        if reading.is_empty() {
            return None;
        }
        let mut columns = reading.concat();
        columns.sort_unstable();
        columns.dedup();
        Some(columns)
    }
}

fn wrong(step: usize, name: &str, problem: &Problem) -> Error {
    let text = problem.message.strip_prefix(&format!("{name}: ")).unwrap_or(&problem.message);
    // What stands in the place of a key's name may be the key.
    let error = Error::configuration(format!("transform, step {step} (`{name}`): {}", hide_keys(text)));
    match &problem.help {
        Some(help) => error.with_help(hide_keys(help).into_owned()),
        None => error,
    }
}

impl<'a> Binder<'a> {
    /// Binds what is still to be done on a line, up to its table or to a stage.
    fn chain(&mut self, mut todo: VecDeque<Todo<'a>>, mut line: Line) -> Result<Chain> {
        let mut operations = Vec::new();
        while let Some(next) = todo.pop_front() {
            let (step, name, action) = match next {
                Todo::Step(step, item) => {
                    let name = registry::split(item).map_or("?", |(found, _)| found.name);
                    let context = BindContext { input: &line.columns, sources: self.world.sources };
                    let actions = registry::bind(item, &context).map_err(|problem| wrong(step, name, &problem))?;
                    for action in actions.into_iter().rev() {
                        todo.push_front(Todo::Action(step, name, action));
                    }
                    continue;
                }
                Todo::Action(step, name, action) => (step, name, action),
            };
            let failed = |problem: Problem| wrong(step, name, &problem);
            match action {
                Action::Filter { condition } => {
                    let query = self.condition(&condition, &line).map_err(failed)?;
                    match query.over_rows("input").map_err(|text| failed(Problem::new(text)))? {
                        Some(rows) => {
                            let id = self.operation(step, name, &line, StepMode::PerBatch, line.grain);
                            operations.push((id, Operation::Rows(rows)));
                            line.complete = false;
                        }
                        None => {
                            let end = self.stage(step, name, query, false, todo, line)?;
                            return Ok(Chain { operations, end });
                        }
                    }
                }
                Action::Require { condition, message } => {
                    let query = self.condition(&condition, &line).map_err(failed)?;
                    let rows = query.over_rows("input").map_err(|text| failed(Problem::new(text)))?;
                    let rows = rows.ok_or_else(|| {
                        failed(Problem::new("the condition looks at more than a row").with_help("derive it before"))
                    })?;
                    let id = self.operation(step, name, &line, StepMode::PerBatch, false);
                    operations.push((id, Operation::Require(self.demands.len(), rows)));
                    self.demands.push((step, name, message));
                }
                Action::Query { sql, names, ordered } => {
                    let query = self.planned(&sql, &line, ordered);
                    let query = query.and_then(|query| kept(query, names.as_deref())).map_err(failed)?;
                    let rows = query.over_rows("input").map_err(|text| failed(Problem::new(text)))?;
                    let Some(rows) = rows.filter(|_| !ordered) else {
                        let end = self.stage(step, name, query, ordered, todo, line)?;
                        return Ok(Chain { operations, end });
                    };
                    line.marks = self.marks_after(&query, &line).map_err(failed)?;
                    let filters = line.grain && !rows.keeps_all();
                    line.complete &= rows.keeps_all();
                    let id = self.operation(step, name, &line, StepMode::PerBatch, filters);
                    line.columns = rows.schema();
                    operations.push((id, Operation::Rows(rows)));
                }
                Action::Kernel(kernel) => {
                    let schema = checked(&kernel.schema()).map_err(failed)?;
                    let same = kernel.one_to_one();
                    let id = self.operation(step, name, &line, StepMode::PerBatch, false);
                    let marked = |output: usize| {
                        kernel.made_of(output).into_iter().any(|input| line.marks.get(input) != Some(&false))
                    };
                    line.marks = (0..schema.fields().len()).map(marked).collect();
                    operations.push((id, Operation::Kernel(kernel)));
                    (line.traced, line.grain, line.complete) =
                        (line.traced && same, line.grain && same, line.complete && same);
                    line.columns = schema;
                }
                Action::DropNullFields { columns, null_values } => {
                    if !todo.is_empty() {
                        return Err(failed(
                            Problem::new("which columns are left is known only after the last row")
                                .with_help("put it behind all other steps"),
                        ));
                    }
                    let operation = self.operation(step, name, &line, StepMode::AllRows, false);
                    let fields = line.columns.fields().iter().enumerate();
                    let columns = fields.filter(|(_, field)| columns.contains(field.name())).map(|(at, _)| at);
                    let drop_nulls = DropNulls { columns: columns.collect(), null_values, operation };
                    if let Some(table) = self.tables.get_mut(line.table) {
                        table.drop_nulls = Some(drop_nulls);
                    }
                }
                Action::Lookup(lookup) => {
                    let bound = self.lookup(&lookup, &line.columns).map_err(failed)?;
                    let theirs = self.world.marked.iter().find(|(alias, _)| *alias == lookup.source);
                    let added = bound.reads.iter().skip(bound.keys.len());
                    let added = added.map(|column| theirs.is_some_and(|(_, marked)| marked.contains(column)));
                    if matches!(lookup.kind, JoinKind::Inner | JoinKind::Left) {
                        line.marks.extend(added);
                    }
                    let only_filters = matches!(lookup.kind, JoinKind::Semi | JoinKind::Anti);
                    let id = self.operation(step, name, &line, StepMode::PerBatch, line.grain && only_filters);
                    line.columns = Arc::clone(&bound.schema);
                    line.grain &= only_filters;
                    line.complete = false;
                    operations.push((id, Operation::Lookup(self.lookups.len())));
                    self.lookups.push(bound);
                }
                Action::Origin(columns) => {
                    if let Some(action) = self.instead_of_origin(&columns, &line).map_err(failed)? {
                        todo.push_front(Todo::Action(step, name, action));
                        continue;
                    }
                    let schema = with_origin(&line.columns, &columns).map_err(failed)?;
                    self.wants_origin |= columns.iter().any(|column| traced(column.value));
                    let id = self.operation(step, name, &line, StepMode::PerBatch, false);
                    operations.push((id, Operation::Origin(columns, Arc::clone(&schema))));
                    line.columns = schema;
                    line.marks.resize(line.columns.fields().len(), false);
                }
                Action::Protect(protection) => {
                    if let Some(key) = protection.key().filter(|key| !self.world.keys.iter().any(|known| known == key))
                    {
                        let known = match self.world.keys.is_empty() {
                            true => "declare it under `keys:`".to_owned(),
                            false => format!("declared under `keys:` are {}", self.world.keys.join(", ")),
                        };
                        return Err(failed(Problem::new(format!("there is no key `{key}`")).with_help(known)));
                    }
                    let schema = protection.schema(&line.columns).and_then(|schema| checked(&schema));
                    let schema = schema.map_err(failed)?;
                    for (field, mark) in line.columns.fields().iter().zip(&mut line.marks) {
                        if protection.columns().any(|column| column == field.name()) {
                            *mark = protection.reveals();
                        }
                    }
                    let id = self.operation(step, name, &line, StepMode::PerBatch, false);
                    operations.push((id, Operation::Protect(self.protections.len())));
                    self.protections.push((protection, std::mem::replace(&mut line.columns, schema)));
                }
                Action::Release { columns } => {
                    for (field, mark) in line.columns.fields().iter().zip(&mut line.marks) {
                        *mark &= !columns.contains(field.name());
                    }
                }
                Action::Branch { table, actions } => {
                    let number = self.table(&table).map_err(failed)?;
                    let id = self.operation(step, name, &line, StepMode::PerBatch, false);
                    let actions = actions.into_iter().map(|action| Todo::Action(step, name, action)).collect();
                    let branch = self.chain(actions, Line { table: number, ..line.clone() })?;
                    operations.push((id, Operation::Branch(Arc::new(branch))));
                }
            }
        }
        let exposed = line.columns.fields().iter().zip(&line.marks).filter(|(_, mark)| **mark);
        let exposed: Vec<String> = exposed.map(|(field, _)| format!("`{}`", field.name())).collect();
        if !exposed.is_empty() {
            return Err(Error::configuration(format!(
                "personal data would be written as it is: {}",
                exposed.join(", ")
            ))
            .with_help(
                "protect the columns (hash, mask_range, encrypt, ...), drop them, or `release` them and say why",
            ));
        }
        if let Some(table) = self.tables.get_mut(line.table) {
            table.schema = schema_of(&line.columns, self.world.input, !self.world.steps.is_empty());
        }
        Ok(Chain { operations, end: End::Table(line.table) })
    }

    /// Binds a step that needs all rows, and what comes after it.
    fn stage(
        &mut self,
        step: usize,
        name: &'static str,
        query: Query,
        numbered: bool,
        todo: VecDeque<Todo<'a>>,
        line: Line,
    ) -> Result<End> {
        let number = self.stages.len();
        self.stages.push(None);
        let operation = self.operation(step, name, &line, StepMode::AllRows, false);
        let mut reads = query.reads("input").unwrap_or_default();
        reads.retain(|column| *column < line.columns.fields().len());
        let mut fields: Vec<FieldRef> =
            reads.iter().filter_map(|index| line.columns.fields().get(*index).cloned()).collect();
        if numbered {
            fields.push(Arc::new(Field::new(ROW_NUMBER, DataType::Int64, true)));
        }
        let theirs = self.world.marked.iter().any(|(alias, marked)| {
            query.reads(alias).is_some_and(|read| read.iter().any(|column| marked.contains(column)))
        });
        let private = theirs || reads.iter().any(|column| line.marks.get(*column) == Some(&true));
        let marks = self.marks_after(&query, &line).map_err(|problem| wrong(step, name, &problem))?;
        let columns = query.schema();
        let next = Line { columns, marks, traced: false, grain: false, complete: false, ..line };
        let next = Arc::new(self.chain(todo, next)?);
        let spooled = Arc::new(ArrowSchema::new(fields));
        self.stages[number] = Some(Stage { operation, query, reads, spooled, numbered, private, next });
        Ok(End::Stage(number))
    }

    fn operation(&mut self, step: usize, name: &'static str, line: &Line, mode: StepMode, filters: bool) -> usize {
        let table = self.tables.get(line.table).and_then(|table| table.name.clone());
        // What a branch leaves out is not left out of the job's own table.
        let filters = filters && table.is_none();
        self.operations.push(OperationInfo { step, name, table, mode, filters });
        self.operations.len() - 1
    }

    fn table(&mut self, name: &str) -> Result<usize, Problem> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > 128 || !name.chars().all(fits) {
            return Err(Problem::new(format!("`{name}` cannot be the name of a table"))
                .with_help("use letters, digits and `_`"));
        }
        if self.tables.iter().any(|table| table.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))) {
            return Err(Problem::new(format!("two steps write the table `{name}`")));
        }
        self.tables.push(OutputTable::new(Some(name.to_owned()), Schema { columns: Vec::new() }));
        Ok(self.tables.len() - 1)
    }

    /// Which columns of a query's result are made of personal data.
    fn marks_after(&self, query: &Query, line: &Line) -> Result<Vec<bool>, Problem> {
        let marked = |(table, column): &(String, usize)| match table.as_str() {
            "input" => line.marks.get(*column) == Some(&true),
            other => {
                // Tables are called in lower case by the plan.
                let known = self.world.marked.iter().find(|(alias, _)| alias.to_lowercase() == other);
                known.is_some_and(|(_, marked)| marked.contains(column))
            }
        };
        let origins = query.origins().map_err(Problem::new)?;
        Ok(origins.iter().map(|origins| origins.iter().any(marked)).collect())
    }

    /// The rows of a line for which a condition is true.
    fn condition(&self, condition: &str, line: &Line) -> Result<Query, Problem> {
        let all = etl_transform::sql::all(&line.columns);
        let (sql, names) = etl_transform::sql::select_text(&all, "input", &format!("WHERE {condition}"))?;
        self.planned(&sql, line, false).and_then(|query| kept(query, Some(&names)))
    }

    fn planned(&self, sql: &str, line: &Line, ordered: bool) -> Result<Query, Problem> {
        let mut input = Arc::clone(&line.columns);
        if ordered {
            let number = Arc::new(Field::new(ROW_NUMBER, DataType::Int64, true));
            input = Arc::new(ArrowSchema::new(input.fields().iter().cloned().chain([number]).collect::<Vec<_>>()));
        }
        let mut tables = vec![("input".to_owned(), input)];
        tables.extend(self.world.sources.iter().cloned());
        self.engine.plan(sql, &tables).map_err(Problem::new)
    }

    fn lookup(&self, lookup: &Lookup, columns: &SchemaRef) -> Result<LookupTable, Problem> {
        let context = BindContext { input: columns, sources: self.world.sources };
        let theirs = context.source(&lookup.source)?;
        let position = |schema: &SchemaRef, name: &str| {
            let fields = schema.fields();
            let exact = fields.iter().position(|field| field.name() == name);
            let found = exact.or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)));
            found.ok_or_else(|| Problem::new(format!("there is no column `{name}`")))
        };
        let mut reads = Vec::new();
        let mut keys = Vec::new();
        for (left, right) in &lookup.keys {
            let (left, right) = (position(columns, left)?, position(theirs, right)?);
            let (mine, other) = (columns.field(left), theirs.field(right));
            // What cannot be compared was refused with words when the step was bound.
            let common = key_type(mine.data_type(), other.data_type());
            let common = common.ok_or_else(|| Problem::new(format!("`{}` is no key of this data set", mine.name())))?;
            keys.push((left, common));
            reads.push(right);
        }
        let mut fields: Vec<FieldRef> = columns.fields().iter().cloned().collect();
        for (name, as_name) in &lookup.columns {
            let index = position(theirs, name)?;
            fields.push(Arc::new(theirs.field(index).clone().with_name(as_name)));
            reads.push(index);
        }
        let schema = checked(&Arc::new(ArrowSchema::new(fields)))?;
        Ok(LookupTable { source: lookup.source.clone(), reads, keys, kind: lookup.kind, schema })
    }

    /// What is done in place of an origin that is not to be had row by row.
    fn instead_of_origin(&self, columns: &[OriginColumn], line: &Line) -> Result<Option<Action>, Problem> {
        let numbers_rows = |column: &OriginColumn| matches!(column.value, OriginValue::Surrogate { .. });
        if columns.iter().any(numbers_rows) && (!line.complete || !line.traced) {
            // Rows that are gone leave gaps, so the others are numbered once all are known.
            let mut outputs = etl_transform::sql::all(&line.columns);
            let (numbers, others): (Vec<_>, Vec<_>) = columns.iter().cloned().partition(numbers_rows);
            if !others.is_empty() {
                return Err(Problem::new("a surrogate key and the origin of rows are two steps"));
            }
            for column in numbers {
                let OriginValue::Surrogate { start } = column.value else { continue };
                let number = format!("CAST(row_number() OVER (ORDER BY `{ROW_NUMBER}`) + {start} - 1 AS BIGINT)");
                outputs.push(etl_transform::sql::Output::new(number, column.name));
            }
            let order = format!("ORDER BY `{ROW_NUMBER}`");
            let (sql, names) = etl_transform::sql::select_text(&outputs, "input", &order)?;
            return Ok(Some(Action::Query { sql, names: Some(names), ordered: true }));
        }
        match columns.iter().find(|column| traced(column.value)).filter(|_| !line.traced) {
            Some(column) => Err(Problem::new(format!("`{}`: the rows are no longer those of the input", column.name))
                .with_help("put this step before those that join, group, sort or multiply rows")),
            None => Ok(None),
        }
    }
}

/// Whether the value is another one for each row.
fn traced(value: OriginValue) -> bool {
    !matches!(value, OriginValue::RunId | OriginValue::LoadedAt)
}

fn with_origin(columns: &SchemaRef, origin: &[OriginColumn]) -> Result<SchemaRef, Problem> {
    let mut fields: Vec<FieldRef> = columns.fields().iter().cloned().collect();
    for column in origin {
        let data_type = match column.value {
            OriginValue::Source | OriginValue::RunId => DataType::Utf8,
            OriginValue::LoadedAt => DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
            OriginValue::Line | OriginValue::Record | OriginValue::Surrogate { .. } => DataType::Int64,
        };
        fields.push(Arc::new(Field::new(&column.name, data_type, true)));
    }
    checked(&Arc::new(ArrowSchema::new(fields)))
}

/// The query with its columns under their names, in types that files can hold.
fn kept(query: Query, names: Option<&[String]>) -> Result<Query, Problem> {
    let given = query.schema();
    if let Some(name) = query.doubled().filter(|_| names.is_none()) {
        return Err(called_twice(name));
    }
    if names.is_some_and(|names| names.len() != given.fields().len()) {
        return Err(Problem::new("the query gives another number of columns than it names"));
    }
    let mut fields = Vec::with_capacity(given.fields().len());
    for (index, field) in given.fields().iter().enumerate() {
        let name = names.and_then(|names| names.get(index)).unwrap_or(field.name());
        let Some(data_type) = kept_as(field.data_type()) else {
            return Err(Problem::new(format!("`{name}` would be of type {}", field.data_type()))
                .with_help("files hold numbers, texts, dates, timestamps, truth values and bytes: cast it"));
        };
        fields.push(Arc::new(Field::new(name, data_type, true)));
    }
    let schema = checked(&Arc::new(ArrowSchema::new(fields)))?;
    Ok(query.with_columns(schema))
}

fn called_twice(name: &str) -> Problem {
    Problem::new(format!("two columns would be called `{name}`")).with_help("rename one of them")
}

/// Columns that can stand between two steps: of known types, no two with one name.
fn checked(schema: &SchemaRef) -> Result<SchemaRef, Problem> {
    let fields = schema.fields();
    for (index, field) in fields.iter().enumerate() {
        let name = field.name();
        if name.eq_ignore_ascii_case(ROW_NUMBER) {
            return Err(Problem::new(format!("`{ROW_NUMBER}` cannot be the name of a column")));
        }
        if fields.iter().take(index).any(|before| before.name().eq_ignore_ascii_case(name)) {
            return Err(called_twice(name));
        }
        if kept_as(field.data_type()).as_ref() != Some(field.data_type()) {
            return Err(Problem::new(format!("`{name}` would be of type {}", field.data_type())));
        }
    }
    let fields = fields.iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
    Ok(Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>())))
}
