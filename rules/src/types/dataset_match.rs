//! `DatasetMatch`.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};

use crate::analyzers::keys::{KeyHasher, common_type};
use crate::call::RuleCall;
use crate::checks::lookups::SameValuesCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{Need, ReferenceNeed, Wanted};
use crate::number_test::NumberTest;
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType};

/// Compares rows with those of another data set.
#[derive(Debug)]
pub(crate) struct DatasetMatch;

impl RuleType for DatasetMatch {
    fn name(&self) -> &'static str {
        "DatasetMatch"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of rows that another data set has by the same key and with the same values.",
            syntax: "DatasetMatch \"<alias>\" \"<key>[-><key there>][,..]\" [\"<column>[-><column there>][,..]\"] \
                     <number condition>",
            nulls: "NULL equals NULL, in keys and in values.",
            differs_from_glue: "Columns are paired as the rule pairs them; Deequ pairs them in the order of their \
                                names. As in Glue, keys that occur twice on either side fail the rule, rows that only \
                                the other data set has do not count, and without a list of columns all others are \
                                compared by name. The other data set is declared with `--source <alias>=<file>` or \
                                under `sources:` of the job file.",
            rows: RowDoc::Marks,
            metrics: &["Dataset.<alias>.DatasetMatch"],
            example: "DatasetMatch \"reference\" \"id\" \"name\" = 1.0",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(format!("Dataset.{}.DatasetMatch", parameters.first()?))
    }

    fn needs(&self, call: &RuleCall, cx: &BindContext<'_>) -> Vec<Need> {
        pairing(call, cx).map(|pairing| vec![Need::Reference(pairing.need())]).unwrap_or_default()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let pairing = pairing(call, cx)?;
        let Some(map) = cx.facts.key_map(&pairing.need()) else {
            return Err(BindProblem::fails(format!("{} has columns that cannot be compared", pairing.alias)));
        };
        let duplicates = format!(
            "The selected columns are not comparable due to duplicates present in the dataset. Comparison keys must be \
             unique: the keys are ({}) in the first dataset and ({}) in the second.",
            pairing.keys.names(),
            pairing.keys.names_there()
        );
        if map.has_repeated_keys() {
            return Err(BindProblem::fails(duplicates));
        }
        let keys = pairing.keys.hasher()?;
        let check = Arc::new(SameValuesCheck {
            keys: keys.clone(),
            values: pairing.values.hasher()?,
            alias: pairing.alias.clone(),
            map: Arc::clone(map),
        });
        let repeated = Measure::Keys {
            hasher: keys,
            metric: |counts, _rows| Some((counts.groups - counts.unique_groups) as f64),
            describe: "DatasetMatch(".to_owned(),
        };
        let test = call.number_test().map_err(BindProblem::fails)?;
        let metric = format!("Dataset.{}.DatasetMatch", pairing.alias);
        let rule = BoundRule::dataset(vec![
            Constraint::gate(repeated, NumberTest::Equal(0.0), duplicates),
            Constraint::new(metric, Measure::Share(check.clone()), test, Reason::Comparison),
        ]);
        Ok(rule.with_rows(check, false).when_no_rows(NoRows::Evaluate))
    }
}

/// Columns here and the columns they are compared with there.
struct Pairs {
    columns: Vec<ColumnRef>,
    there: Vec<(String, DataType)>,
}

/// What is compared.
struct Pairing {
    alias: String,
    keys: Pairs,
    values: Pairs,
}

impl Pairs {
    /// Resolves pairs of names; `what` names them in messages.
    fn find(
        pairs: Vec<(String, String)>,
        what: &str,
        cx: &BindContext<'_>,
        there: &SchemaRef,
    ) -> Result<Pairs, BindProblem> {
        let (mut columns, mut found) = (Vec::new(), Vec::new());
        let (mut missing, mut missing_there) = (Vec::new(), Vec::new());
        for (name, other) in pairs {
            match (ColumnRef::find(cx.schema, &name), ColumnRef::find(there, &other)) {
                (Some(column), Some(twin)) => {
                    found.push((other, common_type(column.data_type(), twin.data_type())));
                    columns.push(column);
                }
                (None, _) => missing.push(name),
                (Some(_), None) => missing_there.push(other),
            }
        }
        match (missing.is_empty(), missing_there.is_empty()) {
            (true, true) => Ok(Pairs { columns, there: found }),
            (false, _) => Err(BindProblem::fails(format!(
                "The following {what} columns were not found in the first dataset: {}",
                missing.join(", ")
            ))),
            (true, false) => Err(BindProblem::fails(format!(
                "The following {what} columns were not found in the second dataset: {}",
                missing_there.join(", ")
            ))),
        }
    }

    fn names(&self) -> String {
        self.columns.iter().map(ColumnRef::name).collect::<Vec<_>>().join(", ")
    }

    fn names_there(&self) -> String {
        self.there.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn hasher(&self) -> Result<KeyHasher, BindProblem> {
        let types = self.there.iter().map(|(_, data_type)| data_type.clone()).collect();
        KeyHasher::with_types(self.columns.clone(), types).map_err(BindProblem::fails)
    }
}

impl Pairing {
    fn need(&self) -> ReferenceNeed {
        let wanted = Wanted::Map { keys: self.keys.there.clone(), values: self.values.there.clone() };
        ReferenceNeed { alias: self.alias.clone(), wanted }
    }
}

/// Resolves both sides; without columns to compare, all that are no key are compared by their names.
fn pairing(call: &RuleCall, cx: &BindContext<'_>) -> Result<Pairing, BindProblem> {
    let alias = call.first_parameter().to_owned();
    let Some(there) = cx.facts.schema(&alias) else {
        let reason = format!("{alias} not found in additional sources");
        return Err(BindProblem::missing_source(&alias, reason, cx));
    };
    let keys = Pairs::find(split(call.parameters.get(1).map_or("", String::as_str)), "key", cx, there)?;
    let values = match call.parameters.get(2) {
        Some(text) => split(text),
        None => {
            let is_key = |index: usize| keys.columns.iter().any(|key| key.index() == index);
            let fields = cx.schema.fields().iter().enumerate().filter(|(index, _)| !is_key(*index));
            fields.map(|(_, field)| (field.name().clone(), field.name().clone())).collect()
        }
    };
    // Without an explicit list Deequ also wants every column of the other data set that is no key to be here.
    if call.parameters.len() == 2 {
        let is_key = |name: &str| keys.there.iter().any(|(key, _)| key == name);
        let extra: Vec<&str> = there
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| !is_key(name) && ColumnRef::find(cx.schema, name).is_none())
            .collect();
        if !extra.is_empty() {
            return Err(BindProblem::fails(format!(
                "The following columns were not found in the first dataset: {}",
                extra.join(", ")
            )));
        }
    }
    let values = Pairs::find(values, "match", cx, there)?;
    Ok(Pairing { alias, keys, values })
}

/// `a->b,c` as pairs of names.
fn split(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| match part.split_once("->") {
        Some((here, there)) => (here.trim().to_owned(), there.trim().to_owned()),
        None => (part.trim().to_owned(), part.trim().to_owned()),
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(pair).collect()
}
