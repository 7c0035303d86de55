//! Spark's expressions written as DataFusion's: one pass over the tree, which also refuses what has no meaning here.
//!
//! Casts and coercions become calls of `spark_cast`; functions become those that `functions.rs` names (`calls.rs`). What
//! depends on types (`/`, `=` between text and number) is in `operators.rs`.

use std::ops::ControlFlow;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DataType as SqlType, DateTimeField, Expr, Ident, Select,
    SelectItem, Subscript, TrimWhereField, TypedString, UnaryOperator, Value, VisitorMut,
};

use super::tree::{as_text, call, integer, spark_cast, string, trim, whole_literal};
use crate::schema::ColumnType;

/// Writes Spark's expressions as DataFusion's.
pub(super) struct Rewriter {
    /// What `current_timestamp` is; `None` where the text may not ask for it.
    pub(super) now: Option<DateTime<Utc>>,
    /// Whether the text is one expression over one row: no aggregates, windows or subqueries.
    pub(super) one_row: bool,
    /// Result columns that were given a number, since another has their name: what they are called now, and that name.
    pub(super) numbered: Vec<(String, String)>,
}

impl VisitorMut for Rewriter {
    type Break = String;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        name_columns(&mut select.projection, &mut self.numbered);
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
fn name_columns(projection: &mut [SelectItem], numbered: &mut Vec<(String, String)>) {
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
            let number = format!("{name} ({})", before + 1);
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', &number) };
            numbered.push((number, name));
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
            Expr::Cast {
                kind: CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon,
                expr,
                data_type,
                array,
                format,
            } => {
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
                let from = match (substring_from, &substring_for) {
                    (None, Some(_)) => Some(integer(1)),
                    (from, _) => from.map(|from| *from),
                };
                let arguments = [Some(*expr), from, substring_for.map(|length| *length)];
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
                Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(expr.as_ref(), Expr::Value(_)) => {
                    expression
                }
                _ => return Err("the number of an INTERVAL must be a literal".to_owned()),
            },
            Expr::Function(function) => self.function(function)?,
            other => {
                let text: String = other.to_string().chars().take(60).collect();
                return Err(format!("`{text}` is not supported"));
            }
        })
    }
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

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Result<Expr, String> {
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
    match ColumnType::from_str(&name)? {
        ColumnType::Nested(_) => Err(format!(
            "type `{name}`: nested types are not supported in SQL; the step `cast` reads JSON text into them"
        )),
        known => Ok(known.to_string()),
    }
}

fn unscaled(expression: Expr, field: CeilFloorKind) -> Result<Vec<Expr>, String> {
    match field {
        CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => Ok(vec![expression]),
        _ => Err("`ceil` and `floor` take one number".to_owned()),
    }
}
