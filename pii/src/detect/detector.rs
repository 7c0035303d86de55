//! What a detector is.

use super::entity::Entity;

/// What a detector makes of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// It is not of the type.
    No,
    /// It has the form of the type, but its check digit is wrong. One such in ten passes by chance, so these are counted.
    WrongCheck,
    /// It may be of the type, this sure by the value alone: from 0 (anything looks so) to 1.
    Form(f32),
    /// It has the form of the type and its check digit is right.
    Checked(f32),
}

/// Finds one type of personal data.
#[derive(Debug)]
pub struct Detector {
    /// The type.
    pub entity: Entity,
    /// Words in a column's name that speak for the type.
    pub context: &'static [&'static str],
    pub(crate) read: fn(&str) -> Reading,
}

impl Detector {
    /// What it makes of a value; white space around the value does not count.
    pub fn read(&self, value: &str) -> Reading {
        let value = value.trim();
        // No type has a longer value, and time is not to be spent on documents.
        if value.is_empty() || value.len() > 320 { Reading::No } else { (self.read)(value) }
    }

    /// How sure the value alone is of the type, if it may be: from 0 to 1.
    pub fn score(&self, value: &str) -> Option<f32> {
        match self.read(value) {
            Reading::Form(score) | Reading::Checked(score) => Some(score),
            Reading::No | Reading::WrongCheck => None,
        }
    }

    /// Whether the name of the column speaks for the type.
    pub fn is_named(&self, column: &str) -> bool {
        super::context::speaks_for(column, self.context)
    }

    /// How sure a score is when the column's name speaks for the type: four tenths of the doubt stay.
    pub fn confidence(score: f32, named: bool) -> f32 {
        if named { 1.0 - (1.0 - score) * 0.4 } else { score }
    }
}
