//! What the container is asked to do.

/// What the container is asked to do; arguments come before the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// A path, a URL or the job itself.
    pub(crate) job: String,
    /// What is read instead of the job's `source.location`.
    pub(crate) inputs: Vec<String>,
    /// Overrides, `key=value`.
    pub(crate) sets: Vec<String>,
    /// Whether to do everything but the publishing.
    pub(crate) dry_run: bool,
}

const USAGE: &str = "usage: etl-batch [JOB] [--input URI]... [--set KEY=VALUE]... [--dry-run]; \
                     or ETL_JOB, ETL_INPUT, ETL_SET (one a line), ETL_DRY_RUN=1";

impl Request {
    /// From arguments, then from the environment.
    ///
    /// # Errors
    /// How it is used, when an argument is not known or no job is named.
    pub(crate) fn new(
        arguments: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut request = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut value =
                || attached.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value; {USAGE}"));
            match name {
                "--job" => request.job = value()?,
                "--input" => request.inputs.push(value()?),
                "--set" => request.sets.push(value()?),
                "--dry-run" => request.dry_run = true,
                _ if !name.starts_with("--") && request.job.is_empty() => request.job.clone_from(&argument),
                _ => return Err(format!("`{argument}` is not expected; {USAGE}")),
            }
        }
        let lines = |name: &str| -> Vec<String> {
            let text = environment(name).unwrap_or_default();
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        if request.job.is_empty() {
            request.job = environment("ETL_JOB").unwrap_or_default();
        }
        if request.inputs.is_empty() {
            request.inputs = lines("ETL_INPUT");
        }
        if request.sets.is_empty() {
            request.sets = lines("ETL_SET");
        }
        request.dry_run |= environment("ETL_DRY_RUN").is_some_and(|value| value == "1" || value == "true");
        if request.job.trim().is_empty() { Err(format!("no job is named; {USAGE}")) } else { Ok(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Request, String> {
        let environment =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Request::new(arguments.iter().map(|argument| (*argument).to_owned()), environment)
    }

    #[test]
    fn arguments_come_before_the_environment() {
        let environment = [("ETL_JOB", "e.yaml"), ("ETL_INPUT", "a b.csv\n\n c.csv \n"), ("ETL_SET", "k=v=w")];
        let all = request(&[], &environment).unwrap();
        assert_eq!((all.job.as_str(), all.inputs.len(), all.sets.as_slice()), ("e.yaml", 2, &["k=v=w".to_owned()][..]));
        assert_eq!(all.inputs[0], "a b.csv");
        let own = request(&["j.yaml", "--input", "x", "--set=a=b", "--dry-run"], &environment).unwrap();
        assert_eq!(
            (own.job.as_str(), own.inputs, own.sets, own.dry_run),
            ("j.yaml", vec!["x".into()], vec!["a=b".into()], true)
        );
    }

    #[test]
    fn wrong_usage_is_said() {
        for arguments in [&["j", "k"][..], &["--input"], &["--nope"], &[]] {
            assert!(request(arguments, &[]).is_err(), "{arguments:?}");
        }
    }
}
