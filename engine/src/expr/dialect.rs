//! Spark's spelling: the tokens, the limits on their number, and the parser's settings.
//!
//! Names are folded to lower case here, once, for tables, columns and functions alike; [`Parsed::spelled`] remembers how
//! they were written, for messages and for the names of result columns.

use std::any::TypeId;
use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence, SparkSqlDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// Characters of a text; a ruleset of Glue may hold as many.
const MAX_CHARACTERS: usize = 65_536;
/// Words, names, literals and signs of a text: what planning time grows with.
const MAX_TOKENS: usize = 10_000;
/// Parentheses and subqueries within each other: the parser calls itself for each.
const MAX_NESTING: usize = 64;
/// SELECTs of one text.
const MAX_SELECTS: usize = 48;

/// The dialect: Spark's, with its escapes in string literals and `DIV` at the precedence of `*`.
#[derive(Debug)]
struct Spark;

impl Dialect for Spark {
    fn dialect(&self) -> TypeId {
        TypeId::of::<SparkSqlDialect>()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        SparkSqlDialect.is_delimited_identifier_start(character)
    }

    fn is_identifier_start(&self, character: char) -> bool {
        // Spark quotes other letters; a name that needs no quotes elsewhere is taken without them.
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    // `\%` and `\_` stay as they are, for LIKE.
    fn ignores_wildcard_escapes(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_long_type_as_bigint(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn parse_infix(&self, parser: &mut Parser, left: &Expr, _precedence: u8) -> Option<Result<Expr, ParserError>> {
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        Some(parser.parse_subexpr(self.prec_value(Precedence::MulDivModOp)).map(|right| Expr::BinaryOp {
            left: Box::new(left.clone()),
            op: BinaryOperator::MyIntegerDivide,
            right: Box::new(right),
        }))
    }
}

/// A text that was read: its tree, and how its names were written.
#[derive(Debug)]
pub(super) struct Parsed<T> {
    /// The tree; every name in it is in lower case.
    pub(super) tree: T,
    /// Lower case to the first spelling.
    pub(super) spelled: HashMap<String, String>,
}

/// Reads one expression and nothing else.
pub(super) fn expression(sql: &str) -> Result<Parsed<Expr>, String> {
    parse(sql, |parser| {
        let expression = parser.parse_expr().map_err(worded)?;
        end(parser, "the expression")?;
        Ok(expression)
    })
}

/// Reads one SELECT and nothing else.
pub(super) fn query(sql: &str) -> Result<Parsed<Query>, String> {
    parse(sql, |parser| {
        let statement = parser.parse_statement().map_err(worded)?;
        let query = match statement {
            Statement::Query(query) => *query,
            other => {
                let words = other.to_string();
                let first = words.split_whitespace().next().unwrap_or_default().to_uppercase();
                return Err(format!("a SELECT is expected; {first} is not allowed"));
            }
        };
        if let SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) = query.body.as_ref() {
            return Err("a SELECT is expected; statements that change data are not allowed".to_owned());
        }
        while parser.consume_token(&Token::SemiColon) {}
        end(parser, "the query")?;
        Ok(query)
    })
}

fn end(parser: &Parser<'_>, what: &str) -> Result<(), String> {
    match parser.peek_token().token {
        Token::EOF => Ok(()),
        rest => Err(format!("`{rest}` stands after the end of {what}")),
    }
}

fn worded(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => format!("it is nested more than {MAX_NESTING} deep"),
    }
}

fn parse<T>(sql: &str, read: impl FnOnce(&mut Parser<'_>) -> Result<T, String>) -> Result<Parsed<T>, String> {
    if sql.len() > MAX_CHARACTERS {
        return Err(format!("it is longer than {MAX_CHARACTERS} bytes"));
    }
    let mut tokens = Tokenizer::new(&Spark, sql).tokenize_with_location().map_err(|error| error.to_string())?;
    let mut spelled = HashMap::new();
    let (mut selects, mut meaningful) = (0, 0);
    for TokenWithSpan { token, .. } in &mut tokens {
        meaningful += usize::from(!matches!(token, Token::Whitespace(_)));
        if let Token::Word(word) = token {
            selects += usize::from(word.keyword == Keyword::SELECT);
            let lower = word.value.to_lowercase();
            spelled.entry(lower.clone()).or_insert_with(|| std::mem::replace(&mut word.value, lower.clone()));
            word.value = lower;
        }
    }
    if meaningful > MAX_TOKENS {
        return Err(format!("it has {meaningful} words and signs; {MAX_TOKENS} are allowed"));
    }
    if selects > MAX_SELECTS {
        return Err(format!("it has {selects} SELECTs; {MAX_SELECTS} are allowed"));
    }
    let mut parser = Parser::new(&Spark).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(tokens);
    Ok(Parsed { tree: read(&mut parser)?, spelled })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Result<String, String> {
        expression(sql).map(|parsed| parsed.tree.to_string())
    }

    #[test]
    fn names_are_folded_and_texts_are_not() {
        assert_eq!(shown("`Order Date` == 'A'"), Ok("`order date` = 'A'".into()));
        assert_eq!(shown("NAME = \"Anna\""), Ok("name = \"Anna\"".into()));
        let parsed = expression("MyColumn > mycolumn").unwrap();
        assert_eq!(parsed.spelled.get("mycolumn").map(String::as_str), Some("MyColumn"));
    }

    #[test]
    fn escapes_in_texts_are_those_of_spark() {
        // Spark: `\\d` is `\d`, `\d` is `d`, `\%` is kept for LIKE (ParserUtils.unescapeSQLString).
        for (sql, value) in [(r"'\\d'", r"\d"), (r"'\d'", "d"), (r"'it\'s'", "it's"), (r"'5\%'", r"5\%")] {
            let Expr::Value(literal) = expression(sql).unwrap().tree else { panic!("{sql}") };
            assert_eq!(literal.value.into_string().as_deref(), Some(value), "{sql}");
        }
    }

    #[test]
    fn div_binds_like_multiplication() {
        let Expr::BinaryOp { op, .. } = expression("a div 2 = 1").unwrap().tree else { panic!() };
        assert_eq!(op, BinaryOperator::Eq);
        let Expr::BinaryOp { op, .. } = expression("a div 2 + 1").unwrap().tree else { panic!() };
        assert_eq!(op, BinaryOperator::Plus);
    }

    #[test]
    fn one_tree_and_nothing_else() {
        assert_eq!(shown("a > 1; drop table t"), Err("`;` stands after the end of the expression".into()));
        assert!(shown(&"(".repeat(5000)).is_err());
        assert!(shown(&format!("a in ({})", "1,".repeat(20_000))).unwrap_err().contains("allowed"));
        assert!(query("drop table t").unwrap_err().contains("SELECT is expected; DROP"));
        assert!(query("select 1; select 2").unwrap_err().contains("after the end"));
        assert!(query("select 1;").is_ok());
    }
}
