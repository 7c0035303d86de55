//! `ReferentialIntegrity`.

use std::sync::Arc;

use crate::analyzers::keys::{KeyHasher, common_type};
use crate::call::RuleCall;
use crate::checks::lookups::KnownKeyCheck;
use crate::column::ColumnRef;
use crate::doc::{RowDoc, RuleDoc};
use crate::facts::{Need, ReferenceNeed, Wanted};
use crate::rule::{BindContext, BindProblem, BoundRule, Constraint, Measure, NoRows, Reason, RuleType, did_you_mean};

/// Looks keys up in another data set.
#[derive(Debug)]
pub(crate) struct ReferentialIntegrity;

impl RuleType for ReferentialIntegrity {
    fn name(&self) -> &'static str {
        "ReferentialIntegrity"
    }

    fn doc(&self) -> &'static RuleDoc {
        &RuleDoc {
            summary: "Compares the share of rows whose key is found in another data set.",
            syntax: "ReferentialIntegrity \"<column>\" \"<alias>.<column>\" <number condition> | ReferentialIntegrity \
                     \"<column>,<column> ..\" \"<alias>.{<column>,<column> ..}\" <number condition>",
            nulls: "A NULL in the key is no match, and its row counts.",
            differs_from_glue: "Marks rows but rejects none, because the ratio states a tolerance. As in Glue, an \
                                input without rows fails with \"Primary data frame contains no data.\" The other data \
                                set is declared with `--source <alias>=<file>` or under `sources:` of the job file.",
            rows: RowDoc::Marks,
            metrics: &["Column.<alias>.ReferentialIntegrity"],
            example: "ReferentialIntegrity \"id\" \"reference.id\" >= 0.95",
        }
    }

    fn history_metric(&self, parameters: &[String]) -> Option<String> {
        Some(metric(&target(parameters.get(1)?)?.0))
    }

    fn needs(&self, call: &RuleCall, cx: &BindContext<'_>) -> Vec<Need> {
        lookup(call, cx).map(|lookup| vec![Need::Reference(lookup.need)]).unwrap_or_default()
    }

    fn bind(&self, call: &RuleCall, cx: &BindContext<'_>) -> Result<BoundRule, BindProblem> {
        let Lookup { columns, need } = lookup(call, cx)?;
        let Some(keys) = cx.facts.keys(&need) else {
            return Err(BindProblem::fails(format!(
                "the keys of {} are not of a type that can be looked up",
                need.alias
            )));
        };
        let types = match &need.wanted {
            Wanted::Keys { columns } => columns.iter().map(|(_, data_type)| data_type.clone()).collect(),
            _ => Vec::new(),
        };
        let hasher = KeyHasher::with_types(columns, types).map_err(BindProblem::fails)?;
        let check = Arc::new(KnownKeyCheck { hasher, alias: need.alias.clone(), keys: Arc::clone(keys) });
        let test = call.number_test().map_err(BindProblem::fails)?;
        let constraint = Constraint::new(metric(&need.alias), Measure::Share(check.clone()), test, Reason::Comparison);
        let rule = BoundRule::dataset(vec![constraint]).with_rows(check, false);
        Ok(rule.when_no_rows(NoRows::FailWith("Primary data frame contains no data.")))
    }
}

/// Key columns, and the keys to look them up in.
struct Lookup {
    columns: Vec<ColumnRef>,
    need: ReferenceNeed,
}

/// Resolves both sides.
fn lookup(call: &RuleCall, cx: &BindContext<'_>) -> Result<Lookup, BindProblem> {
    let [primary, reference] = call.parameters.as_slice() else {
        return Err(BindProblem::fails("ReferentialIntegrity takes the columns of both data sets"));
    };
    let Some((alias, names)) = target(reference) else {
        return Err(BindProblem::fails(format!("\"{reference}\" is not <alias>.<column>")));
    };
    let Some(schema) = cx.facts.schema(&alias) else {
        let reason = format!("{alias} not found in additional sources");
        return Err(BindProblem::missing_source(&alias, reason, cx));
    };
    let primary: Vec<&str> = primary.split(',').map(str::trim).collect();
    if primary.len() != names.len() {
        return Err(BindProblem::fails(format!("{} columns are looked up in {}", primary.len(), names.len())));
    }
    let mut columns = Vec::with_capacity(primary.len());
    let mut wanted = Vec::with_capacity(primary.len());
    for (name, other) in primary.into_iter().zip(names) {
        let column = ColumnRef::find(cx.schema, name).ok_or_else(|| BindProblem::Fails {
            reason: format!("Column {name} does not exist in primary data frame."),
            warning: None,
            help: did_you_mean(name, cx),
            fails_rows: false,
        })?;
        let found = ColumnRef::find(schema, &other)
            .ok_or_else(|| BindProblem::fails(format!("Column {other} does not exist in reference data frame.")))?;
        wanted.push((other, common_type(column.data_type(), found.data_type())));
        columns.push(column);
    }
    Ok(Lookup { columns, need: ReferenceNeed { alias, wanted: Wanted::Keys { columns: wanted } } })
}

/// The alias and the columns of `alias.column` or `alias.{a,b}`.
fn target(text: &str) -> Option<(String, Vec<String>)> {
    if let Some((alias, list)) = text.strip_suffix('}').and_then(|text| text.split_once(".{")) {
        return Some((alias.to_owned(), list.split(',').map(|name| name.trim().to_owned()).collect()));
    }
    let (alias, column) = text.rsplit_once('.')?;
    Some((alias.to_owned(), vec![column.to_owned()]))
}

fn metric(alias: &str) -> String {
    format!("Column.{alias}.ReferentialIntegrity")
}
