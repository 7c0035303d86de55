//! Units of time, as steps take them.

use schemars::JsonSchema;
use serde::Deserialize;

/// A unit of time.
#[derive(Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
    /// Months of the calendar.
    Months,
    /// Years of the calendar.
    Years,
}

impl TimeUnit {
    /// Its seconds; `None` for those of the calendar.
    pub(crate) fn seconds(self) -> Option<i64> {
        match self {
            Self::Seconds => Some(1),
            Self::Minutes => Some(60),
            Self::Hours => Some(3600),
            Self::Days => Some(86_400),
            Self::Weeks => Some(7 * 86_400),
            Self::Months | Self::Years => None,
        }
    }
}
