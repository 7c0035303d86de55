//! Types by the names of Glue, Spark and DataBrew, as ours.

use crate::databrew::action::Refusal;

/// A type of a Glue column as ours; `None` for nested ones and names that are not known.
pub(crate) fn of_glue(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let (name, arguments) = match lower.split_once('(') {
        Some((name, rest)) => (name.trim_end(), rest.strip_suffix(')')?),
        None => (lower.as_str(), ""),
    };
    let plain = match name {
        "tinyint" | "byte" => "tinyint",
        "smallint" | "short" => "smallint",
        "int" | "integer" => "int",
        "bigint" | "long" => "bigint",
        "float" | "real" => "float",
        "double" => "double",
        "string" | "text" => "string",
        "boolean" | "bool" => "boolean",
        "date" => "date",
        "timestamp" => "timestamp",
        "binary" => "binary",
        "decimal" | "numeric" if arguments.is_empty() => "decimal(10,0)",
        "varchar" | "char" if arguments.is_empty() => "string",
        "decimal" | "numeric" => {
            let mut numbers = arguments.split(',').map(|number| number.trim().parse::<u8>().ok());
            let (precision, scale) = (numbers.next()??, numbers.next().unwrap_or(Some(0))?);
            let fits = (1..=38).contains(&precision) && scale <= precision && numbers.next().is_none();
            return fits.then(|| format!("decimal({precision},{scale})"));
        }
        "varchar" | "char" => {
            let length: u32 = arguments.trim().parse().ok()?;
            return Some(format!("{name}({length})"));
        }
        _ => return None,
    };
    Some(plain.to_owned())
}

/// A type of DataBrew's as ours.
pub(crate) fn of_databrew(text: &str) -> Result<String, Refusal> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "number" | "numeric" => Ok("double".to_owned()),
        "datetime" => Ok("timestamp".to_owned()),
        _ => of_glue(&lower).ok_or_else(|| Refusal::new(format!("there is no type `{text}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_types_are_ours() {
        for (glue, ours) in [
            ("bigint", Some("bigint")),
            ("Long", Some("bigint")),
            ("decimal(12, 2)", Some("decimal(12,2)")),
            ("decimal", Some("decimal(10,0)")),
            ("decimal(5)", Some("decimal(5,0)")),
            ("varchar(20)", Some("varchar(20)")),
            ("array<string>", None),
            ("struct<a:int>", None),
            ("decimal(40,2)", None),
            ("decimal(2,4)", None),
            ("interval", None),
        ] {
            assert_eq!(of_glue(glue).as_deref(), ours, "{glue}");
        }
        assert_eq!(of_databrew("number").unwrap(), "double");
        assert!(of_databrew("struct").is_err());
    }
}
