//! `rules parse`: a ruleset checked and printed in canonical form. `rules suggest`: one learned from files.

use std::io::Write;

use etl_engine::job::Faulty;
use etl_engine::job::open::{self, read_text};
use etl_engine::suggest::suggest as learn;
use etl_rules::dqdl::{self, Severity};
use serde_json::{Value, json};

use super::{shell, spec, standard_input};
use crate::args::{Rules, RulesParse, RulesSuggest};
use crate::failure::{Failure, render_faulty};
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Rules, world: &mut World) -> Result<u8, Failure> {
    match args {
        Rules::Parse(args) => parse(args, world).await,
        Rules::Suggest(args) => suggest(args, world).await,
    }
}

/// Prints the rules that files suggest.
async fn suggest(args: RulesSuggest, world: &mut World) -> Result<u8, Failure> {
    let stores = world.stores.as_ref();
    let mut spec = spec::empty();
    spec::apply(&args.reading, &mut spec);
    spec::limit(&args.limits, &mut spec);
    if let Some(file) = &args.schema {
        spec.schema = Some(spec::schema(file, None, stores).await?);
    }
    let mut job = open::bind(&spec, "", "", stores).await?;
    job.locations.clone_from(&args.inputs);
    let suggestion = world.run(async |context| learn(job, args.holdout, context).await).await?;
    let dqdl = suggestion.dqdl();
    if let Some(output) = &args.output {
        open::write_text(output, dqdl.clone(), world.stores.as_ref()).await?;
    }
    match (&args.output, args.json) {
        (_, true) => {
            let rules = &suggestion.rules;
            world.output.document(&json!({"dqdl": dqdl, "rules": rules, "notes": suggestion.notes}))?;
        }
        (Some(output), false) => {
            let (count, output) = (suggestion.rules.len(), shell(output));
            let inputs = args.inputs.iter().map(|input| shell(input)).collect::<Vec<_>>().join(" ");
            let next = format!("judge by them: etl-engine validate {inputs} --rules {output}");
            world.output.text(&format!("{count} rules in {output}\n{next}\n"))?;
        }
        (None, false) => world.output.text(&dqdl)?,
    }
    Ok(0)
}

async fn parse(RulesParse { file, json }: RulesParse, world: &mut World) -> Result<u8, Failure> {
    let text = if file == "-" { standard_input()? } else { read_text(&file, world.stores.as_ref()).await? };
    let parsed = dqdl::parse(&text);
    let valid = parsed.is_valid();
    let rules: Vec<String> = match valid {
        true => parsed.document.rules.iter().map(ToString::to_string).collect(),
        false => Vec::new(),
    };
    if json {
        let diagnostics = parsed.diagnostics.iter().map(|diagnostic| {
            json!({
                "line": diagnostic.line,
                "column": diagnostic.column,
                "message": diagnostic.message,
                "severity": if diagnostic.severity == Severity::Error { "error" } else { "warning" },
                "help": diagnostic.help,
            })
        });
        let ast = if valid { dqdl::json::rules(&parsed.document) } else { Value::Array(Vec::new()) };
        let diagnostics: Vec<Value> = diagnostics.collect();
        world.output.document(&json!({"valid": valid, "rules": rules, "ast": ast, "diagnostics": diagnostics}))?;
    } else {
        for rule in &rules {
            world.output.text(&format!("{rule}\n"))?;
        }
        world.output.flush()?;
        let name = if file == "-" { "(standard input)" } else { file.as_str() };
        let problems = Faulty::ruleset(name, &text, &parsed.diagnostics);
        // Nobody may be listening.
        let _ = write!(std::io::stderr(), "{}", render_faulty(&problems, world.error_look));
    }
    Ok(if valid { 0 } else { 2 })
}
