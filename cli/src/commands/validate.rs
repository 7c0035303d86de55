//! `validate`: judges files; nothing is written.

use etl_engine::Action;
use etl_engine::job::open;
use etl_engine::report::{RunReport, Verdict};

use super::{finish, shell, spec};
use crate::args::Validate;
use crate::failure::Failure;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Validate, world: &mut World) -> Result<u8, Failure> {
    let stores = world.stores.as_ref();
    let file = args.job.as_deref().unwrap_or_default();
    let text = match &args.job {
        Some(file) => open::read_text(file, stores).await?,
        None => String::new(),
    };
    let mut spec = if args.job.is_some() { open::parse(file, &text, &[])? } else { spec::empty() };
    spec::apply(&args.reading, &mut spec);
    spec::limit(&args.limits, &mut spec);
    if let Some(file) = &args.schema {
        spec.schema = Some(spec::schema(file, spec.source.csv.nulls.as_deref(), stores).await?);
    }
    if let Some(file) = &args.rules {
        let rules = open::read_text(file, stores).await?;
        open::check_rules(file, &rules)?;
        (spec.rules, spec.rules_text) = (None, Some(rules));
    }
    if let Some(limit) = &args.max_rejected {
        let without_sink = spec.sink.is_none();
        let on_invalid = spec.on_invalid.get_or_insert_default();
        on_invalid.max_rejected = Some(spec::amount(limit));
        if on_invalid.rows.is_none() && without_sink {
            // A limit means that rejected rows are not the end.
            on_invalid.rows = Some("drop".to_owned());
        }
    }
    spec::rule(&args.ruling, &mut spec);
    let mut job = open::bind(&spec, file, &text, stores).await?;
    if !args.inputs.is_empty() {
        job.locations.clone_from(&args.inputs);
    }
    job.history.clone_from(&args.history);
    let hashed = args.sha256;
    let report = world.run(async |context| etl_engine::run(job, Action::Validate { hashed }, context).await).await?;
    finish(&report, args.json, next(&report, &args).as_deref(), world)
}

/// What the reader can do now.
fn next(report: &RunReport, args: &Validate) -> Option<String> {
    if let (Some(job), Verdict::Valid) = (&args.job, report.verdict) {
        return Some(format!("publish the rows: etl-engine run {}", shell(job)));
    }
    let input = args.inputs.first()?;
    let inferred = report.schema.iter().any(|column| column.inferred);
    match report.verdict {
        _ if inferred && args.inputs.len() == 1 && input != "-" => {
            let input = shell(input);
            Some(format!(
                "pin the columns: etl-engine infer {input} > schema.yaml, then validate with --schema schema.yaml"
            ))
        }
        Verdict::Valid if report.rule_outcomes.is_empty() => {
            Some("say what the data must hold: --rules FILE.dqdl, such as Rules = [ IsComplete \"id\" ]".to_owned())
        }
        Verdict::Invalid if report.rows.rejected > 0 && args.job.is_none() && args.max_rejected.is_none() => {
            Some("correct the rows, or accept some: --max-rejected 1%".to_owned())
        }
        _ => None,
    }
}
