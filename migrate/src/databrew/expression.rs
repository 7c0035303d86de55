//! DataBrew's expressions (`case when !isMissing(`a`) then ..`) as Spark's SQL.

use serde_json::Value;

use super::action::Refusal;
use super::parameters::Parameters;
use crate::sql;

/// An expression in SQL, and whether it looks at other rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) sql: String,
    pub(crate) over_rows: bool,
}

/// Translates an expression; aggregates stand in `withExpressions` and are called `:name` in it.
pub(crate) fn translate(text: &str, parameters: &Parameters) -> Result<Expression, Refusal> {
    let aggregates = aggregates(parameters)?;
    let tokens = tokens(text)?;
    let mut out = Expression { sql: String::new(), over_rows: false };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Other(':') => {
                let rest: String = tokens.iter().skip(at).map(Token::text).collect();
                let found = aggregates.iter().filter(|(name, _)| rest.starts_with(name.as_str()));
                let Some((name, aggregate)) = found.max_by_key(|(name, _)| name.len()) else {
                    return Err(Refusal::new("its expression names an aggregate that `withExpressions` has not"));
                };
                out.sql.push_str(&format!("{aggregate} OVER ()"));
                out.over_rows = true;
                let mut left = name.len();
                while let Some(token) = tokens.get(at).filter(|_| left > 0) {
                    left = left.saturating_sub(token.text().len());
                    at += 1;
                }
            }
            Token::Other('!') if !matches!(tokens.get(at), Some(Token::Other('='))) => out.sql.push_str("NOT "),
            Token::Word(word) => {
                let call = matches!(tokens.get(at), Some(Token::Other('(')));
                match word.to_ascii_lowercase().as_str() {
                    name @ ("ismissing" | "isbetween" | "matches" | "isvalid") if call => {
                        let (arguments, after) = arguments(&tokens, at)?;
                        at = after;
                        let translated: Result<Vec<Expression>, Refusal> =
                            arguments.iter().map(|argument| translate(argument.trim(), parameters)).collect();
                        let translated = translated?;
                        out.over_rows |= translated.iter().any(|argument| argument.over_rows);
                        let texts: Vec<&str> = translated.iter().map(|argument| argument.sql.as_str()).collect();
                        out.sql.push_str(&called(name, &texts)?);
                    }
                    name @ ("contains" | "startswith" | "endswith") if call => out.sql.push_str(name),
                    _ => out.sql.push_str(word),
                }
            }
            other => out.sql.push_str(&other.text()),
        }
    }
    Ok(out)
}

/// A value that is a constant, a column or an expression: `It is true.`, `` `column` ``, `:mean.column`.
pub(crate) fn value(text: &str, parameters: &Parameters) -> Result<Expression, Refusal> {
    let trimmed = text.trim();
    let quoted = trimmed.len() > 1 && trimmed.starts_with('\'') && trimmed.ends_with('\'');
    match trimmed.contains('`') || trimmed.starts_with(':') || quoted {
        true => translate(trimmed, parameters),
        false => Ok(Expression { sql: sql::scalar(text), over_rows: false }),
    }
}

fn called(name: &str, arguments: &[&str]) -> Result<String, Refusal> {
    match (name, arguments) {
        ("ismissing", [column]) => Ok(format!("({})", sql::missing(column))),
        ("isbetween", [column, least, most]) => Ok(format!("({column} BETWEEN {least} AND {most})")),
        ("matches", [column, pattern]) => Ok(format!("({column} RLIKE {pattern})")),
        ("isvalid", [column, kind]) => {
            let kind = crate::types::of_databrew(kind.trim_matches('\''))?;
            Ok(format!("({column} IS NULL OR CAST({column} AS {}) IS NOT NULL)", kind.to_uppercase()))
        }
        _ => Err(Refusal::new(format!("`{name}` takes another number of arguments"))),
    }
}

/// Names of aggregates and their calls.
fn aggregates(parameters: &Parameters) -> Result<Vec<(String, String)>, Refusal> {
    if parameters.maybe("withExpressions").is_none_or(|text| text.trim().is_empty()) {
        return Ok(Vec::new());
    }
    let Value::Array(items) = parameters.json("withExpressions")? else { return Ok(Vec::new()) };
    let of = |item: &Value, key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut aggregates = Vec::new();
    for item in items {
        let (Some(name), Some(call)) = (of(&item, "name"), of(&item, "value")) else {
            return Err(Refusal::new("an item of `withExpressions` has no name or value"));
        };
        let function = call.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !["sum", "avg", "median", "stddev", "variance", "count", "min", "max"].contains(&function.as_str()) {
            return Err(Refusal::new(format!("there is no aggregate `{function}`")));
        }
        if call.to_ascii_lowercase().contains("distinct") {
            return Err(Refusal::new("different values cannot be counted over a window"));
        }
        aggregates.push((name, call));
    }
    Ok(aggregates)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Letters, digits and `_`.
    Word(String),
    /// A name in backquotes or a text in quotes, with them.
    Quoted(String),
    Other(char),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Quoted(text) => text.clone(),
            Self::Other(character) => character.to_string(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, '`' | '\'' | '"') {
            let mut quoted = character.to_string();
            loop {
                let Some(next) = characters.next() else {
                    return Err(Refusal::new("a quote in its expression is not closed"));
                };
                quoted.push(next);
                if next == '\\' && character != '`' {
                    quoted.extend(characters.next());
                } else if next == character {
                    break;
                }
            }
            tokens.push(Token::Quoted(quoted));
        } else if character.is_alphanumeric() || character == '_' {
            let mut word = character.to_string();
            while let Some(next) = characters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            tokens.push(Token::Word(word));
        } else {
            tokens.push(Token::Other(character));
        }
    }
    Ok(tokens)
}

/// The arguments of a call whose `(` is at `at`, and where the text goes on.
fn arguments(tokens: &[Token], at: usize) -> Result<(Vec<String>, usize), Refusal> {
    let (mut depth, mut arguments) = (0usize, vec![String::new()]);
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Other('(') => depth += 1,
            Token::Other(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        match token {
            Token::Other('(') if depth == 1 => {}
            Token::Other(')') if depth == 0 => return Ok((arguments, index + 1)),
            Token::Other(',') if depth == 1 => arguments.push(String::new()),
            other => {
                if let Some(last) = arguments.last_mut() {
                    last.push_str(&other.text());
                }
            }
        }
    }
    Err(Refusal::new("a parenthesis in its expression is not closed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: &str) {
        let parameters = Parameters::new(
            json!({"withExpressions": "[{\"name\":\"sum.a\",\"value\":\"sum(`a`)\",\"type\":\"aggregate\"}]"})
                .as_object()
                .cloned()
                .unwrap(),
        );
        assert_eq!(translate(text, &parameters).unwrap().sql, expected);
    }

    #[test]
    fn functions_of_databrew_become_sql() {
        check("case when `a.1` < 'x' then 1 else 2 end", "case when `a.1` < 'x' then 1 else 2 end");
        check("!contains(`a`, 'x(')", "NOT contains(`a`, 'x(')");
        check("!isBetween(`a`, 1, (2+3))", "NOT (`a` BETWEEN 1 AND (2+3))");
        check("isMissing(`a`) and `b` != 1", "(coalesce(CAST(`a` AS STRING), '') = '') and `b` != 1");
        check("matches(`a`, '^\\\\d')", "(`a` RLIKE '^\\\\d')");
        check("`a` / :sum.a > 0.1", "`a` / sum(`a`) OVER () > 0.1");
        check("isValid(`a`, number)", "(`a` IS NULL OR CAST(`a` AS DOUBLE) IS NOT NULL)");
        check("'isMissing(`a`)'", "'isMissing(`a`)'");
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        for text in ["`a", "isMissing(`a`", "':x", ":nothing"] {
            assert!(translate(text, &Parameters::default()).is_err(), "{text}");
        }
    }
}
