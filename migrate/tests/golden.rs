//! The assets and what is made of them: `X.json` to `X.job.yaml` and `X.notes.txt`. `UPDATE_GOLDEN=1` writes them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use etl_migrate::{Migrated, STEPS, migrate};
use serde_json::Value;

fn assets() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assets");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut assets: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assets.sort();
    assert!(assets.len() >= 6, "{assets:?}");
    assets
}

fn migrated(path: &Path) -> Migrated {
    let text = fs::read_to_string(path).unwrap();
    migrate(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(written, text, "{} is stale: UPDATE_GOLDEN=1 cargo test -p etl-migrate --test golden", path.display());
}

#[test]
fn assets_become_what_they_became() {
    for asset in assets() {
        let migrated = migrated(&asset);
        check(&asset.with_extension("job.yaml"), &migrated.job_yaml);
        let mut notes = String::new();
        for note in &migrated.notes {
            let _ = writeln!(notes, "{note}");
        }
        check(&asset.with_extension("notes.txt"), &notes);
    }
}

#[test]
fn every_step_is_one_that_is_known() {
    for asset in assets() {
        let yaml = migrated(&asset).job_yaml;
        let job: Value = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", asset.display()));
        let keys =
            ["version", "name", "source", "schema", "rules_text", "sources", "keys", "transform", "sink", "catalog"];
        for key in job.as_object().unwrap().keys() {
            assert!(keys.contains(&key.as_str()), "{}: {key}", asset.display());
        }
        for item in job.get("transform").and_then(Value::as_array).into_iter().flatten() {
            let names: Vec<&String> = item.as_object().unwrap().keys().collect();
            assert!(
                matches!(names.as_slice(), [name] if STEPS.contains(&name.as_str())),
                "{}: {names:?}",
                asset.display()
            );
        }
    }
}
