//! The rule types of the reference: parameters, what a condition may be, and which clauses are allowed.

/// What a rule type's condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// No condition.
    Boolean,
    /// Numbers.
    Number,
    /// Strings.
    String,
    /// Dates.
    Date,
    /// Durations.
    Duration,
    /// Sizes.
    Size,
}

impl Returns {
    /// The name in the reference's messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Date => "date",
            Self::Duration => "duration",
            Self::Size => "size",
        }
    }
}

/// One way to write a rule type.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// The type.
    pub name: &'static str,
    /// The parameters' names; a `*` behind the last one: any number more of it, numbered from 1.
    pub parameters: &'static [&'static str],
    /// What its condition may be, in the order in which the reference tries.
    pub returns: &'static [Returns],
    /// Whether `where` is allowed.
    pub filter: bool,
    /// Whether `with threshold` is allowed.
    pub threshold: bool,
    /// Whether it may stand under `Analyzers`.
    pub analyzer: bool,
    /// Whether it may stand under `Rules`.
    pub rule: bool,
}

const fn rule(
    name: &'static str,
    parameters: &'static [&'static str],
    returns: &'static [Returns],
    clauses: &str,
) -> Signature {
    let bytes = clauses.as_bytes();
    let (mut filter, mut threshold, mut analyzer, mut at) = (false, false, false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'W' => filter = true,
            b'T' => threshold = true,
            b'A' => analyzer = true,
            _ => {}
        }
        at += 1;
    }
    Signature { name, parameters, returns, filter, threshold, analyzer, rule: true }
}

const COLUMN: &[&str] = &["TargetColumn"];
const COLUMNS: &[&str] = &["TargetColumn*"];
const BOOLEAN: &[Returns] = &[Returns::Boolean];
const NUMBER: &[Returns] = &[Returns::Number];
const STRING: &[Returns] = &[Returns::String];

/// Every signature. Clauses: W `where`, T `with threshold`, A usable as an analyzer.
pub static SIGNATURES: &[Signature] = &[
    rule("RowCount", &[], NUMBER, "WA"),
    rule("ColumnCount", &[], NUMBER, "A"),
    rule("ColumnExists", COLUMN, BOOLEAN, ""),
    rule("ColumnNamesMatchPattern", &["PatternToMatch"], BOOLEAN, ""),
    rule("ColumnDataType", COLUMN, STRING, "WTA"),
    rule("ColumnLength", COLUMN, NUMBER, "WA"),
    rule("ColumnValues", COLUMN, &[Returns::String, Returns::Number, Returns::Date], "WTA"),
    rule("ColumnCorrelation", &["TargetColumn1", "TargetColumn2"], NUMBER, "WA"),
    rule("Completeness", COLUMN, NUMBER, "WA"),
    rule("IsComplete", COLUMN, BOOLEAN, "W"),
    rule("Uniqueness", COLUMN, NUMBER, "WA"),
    rule("Uniqueness", COLUMNS, NUMBER, "WA"),
    rule("IsUnique", COLUMN, BOOLEAN, "W"),
    rule("IsUnique", COLUMNS, BOOLEAN, "W"),
    rule("IsPrimaryKey", COLUMNS, BOOLEAN, "W"),
    rule("UniqueValueRatio", COLUMN, NUMBER, "WA"),
    rule("DistinctValuesCount", COLUMN, NUMBER, "WA"),
    rule("DuplicateRowCount", &[], NUMBER, "WA"),
    rule("DuplicateRowCount", COLUMNS, NUMBER, "WA"),
    rule("Entropy", COLUMN, NUMBER, "WA"),
    rule("Mean", COLUMN, NUMBER, "WA"),
    rule("Sum", COLUMN, NUMBER, "WA"),
    rule("StandardDeviation", COLUMN, NUMBER, "WA"),
    rule("Variance", COLUMN, NUMBER, "WA"),
    rule("DataFreshness", COLUMN, &[Returns::Duration], "WA"),
    rule("CustomSql", &["CustomSqlStatement"], &[Returns::Number, Returns::Boolean], "TA"),
    rule("ReferentialIntegrity", &["PrimaryDatasetColumns", "ReferenceDatasetColumns"], NUMBER, "A"),
    rule("DatasetMatch", &["ReferenceDatasetAlias", "KeyColumnMappings"], NUMBER, "A"),
    rule("DatasetMatch", &["ReferenceDatasetAlias", "KeyColumnMappings", "MatchColumnMappings"], NUMBER, "A"),
    rule("SchemaMatch", &["ReferenceDatasetAlias"], NUMBER, "A"),
    rule("RowCountMatch", &["ReferenceDatasetAlias"], NUMBER, "A"),
    rule("AggregateMatch", &["AggregateExpression1", "AggregateExpression2"], NUMBER, "A"),
    rule("DetectAnomalies", &["MetricParameter*"], BOOLEAN, ""),
    rule("FileFreshness", &[], &[Returns::Date], "TA"),
    rule("FileFreshness", &["DataPath"], &[Returns::Date], "TA"),
    rule("FileSize", &[], &[Returns::Size], "TA"),
    rule("FileSize", &["DataPath"], &[Returns::Size], "TA"),
    rule("FileUniqueness", &[], NUMBER, "A"),
    rule("FileUniqueness", &["DataPath"], NUMBER, "A"),
    rule("FileMatch", &[], STRING, "A"),
    rule("FileMatch", &["DataPath"], STRING, "A"),
    rule("FileMatch", &["DataPath", "CompareDataPath"], BOOLEAN, ""),
    Signature { rule: false, ..rule("AllStatistics", COLUMN, NUMBER, "A") },
];

impl Signature {
    /// The signature of a type with this many parameters.
    pub fn find(name: &str, count: usize) -> Option<&'static Self> {
        SIGNATURES.iter().find(|signature| signature.name == name && signature.accepts(count))
    }

    /// Every signature of a type.
    pub fn all(name: &str) -> impl Iterator<Item = &'static Self> {
        SIGNATURES.iter().filter(move |signature| signature.name == name)
    }

    /// Whether a type of this name exists at all.
    pub fn is_known(name: &str) -> bool {
        SIGNATURES.iter().any(|signature| signature.name == name)
    }

    /// The known type nearest to a name.
    pub fn nearest(name: &str) -> Option<&'static str> {
        let lower = name.to_ascii_lowercase();
        let scored = SIGNATURES
            .iter()
            .map(|known| (strsim::damerau_levenshtein(&lower, &known.name.to_ascii_lowercase()), known.name));
        scored
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= (name.len() / 3).clamp(1, 4))
            .map(|(_, known)| known)
    }

    fn accepts(&self, count: usize) -> bool {
        match self.parameters.last() {
            Some(last) if last.ends_with('*') => count >= self.parameters.len(),
            _ => count == self.parameters.len(),
        }
    }

    /// The reference's name of a parameter.
    pub fn parameter(&self, index: usize) -> String {
        let name = self.parameters.get(index).or(self.parameters.last()).copied().unwrap_or_default();
        match name.strip_suffix('*') {
            Some(stem) => format!("{stem}{}", index + 1),
            None => name.to_owned(),
        }
    }
}
