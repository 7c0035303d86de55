//! The states of a file: a pure state machine.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::RowCounts;

/// Where a file stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It arrived.
    #[default]
    New,
    /// An attempt is judging it.
    Validating,
    /// It was found good.
    Valid,
    /// It was found bad.
    Invalid,
    /// An attempt is publishing its rows.
    Ingesting,
    /// Its rows are published.
    Ingested,
    /// It could not be told; it may be tried again.
    Error,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::New, Self::Validating, Self::Valid, Self::Invalid, Self::Ingesting, Self::Ingested, Self::Error];

    /// Whether a file in this state may come to the next one. What is published or judged bad stays so, for the verdict is
    /// a function of the bytes; an error may be tried again. A run that holds nothing may leave out VALIDATING and
    /// INGESTING. Who may take the step is another question: [`Event::follows`].
    pub fn may_become(self, next: Self) -> bool {
        use State::{Error, Ingested, Ingesting, Invalid, New, Valid, Validating};
        matches!(
            (self, next),
            (New | Error, Validating | Valid | Invalid | Error)
                | (Validating, Validating | Valid | Invalid | Error)
                | (Valid, Validating | Ingesting | Ingested | Error)
                | (Ingesting, Validating | Ingesting | Ingested | Error)
                | (Error, New | Ingested)
        )
    }

    /// Whether the file is settled: nothing is left to be done with its rows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Invalid | Self::Ingested)
    }

    /// The state of a name such as `NEW`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.to_string().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "NEW",
            Self::Validating => "VALIDATING",
            Self::Valid => "VALID",
            Self::Invalid => "INVALID",
            Self::Ingesting => "INGESTING",
            Self::Ingested => "INGESTED",
            Self::Error => "ERROR",
        })
    }
}

/// One step of one file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The file, see [`file_id`].
    pub file_id: String,
    /// The state it came to.
    pub state: State,
    /// When, in UTC.
    pub at: DateTime<Utc>,
    /// The file's name.
    pub uri: String,
    /// Its version.
    pub version: Option<String>,
    /// Its bytes.
    pub size: Option<u64>,
    /// SHA-256 of its bytes, once read.
    pub sha256: Option<String>,
    /// The run.
    pub run_id: String,
    /// The attempt.
    pub attempt: String,
    /// Where the run's rows went, once known.
    pub rows: Option<RowCounts>,
    /// Why, for INVALID and ERROR.
    pub reasons: Vec<String>,
    /// The data set that a workflow registered it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Who started the attempt, such as an execution of a state machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Which attempt of its owner; a later one may take the file from an earlier one.
    #[serde(default)]
    pub number: u32,
    /// How many owners tried the file, this one included.
    #[serde(default)]
    pub tries: u32,
    /// Until when the attempt holds the file; `None`: it holds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<DateTime<Utc>>,
    /// The manifest that waits for its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<String>,
    /// The report of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Where an invalid file was moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is to be written.
    Write,
    /// It was taken before, by the same attempt.
    Repeated,
    /// The file is in another state, or another attempt holds it.
    Refused,
}

impl Event {
    /// What becomes of this step after `last`: the one rule of all audit logs.
    ///
    /// An attempt that holds a file (its lease has not passed) excludes all others but a later attempt of its owner, who
    /// knows that the earlier one ended. Once its lease has passed its own steps are refused: it is late.
    pub fn follows(&self, last: &Self) -> Step {
        let same = self.attempt == last.attempt;
        if same && self.state == last.state {
            let late = last.lease_until.is_some_and(|until| self.at > until);
            return match (self.lease_until > last.lease_until, self.moved_to.is_some() && last.moved_to.is_none()) {
                (_, true) => Step::Write,
                (true, _) if late => Step::Refused,
                (true, _) => Step::Write,
                _ => Step::Repeated,
            };
        }
        if self.state == State::Invalid && last.state == State::Invalid {
            // Whoever moves the file says where it is; once.
            return if self.moved_to.is_some() && last.moved_to.is_none() { Step::Write } else { Step::Refused };
        }
        let held = last.lease_until.is_some_and(|until| self.at <= until);
        let later = self.owner.is_some() && self.owner == last.owner && self.number > last.number;
        let claims = matches!(self.state, State::Validating | State::Ingesting | State::Error);
        let allowed = match last.lease_until {
            None => true,
            Some(_) if same => held,
            // The state after a claim is for the one who claimed.
            Some(_) => (later || !held) && (claims || !matches!(last.state, State::Validating | State::Ingesting)),
        };
        if allowed && last.state.may_become(self.state) { Step::Write } else { Step::Refused }
    }

    /// Whether an attempt holds the file at `now`.
    pub fn is_held(&self, now: DateTime<Utc>) -> bool {
        !self.state.is_final() && self.lease_until.is_some_and(|until| now <= until)
    }

    /// Whether work is left: the file is not settled, or it is bad and still where it arrived.
    pub fn is_open(&self) -> bool {
        !self.state.is_final() || (self.state == State::Invalid && self.moved_to.is_none() && self.dataset.is_some())
    }
}

/// The identity of a file at a version for a job: 32 hexadecimal digits.
pub fn file_id(uri: &str, version: Option<&str>, job_hash: &str) -> String {
    let hash = Sha256::digest(format!("{uri}\n{}\n{job_hash}", version.unwrap_or("-")));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
