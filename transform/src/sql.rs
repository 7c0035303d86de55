//! Words of Spark's SQL, safely put together.

use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};

use crate::action::Action;
use crate::step::Problem;

/// A name in backquotes.
pub fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text literal.
pub fn text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for character in text.chars() {
        match character {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// A literal of a scalar of a job file.
///
/// # Errors
/// For lists and maps.
pub fn literal(value: &serde_json::Value) -> Result<String, Problem> {
    match value {
        serde_json::Value::Null => Ok("NULL".to_owned()),
        serde_json::Value::Bool(value) => Ok(value.to_string()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::String(value) => Ok(text(value)),
        other => Err(Problem::new(format!("`{other}` is not a number, text or truth value"))),
    }
}

/// `CAST(expression AS type)`.
pub fn cast(expression: &str, to: &DataType) -> Result<String, Problem> {
    Ok(format!("CAST({expression} AS {})", type_name(to)?))
}

/// The SQL name of a scalar type.
///
/// # Errors
/// For types that the engine has no columns of.
pub fn type_name(data_type: &DataType) -> Result<String, Problem> {
    Ok(match data_type {
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, _) => "TIMESTAMP".to_owned(),
        DataType::Binary => "BINARY".to_owned(),
        other => return Err(Problem::new(format!("a column of type {other} cannot be named in SQL"))),
    })
}

/// A scalar type by its Glue name, such as `bigint`, `long` or `decimal(12,2)`.
///
/// # Errors
/// For names that are not known.
pub fn type_of(text: &str) -> Result<DataType, Problem> {
    let lower = text.trim().to_ascii_lowercase();
    let (base, arguments) = match lower.split_once('(') {
        Some((base, rest)) => (base.trim(), rest.trim_end_matches(')')),
        None => (lower.as_str(), ""),
    };
    Ok(match base {
        "tinyint" | "byte" => DataType::Int8,
        "smallint" | "short" => DataType::Int16,
        "int" | "integer" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "float" | "real" => DataType::Float32,
        "double" => DataType::Float64,
        "string" | "varchar" | "char" => DataType::Utf8,
        "boolean" | "bool" => DataType::Boolean,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "binary" => DataType::Binary,
        "decimal" | "numeric" => {
            let mut numbers = arguments.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse::<u8>);
            let wrong = || Problem::new(format!("type `{text}`: write decimal(precision,scale)"));
            let precision = numbers.next().transpose().map_err(|_| wrong())?.unwrap_or(10);
            let scale = numbers.next().transpose().map_err(|_| wrong())?.unwrap_or(0);
            if !(1..=38).contains(&precision) || scale > precision {
                return Err(wrong());
            }
            DataType::Decimal128(precision, scale as i8)
        }
        _ if crate::nested::is_nested(text) => {
            let problem = Problem::new(format!("the nested type `{text}` is not taken here"));
            return Err(problem.with_help("`cast` and `apply_mapping` make nested columns of JSON texts"));
        }
        "array" | "map" | "struct" => {
            let problem = Problem::new(format!("unknown type `{text}`"));
            return Err(
                problem.with_help("write its parts, such as array<int>, map<string,double>, struct<a:int,b:date>")
            );
        }
        _ => return Err(Problem::new(format!("unknown type `{text}`"))),
    })
}

/// A column of a SELECT: an expression and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The expression.
    pub expression: String,
    /// The name of the result.
    pub name: String,
}

impl Output {
    /// An expression under a name.
    pub fn new(expression: impl Into<String>, name: impl Into<String>) -> Self {
        Self { expression: expression.into(), name: name.into() }
    }

    /// A column as it is.
    pub fn column(field: &Field) -> Self {
        Self::new(name(field.name()), field.name())
    }
}

/// All columns as they are.
pub fn all(schema: &SchemaRef) -> Vec<Output> {
    schema.fields().iter().map(|field| Output::column(field)).collect()
}

/// All columns, of which one is made anew; put behind them when there is none of that name.
pub fn with(mut outputs: Vec<Output>, output: Output) -> Vec<Output> {
    match outputs.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&output.name)) {
        Some(known) => known.expression = output.expression,
        None => outputs.push(output),
    }
    outputs
}

/// `SELECT ... FROM input`, then `tail` (`WHERE`, `GROUP BY`, ...).
///
/// # Errors
/// When two outputs have one name, or there is none.
pub fn select(outputs: Vec<Output>, tail: &str) -> Result<Action, Problem> {
    let (sql, names) = select_text(&outputs, "input", tail)?;
    Ok(Action::query(sql, names))
}

/// The text of `SELECT ... FROM {from} {tail}` and the names of its columns.
///
/// # Errors
/// When two outputs have one name, or there is none.
pub fn select_text(outputs: &[Output], from: &str, tail: &str) -> Result<(String, Vec<String>), Problem> {
    if outputs.is_empty() {
        return Err(Problem::new("no column is left"));
    }
    for (index, output) in outputs.iter().enumerate() {
        if outputs[..index].iter().any(|before| before.name.eq_ignore_ascii_case(&output.name)) {
            return Err(Problem::new(format!("two columns would be called `{}`", output.name)));
        }
    }
    let listed: Vec<String> =
        outputs.iter().enumerate().map(|(at, output)| format!("{} AS c{at}", output.expression)).collect();
    let space = if tail.is_empty() { "" } else { " " };
    let names = outputs.iter().map(|output| output.name.clone()).collect();
    Ok((format!("SELECT {} FROM {from}{space}{tail}", listed.join(", ")), names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_early() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text(r"it's a \ "), r"'it\'s a \\ '");
    }

    #[test]
    fn types_have_the_names_of_glue() {
        for (text, sql) in [("long", "BIGINT"), ("Decimal(12, 2)", "DECIMAL(12,2)"), ("varchar(9)", "STRING")] {
            assert_eq!(type_name(&type_of(text).unwrap()).unwrap(), sql);
        }
        assert!(type_of("decimal(40,2)").is_err());
        assert!(type_of("array<int>").is_err());
    }
}
