//! Alphabets of format-preserving encryption.

use std::collections::HashMap;

/// The characters that format-preserving encryption takes and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alphabet {
    /// `0-9`
    Digits,
    /// `0-9a-z`
    LowerAlphanumeric,
    /// `0-9A-Z`
    UpperAlphanumeric,
    /// `0-9A-Za-z`
    Alphanumeric,
    /// These, in this order; the order is part of what encrypts and decrypts.
    Custom(String),
}

impl Alphabet {
    fn characters(&self) -> Vec<char> {
        let digits = '0'..='9';
        match self {
            Self::Digits => digits.collect(),
            Self::LowerAlphanumeric => digits.chain('a'..='z').collect(),
            Self::UpperAlphanumeric => digits.chain('A'..='Z').collect(),
            Self::Alphanumeric => digits.chain('A'..='Z').chain('a'..='z').collect(),
            Self::Custom(characters) => characters.chars().collect(),
        }
    }
}

/// Characters and their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Numerals {
    characters: Vec<char>,
    ascii: Box<[Option<u16>; 128]>,
    others: HashMap<char, u16>,
}

impl Numerals {
    pub(crate) fn new(alphabet: &Alphabet) -> Result<Self, String> {
        let characters = alphabet.characters();
        if characters.len() < 2 || characters.len() >= usize::from(u16::MAX) {
            return Err("an alphabet has 2 to 65,534 characters".to_owned());
        }
        let mut ascii = Box::new([None; 128]);
        let mut others = HashMap::new();
        for (number, character) in (0u16..).zip(&characters) {
            let before = match ascii.get_mut(*character as usize) {
                Some(place) => place.replace(number),
                None => others.insert(*character, number),
            };
            if before.is_some() {
                return Err(format!("`{character}` is in the alphabet twice"));
            }
        }
        Ok(Self { characters, ascii, others })
    }

    pub(crate) fn radix(&self) -> u32 {
        self.characters.len() as u32
    }

    /// The number of a character; `None` outside the alphabet.
    pub(crate) fn number(&self, character: char) -> Option<u16> {
        match self.ascii.get(character as usize) {
            Some(number) => *number,
            None => self.others.get(&character).copied(),
        }
    }

    pub(crate) fn character(&self, number: u16) -> Option<char> {
        self.characters.get(usize::from(number)).copied()
    }
}
