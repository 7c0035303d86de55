//! Small pieces of the parser's tree.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    UnaryOperator, Value,
};

use super::cast;

/// A trim function with the characters that go; blanks unless told.
pub(super) fn trim(name: &str, text: Expr, characters: Option<Expr>) -> Expr {
    let characters = characters.map_or_else(|| string(" "), |characters| *as_text(characters));
    call(name, vec![*as_text(text), characters])
}

/// The expression as text; a literal text stays as it is.
pub(super) fn as_text(expression: Expr) -> Box<Expr> {
    match &expression {
        Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => Box::new(expression),
        _ => Box::new(spark_cast(expression, "string")),
    }
}

/// `spark_cast(expression, 'name')`.
pub(super) fn spark_cast(expression: Expr, name: &str) -> Expr {
    call(cast::NAME, vec![expression, string(name)])
}

/// A literal text.
pub(super) fn string(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

/// A literal whole number.
pub(super) fn integer(number: i64) -> Expr {
    Expr::Value(Value::Number(number.to_string(), false).into())
}

/// The value of a literal whole number, with a sign.
pub(super) fn whole_literal(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole_literal(expr).map(|number| -number),
        _ => None,
    }
}

/// The value of a literal text.
pub(super) fn text_literal(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The first argument.
pub(super) fn one(arguments: Vec<Expr>) -> Expr {
    arguments.into_iter().next().unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

/// Both arguments.
pub(super) fn two(arguments: Vec<Expr>) -> Result<(Expr, Expr), String> {
    let [left, right]: [Expr; 2] = arguments.try_into().map_err(|_| "two arguments are expected".to_owned())?;
    Ok((left, right))
}

/// An argument of a call.
pub(super) fn unnamed(expression: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))
}

/// A call of a registered function.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
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
