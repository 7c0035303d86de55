//! What a ruleset remembers of the rows it saw: merged, saved, restored.

use serde::{Deserialize, Serialize};

use crate::analyzer::{AnalyzerState, from_bytes, to_bytes};
use crate::error::RuleError;
use crate::ruleset::RuleSet;

/// What a ruleset remembers of the rows it saw.
#[derive(Debug)]
pub struct RuleSetState {
    pub(crate) rows_in_scope: Vec<u64>,
    pub(crate) passed: Vec<u64>,
    /// Rows that fail each rule, for composites that are judged by row; zero for other rules.
    pub(crate) failed_rows: Vec<u64>,
    pub(crate) analyzers: Vec<Box<dyn AnalyzerState>>,
    pub(crate) keys: Vec<Vec<u128>>,
}

/// A state as another process gets it.
#[derive(Serialize, Deserialize)]
struct Saved {
    rows_in_scope: Vec<u64>,
    passed: Vec<u64>,
    failed_rows: Vec<u64>,
    analyzers: Vec<Vec<u8>>,
    keys: Vec<Vec<u128>>,
}

impl RuleSetState {
    /// Rows seen so far.
    pub fn row_count(&self) -> u64 {
        self.rows_in_scope.first().copied().unwrap_or(0)
    }

    /// Bytes held; 16 per keyed row and key analyzer make up nearly all of it.
    pub fn size(&self) -> usize {
        let keys: usize = self.keys.iter().map(|hashes| hashes.capacity() * size_of::<u128>()).sum();
        let analyzers: usize = self.analyzers.iter().map(|state| state.size()).sum();
        let counts = self.rows_in_scope.len() + self.passed.len() + self.failed_rows.len();
        size_of::<Self>() + keys + analyzers + 8 * counts
    }

    /// The state as bytes, for [`RuleSet::restore`] in another process that bound the same rules to the same schema.
    pub fn save(&self) -> Result<Vec<u8>, RuleError> {
        to_bytes(&Saved {
            rows_in_scope: self.rows_in_scope.clone(),
            passed: self.passed.clone(),
            failed_rows: self.failed_rows.clone(),
            analyzers: self.analyzers.iter().map(|state| state.save()).collect::<Result<_, _>>()?,
            keys: self.keys.clone(),
        })
    }
}

impl RuleSet {
    /// The state of no rows.
    pub fn start(&self) -> RuleSetState {
        RuleSetState {
            rows_in_scope: vec![0; self.plan.filters.len()],
            passed: vec![0; self.plan.tallies.len()],
            failed_rows: vec![0; self.rules.len()],
            analyzers: self.plan.states.iter().map(|(analyzer, _)| analyzer.start()).collect(),
            keys: vec![Vec::new(); self.plan.keys.len()],
        }
    }

    /// Adds a state of this ruleset whose rows come after the rows of `into`.
    pub fn merge(&self, into: &mut RuleSetState, other: RuleSetState) -> Result<(), RuleError> {
        if into.analyzers.len() != other.analyzers.len()
            || into.passed.len() != other.passed.len()
            || into.failed_rows.len() != other.failed_rows.len()
            || into.rows_in_scope.len() != other.rows_in_scope.len()
            || into.keys.len() != other.keys.len()
        {
            return Err(RuleError::State("they count different things".to_owned()));
        }
        for (state, other) in into.analyzers.iter_mut().zip(other.analyzers) {
            state.merge(other)?;
        }
        let add = |into: &mut Vec<u64>, other: Vec<u64>| {
            into.iter_mut().zip(other).for_each(|(total, other)| *total += other);
        };
        add(&mut into.rows_in_scope, other.rows_in_scope);
        add(&mut into.passed, other.passed);
        add(&mut into.failed_rows, other.failed_rows);
        for (hashes, mut other) in into.keys.iter_mut().zip(other.keys) {
            if hashes.is_empty() {
                *hashes = other;
            } else {
                hashes.append(&mut other);
            }
        }
        Ok(())
    }

    /// The state that [`RuleSetState::save`] wrote.
    ///
    /// # Errors
    /// [`RuleError::State`] when the bytes are of another ruleset or damaged.
    pub fn restore(&self, bytes: &[u8]) -> Result<RuleSetState, RuleError> {
        let saved: Saved = from_bytes(bytes)?;
        let empty = self.start();
        if saved.rows_in_scope.len() != empty.rows_in_scope.len()
            || saved.passed.len() != empty.passed.len()
            || saved.failed_rows.len() != empty.failed_rows.len()
            || saved.analyzers.len() != empty.analyzers.len()
            || saved.keys.len() != empty.keys.len()
        {
            return Err(RuleError::State("the saved state is of another ruleset".to_owned()));
        }
        let states = self.plan.states.iter().zip(&saved.analyzers);
        Ok(RuleSetState {
            rows_in_scope: saved.rows_in_scope,
            passed: saved.passed,
            failed_rows: saved.failed_rows,
            analyzers: states.map(|((analyzer, _), bytes)| analyzer.restore(bytes)).collect::<Result<_, _>>()?,
            keys: saved.keys,
        })
    }

    /// Moves the key hashes out of a state, by key list, for a caller that holds or spills them.
    pub fn take_keys(&self, state: &mut RuleSetState) -> Vec<(usize, Vec<u128>)> {
        state.keys.iter_mut().map(std::mem::take).enumerate().collect()
    }
}
