//! What a sample of a column says about it.

use arrow::array::{Array, ArrayRef};

use super::detector::{Detector, Reading};
use super::entity::Entity;
use super::registry;
use crate::Random;
use crate::protect::{Accepts, Place};

/// Scores are added up as whole thousandths, so that the sum does not depend on the order.
const UNIT: f64 = 1000.0;

/// What decides.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanOptions {
    /// The least share of values that are of the type; Glue's `thresholdFraction`, 0.1 as there.
    pub threshold: f64,
    /// The least confidence in them.
    pub confidence: f64,
    /// The types that are looked for.
    pub entities: Vec<Entity>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { threshold: 0.1, confidence: 0.5, entities: Entity::ALL.to_vec() }
    }
}

/// Which rows are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Their share; Glue's `sampleFraction`. 1 for all.
    pub fraction: f64,
    /// Picks them, with the row's place.
    pub seed: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { fraction: 1.0, seed: 0 }
    }
}

/// A type that a column seems to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// The type.
    pub entity: Entity,
    /// The share of values that are of it, of those that are not NULL or blank.
    pub share: f64,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// Why, for a person; without values.
    pub because: String,
}

/// Counts over the values of a column. Two that saw parts of it merge to what one that saw all would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnScan {
    values: u64,
    tallies: Vec<Tally>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    found: u64,
    checked: u64,
    wrong_check: u64,
    score: u64,
}

impl Default for ColumnScan {
    fn default() -> Self {
        Self { values: 0, tallies: vec![Tally::default(); registry::all().len()] }
    }
}

impl ColumnScan {
    /// Takes in the rows of a batch that are in the sample. Columns that have no text form (floats, lists) hold none of the
    /// types and are passed over.
    ///
    /// # Errors
    /// That a value has no text form.
    pub fn update(&mut self, column: &ArrayRef, place: Place, sample: Sample) -> Result<(), String> {
        if Accepts::Canonical.output(column.data_type()).is_err() {
            return Ok(());
        }
        let text = Accepts::Canonical.read(column)?;
        for (row, value) in text.iter().enumerate() {
            let within =
                sample.fraction >= 1.0 || Random::at(sample.seed, place.batch, row as u64).fraction() < sample.fraction;
            if let (Some(value), true) = (value, within) {
                self.add(value);
            }
        }
        Ok(())
    }

    /// Takes in one value. A blank one does not count.
    pub fn add(&mut self, value: &str) {
        if value.trim().is_empty() {
            return;
        }
        self.values += 1;
        for (tally, detector) in self.tallies.iter_mut().zip(registry::all()) {
            let (score, checked) = match detector.read(value) {
                Reading::No => continue,
                Reading::WrongCheck => {
                    tally.wrong_check += 1;
                    continue;
                }
                Reading::Form(score) => (score, 0),
                Reading::Checked(score) => (score, 1),
            };
            tally.found += 1;
            tally.checked += checked;
            tally.score += (f64::from(score) * UNIT).round() as u64;
        }
    }

    /// Takes in what another one counted over other values of the column.
    pub fn merge(&mut self, other: &Self) {
        self.values += other.values;
        for (tally, other) in self.tallies.iter_mut().zip(&other.tallies) {
            tally.found += other.found;
            tally.checked += other.checked;
            tally.wrong_check += other.wrong_check;
            tally.score += other.score;
        }
    }

    /// How many values were looked at.
    pub fn values(&self) -> u64 {
        self.values
    }

    /// The types that the column seems to hold, the surest first.
    pub fn suspects(&self, column: &str, options: &ScanOptions) -> Vec<Suspect> {
        let wanted = registry::all().iter().zip(&self.tallies);
        let wanted = wanted.filter(|(detector, _)| options.entities.contains(&detector.entity));
        let mut suspects: Vec<Suspect> = wanted
            .filter_map(|(detector, tally)| self.suspect(detector, *tally, column))
            .filter(|suspect| suspect.share >= options.threshold && suspect.confidence >= options.confidence)
            .collect();
        suspects.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.entity.cmp(&b.entity)));
        suspects
    }

    fn suspect(&self, detector: &Detector, tally: Tally, column: &str) -> Option<Suspect> {
        if tally.found == 0 {
            return None;
        }
        let named = detector.is_named(column);
        let share = tally.found as f64 / self.values as f64;
        let mean = tally.score as f64 / UNIT / tally.found as f64;
        // Of numbers that only look so, one in ten has the right check digit. If most have it, that is no chance; if few
        // have it, those few are.
        let checks = tally.checked + tally.wrong_check;
        let right = tally.checked as f64 / checks.max(1) as f64;
        let by_chance = tally.checked * 2 > tally.found && right < 0.5;
        let score = match tally.checked >= 20 && tally.checked * 2 > tally.found && right > 0.9 {
            true => mean.max(0.99),
            false if by_chance => mean * right,
            false => mean,
        };
        let mut because = format!("{} of {} values have its form", tally.found + tally.wrong_check, self.values);
        if checks > 0 {
            because += &format!(", {} of {checks} the right check digit", tally.checked);
        }
        if named {
            because += ", and the column's name speaks for it";
        }
        let confidence = f64::from(Detector::confidence(score as f32, named && !by_chance));
        Some(Suspect { entity: detector.entity, share, confidence, because })
    }
}
