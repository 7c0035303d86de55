//! How rows and composites are judged: Glue's `additionalOptions` that change results.

/// Options of a run of rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleOptions {
    /// `compositeRuleEvaluation.method`
    pub composite: CompositeMethod,
    /// `rowLevelConfiguration.filteredRowLabel`
    pub filtered_rows: FilteredRows,
    /// `rowLevelConfiguration.ruleWithLabels`: whether row results name rules with their labels.
    pub rule_with_labels: bool,
}

/// How a composite rule is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CompositeMethod {
    /// Each part on the whole dataset; the outcomes are combined.
    #[default]
    Column,
    /// Each part on each row; the composite passes when every row passes.
    Row,
}

/// What a rule says of a row that its `where` leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FilteredRows {
    /// It passes.
    #[default]
    Passed,
    /// It is skipped.
    Skipped,
}
