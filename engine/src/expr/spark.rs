//! Spark's expressions written as DataFusion's: one pass over the tree, which also refuses what has no meaning here.
//!
//! Casts and coercions become calls of `spark_cast`; functions become those that `functions.rs` names; `current_date` and
//! its like become the instant of the run. What depends on types (`/`, `=` between text and number) is in `operators.rs`.

use std::ops::ControlFlow;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType as SqlType, DuplicateTreatment, Expr,
    Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Select, SelectItem, Subscript, TrimWhereField, TypedString, UnaryOperator, Value, VisitorMut,
    helpers::attached_token::AttachedToken,
};
use etl_rules::translate_java_regex;

use super::cast;
use super::datetime::{Pattern, timestamp_text};
use super::functions::{self, AGGREGATES, Entry, Kind, SCALARS, WINDOWS, find};
use super::sandbox::nearest;
use super::text;
use crate::schema::ColumnType;

/// Writes Spark's expressions as DataFusion's.
pub(super) struct Rewriter {
    /// What `current_timestamp` is; `None` where the text may not ask for it.
    pub(super) now: Option<DateTime<Utc>>,
    /// Whether the text is one expression over one row: no aggregates, windows or subqueries.
    pub(super) one_row: bool,
}

impl VisitorMut for Rewriter {
    type Break = String;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        name_columns(&mut select.projection);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        // The expression is taken out, so that its parts can be moved into the new one.
        let taken = std::mem::replace(expression, Expr::Value(Value::Null.into()));
        match self.rewrite(taken) {
            Ok(new) => {
                *expression = new;
                ControlFlow::Continue(())
            }
            Err(why) => ControlFlow::Break(why),
        }
    }
}

/// Names result columns as Spark does, by their text; the second of two equal names gets a number.
fn name_columns(projection: &mut [SelectItem]) {
    let mut given: Vec<String> = Vec::new();
    for item in projection {
        let name = match item {
            SelectItem::UnnamedExpr(Expr::Identifier(ident)) => ident.value.clone(),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                parts.last().map(|ident| ident.value.clone()).unwrap_or_default()
            }
            SelectItem::UnnamedExpr(expression) => {
                let text: String = expression.to_string().chars().filter(|c| *c != '`').take(120).collect();
                *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: Ident::with_quote('"', &text) };
                text
            }
            SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
            _ => continue,
        };
        let before = given.iter().filter(|known| **known == name).count();
        given.push(name.clone());
        if before > 0
            && let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
        {
            let alias = Ident::with_quote('"', format!("{name} ({})", before + 1));
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

impl Rewriter {
    fn rewrite(&self, expression: Expr) -> Result<Expr, String> {
        Ok(match expression {
            Expr::Identifier(_)
            | Expr::Nested(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::Between { .. }
            | Expr::Case { .. }
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..) => expression,
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => match self.one_row {
                // `where` sees one table, whatever it is called.
                true => parts.into_iter().next_back().map(Expr::Identifier).ok_or("a name is expected")?,
                false => Expr::CompoundIdentifier(parts),
            },
            Expr::InSubquery { .. } | Expr::Exists { .. } | Expr::Subquery(_) if self.one_row => {
                return Err("a predicate is one expression: subqueries are not allowed".to_owned());
            }
            Expr::InSubquery { .. } | Expr::Exists { .. } | Expr::Subquery(_) => expression,
            Expr::Value(value) => literal(value.value)?,
            Expr::TypedString(typed) => typed_string(typed)?,
            Expr::BinaryOp { left, op, right } => binary(*left, op, *right)?,
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => {
                Expr::UnaryOp { op: UnaryOperator::Not, expr }
            }
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => *expr,
            Expr::UnaryOp { op: UnaryOperator::Minus, .. } => expression,
            Expr::Like { any: false, negated, expr, pattern, escape_char } => {
                Expr::Like { any: false, negated, expr: as_text(*expr), pattern: as_text(*pattern), escape_char }
            }
            Expr::ILike { any: false, negated, expr, pattern, escape_char } => {
                Expr::ILike { any: false, negated, expr: as_text(*expr), pattern: as_text(*pattern), escape_char }
            }
            Expr::RLike { negated, expr, pattern, .. } => {
                let call = self.scalar("rlike", vec![*expr, *pattern])?;
                if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(call) } } else { call }
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon, expr, data_type, array, format } => {
                if array || format.is_some() {
                    return Err("a cast with a format is not supported; use to_date(text, pattern)".to_owned());
                }
                spark_cast(*expr, &type_name(&data_type)?)
            }
            Expr::Extract { field, expr, .. } => {
                self.scalar("date_part", vec![string(&field.to_string().to_lowercase()), *expr])?
            }
            Expr::Ceil { expr, field } => self.scalar("ceil", unscaled(*expr, field)?)?,
            Expr::Floor { expr, field } => self.scalar("floor", unscaled(*expr, field)?)?,
            Expr::Position { expr, r#in } => self.scalar("position", vec![*expr, *r#in])?,
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let from = substring_from.map_or_else(|| integer(1), |from| *from);
                let arguments = [Some(*expr), Some(from), substring_for.map(|length| *length)];
                self.scalar("substring", arguments.into_iter().flatten().collect())?
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "btrim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let characters = trim_characters.and_then(|mut characters| characters.pop());
                trim(name, *expr, trim_what.map(|what| *what).or(characters))
            }
            // Spark counts from 0.
            Expr::CompoundFieldAccess { root, access_chain } => match access_chain.as_slice() {
                [AccessExpr::Subscript(Subscript::Index { index })] => {
                    let Some(index) = whole_literal(index).filter(|index| *index >= 0) else {
                        return Err("an index must be a literal from 0".to_owned());
                    };
                    call("array_element", vec![*root, integer(index + 1)])
                }
                _ => return Err("only `list[index]` reads a part of a value".to_owned()),
            },
            Expr::Interval(ref interval) => match interval.value.as_ref() {
                Expr::Value(_) => expression,
                Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(expr.as_ref(), Expr::Value(_)) => expression,
                _ => return Err("the number of an INTERVAL must be a literal".to_owned()),
            },
            Expr::Function(function) => self.function(function)?,
            other => {
                let text: String = other.to_string().chars().take(60).collect();
                return Err(format!("`{text}` is not supported"));
            }
        })
    }

    fn function(&self, function: Function) -> Result<Expr, String> {
        let name = match function.name.0.as_slice() {
            [part] => part.as_ident().map(|ident| ident.value.clone()).unwrap_or_default(),
            _ => return Err(format!("there is no function `{}`", function.name)),
        };
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
            return over_many_rows(function, &name, entry, aggregate.is_none());
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
                list.args.into_iter().map(|argument| plain(&name, argument)).collect::<Result<Vec<_>, _>>()?
            }
            _ => Vec::new(),
        };
        self.scalar(&name, arguments)
    }

    /// A function of one row, by Spark's name.
    fn scalar(&self, name: &str, mut arguments: Vec<Expr>) -> Result<Expr, String> {
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
            ("int" | "bigint" | "smallint" | "tinyint" | "double" | "float" | "boolean" | "string" | "date" | "timestamp"
            | "decimal" | "binary", count) => {
                exactly(1, &arguments)?;
                debug_assert_eq!(count, 1);
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
            arguments = vec![countable(arguments)];
        }
        list.args = arguments.into_iter().map(unnamed).collect();
    }
    function.args = FunctionArguments::List(list);
    function.name = ObjectName::from(vec![Ident::new(entry.runs)]);
    Ok(Expr::Function(function))
}

/// `count(distinct a, b)`: rows where none is NULL, by the list of the values as text.
fn countable(arguments: Vec<Expr>) -> Expr {
    let complete = arguments.iter().cloned().map(|argument| Expr::IsNotNull(Box::new(argument))).reduce(|left, right| {
        Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
    });
    let list = call("array", arguments.into_iter().map(|argument| *as_text(argument)).collect());
    case_when(complete.unwrap_or_else(|| Expr::Value(Value::Boolean(true).into())), list)
}

fn case_when(condition: Expr, result: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: None,
    }
}

/// The call of a listed function with its arguments read as it wants them.
fn typed(name: &str, list: &'static [Entry], arguments: Vec<Expr>) -> Result<Expr, String> {
    let entry = find(list, name).ok_or_else(|| unknown(name))?;
    Ok(call(entry.runs, coerced_by(name, entry, arguments)?))
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

fn literal(value: Value) -> Result<Expr, String> {
    let kept = match value {
        // What Spark writes between double quotes is a text.
        Value::DoubleQuotedString(text)
        | Value::SingleQuotedString(text)
        | Value::SingleQuotedRawStringLiteral(text)
        | Value::DoubleQuotedRawStringLiteral(text) => Value::SingleQuotedString(text),
        Value::Number(digits, _) => Value::Number(digits, false),
        Value::Boolean(_) | Value::Null => value,
        other => return Err(format!("the literal {other} is not supported")),
    };
    Ok(Expr::Value(kept.into()))
}

/// `DATE '...'` and `TIMESTAMP '...'`.
fn typed_string(typed: TypedString) -> Result<Expr, String> {
    let name = type_name(&typed.data_type)?;
    let text = typed.value.value.into_string().unwrap_or_default();
    let valid = match name.as_str() {
        "date" => etl_rules::spark_cast::to_date(&text).is_some(),
        "timestamp" => super::datetime::to_timestamp(&text).is_some(),
        _ => return Err(format!("a literal of type {name} is not supported; use cast")),
    };
    if !valid {
        return Err(format!("`{text}` is no {name}"));
    }
    Ok(spark_cast(string(&text), &name))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Result<Expr, String> {
    use BinaryOperator::{
        And, Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Modulo, Multiply, MyIntegerDivide, NotEq, Or, Plus, Spaceship,
        StringConcat,
    };
    match op {
        Plus | Minus | Multiply | Divide | Modulo | MyIntegerDivide | Gt | Lt | GtEq | LtEq | Eq | NotEq | And | Or
        | Spaceship => Ok(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }),
        StringConcat => Ok(call("concat", vec![*as_text(left), *as_text(right)])),
        other => Err(format!("the operator `{other}` is not supported")),
    }
}

/// The name of a type as `ColumnType` reads it.
fn type_name(data_type: &SqlType) -> Result<String, String> {
    let name = match data_type {
        SqlType::Varchar(_) | SqlType::Char(_) | SqlType::Text => "string".to_owned(),
        SqlType::DoublePrecision => "double".to_owned(),
        SqlType::Dec(info) => SqlType::Decimal(*info).to_string(),
        SqlType::TimestampNtz(_) => "timestamp".to_owned(),
        other => other.to_string(),
    };
    ColumnType::from_str(&name).map(|known| known.to_string())
}

fn unscaled(expression: Expr, field: CeilFloorKind) -> Result<Vec<Expr>, String> {
    match field {
        CeilFloorKind::DateTimeField(datafusion::sql::sqlparser::ast::DateTimeField::NoDateTime) => Ok(vec![expression]),
        _ => Err("`ceil` and `floor` take one number".to_owned()),
    }
}

fn trim(name: &str, text: Expr, characters: Option<Expr>) -> Expr {
    let characters = characters.map_or_else(|| string(" "), |characters| *as_text(characters));
    call(name, vec![*as_text(text), characters])
}

fn as_text(expression: Expr) -> Box<Expr> {
    match &expression {
        Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => Box::new(expression),
        _ => Box::new(spark_cast(expression, "string")),
    }
}

fn spark_cast(expression: Expr, name: &str) -> Expr {
    call(cast::NAME, vec![expression, string(name)])
}

fn string(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

fn integer(number: i64) -> Expr {
    Expr::Value(Value::Number(number.to_string(), false).into())
}

/// The value of a literal whole number, with a sign.
fn whole_literal(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole_literal(expr).map(|number| -number),
        _ => None,
    }
}

fn one(arguments: Vec<Expr>) -> Expr {
    arguments.into_iter().next().unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

fn two(arguments: Vec<Expr>) -> Result<(Expr, Expr), String> {
    let [left, right]: [Expr; 2] = arguments.try_into().map_err(|_| "two arguments are expected".to_owned())?;
    Ok((left, right))
}

fn unnamed(expression: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(unnamed).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
