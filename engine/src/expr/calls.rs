//! Calls of functions: Spark's name and arguments become those of the registered function that `functions.rs` names.
//!
//! Each argument is wrapped in the cast that Spark puts around it; `current_date` and its like become the instant of the
//! run.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
};
use etl_rules::translate_java_regex;

use super::cast;
use super::datetime::{Pattern, timestamp_text};
use super::functions::{self, AGGREGATES, Entry, Kind, SCALARS, WINDOWS, find};
use super::sandbox::nearest;
use super::spark::{Rewriter, binary};
use super::text;
use super::tree::{as_text, call, integer, one, spark_cast, string, text_literal, trim, two, unnamed, whole_literal};

impl Rewriter {
    /// A call, whatever kind of function it names.
    pub(super) fn function(&self, mut function: Function) -> Result<Expr, String> {
        let mut name = match function.name.0.as_slice() {
            [part] => part.as_ident().map(|ident| ident.value.clone()).unwrap_or_default(),
            _ => return Err(format!("there is no function `{}`", function.name)),
        };
        if name == "count_if" && !self.one_row {
            function.args = counted(function.args)?;
            name = "count".to_owned();
        }
        let window = function.over.is_some();
        let (aggregate, scalar) = (find(AGGREGATES, &name), find(SCALARS, &name));
        let over_rows = aggregate.or_else(|| find(WINDOWS, &name));
        if self.one_row && (over_rows.is_some() || window || name == "count_if") {
            return Err(format!("`{name}` is not allowed: a predicate sees one row"));
        }
        if let FunctionArguments::Subquery(_) = function.args {
            return Err(format!("`{name}` takes no query"));
        }
        if function.uses_odbc_syntax || !matches!(function.parameters, FunctionArguments::None) {
            return Err(format!("`{name}` is not called in this way"));
        }
        if let Some(entry) = over_rows {
            // Numbers of rows are whole numbers with a sign, as all others are.
            let numbers = matches!(name.as_str(), "row_number" | "rank" | "dense_rank" | "ntile");
            let made = over_many_rows(function, &name, entry, aggregate.is_none())?;
            return Ok(if numbers { spark_cast(made, "bigint") } else { made });
        }
        let Function { args, filter, null_treatment, over, within_group, .. } = function;
        if over.is_some() || filter.is_some() || null_treatment.is_some() || !within_group.is_empty() {
            return Err(match (scalar.is_some(), name.as_str()) {
                (false, _) => unknown(&name),
                _ => format!("`{name}` is a function of one row"),
            });
        }
        let arguments = match args {
            FunctionArguments::List(list) => {
                if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
                    return Err(format!("`{name}` takes expressions and nothing else"));
                }
                let starred =
                    |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
                if list.args.iter().any(starred) && scalar.is_none() {
                    // Only aggregates count rows with a star: the name is misspelt.
                    return Err(unknown(&name));
                }
                list.args.into_iter().map(|argument| plain(&name, argument)).collect::<Result<Vec<_>, _>>()?
            }
            _ => Vec::new(),
        };
        self.scalar(&name, arguments)
    }

    /// A function of one row, by Spark's name.
    pub(super) fn scalar(&self, name: &str, mut arguments: Vec<Expr>) -> Result<Expr, String> {
        let exactly = |count: usize, arguments: &[Expr]| match arguments.len() == count {
            true => Ok(()),
            false => Err(format!("`{name}` takes {count} argument(s), not {}", arguments.len())),
        };
        if let Some(value) = self.instant(name, &arguments)? {
            return Ok(value);
        }
        if let Some(part) = date_part(name) {
            arguments.insert(0, string(part));
            exactly(2, &arguments).map_err(|_| format!("`{name}` takes 1 argument(s), not {}", arguments.len() - 1))?;
            return typed("date_part", SCALARS, arguments);
        }
        // Some of Spark's functions are another shape of one expression.
        match (name, arguments.len()) {
            (
                "int" | "bigint" | "smallint" | "tinyint" | "double" | "float" | "boolean" | "string" | "date"
                | "timestamp" | "decimal" | "binary",
                _,
            ) => {
                exactly(1, &arguments)?;
                Ok(spark_cast(one(arguments), name))
            }
            ("to_date" | "to_timestamp", 1) => Ok(spark_cast(one(arguments), name.trim_start_matches("to_"))),
            ("to_date" | "to_timestamp", 2) => {
                let arguments = coerced(name, &[Kind::Text, Kind::DatePattern], arguments)?;
                Ok(call(&format!("spark_{name}"), arguments))
            }
            ("unix_timestamp" | "to_unix_timestamp", 1) => {
                Ok(spark_cast(spark_cast(one(arguments), "timestamp"), "bigint"))
            }
            ("unix_timestamp" | "to_unix_timestamp", 2) => {
                let arguments = coerced(name, &[Kind::Text, Kind::DatePattern], arguments)?;
                Ok(spark_cast(call("spark_to_timestamp", arguments), "bigint"))
            }
            ("from_unixtime", 1 | 2) => {
                let pattern = if arguments.len() == 2 { arguments.pop() } else { None };
                let instant = spark_cast(spark_cast(one(arguments), "bigint"), "timestamp");
                self.scalar("date_format", vec![instant, pattern.unwrap_or_else(|| string("yyyy-MM-dd HH:mm:ss"))])
            }
            ("isnull", 1) => Ok(Expr::IsNull(Box::new(one(arguments)))),
            ("isnotnull", 1) => Ok(Expr::IsNotNull(Box::new(one(arguments)))),
            ("nvl2", 3) => {
                let mut parts = arguments.into_iter();
                let (Some(tested), Some(there), Some(absent)) = (parts.next(), parts.next(), parts.next()) else {
                    return Err("`nvl2` takes 3 arguments".to_owned());
                };
                typed("if", SCALARS, vec![Expr::IsNotNull(Box::new(tested)), there, absent])
            }
            ("equal_null", 2) | ("mod", 2) => {
                let (left, right) = two(arguments)?;
                if name == "mod" {
                    return binary(left, BinaryOperator::Modulo, right).map(|sum| Expr::Nested(Box::new(sum)));
                }
                binary(left, BinaryOperator::Spaceship, right)
            }
            ("negative", 1) => Ok(Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(one(arguments)) }),
            ("positive", 1) => Ok(one(arguments)),
            ("e", 0) => Ok(spark_cast(string("2.718281828459045"), "double")),
            ("instr", 2) => {
                arguments.reverse();
                typed("locate", SCALARS, arguments)
            }
            ("left", 2) => {
                arguments.insert(1, integer(1));
                typed("substring", SCALARS, arguments)
            }
            ("space", 1) => typed("repeat", SCALARS, vec![string(" "), one(arguments)]),
            ("trim" | "btrim", 1) => Ok(trim("btrim", one(arguments), None)),
            ("ltrim" | "rtrim", 1) => Ok(trim(name, one(arguments), None)),
            ("btrim", 2) => two(arguments).map(|(text, characters)| trim(name, text, Some(characters))),
            // Spark: the characters stand first.
            ("ltrim" | "rtrim", 2) => two(arguments).map(|(characters, text)| trim(name, text, Some(characters))),
            ("element_at", 2) => {
                let (list, index) = two(arguments)?;
                match whole_literal(&index) {
                    Some(0) | None => Err("`element_at` takes a list and a literal index, not 0".to_owned()),
                    Some(_) => Ok(call("array_element", vec![list, index])),
                }
            }
            _ => typed(name, SCALARS, arguments),
        }
    }

    /// `current_date` and its like.
    fn instant(&self, name: &str, arguments: &[Expr]) -> Result<Option<Expr>, String> {
        let target = match name {
            "current_date" | "curdate" => "date",
            "current_timestamp" | "now" | "localtimestamp" => "timestamp",
            "unix_timestamp" if arguments.is_empty() => "bigint",
            _ => return Ok(None),
        };
        if !arguments.is_empty() {
            return Err(format!("`{name}` takes no arguments"));
        }
        let Some(now) = self.now else {
            return Err(format!("`{name}` is not allowed here: the answer would depend on the clock"));
        };
        if target == "bigint" {
            return Ok(Some(integer(now.timestamp())));
        }
        let text = timestamp_text(now.timestamp_micros()).ok_or("the time of the run is out of range")?;
        Ok(Some(spark_cast(string(&text), target)))
    }
}

/// The field of `year(x)` and its like.
fn date_part(name: &str) -> Option<&'static str> {
    Some(match name {
        "year" => "year",
        "quarter" => "quarter",
        "month" => "month",
        "day" | "dayofmonth" => "day",
        "dayofweek" => "dayofweek",
        "dayofyear" => "doy",
        "weekofyear" => "week",
        "hour" => "hour",
        "minute" => "minute",
        "second" => "second",
        _ => return None,
    })
}

fn plain(name: &str, argument: FunctionArg) -> Result<Expr, String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Ok(expression),
        _ => Err(format!("`{name}` takes expressions and nothing else")),
    }
}

/// The condition of `count_if` as what `count` counts.
fn counted(args: FunctionArguments) -> Result<FunctionArguments, String> {
    let FunctionArguments::List(mut list) = args else { return Err("`count_if` needs parentheses".to_owned()) };
    let conditions =
        list.args.into_iter().map(|argument| plain("count_if", argument)).collect::<Result<Vec<_>, _>>()?;
    let [condition]: [Expr; 1] = conditions.try_into().map_err(|_| "`count_if` takes 1 argument".to_owned())?;
    let null = Expr::Value(Value::Null.into());
    list.args = vec![unnamed(call("if", vec![spark_cast(condition, "boolean"), integer(1), null]))];
    Ok(FunctionArguments::List(list))
}

/// An aggregate or a window function.
fn over_many_rows(mut function: Function, name: &str, entry: &Entry, only_window: bool) -> Result<Expr, String> {
    if only_window && function.over.is_none() {
        return Err(format!("`{name}` needs OVER (...)"));
    }
    if !function.within_group.is_empty() {
        return Err(format!("`{name}`: WITHIN GROUP is not supported"));
    }
    let FunctionArguments::List(mut list) = function.args else {
        return Err(format!("`{name}` needs parentheses"));
    };
    let nulls = |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_));
    if !list.clauses.iter().all(nulls) {
        return Err(format!("`{name}` takes expressions and nothing else"));
    }
    let star = matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    if name == "count" && star && list.duplicate_treatment.is_none() {
        list.clauses.clear();
    } else {
        let arguments = list.args.into_iter().map(|argument| plain(name, argument)).collect::<Result<Vec<_>, _>>()?;
        let mut arguments = coerced_by(name, entry, arguments)?;
        if name == "count" && arguments.len() > 1 && list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
            // Rows where none is NULL, by one text of all values.
            arguments = vec![call("spark_key", arguments.into_iter().map(|argument| *as_text(argument)).collect())];
        }
        list.args = arguments.into_iter().map(unnamed).collect();
    }
    function.args = FunctionArguments::List(list);
    function.name = ObjectName::from(vec![Ident::new(entry.runs)]);
    Ok(Expr::Function(function))
}

/// The call of a listed function with its arguments read as it wants them.
fn typed(name: &str, list: &'static [Entry], arguments: Vec<Expr>) -> Result<Expr, String> {
    let entry = find(list, name).ok_or_else(|| unknown(name))?;
    let third = arguments.get(2).cloned();
    let arguments = coerced_by(name, entry, arguments)?;
    if let (Some(pattern), Some(third)) = (arguments.get(1).and_then(text_literal), &third) {
        match entry.runs {
            "spark_regexp_extract" => text::check_group(pattern, whole_literal(third))?,
            "spark_regexp_replace" => text::check_replacement(pattern, text_literal(third))?,
            _ => {}
        }
    }
    Ok(call(entry.runs, arguments))
}

fn unknown(name: &str) -> String {
    match nearest(name, functions::names()) {
        Some(near) => format!("there is no function `{name}`: did you mean `{near}`?"),
        None => format!("there is no function `{name}`"),
    }
}

fn coerced_by(name: &str, entry: &Entry, arguments: Vec<Expr>) -> Result<Vec<Expr>, String> {
    let (given, most) = (arguments.len(), entry.arguments.len());
    if given < entry.least || (given > most && !entry.many) {
        let count = match (entry.many, entry.least == most) {
            (true, _) => format!("at least {}", entry.least),
            (false, true) => most.to_string(),
            (false, false) => format!("{} to {most}", entry.least),
        };
        return Err(format!("`{name}` takes {count} argument(s), not {given}"));
    }
    coerced(name, entry.arguments, arguments)
}

fn coerced(name: &str, kinds: &[Kind], arguments: Vec<Expr>) -> Result<Vec<Expr>, String> {
    let last = kinds.last().copied().unwrap_or(Kind::Any);
    let kinds = kinds.iter().copied().chain(std::iter::repeat(last));
    arguments.into_iter().zip(kinds).map(|(argument, kind)| coerce(name, argument, kind)).collect()
}

fn coerce(name: &str, argument: Expr, kind: Kind) -> Result<Expr, String> {
    let literal = |what: &str| match &argument {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok(text.clone()),
            _ => Err(format!("`{name}`: {what} must be a text between quotes")),
        },
        _ => Err(format!("`{name}`: {what} must be a text between quotes, not an expression")),
    };
    Ok(match kind {
        Kind::Any => argument,
        Kind::Text => *as_text(argument),
        Kind::Number => spark_cast(argument, cast::NUMBER),
        Kind::Double => spark_cast(argument, "double"),
        Kind::Int => match whole_literal(&argument).map(i32::try_from) {
            Some(Ok(number)) => spark_cast(integer(number.into()), "int"),
            Some(Err(_)) => return Err(format!("`{name}`: the number is too large")),
            None => spark_cast(argument, "int"),
        },
        Kind::Date => spark_cast(argument, "date"),
        Kind::Timestamp => spark_cast(argument, "timestamp"),
        Kind::Bool => spark_cast(argument, "boolean"),
        Kind::Literal => string(&literal("the unit")?.to_lowercase()),
        Kind::Regex => {
            let pattern = translate_java_regex(&literal("the pattern")?).map_err(|why| format!("`{name}`: {why}"))?;
            text::compile(&pattern).map_err(|why| format!("`{name}`: {why}"))?;
            string(&pattern)
        }
        Kind::DatePattern => {
            let pattern = literal("the pattern")?;
            Pattern::parse(&pattern).map_err(|why| format!("`{name}`: {why}"))?;
            string(&pattern)
        }
    })
}
