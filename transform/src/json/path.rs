//! Paths to values: keys with dots between them.

use crate::step::Problem;

/// The keys of a path, from the outside in. A key with dots stands in backquotes.
pub(crate) fn keys(path: &str) -> Result<Vec<String>, Problem> {
    let wrong = || {
        Problem::new(format!("`{path}` is not a path"))
            .with_help("write keys with dots between them, a key with dots in backquotes: a.`b.c`")
    };
    let mut keys = Vec::new();
    let mut rest = path;
    loop {
        let (key, after) = match rest.strip_prefix('`') {
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
            Some(quoted) => {
                let (mut key, mut quoted) = (String::new(), quoted);
                loop {
                    let (before, after) = quoted.split_once('`').ok_or_else(wrong)?;
                    key.push_str(before);
                    match after.strip_prefix('`') {
                        Some(more) => quoted = more,
                        None => break (key, after),
                    }
                    key.push('`');
                }
            }
        };
        if key.is_empty() {
            return Err(wrong());
        }
        keys.push(key);
        if after.is_empty() {
            return Ok(keys);
        }
        rest = after.strip_prefix('.').ok_or_else(wrong)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_part_keys_and_backquotes_keep_them() {
        let check = |path: &str, expected: &[&str]| assert_eq!(keys(path).unwrap(), expected, "{path}");
        check("a", &["a"]);
        check("a.b c.d", &["a", "b c", "d"]);
        check("`a.b`.c", &["a.b", "c"]);
        check("a.`b``.`", &["a", "b`."]);
        check("é`x.y", &["é`x", "y"]);
        for wrong in ["", ".", "a.", ".a", "a..b", "`a", "`a`b", "``"] {
            assert!(keys(wrong).is_err(), "{wrong}");
        }
    }
}
