//! What masks have in common.

/// Characters that a mask leaves readable, as DataBrew's `alphabet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// What is neither letter, digit nor white space.
    pub symbols: bool,
    /// White space.
    pub whitespace: bool,
}

impl Keep {
    /// The character itself if it is kept, and else the symbol.
    pub(crate) fn or(self, symbol: char, character: char) -> char {
        let kept = match (character.is_whitespace(), character.is_alphanumeric()) {
            (true, _) => self.whitespace,
            (false, true) => false,
            (false, false) => self.symbols,
        };
        if kept { character } else { symbol }
    }
}
