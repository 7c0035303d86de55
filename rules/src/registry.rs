//! Every rule type. A new one is a file in `types/` and a line here.

use crate::rule::RuleType;
use crate::types;

/// The rule types, by name.
static ALL: &[&dyn RuleType] = &[
    &types::aggregate_match::AggregateMatch,
    &types::all_statistics::AllStatistics,
    &types::column_correlation::ColumnCorrelation,
    &types::column_count::ColumnCount,
    &types::column_data_type::ColumnDataType,
    &types::column_exists::ColumnExists,
    &types::column_length::ColumnLength,
    &types::column_names_match_pattern::ColumnNamesMatchPattern,
    &types::column_values::ColumnValues,
    &types::completeness::Completeness,
    &types::custom_sql::CustomSql,
    &types::data_freshness::DataFreshness,
    &types::dataset_match::DatasetMatch,
    &types::detect_anomalies::DetectAnomalies,
    &types::distinct_values_count::DistinctValuesCount,
    &types::duplicate_row_count::DuplicateRowCount,
    &types::entropy::Entropy,
    &types::file_freshness::FileFreshness,
    &types::file_match::FileMatch,
    &types::file_size::FileSize,
    &types::file_uniqueness::FileUniqueness,
    &types::is_complete::IsComplete,
    &types::is_primary_key::IsPrimaryKey,
    &types::is_unique::IsUnique,
    &types::mean::Mean,
    &types::referential_integrity::ReferentialIntegrity,
    &types::row_count::RowCount,
    &types::row_count_match::RowCountMatch,
    &types::schema_match::SchemaMatch,
    &types::standard_deviation::StandardDeviation,
    &types::sum::Sum,
    &types::unique_value_ratio::UniqueValueRatio,
    &types::uniqueness::Uniqueness,
    &types::variance::Variance,
];

/// All rule types that this crate evaluates.
pub fn all() -> &'static [&'static dyn RuleType] {
    ALL
}

/// The rule type with this name, exactly as DQDL spells it.
pub fn find(name: &str) -> Option<&'static dyn RuleType> {
    ALL.iter().copied().find(|rule_type| rule_type.name() == name)
}

/// The rule type with this name, in whatever case it is written.
pub fn find_in_any_case(name: &str) -> Option<&'static dyn RuleType> {
    ALL.iter().copied().find(|rule_type| rule_type.name().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dqdl::signature::SIGNATURES;

    #[test]
    fn whatever_the_language_knows_can_be_evaluated() {
        for signature in SIGNATURES {
            assert!(find(signature.name).is_some(), "{}", signature.name);
        }
        assert!(all().iter().all(|rule_type| SIGNATURES.iter().any(|signature| signature.name == rule_type.name())));
    }

    #[test]
    fn names_are_sorted_and_documented() {
        assert!(all().is_sorted_by_key(|rule_type| rule_type.name()));
        for rule_type in all() {
            let doc = rule_type.doc();
            assert!(doc.syntax.starts_with(rule_type.name()) && doc.example.starts_with(rule_type.name()));
            assert!(doc.summary.ends_with('.') && !doc.nulls.is_empty(), "{}", rule_type.name());
        }
    }
}
