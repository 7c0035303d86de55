//! `migrate`: a job file made of what Glue or DataBrew holds, and what became of each part.

use std::io::Write;

use etl_engine::job::open::{self, read_text};
use etl_engine::job::{Faulty, JobDiagnostic};
use etl_migrate::{Migrated, Severity, migrate};
use serde_json::json;

use super::{shell, standard_input};
use crate::args::Migrate;
use crate::failure::Failure;
use crate::render::table;
use crate::terminal::Look;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Migrate, world: &mut World) -> Result<u8, Failure> {
    let text = match args.file.as_str() {
        "-" => standard_input()?,
        file => read_text(file, world.stores.as_ref()).await?,
    };
    let migrated = migrate(&text).map_err(|error| Failure::Faulty(Box::new(unreadable(&args.file, &text, &error))))?;
    if let Some(out) = &args.out {
        let job = migrated.job_yaml.clone();
        match args.force {
            true => open::write_text(out, job, world.stores.as_ref()).await?,
            false => open::create_text(out, job, world.stores.as_ref()).await?,
        }
    }
    if args.json {
        let kind = migrated.kind.to_string();
        world.output.document(&json!({"kind": kind, "job": migrated.job_yaml, "notes": migrated.notes}))?;
        return Ok(0);
    }
    match &args.out {
        Some(out) => {
            let out = shell(out);
            world.output.text(&format!("the job is in {out}\ncheck it: etl-engine validate FILE --job {out}\n"))?;
        }
        None => world.output.text(&migrated.job_yaml)?,
    }
    world.output.flush()?;
    // Nobody may be listening.
    let _ = write!(std::io::stderr(), "{}", notes(&migrated, world.error_look));
    Ok(0)
}

/// What became of each part, and how many of each there are.
fn notes(migrated: &Migrated, look: Look) -> String {
    let rows = migrated.notes.iter().map(|note| {
        vec![note.line.to_string(), look.clean(&note.at), note.severity.to_string(), look.clean(&note.what)]
    });
    let mut text = match migrated.notes.is_empty() {
        true => String::new(),
        false => table(&["line", "step", "severity", "what"], rows.collect(), &[0], look),
    };
    text.push_str(&format!(
        "{}: {} carried over, {} to be looked at, {} not carried over\n",
        migrated.kind,
        migrated.count(Severity::Carried),
        migrated.count(Severity::Changed),
        migrated.count(Severity::NotCarried),
    ));
    text
}

/// Why a file cannot be migrated, shown in its text.
fn unreadable(name: &str, text: &str, error: &etl_migrate::Error) -> Faulty {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let message = whole.strip_prefix(&format!("line {line}, column {column}: ")).unwrap_or(&whole).to_owned();
    let help =
        matches!(error, etl_migrate::Error::Unknown { .. }).then(|| "docs/migrate.md says what is read".to_owned());
    let name = if name == "-" { "(standard input)" } else { name };
    let mut faulty = Faulty::file("file", name, text, vec![JobDiagnostic { message, line, column, help }]);
    for problem in &mut faulty.problems {
        if problem.span.is_none() {
            // There is no line to show, such as behind the last one, so the message names the place.
            problem.message.clone_from(&whole);
        }
        problem.place = Some((line, column));
    }
    faulty
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Faulty {
        unreadable("x.json", text, &migrate(text).unwrap_err())
    }

    #[test]
    fn what_cannot_be_read_is_shown_in_its_text() {
        let faulty = told("{\n  \"Steps\": [,]\n}");
        assert_eq!(faulty.problems[0].place, Some((2, 13)));
        assert!(faulty.problems[0].message.starts_with("not JSON"), "{faulty}");
        assert!(told("").problems[0].message.starts_with("line 1"), "an empty file has no line to show");
        assert!(told("{\"a\": 1}").problems[0].help.is_some());
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let text = "[{\"Action\": {\"Operation\": \"\\u001b[31mX\", \"Parameters\": {}}}]";
        let shown = notes(&migrate(text).unwrap(), Look { color: false, unicode: true, width: None });
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert!(shown.ends_with("DataBrew recipe: 0 carried over, 0 to be looked at, 1 not carried over\n"), "{shown}");
    }
}
