//! The page that says what stands for what, as text. Whoever calls writes it.

use std::fmt::Write;

use crate::databrew::GROUPS;

/// The page.
pub fn page() -> String {
    let mut text = "# From Glue and DataBrew\n\n".to_owned();
    text.push_str(INTRODUCTION);
    let actions = crate::databrew::actions();
    let (mut all, mut carried) = (0, 0);
    for action in actions {
        all += 1;
        carried += usize::from(!action.ours.is_empty());
    }
    let _ = writeln!(text, "\n## DataBrew action → ours\n\n{carried} of {all} actions have a counterpart.");
    for (title, actions) in GROUPS {
        let _ = writeln!(text, "\n### {title}\n\n| action | ours | not carried over, or different |\n|---|---|---|");
        for action in *actions {
            let ours = match action.ours {
                "" => "-".to_owned(),
                ours => ours.split(", ").map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", "),
            };
            let _ = writeln!(text, "| {} | {ours} | {} |", action.operation, action.differs.replace('|', "\\|"));
        }
    }
    text
}

const INTRODUCTION: &str = "\
`etl-engine migrate FILE` reads a DataBrew recipe, a Glue Studio visual job or a Glue table definition, as the AWS CLI prints\n\
them, and writes a job file. Each part of the input is told of with its line: carried over, carried over but to be looked at,\n\
or not carried over. What is not carried over stands as a comment in its place.\n";
