use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::kernel::{Kernel, Place};
use crate::kinds::{Kind, cast};
use crate::sql::{Output, name, select, text, type_of};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// What becomes of columns whose texts are values of several types.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Columns and what becomes of each.
    #[serde(default)]
    specs: BTreeMap<String, Spec>,
    /// What becomes of the text columns that `specs` does not name: `cast:TYPE`, `project:TYPE` or `match_catalog`.
    choice: Option<String>,
    /// The types for `match_catalog`, by column.
    #[serde(default)]
    catalog: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Spec {
    /// `cast:TYPE`, `project:TYPE` or `match_catalog`.
    Word(String),
    /// A column for each of several types.
    MakeColumns(MakeColumns),
    /// A struct with a field for each of several types.
    MakeStruct(MakeStruct),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeColumns {
    /// The types. A value goes into the column of the first that it fits.
    make_cols: Types,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeStruct {
    /// The types. A value goes into the field of the first that it fits; the fields are called as the types.
    make_struct: Types,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Types {
    /// `[long, string]`
    List(Vec<String>),
    /// `{types: [long, string]}`
    Named {
        /// The types.
        types: Vec<String>,
    },
}

impl Types {
    fn list(&self) -> &[String] {
        match self {
            Self::List(types) | Self::Named { types } => types,
        }
    }
}

pub(crate) const STEP: StepType = StepType {
    name: "resolve_choice",
    doc: StepDoc {
        summary: "Settles columns whose texts are values of several types: one type for all, or a column or a field for each.",
        nulls: "Kept, also of `make_struct`; a value that does not fit becomes NULL.",
        glue: &["ResolveChoice"],
        databrew: &[],
        differs: "A column that holds several types is a text here, so `choice` is for all text columns. `make_cols` is told the \
                  types: `{make_cols: [long, string]}` puts `<column>_long` and `<column>_string` in the column's place. So is \
                  `make_struct`: `{make_struct: [long, string]}` makes the column a `struct<long:bigint,string:string>`, with \
                  the value in one of the fields and NULL in the others.",
        example: Example {
            types: "string, string",
            input: "id,amount\n7,12\nx,twelve\n",
            job: "- resolve_choice: {specs: {id: \"cast:long\", amount: {make_cols: [long, string]}}}",
            output: "id,amount_long,amount_string\n7,12,\n,,twelve\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { specs, choice, catalog } = crate::read(parameters)?;
    if specs.is_empty() && choice.is_none() {
        return Err(Problem::new("one of `specs` and `choice` is wanted"));
    }
    context.columns(specs.keys().chain(catalog.keys()))?;
    let named = |name: &str| name.to_lowercase();
    let specs: BTreeMap<String, Spec> = specs.into_iter().map(|(column, spec)| (named(&column), spec)).collect();
    let catalog: BTreeMap<String, String> = catalog.into_iter().map(|(column, to)| (named(&column), to)).collect();
    let mut made = Made::default();
    for column in context.input.fields() {
        let wanted = catalog.get(&named(column.name())).map(String::as_str);
        match (specs.get(&named(column.name())), choice.as_deref()) {
            (Some(Spec::MakeColumns(spec)), _) => {
                for part in parts(column, spec.make_cols.list(), "make_cols")? {
                    made.put(part.expression, format!("{}_{}", column.name(), part.suffix), part.data_type);
                }
            }
            (Some(Spec::MakeStruct(spec)), _) => {
                made.put_struct(column, parts(column, spec.make_struct.list(), "make_struct")?)?;
            }
            (Some(Spec::Word(word)), _) => made.settle(column, word, wanted)?,
            // The catalog knows columns of all types; any other choice is for texts.
            (None, Some(word)) if word == "match_catalog" || *column.data_type() == DataType::Utf8 => {
                made.settle(column, word, wanted)?;
            }
            (None, _) => made.put(name(column.name()), column.name().clone(), column.data_type().clone()),
        }
    }
    made.actions()
}
/// The columns of the result.
#[derive(Default)]
struct Made {
    /// What a query makes.
    outputs: Vec<Output>,
    /// What becomes of that.
    places: Vec<Range<usize>>,
    fields: Vec<Field>,
    /// Whether anything becomes of it at all.
    structs: bool,
}

impl Made {
    fn put(&mut self, expression: String, name: String, data_type: DataType) {
        let at = self.outputs.len();
        self.places.push(at..at + 1);
        self.fields.push(Field::new(&name, data_type, true));
        self.outputs.push(Output::new(expression, name));
    }

    /// The column under one type.
    fn settle(&mut self, column: &Field, word: &str, wanted: Option<&str>) -> Result<(), Problem> {
        match target(column, word, wanted)? {
            Some(target) => {
                let data_type = type_of(target)?;
                self.put(cast(column, &data_type)?, column.name().clone(), data_type);
            }
            None => self.put(name(column.name()), column.name().clone(), column.data_type().clone()),
        }
        Ok(())
    }

    /// The column as a struct of its parts.
    fn put_struct(&mut self, column: &Field, parts: Vec<Part>) -> Result<(), Problem> {
        let (begin, mut names, mut fields) = (self.outputs.len(), HashSet::new(), Vec::new());
        for part in parts {
            if !names.insert(part.suffix.clone()) {
                let words =
                    format!("column `{}`: `make_struct` would have two fields `{}`", column.name(), part.suffix);
                return Err(Problem::new(words));
            }
            // Until they are put together they need names that no column has.
            self.outputs.push(Output::new(part.expression, format!("{}<{}>", column.name(), part.suffix)));
            fields.push(Field::new(part.suffix, part.data_type, true));
        }
        self.structs = true;
        self.places.push(begin..self.outputs.len());
        self.fields.push(Field::new(column.name(), DataType::Struct(fields.into()), true));
        Ok(())
    }

    fn actions(self) -> Result<Vec<Action>, Problem> {
        let Self { outputs, places, fields, structs } = self;
        let query = select(outputs, "")?;
        if !structs {
            return Ok(vec![query]);
        }
        Ok(vec![query, Action::Kernel(Arc::new(PutTogether { places, schema: Arc::new(Schema::new(fields)) }))])
    }
}

/// Columns side by side become structs.
#[derive(Debug)]
struct PutTogether {
    /// The columns that each one of the result is made of.
    places: Vec<Range<usize>>,
    schema: SchemaRef,
}

impl Kernel for PutTogether {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        self.places.get(output).cloned().map(Vec::from_iter).unwrap_or_default()
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let worded = |error: arrow::error::ArrowError| error.to_string();
        let column = |(place, field): (&Range<usize>, &Arc<Field>)| -> Result<ArrayRef, String> {
            let parts = batch.columns().get(place.clone()).ok_or("columns are missing")?;
            match (parts, field.data_type()) {
                ([one], data_type) if one.data_type() == data_type => Ok(Arc::clone(one)),
                (parts, DataType::Struct(fields)) => Ok(Arc::new(together(fields, parts).map_err(worded)?)),
                (_, other) => Err(format!("`{}` is no {other}", field.name())),
            }
        };
        let columns = self.places.iter().zip(self.schema.fields()).map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(self.schema(), columns).map_err(worded)
    }
}

/// A struct of columns, NULL where all of them are.
fn together(fields: &Fields, parts: &[ArrayRef]) -> Result<StructArray, arrow::error::ArrowError> {
    let known = parts.iter().map(|part| part.logical_nulls().map(NullBuffer::into_inner));
    // A column without NULLs leaves no row without a value.
    let known = known.reduce(|one, other| Some(&one? | &other?)).flatten();
    StructArray::try_new(fields.clone(), parts.to_vec(), known.map(NullBuffer::new))
}

/// The type that a word asks for.
fn target<'t>(column: &Field, word: &'t str, wanted: Option<&'t str>) -> Result<Option<&'t str>, Problem> {
    match (word, word.split_once(':')) {
        (_, Some(("cast" | "project", target))) => Ok(Some(target)),
        ("match_catalog", _) => Ok(wanted),
        ("make_cols" | "make_struct", _) => {
            let problem = Problem::new(format!("column `{}`: `{word}` needs the types", column.name()));
            Err(problem.with_help(format!("{{{word}: [long, string]}}")))
        }
        _ => Err(Problem::new(format!("`{word}` is no way to settle a column")).with_help(
            "known are cast:TYPE, project:TYPE, match_catalog, {make_cols: [TYPE, ...]} and {make_struct: [TYPE, ...]}",
        )),
    }
}

/// A column's values of one type.
struct Part {
    /// The type as it is written, without what stands in parentheses.
    suffix: String,
    expression: String,
    data_type: DataType,
}

/// A part for each type, with the values that fit no type before it.
fn parts(column: &Field, types: &[String], word: &str) -> Result<Vec<Part>, Problem> {
    Kind::Text.check(column)?;
    if types.is_empty() {
        return Err(Problem::new(format!("column `{}`: `{word}` names no type", column.name())));
    }
    let value = name(column.name());
    let mut before: Vec<String> = Vec::new();
    let mut parts = Vec::new();
    for written in types {
        let data_type = type_of(written)?;
        let cast = cast(column, &data_type)?;
        let fits = fits(&value, &cast, &data_type);
        let conditions: Vec<String> =
            before.iter().map(|earlier| format!("NOT ({earlier})")).chain([fits.clone()]).collect();
        before.push(fits);
        let suffix = written.split('(').next().unwrap_or_default().trim().to_lowercase();
        let expression = format!("CASE WHEN {} THEN {cast} END", conditions.join(" AND "));
        parts.push(Part { suffix, expression, data_type });
    }
    Ok(parts)
}

/// Whether a text is a value of the type. Casts alone take too much: `1.5` is a whole number to them, `2024` a date.
fn fits(value: &str, cast: &str, target: &DataType) -> String {
    let like = |pattern: &str| format!("({value} rlike {} AND {cast} IS NOT NULL)", text(pattern));
    match target {
        DataType::Utf8 | DataType::Binary => format!("{value} IS NOT NULL"),
        DataType::Boolean => like(r"(?i)^\s*(true|false)\s*$"),
        DataType::Date32 => like(r"^\s*\d{4}-\d{1,2}-\d{1,2}\s*$"),
        DataType::Timestamp(..) => like(r"^\s*\d{4}-\d{1,2}-\d{1,2}[T ]\d"),
        number if number.is_integer() => like(r"^\s*[+-]?\d+\s*$"),
        _ => like(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use crate::agree::type_words;
    use crate::kernel::Place;
    use crate::testing::{batch, bind, json_shown, kernel, problem, query, sql, table};

    #[test]
    fn a_value_goes_into_the_column_of_the_first_type_that_it_fits() {
        let sql =
            query("resolve_choice: {specs: {A: {make_cols: {types: [long, string]}}}}", &table("a string")).unwrap();
        let fits = r"(`a` rlike '^\\s*[+-]?\\d+\\s*$' AND CAST(`a` AS BIGINT) IS NOT NULL)";
        assert_eq!(
            sql,
            format!(
                "SELECT CASE WHEN {fits} THEN CAST(`a` AS BIGINT) END AS c0, \
                 CASE WHEN NOT ({fits}) AND `a` IS NOT NULL THEN `a` END AS c1 FROM input"
            )
        );
    }

    #[test]
    fn a_choice_is_for_texts_and_a_catalog_for_all() {
        let schema = table("a string, b bigint");
        assert_eq!(
            query("resolve_choice: {choice: \"project:double\"}", &schema).unwrap(),
            "SELECT CAST(`a` AS DOUBLE) AS c0, `b` AS c1 FROM input"
        );
        assert_eq!(
            query("resolve_choice: {choice: match_catalog, catalog: {b: int}}", &schema).unwrap(),
            "SELECT `a` AS c0, CAST(`b` AS INT) AS c1 FROM input"
        );
        assert!(problem("resolve_choice: {specs: {a: make_cols}}", &schema).contains("needs the types"));
        assert!(
            problem("resolve_choice: {specs: {a: make_struct}}", &schema).contains("needs the types ({make_struct:")
        );
        assert!(problem("resolve_choice: {choice: \"mix\"}", &schema).contains("no way"));
    }

    #[test]
    fn a_struct_holds_a_value_in_one_of_its_fields() {
        let item = "resolve_choice: {specs: {a: {make_struct: [long, \"decimal(4,2)\"]}, b: \"cast:int\"}}";
        let actions = bind(item, &table("id int, a string, b string"));
        let fits = |pattern: &str, to: &str| format!("(`a` rlike '{pattern}' AND CAST(`a` AS {to}) IS NOT NULL)");
        let long = fits(r"^\\s*[+-]?\\d+\\s*$", "BIGINT");
        let decimal = fits(r"^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$", "DECIMAL(4,2)");
        assert_eq!(
            sql(&actions[..1]),
            format!(
                "SELECT `id` AS c0, CASE WHEN {long} THEN CAST(`a` AS BIGINT) END AS c1, \
                 CASE WHEN NOT ({long}) AND {decimal} THEN CAST(`a` AS DECIMAL(4,2)) END AS c2, CAST(`b` AS INT) AS c3 \
                 FROM input -> id,a<long>,a<decimal>,b"
            )
        );
        let kernel = kernel(&actions);
        assert!(kernel.one_to_one());
        assert_eq!([0, 1, 2].map(|output| kernel.made_of(output)), [vec![0], vec![1, 2], vec![3]]);
        let rows = batch(
            "id int, `a<long>` bigint, `a<decimal>` decimal(4,2), b int",
            &[
                &[Some("1"), Some("12"), None, Some("5")],
                &[Some("2"), None, Some("1.5"), None],
                &[Some("3"), None, None, Some("6")],
            ],
        );
        let check = |rows: &RecordBatch, expected: &[&str]| {
            let result = kernel.apply(rows, Place::default()).unwrap();
            assert_eq!(type_words(result.column(1).data_type()), "struct<long:bigint,decimal:decimal(4,2)>");
            assert_eq!(json_shown(result.column(1)), expected);
            assert_eq!(result.column(2).as_ref(), rows.column(3).as_ref());
        };
        let first = r#"{"long":12,"decimal":null}"#;
        check(&rows, &[first, r#"{"long":null,"decimal":1.50}"#, "null"]);
        check(&rows.slice(0, 1), &[first]);
        check(&rows.slice(2, 1), &["null"]);
        check(&rows.slice(0, 0), &[]);
    }

    #[test]
    fn what_no_struct_can_be_made_of() {
        let schema = table("a string, b bigint");
        let check = |spec: &str, words: &str| {
            let problem = problem(&format!("resolve_choice: {{specs: {{{spec}}}}}"), &schema);
            assert!(problem.contains(words), "{problem}");
        };
        check("a: {make_struct: []}", "`make_struct` names no type");
        check("a: {make_struct: [\"decimal(4,2)\", \"decimal(9,2)\"]}", "would have two fields `decimal`");
        check("a: {make_struct: [array<int>]}", "the nested type `array<int>` is not taken here");
        check("b: {make_struct: [long]}", "it takes texts");
    }
}
