//! The tokens under the parser's hand, and the diagnostics it leaves.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Severity};
use super::lexer::{Kind, Token, tokens};

/// How many operators (AND, OR, arithmetic) a rule may hold.
const MAX_OPERATORS: usize = 500;

/// Says that a diagnostic was left and the caller should recover.
#[derive(Debug)]
pub(super) struct Failed;

pub(super) type Parse<T> = Result<T, Failed>;

pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    position: usize,
    operators: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, tokens: tokens(text), position: 0, operators: 0, diagnostics: Vec::new() }
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
            Kind::Day | Kind::Time => {
                let failed = self.unexpected(what);
                if let Some(last) = self.diagnostics.last_mut() {
                    last.help =
                        Some("a quoted text of this shape is a date or a time in DQDL, never a plain string".into());
                }
                Err(failed)
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
        self.fail(self.span(), format!("expected {expected}, found {found}"))
    }

    pub(super) fn fail(&mut self, span: Range<usize>, message: impl Into<String>) -> Failed {
        self.diagnostics.push(Diagnostic::error(self.text, span, message));
        Failed
    }

    pub(super) fn warn(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic::warning(self.text, span, message).with_help(help));
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

    /// Skips to the comma or the closing bracket behind the list item that began at token number `from`.
    pub(super) fn recover(&mut self, from: usize) {
        let (mut brackets, mut parentheses) = (0usize, 0usize);
        let failed = self.position;
        self.position = from;
        while !self.at_end() {
            let passed = self.position >= failed;
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
            } else if self.is(",") && passed && brackets == 0 && parentheses == 0 {
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
