//! The example of every step in the registry: run through the whole path, read back from Parquet.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod transform_support;

use etl_transform::registry;
use transform_support::steps;

#[test]
fn every_example_gives_what_its_page_says() {
    let mut wrong = Vec::new();
    for step in registry::all() {
        let example = &step.doc.example;
        let found = steps(example.types, example.input, example.job);
        let found = match found {
            Ok(published) => published.rows(),
            Err(error) => format!("error: {error} {}\n", error.help().unwrap_or_default()),
        };
        if found.trim_end() != example.output.trim_end() {
            wrong.push(format!("{}:\n--- expected\n{}--- found\n{found}", step.name, example.output));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
