//! Columns under new types: scalar ones by casts of Spark's SQL, nested ones read from JSON texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use serde::de::IgnoredAny;

use crate::action::Action;
use crate::json::nested::Shape;
use crate::json::{OnError, malformed};
use crate::kernel::{Kernel, Place};
use crate::kinds::{cast, shown};
use crate::nested;
use crate::sql::{Output, name, select, type_of};
use crate::step::Problem;

/// The columns of a result.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// What they are before JSON is read.
    outputs: Vec<Output>,
    fields: Vec<FieldRef>,
    /// Those that JSON is read of.
    read: Vec<Read>,
}

/// A column of JSON texts that becomes nested.
#[derive(Debug)]
struct Read {
    at: usize,
    shape: Shape,
    on_error: OnError,
}

impl Columns {
    /// All columns as they are.
    pub(crate) fn all(input: &SchemaRef) -> Self {
        Self { outputs: crate::sql::all(input), fields: input.fields().iter().cloned().collect(), read: Vec::new() }
    }

    /// One more column: `column` under a name and, where told, a type.
    pub(crate) fn put(
        &mut self,
        column: &Field,
        new_name: &str,
        target: Option<&str>,
        on_error: OnError,
    ) -> Result<(), Problem> {
        self.outputs.push(Output::new(name(column.name()), new_name));
        self.fields.push(Arc::new(column.clone().with_name(new_name)));
        match target {
            Some(target) => self.set(self.outputs.len() - 1, column, target, on_error),
            None => Ok(()),
        }
    }

    /// The column under another type, in its place among all of them.
    pub(crate) fn change(&mut self, column: &Field, target: &str, on_error: OnError) -> Result<(), Problem> {
        match self.fields.iter().position(|field| field.name() == column.name()) {
            Some(at) => self.set(at, column, target, on_error),
            None => Err(Problem::new(format!("there is no column `{}`", column.name()))),
        }
    }

    fn set(&mut self, at: usize, column: &Field, target: &str, on_error: OnError) -> Result<(), Problem> {
        self.read.retain(|read| read.at != at);
        let data_type = match nested::is_nested(target) {
            true => {
                let data_type = nested::parse(target).map_err(Problem::new)?;
                if *column.data_type() != data_type {
                    let shape = shape(column, &data_type)?;
                    self.read.push(Read { at, shape, on_error });
                }
                self.outputs[at].expression = name(column.name());
                data_type
            }
            false => {
                let data_type = type_of(target)?;
                self.outputs[at].expression = cast(column, &data_type)?;
                data_type
            }
        };
        self.fields[at] = Arc::new(Field::new(self.fields[at].name(), data_type, true));
        Ok(())
    }

    /// What makes them of the columns of `input`.
    pub(crate) fn actions(self, input: &SchemaRef) -> Result<Vec<Action>, Problem> {
        let Self { outputs, fields, read } = self;
        if read.is_empty() {
            return Ok(vec![select(outputs, "")?]);
        }
        let kernel = Action::Kernel(Arc::new(ReadNested { read, schema: Arc::new(Schema::new(fields)) }));
        // A query that changes nothing would be carried out nevertheless.
        if outputs == crate::sql::all(input) {
            return Ok(vec![kernel]);
        }
        Ok(vec![select(outputs, "")?, kernel])
    }
}

/// How values of a nested type are read from a column.
fn shape(column: &Field, data_type: &DataType) -> Result<Shape, Problem> {
    let (given, wanted) = (shown(column.data_type()), shown(data_type));
    if !column.data_type().is_string() {
        let words = format!("column `{}` is a {given}; {wanted} is read from JSON, in string columns", column.name());
        return Err(Problem::new(words));
    }
    Shape::of(data_type).map_err(|problem| Problem { message: format!("`{wanted}`: {}", problem.message), ..problem })
}

/// JSON texts become nested values, in their columns.
#[derive(Debug)]
struct ReadNested {
    read: Vec<Read>,
    schema: SchemaRef,
}

impl ReadNested {
    fn column(&self, batch: &RecordBatch, read: &Read) -> Result<ArrayRef, String> {
        let field = self.schema.field(read.at);
        let (name, words) = (field.name(), shown(field.data_type()));
        let texts = batch.column(read.at).as_string_opt::<i32>().ok_or_else(|| format!("`{name}` holds no texts"))?;
        // Within JSON no value has blanks around it, and `null` is told by its letters.
        let blank = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r');
        let mut values: Vec<Option<&str>> =
            texts.iter().map(|text| text.map(|text| text.trim_matches(blank))).collect();
        if let Ok(array) = read.shape.array(&values) {
            return Ok(array);
        }
        let rows = read.shape.misfits(&values, read.on_error == OnError::Fail);
        for row in rows {
            values[row] = None;
            read.on_error.check(|| match serde_json::from_str::<IgnoredAny>(texts.value(row)) {
                Ok(_) => format!("`{name}` holds JSON that does not fit {words}"),
                Err(error) => malformed(name, &error),
            })?;
        }
        read.shape.array(&values).map_err(|_| format!("`{name}`: the values of a batch do not fit {words} together"))
    }
}

impl Kernel for ReadNested {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        vec![output]
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let mut columns = batch.columns().to_vec();
        for read in &self.read {
            columns[read.at] = self.column(batch, read)?;
        }
        RecordBatch::try_new(self.schema(), columns).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::step::BindContext;
    use crate::testing::{applied, batch, bind, json_shown, kernel, nested_type, problem, sql, table};

    fn rows(texts: &[Option<&str>]) -> RecordBatch {
        let rows: Vec<[Option<&str>; 2]> = texts.iter().map(|text| [Some("7"), *text]).collect();
        let rows: Vec<&[Option<&str>]> = rows.iter().map(|row| row.as_slice()).collect();
        batch("id int, doc string", &rows)
    }

    #[test]
    fn texts_become_structs_arrays_and_maps() {
        let rows = rows(&[
            Some(r#"{"b": [1, "2"], "a": 5, "c": {"k": 0.50}, "more": {}}"#),
            None,
            Some(" null\n"),
            Some("{}"),
        ]);
        let item = "cast: {columns: {DOC: \"struct<a:int,b:array<string>,c:map<string,decimal(4,2)>>\"}}";
        let result = applied(item, &rows).unwrap();
        assert_eq!(
            json_shown(result.column(1)),
            [r#"{"a":5,"b":["1","2"],"c":{"k":0.50}}"#, "null", "null", r#"{"a":null,"b":null,"c":null}"#]
        );
        assert_eq!(result.column(0).null_count(), 0);
        assert!(applied(item, &rows.slice(1, 2)).is_ok() && applied(item, &rows.slice(0, 0)).is_ok());
        let actions = bind(item, &rows.schema());
        let kernel = kernel(&actions);
        assert!(kernel.one_to_one());
        assert_eq!((kernel.made_of(0), kernel.made_of(1)), (vec![0], vec![1]));
    }

    #[test]
    fn faults_are_told_without_values_or_are_null() {
        let check = |text: &str, words: &str| {
            let rows = rows(&[Some("[1]"), Some(text), Some("[2]"), Some(text)]);
            let item = |rest: &str| format!("cast: {{columns: {{doc: array<int>}}{rest}}}");
            let error = applied(&item(""), &rows).unwrap_err();
            assert!(error.contains(words) && error.ends_with("with `on_error: null` it is NULL"), "{error}");
            assert!(!error.contains("secret"), "{error}");
            let result = applied(&item(", on_error: null"), &rows).unwrap();
            assert_eq!(json_shown(result.column(1)), ["[1]", "null", "[2]", "null"]);
        };
        check(r#"["secret"]"#, "`doc` holds JSON that does not fit array<int>");
        check(r#"[1, 3000000000]"#, "`doc` holds JSON that does not fit array<int>");
        check(r#"{"secret": 1}"#, "`doc` holds JSON that does not fit array<int>");
        check("[1, secret]", "`doc` holds a text that is not JSON from character 5 of line 1");
        check("[1]} {\"v\": [2]", "`doc` holds a text that is not JSON from character 4 of line 1");
        check("[1]\n[2]", "`doc` holds a text that is not JSON from character 1 of line 2");
        check("[1, ", "`doc` holds a text that ends in the middle of its JSON");
        check("", "`doc` holds a text that ends in the middle of its JSON");
    }

    #[test]
    fn scalar_and_nested_types_at_once() {
        let input = table("id int, doc string, day string");
        let actions = bind("cast: {columns: {day: date, doc: array<int>, id: long}}", &input);
        let query = sql(&actions[..1]);
        assert_eq!(
            query,
            "SELECT CAST(`id` AS BIGINT) AS c0, `doc` AS c1, CAST(`day` AS DATE) AS c2 FROM input -> id,doc,day"
        );
        let types: Vec<String> =
            kernel(&actions).schema().fields().iter().map(|field| shown(field.data_type())).collect();
        assert_eq!(types, ["bigint", "array<int>", "date"]);
        assert_eq!(bind("cast: {columns: {doc: array<int>}}", &input).len(), 1);
    }

    #[test]
    fn a_mapping_may_take_a_text_twice() {
        let item = "apply_mapping: [[doc, string, list, array<int>], {from: doc}, {from: id, type: long}]";
        let actions = bind(item, &table("id int, doc string"));
        assert_eq!(
            sql(&actions[..1]),
            "SELECT `doc` AS c0, `doc` AS c1, CAST(`id` AS BIGINT) AS c2 FROM input -> list,doc,id"
        );
        let rows = batch("list string, doc string, id bigint", &[&[Some("[1]"), Some("[1]"), Some("7")]]);
        let result = kernel(&actions).apply(&rows, Place::default()).unwrap();
        assert_eq!(
            (json_shown(result.column(0)), json_shown(result.column(1))),
            (vec!["[1]".into()], vec!["\"[1]\"".into()])
        );
        let item = "apply_mapping: [{from: doc, type: array<int>, on_error: null}]";
        let actions = bind(item, &table("id int, doc string"));
        let rows = batch("doc string", &[&[Some("x")]]);
        assert!(kernel(&actions).apply(&rows, Place::default()).unwrap().column(0).is_null(0));
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id int, doc string");
        let check = |columns: &str, words: &str| {
            let problem = problem(&format!("cast: {{columns: {{{columns}}}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("id: array<int>", "column `id` is a int; array<int> is read from JSON, in string columns");
        check("doc: \"array<int\"", "`>` is expected at its end");
        check("doc: \"map<string,binary>\"", "`map<string,binary>`: JSON has no binary values");
        check("doc: struct", "unknown type `struct` (write its parts, such as array<int>");
    }

    /// A document of a type, what is left of it when only the type's fields are, and whether all of it fits.
    fn document(data_type: &DataType, seed: &mut impl FnMut(u32) -> u32) -> (Value, Value) {
        if seed(8) == 0 {
            return (Value::Null, Value::Null);
        }
        match data_type {
            DataType::List(item) => {
                let (items, left) = (0..seed(4)).map(|_| document(item.data_type(), seed)).unzip();
                (Value::Array(items), Value::Array(left))
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else { unreachable!() };
                let (mut all, mut left) = (json!({}), json!({}));
                for at in 0..seed(4) {
                    let key = format!("{}\"\u{e9}\n{at}", seed(3));
                    let (value, rest) = document(fields[1].data_type(), seed);
                    all[&key] = value;
                    left[&key] = rest;
                }
                (all, left)
            }
            DataType::Struct(fields) => {
                let (mut all, mut left) = (json!({}), json!({}));
                for field in fields {
                    let (value, rest) = document(field.data_type(), seed);
                    left[field.name()] = Value::Null;
                    if seed(5) > 0 {
                        all[field.name()] = value;
                        left[field.name()] = rest;
                    }
                    if seed(5) == 0 {
                        // A name that is none of the type's, for those have no more than six characters.
                        all[&format!("passed over {}", seed(9))] = json!([{"x": [1, "]}"]}, 2.5]);
                    }
                }
                (all, left)
            }
            scalar => {
                let value = match scalar {
                    DataType::Int8 => json!(seed(256) as i64 - 128),
                    DataType::Int32 => json!(seed(u32::MAX) as i32),
                    DataType::Int64 => json!(i64::from(seed(u32::MAX)) << 31 | i64::from(seed(u32::MAX))),
                    DataType::Float64 => json!(f64::from(seed(1 << 30)) / 1024.0),
                    DataType::Boolean => json!(seed(2) == 0),
                    DataType::Date32 => json!(format!("20{:02}-0{}-1{}", seed(100), 1 + seed(9), seed(10))),
                    _ => json!(format!("\"\\\u{1f600}{}\u{1}", seed(1000))),
                };
                (value.clone(), value)
            }
        }
    }

    fn scalars() -> Vec<DataType> {
        use DataType::{Boolean, Date32, Float64, Int8, Int32, Int64, Utf8};
        vec![Int8, Int32, Int64, Float64, Boolean, Date32, Utf8]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn documents_are_what_they_were(
            data_type in nested_type("\\PC{1,6}", scalars()),
            seeds in prop::collection::vec(any::<u32>(), 1..400),
            bad in prop::collection::vec(any::<u8>(), 0..6),
        ) {
            let mut at = 0;
            let mut seed = |below: u32| {
                at += 1;
                seeds[at % seeds.len()].rotate_left(at as u32) % below
            };
            let (mut texts, mut expected) = (Vec::new(), Vec::new());
            for _ in 0..6 {
                let (all, left) = document(&data_type, &mut seed);
                texts.push(Some(all.to_string()));
                expected.push(left);
            }
            for bad in bad {
                // No type but a text takes a text, and no document ends here.
                let row = usize::from(bad) % texts.len();
                texts[row] = Some(["\"no\"", "{", "[1 2]", "null null", "[}", "1"][usize::from(bad >> 5) % 6].to_owned());
                expected[row] = Value::Null;
            }
            let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            let columns = json!({"doc": nested::type_text(&data_type)});
            let batch = rows(&texts);
            let context = BindContext { input: &batch.schema(), sources: &[] };
            let actions = crate::registry::bind(&json!({"cast": {"columns": columns, "on_error": "null"}}), &context).unwrap();
            let result = kernel(&actions).apply(&batch, Place::default()).unwrap();
            let found: Vec<Value> = json_shown(result.column(1)).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn decimals_keep_their_digits_or_do_not_fit(digits in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?(e-?[0-9]{1,2})?") {
            let result = applied("cast: {columns: {doc: \"array<decimal(18,6)>\"}, on_error: null}", &rows(&[Some(&format!("[{digits}]"))]));
            let result = result.unwrap();
            let list = result.column(1).as_list::<i32>();
            // The value as whole millionths, by hand: digits, and how far the point is from their end.
            let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
            let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
            let mut shift = exponent.parse::<i32>().unwrap() - fraction + 6;
            let mut all = mantissa.replace(['.', '-'], "").trim_start_matches('0').to_owned();
            while shift < 0 && all.ends_with('0') {
                all.pop();
                shift += 1;
            }
            let fits = all.is_empty() || (shift >= 0 && all.len() as i32 + shift <= 18);
            prop_assert_eq!(list.is_valid(0), fits);
            if fits {
                let whole = if all.is_empty() { "0".to_owned() } else { format!("{all}{}", "0".repeat(shift as usize)) };
                let sign = if mantissa.starts_with('-') && whole != "0" { "-" } else { "" };
                let found = list.value(0).as_primitive::<arrow::datatypes::Decimal128Type>().value(0);
                prop_assert_eq!(found.to_string(), format!("{sign}{whole}"));
            }
        }
    }
}
