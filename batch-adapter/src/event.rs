//! What the container is asked to do; arguments come before the environment.

use serde_json::{Value, json};

/// What the container is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An event as the Lambda takes it.
    Event(Value),
    /// A child of an array job.
    OfList {
        /// The list of files.
        list: String,
        /// Which of them.
        index: usize,
        /// The array job.
        owner: String,
    },
}

const USAGE: &str = "usage: etl-batch [JOB] [--input URI]... [--set KEY=VALUE]... [--dry-run]; \
                     or ETL_JOB, ETL_INPUT, ETL_SET (one a line), ETL_DRY_RUN=1; or ETL_REQUEST (JSON)";

impl Asked {
    /// From arguments, then from the environment.
    ///
    /// # Errors
    /// How it is used, when an argument is not known or nothing is asked for.
    pub(crate) fn new(
        arguments: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        if arguments.peek().is_none() {
            if let Some(request) = environment("ETL_REQUEST") {
                let event = serde_json::from_str(&request).map_err(|why| format!("ETL_REQUEST is not JSON: {why}"))?;
                return Ok(Self::Event(event));
            }
            if let Some(list) = environment("ETL_LIST") {
                let index = environment("AWS_BATCH_JOB_ARRAY_INDEX").unwrap_or_else(|| "0".to_owned());
                let index = index.parse().map_err(|_| format!("AWS_BATCH_JOB_ARRAY_INDEX: `{index}` is no number"))?;
                let owner = environment("AWS_BATCH_JOB_ID").unwrap_or_else(|| "batch".to_owned());
                return Ok(Self::OfList { list, index, owner });
            }
        }
        let (mut job, mut inputs, mut sets, mut dry_run) = (String::new(), Vec::new(), Vec::new(), false);
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut value =
                || attached.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value; {USAGE}"));
            match name {
                "--job" => job = value()?,
                "--input" => inputs.push(value()?),
                "--set" => sets.push(value()?),
                "--dry-run" => dry_run = true,
                _ if !name.starts_with("--") && job.is_empty() => job.clone_from(&argument),
                _ => return Err(format!("`{argument}` is not expected; {USAGE}")),
            }
        }
        let lines = |name: &str| -> Vec<String> {
            let text = environment(name).unwrap_or_default();
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        if job.is_empty() {
            job = environment("ETL_JOB").unwrap_or_default();
        }
        if inputs.is_empty() {
            inputs = lines("ETL_INPUT");
        }
        if sets.is_empty() {
            sets = lines("ETL_SET");
        }
        dry_run |= environment("ETL_DRY_RUN").is_some_and(|value| value == "1" || value == "true");
        if job.trim().is_empty() {
            return Err(format!("no job is named; {USAGE}"));
        }
        Ok(Self::Event(match inputs.is_empty() {
            true => json!({"job": job, "set": sets, "dry_run": dry_run}),
            false => json!({"job": job, "input": inputs, "set": sets, "dry_run": dry_run}),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Asked, String> {
        let environment =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Asked::new(arguments.iter().map(|argument| (*argument).to_owned()), environment)
    }

    #[test]
    fn arguments_come_before_the_environment() {
        let environment = [("ETL_JOB", "e.yaml"), ("ETL_INPUT", "a b.csv\n\n c.csv \n"), ("ETL_SET", "k=v=w")];
        let all = json!({"job": "e.yaml", "input": ["a b.csv", "c.csv"], "set": ["k=v=w"], "dry_run": false});
        assert_eq!(asked(&[], &environment), Ok(Asked::Event(all)));
        let own = json!({"job": "j.yaml", "input": ["x"], "set": ["a=b"], "dry_run": true});
        assert_eq!(asked(&["j.yaml", "--input", "x", "--set=a=b", "--dry-run"], &environment), Ok(Asked::Event(own)));
    }

    #[test]
    fn a_state_machine_and_an_array_job_ask_by_the_environment() {
        let request = json!({"SFNState": "Validate"});
        assert_eq!(asked(&[], &[("ETL_REQUEST", &request.to_string())]), Ok(Asked::Event(request)));
        let child = [("ETL_LIST", "s3://b/l.json"), ("AWS_BATCH_JOB_ARRAY_INDEX", "7"), ("AWS_BATCH_JOB_ID", "j:7")];
        let wanted = Asked::OfList { list: "s3://b/l.json".into(), index: 7, owner: "j:7".into() };
        assert_eq!(asked(&[], &child), Ok(wanted));
    }

    #[test]
    fn wrong_usage_is_said() {
        for arguments in [&["j", "k"][..], &["--input"], &["--nope"], &[]] {
            assert!(asked(arguments, &[]).is_err(), "{arguments:?}");
        }
        assert!(asked(&[], &[("ETL_REQUEST", "{")]).is_err());
    }
}
