//! The variables that rules may name.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::ast::{StringOperands, Variable};
use super::cursor::{Cursor, Parse};
use super::lexer::Kind;
use super::texts::{equal_text, list_text};

/// Declared variables by their names, and what they are as operands, made once for all rules.
pub(super) struct Variables<'a> {
    declared: HashMap<&'a str, (&'a Variable, OnceCell<StringOperands>)>,
    /// Names whose declaration is at fault: nothing is to be said of their use.
    faulty: &'a [String],
}

impl<'a> Variables<'a> {
    pub(super) fn new(declared: &'a [(String, Variable)], faulty: &'a [String]) -> Self {
        let declared = declared.iter().map(|(name, variable)| (name.as_str(), (variable, OnceCell::new())));
        Self { declared: declared.collect(), faulty }
    }

    /// A variable that is declared as it should be.
    pub(super) fn get(&self, name: &str) -> Option<&'a Variable> {
        self.declared.get(name).map(|(variable, _)| *variable)
    }

    /// Reads `$name`; a name that is declared nowhere is an error.
    pub(super) fn read<'t>(&self, cursor: &mut Cursor<'t>) -> Parse<&'t str> {
        let start = cursor.span().start;
        let name = name(cursor)?;
        if self.declared.contains_key(name) || self.faulty.iter().any(|faulty| faulty == name) {
            return Ok(name);
        }
        let failed = cursor.fail(start..cursor.end_before(), format!("Variable not found: {name}"));
        cursor.help(match self.nearest(name) {
            Some(near) => format!("did you mean `${near}`?"),
            None => format!("declare it before the rules: `{name} = [\"a\", \"b\"]`"),
        });
        Err(failed)
    }

    /// The operands that `in $name` stands for.
    pub(super) fn operands(&self, name: &str) -> StringOperands {
        let Some((variable, operands)) = self.declared.get(name) else { return Vec::new().into() };
        let made = operands.get_or_init(|| match variable {
            Variable::One(content) => vec![equal_text(content)].into(),
            Variable::Many(contents) => contents.iter().map(|content| list_text(content)).collect::<Vec<_>>().into(),
        });
        made.clone()
    }

    fn nearest(&self, name: &str) -> Option<&'a str> {
        let scored = self.declared.keys().map(|known| (strsim::damerau_levenshtein(name, known), *known));
        scored.min().filter(|(distance, _)| *distance <= 2).map(|(_, known)| known)
    }
}

/// Reads `$name`, declared or not.
pub(super) fn name<'t>(cursor: &mut Cursor<'t>) -> Parse<&'t str> {
    cursor.expect("$")?;
    if cursor.kind() != Kind::Word {
        return Err(cursor.unexpected("the name of a variable after `$`"));
    }
    Ok(cursor.advance())
}
