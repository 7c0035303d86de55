//! Puts the commit into `--version`: from `ETL_COMMIT` (container builds), else from git, else nothing.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=ETL_COMMIT");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    let version = env!("CARGO_PKG_VERSION");
    let given = std::env::var("ETL_COMMIT").ok().filter(|commit| !commit.is_empty());
    let text = match given.or_else(git) {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=ETL_VERSION={text}");
}

fn git() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}
