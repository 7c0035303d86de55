//! What a bound step asks the engine to do.

use std::sync::Arc;

use crate::kernel::Kernel;
use crate::protection::Protection;

/// What is done with the rows, in order. Every action takes the columns that the one before it left.
#[derive(Debug, Clone)]
pub enum Action {
    /// One SELECT in Spark's SQL over the table `input` and the declared data sets, which names every column of its result.
    ///
    /// One that looks at a row at a time (a projection, a condition) runs on the batches as they come; any other (groups,
    /// windows, sorts, joins) runs once over all rows, which are put aside on disk until then.
    Query {
        /// The text.
        sql: String,
        /// The columns of the result in their order, spelled as they are to be; `None`: as the text spells them.
        names: Option<Vec<String>>,
        /// Whether the query wants the order of the rows: `input` then has the column [`ROW_NUMBER`], a `bigint` from 1.
        ordered: bool,
    },
    /// Rows for which the condition, a predicate in Spark's SQL, is not true are left out and counted as filtered.
    Filter {
        /// The condition.
        condition: String,
    },
    /// The run is INVALID unless the condition is true for every row.
    Require {
        /// The condition.
        condition: String,
        /// What is told of rows for which it is not.
        message: String,
    },
    /// Batch to batch, by code.
    Kernel(Arc<dyn Kernel>),
    /// Personal data is protected in its place.
    Protect(Protection),
    /// Columns that are marked as personal data are so no longer: someone answers for it.
    Release {
        /// The columns.
        columns: Vec<String>,
    },
    /// Columns in which no row has a value are left out of the table. The last action of its table.
    DropNullFields {
        /// The columns that may go.
        columns: Vec<String>,
        /// Texts that are as good as NULL, without blanks at their ends.
        null_values: Vec<String>,
    },
    /// Columns of another data set beside the rows whose keys match.
    Lookup(Lookup),
    /// Columns that say where a row came from, put behind the others.
    Origin(Vec<OriginColumn>),
    /// A copy of the rows goes through `actions` into a table of its own, published with the main one.
    Branch {
        /// The table's name: letters, digits and `_`.
        table: String,
        /// What is done with the copy.
        actions: Vec<Action>,
    },
}

/// The name of the column that holds the order of the rows, for a [`Action::Query`] that is `ordered`.
pub const ROW_NUMBER: &str = "__row";

/// Another data set whose rows are found by equal keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The alias of the data set.
    pub source: String,
    /// Key columns: that of the rows, that of the data set.
    pub keys: Vec<(String, String)>,
    /// What becomes of rows without a match.
    pub kind: JoinKind,
    /// Columns of the data set that are added: its name there, its name here. None for semi and anti joins.
    pub columns: Vec<(String, String)>,
}

/// What becomes of rows without a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// They are left out.
    Inner,
    /// They stay, with NULLs.
    Left,
    /// They are left out, and nothing is added to the others.
    Semi,
    /// They alone stay.
    Anti,
}

/// A column that says where a row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginColumn {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: OriginValue,
}

/// What an [`OriginColumn`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginValue {
    /// `string`: the URI of the input.
    Source,
    /// `bigint`: the line that the record begins on, from 1, the header included.
    Line,
    /// `bigint`: the number of the record in its input, from 1.
    Record,
    /// `string`: the run.
    RunId,
    /// `timestamp`: when the run began.
    LoadedAt,
    /// `bigint`: a number of the row in the run, from `start`, without gaps in the order of the rows that reach the step.
    Surrogate {
        /// The first number.
        start: i64,
    },
}

impl Action {
    /// A SELECT that looks at rows without regard to their order; see [`crate::sql::select`].
    pub fn query(sql: impl Into<String>, names: Vec<String>) -> Self {
        Self::Query { sql: sql.into(), names: Some(names), ordered: false }
    }
}
