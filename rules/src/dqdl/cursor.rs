//! The tokens under the parser's hand, and the diagnostics it leaves.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Severity};
use super::hints;
use super::lexer::{Kind, Token, tokens};

/// How many operators (AND, OR, arithmetic) a rule may hold.
const MAX_OPERATORS: usize = 500;

/// After how many errors reading stops.
pub(super) const MAX_ERRORS: usize = 100;

/// How many warnings are kept.
const MAX_WARNINGS: usize = 100;

/// Says that a diagnostic was left and the caller should recover.
#[derive(Debug)]
pub(super) struct Failed;

pub(super) type Parse<T> = Result<T, Failed>;

pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    position: usize,
    operators: usize,
    warnings: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, tokens: tokens(text), position: 0, operators: 0, warnings: 0, diagnostics: Vec::new() }
    }

    /// Whether there are so many errors that no more are looked for.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.len() >= MAX_ERRORS + self.warnings.min(MAX_WARNINGS)
    }

    /// Where the last token ends.
    pub(super) fn last_end(&self) -> usize {
        self.tokens.iter().rev().find(|token| token.kind != Kind::End).map_or(0, |token| token.span.end)
    }

    /// The tokens that are nothing of the language, wherever they stand: one of them spoils the document.
    pub(super) fn unknown(&self) -> Vec<Range<usize>> {
        self.tokens.iter().filter(|token| token.kind == Kind::Unknown).map(|token| token.span.clone()).collect()
    }

    fn token(&self, ahead: usize) -> &Token {
        // The last token is always `End`.
        let last = self.tokens.len() - 1;
        &self.tokens[(self.position + ahead).min(last)]
    }

    pub(super) fn kind(&self) -> Kind {
        self.token(0).kind
    }

    pub(super) fn kind_ahead(&self, ahead: usize) -> Kind {
        self.token(ahead).kind
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.token(0).span.clone()
    }

    pub(super) fn span_ahead(&self, ahead: usize) -> Range<usize> {
        self.token(ahead).span.clone()
    }

    /// The token before.
    pub(super) fn word_before(&self) -> &'a str {
        let before = self.position.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or("", |token| &self.text[token.span.clone()])
    }

    /// Where the token before ends.
    pub(super) fn end_before(&self) -> usize {
        self.position.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    pub(super) fn word(&self) -> &'a str {
        self.word_ahead(0)
    }

    pub(super) fn word_ahead(&self, ahead: usize) -> &'a str {
        &self.text[self.token(ahead).span.clone()]
    }

    pub(super) fn at_end(&self) -> bool {
        self.kind() == Kind::End
    }

    pub(super) fn advance(&mut self) -> &'a str {
        let word = self.word();
        if !self.at_end() {
            self.position += 1;
        }
        word
    }

    /// Whether the token is this symbol or keyword.
    pub(super) fn is(&self, word: &str) -> bool {
        self.is_ahead(0, word)
    }

    pub(super) fn is_ahead(&self, ahead: usize, word: &str) -> bool {
        matches!(self.token(ahead).kind, Kind::Symbol | Kind::Keyword) && self.word_ahead(ahead) == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn take(&mut self, word: &str) -> bool {
        let taken = self.is(word);
        if taken {
            self.position += 1;
        }
        taken
    }

    pub(super) fn expect(&mut self, word: &str) -> Parse<()> {
        if self.take(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// A quoted string that does not look like a date or a time; its content, escapes kept.
    pub(super) fn string(&mut self, what: &str) -> Parse<&'a str> {
        match self.kind() {
            Kind::Text => {
                let quoted = self.advance();
                Ok(&quoted[1..quoted.len() - 1])
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// Whether anything but warnings was left.
    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub(super) fn unexpected(&mut self, expected: &str) -> Failed {
        let found = match self.kind() {
            Kind::End => "the end of the text".to_owned(),
            Kind::Symbol if self.word() == "\"" => "a string that never closes".to_owned(),
            _ => format!("`{}`", shorten(self.word())),
        };
        let help = hints::unexpected(self);
        let failed = self.fail(self.span(), format!("expected {expected}, found {found}"));
        if let Some(help) = help {
            self.help(help);
        }
        failed
    }

    /// Says what to do about the diagnostic that was left last.
    pub(super) fn help(&mut self, help: impl Into<String>) {
        if let Some(last) = self.diagnostics.last_mut() {
            last.help = Some(help.into());
        }
    }

    pub(super) fn fail(&mut self, span: Range<usize>, message: impl Into<String>) -> Failed {
        self.diagnostics.push(Diagnostic::error(self.text, span, message));
        Failed
    }

    pub(super) fn warn(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        self.warnings += 1;
        if self.warnings <= MAX_WARNINGS {
            self.diagnostics.push(Diagnostic::warning(self.text, span, message).with_help(help));
        }
    }

    /// The number of the token at hand.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The tokens from number `from` up to the one at hand as one text, without the blanks between them.
    pub(super) fn compact(&self, from: usize) -> String {
        self.tokens
            .get(from..self.position)
            .unwrap_or_default()
            .iter()
            .map(|token| &self.text[token.span.clone()])
            .collect()
    }

    /// Counts an operator of a rule, so that no tree gets deeper than the stack of whoever walks it.
    pub(super) fn operator(&mut self) -> Parse<()> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(self.fail(self.span(), format!("a rule of more than {MAX_OPERATORS} operators")));
        }
        Ok(())
    }

    /// Begins the item of a list.
    pub(super) fn begin_item(&mut self) {
        self.operators = 0;
    }

    /// Whether a comma and a rule stand here: inside a value a word after a comma can only be a function's name.
    fn begins_rule(&self) -> bool {
        self.is(",") && self.kind_ahead(1) == Kind::Word && !self.is_ahead(2, "(")
    }

    /// Whether the token after this one can only be a value, so that a comma between them separates no rules.
    fn value_follows(&self) -> bool {
        matches!(self.kind_ahead(1), Kind::Number | Kind::Text | Kind::Day | Kind::Time | Kind::Now)
            || self.is_ahead(1, "-")
            || self.is_ahead(1, "$")
    }

    /// Skips to the next section: its keyword, or a variable's name that begins a line, before `=`.
    pub(super) fn recover_section(&mut self) {
        while !self.at_end() {
            let section = self.is_any(&["Metadata", "DataSources", "DefaultLabels", "Rules", "Analyzers"]);
            let variable = self.kind() == Kind::Word && self.text[self.end_before()..self.span().start].contains('\n');
            if (section || variable) && self.is_ahead(1, "=") {
                return;
            }
            self.advance();
        }
    }

    /// Skips to the comma or the closing bracket behind the list item that began at token number `from`.
    pub(super) fn recover(&mut self, from: usize) {
        let (mut brackets, mut parentheses) = (0usize, 0usize);
        let failed = self.position;
        self.position = from;
        while !self.at_end() {
            let passed = self.position >= failed;
            if passed && self.begins_rule() {
                return;
            }
            if self.is("[") {
                brackets += 1;
            } else if self.is("]") {
                if brackets == 0 && passed {
                    return;
                }
                brackets = brackets.saturating_sub(1);
            } else if self.is("(") {
                parentheses += 1;
            } else if self.is(")") {
                parentheses = parentheses.saturating_sub(1);
            } else if self.is(",") && passed && brackets == 0 && parentheses == 0 && !self.value_follows() {
                return;
            }
            self.advance();
        }
    }
}

fn shorten(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    }
}
