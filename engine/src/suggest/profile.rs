//! What is known of some rows of a column: counts, ends, lengths, the first few distinct texts. Profiles can be merged.

use std::collections::BTreeMap;

use super::shape::Shape;

/// Distinct texts that are kept; one more and the column is no list of categories.
const MOST_TEXTS: usize = 64;
/// The longest text that is kept; in bytes.
const LONGEST_TEXT: usize = 64;

/// What is known of some rows of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// Rows.
    pub(super) rows: u64,
    /// Rows whose value is NULL.
    pub(super) nulls: u64,
    /// The values as numbers; days for dates.
    pub(super) numbers: Numbers,
    /// The values as texts.
    pub(super) texts: Texts,
}

impl Profile {
    /// Rows whose value is not NULL.
    pub(super) fn values(&self) -> u64 {
        self.rows - self.nulls
    }

    /// The profile of the rows of both.
    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.numbers.merge(&other.numbers);
        self.texts.merge(&other.texts);
    }
}

/// Values as numbers.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// The smallest; +∞ without a value.
    pub(super) min: f64,
    /// The largest; -∞ without a value.
    pub(super) max: f64,
    /// Whether NaN was among them: it fails every ordering.
    pub(super) nan: bool,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY, nan: false }
    }
}

impl Numbers {
    /// Takes a value.
    pub(super) fn add(&mut self, value: f64) {
        self.nan |= value.is_nan();
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn merge(&mut self, other: &Self) {
        self.nan |= other.nan;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// One of the distinct texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// How often it came.
    pub(super) count: u64,
    /// The number of the first row it came in.
    pub(super) first: u64,
}

/// Values as texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// The length of the shortest, in characters; `None` without a value.
    pub(super) shortest: Option<usize>,
    /// The length of the longest, in characters.
    pub(super) longest: usize,
    /// What they have in common.
    pub(super) shape: Shape,
    values: BTreeMap<String, Seen>,
    overflowed: bool,
}

impl Texts {
    /// Takes the value of a row.
    pub(super) fn add(&mut self, text: &str, row: u64) {
        let length = if text.is_ascii() { text.len() } else { text.chars().count() };
        self.shortest = Some(self.shortest.map_or(length, |shortest| shortest.min(length)));
        self.longest = self.longest.max(length);
        self.shape.add(text);
        if self.overflowed {
            return;
        }
        match self.values.get_mut(text) {
            Some(seen) => seen.count += 1,
            None if text.len() > LONGEST_TEXT => self.overflow(),
            None => {
                self.values.insert(text.to_owned(), Seen { count: 1, first: row });
            }
        }
        if self.values.len() > MOST_TEXTS {
            self.overflow();
        }
    }

    fn overflow(&mut self) {
        self.overflowed = true;
        self.values = BTreeMap::new();
    }

    /// The distinct texts, in order; `None` when there are too many to keep.
    pub(super) fn distinct(&self) -> Option<&BTreeMap<String, Seen>> {
        (!self.overflowed).then_some(&self.values)
    }

    fn merge(&mut self, other: &Self) {
        self.shortest = match (self.shortest, other.shortest) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        self.longest = self.longest.max(other.longest);
        self.shape.merge(&other.shape);
        for (text, seen) in &other.values {
            let own = self.values.entry(text.clone()).or_insert(Seen { count: 0, first: seen.first });
            own.count += seen.count;
            own.first = own.first.min(seen.first);
        }
        if self.overflowed || other.overflowed || self.values.len() > MOST_TEXTS {
            self.overflow();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(rows: std::ops::Range<u64>, text: impl Fn(u64) -> String) -> Profile {
        let mut profile = Profile::default();
        for row in rows {
            profile.rows += 1;
            profile.numbers.add(row as f64);
            profile.texts.add(&text(row), row);
        }
        profile
    }

    #[test]
    fn merging_is_the_same_as_seeing_all_rows() {
        for distinct in [3, 64, 65, 100] {
            let text = |row: u64| "x".repeat(1 + (row % distinct) as usize % 7) + &(row % distinct).to_string();
            let whole = profile(0..500, text);
            let mut merged = profile(200..500, text);
            merged.merge(&profile(0..200, text));
            assert_eq!(merged.texts.distinct(), whole.texts.distinct(), "{distinct}");
            assert_eq!(merged.texts.distinct().is_some(), distinct <= 64);
            assert_eq!((merged.rows, merged.numbers.min, merged.numbers.max), (500, 0.0, 499.0));
            assert_eq!((merged.texts.shortest, merged.texts.longest), (whole.texts.shortest, whole.texts.longest));
        }
    }
}
