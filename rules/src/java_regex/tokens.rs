//! The characters of a Java pattern under the parser's hand: quoted ones (`\Q...\E`) told apart.

use super::error::PatternError;

/// A character of the pattern.
#[derive(Debug, Clone, Copy)]
struct Token {
    character: char,
    /// Quoted: it stands for itself.
    quoted: bool,
    /// Its place in the text, in characters.
    at: usize,
}

/// The characters not yet read.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    next: usize,
    /// The length of the text in characters.
    end: usize,
}

impl Tokens {
    pub(super) fn new(pattern: &str) -> Self {
        let characters: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::with_capacity(characters.len());
        let mut quoted = false;
        let mut at = 0;
        while let Some(&character) = characters.get(at) {
            let follows = characters.get(at + 1);
            match (character, follows, quoted) {
                ('\\', Some('Q'), false) => quoted = true,
                ('\\', Some('E'), true) => quoted = false,
                // An escape keeps what follows: `\\Q` quotes nothing.
                ('\\', Some(&follows), false) => {
                    tokens.extend([Token { character, quoted, at }, Token { character: follows, quoted, at: at + 1 }])
                }
                _ => {
                    tokens.push(Token { character, quoted, at });
                    at += 1;
                    continue;
                }
            }
            at += 2;
        }
        Self { tokens, next: 0, end: characters.len() }
    }

    /// The place of the next character.
    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    /// The next character where it is not quoted.
    pub(super) fn peek(&self) -> Option<char> {
        self.peek_ahead(0)
    }

    /// A later character where it is not quoted.
    pub(super) fn peek_ahead(&self, ahead: usize) -> Option<char> {
        self.tokens.get(self.next + ahead).filter(|token| !token.quoted).map(|token| token.character)
    }

    pub(super) fn is_quoted_ahead(&self, ahead: usize) -> bool {
        self.tokens.get(self.next + ahead).is_some_and(|token| token.quoted)
    }

    pub(super) fn at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    /// Reads a character, and whether it was quoted.
    pub(super) fn take(&mut self) -> Option<(char, bool)> {
        let token = self.tokens.get(self.next)?;
        self.next += 1;
        Some((token.character, token.quoted))
    }

    /// Goes back to the character that was read last.
    pub(super) fn back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    /// Reads a character if it is this one and not quoted.
    pub(super) fn eat(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        self.next += usize::from(found);
        found
    }

    /// Reads characters, quoted ones excluded, as long as they are of a kind, and at most `limit` of them.
    pub(super) fn take_while(&mut self, limit: usize, is: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(character) = self.peek().filter(|character| is(*character)) {
            if taken.len() >= limit {
                break;
            }
            taken.push(character);
            self.next += 1;
        }
        taken
    }

    /// Passes over white space and comments, as `(?x)` has it.
    pub(super) fn skip_comments(&mut self, unix_lines: bool) {
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' => self.next += 1,
                '#' => {
                    let ends =
                        |c: char| c == '\n' || (!unix_lines && matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'));
                    while let Some((character, _)) = self.take() {
                        if ends(character) {
                            break;
                        }
                    }
                }
                _ => return,
            }
        }
    }

    /// An error at the next character.
    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError { message: message.into(), position: self.at() })
    }
}
