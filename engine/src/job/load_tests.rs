use super::*;

const HEAD: &str = "version: 1\nsource: {location: in.csv}\n";

/// All problems of a text, one a line.
fn problems(text: &str, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    match load(text, &overrides) {
        Ok(_) => String::new(),
        Err(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn the_example_of_the_design_loads() {
    let text = r#"
version: 1
name: orders
source:   {location: s3://landing/orders/, format: csv, csv: {delimiter: auto, header: true, encoding: auto, nulls: ["", "NULL"]}}
schema:   {columns: [{name: order_id, type: bigint, nullable: false}, {name: amount, type: "decimal(12,2)"}, {name: ordered_at, type: timestamp}]}
rules:    orders.dqdl                     # DQDL
on_invalid: {rows: quarantine, max_rejected: 1%}
transform: []
sink:     {location: s3://lake/orders/, partition_by: [country, "day(ordered_at)"], compression: zstd, file_size: 128MiB}
"#;
    assert_eq!(problems(text, &[]), "");
}

#[test]
fn messages() {
    let cases = [
        (
            "source:\n  csv: {delimeter: \";\"}\n  location: a\nversion: 1\n",
            "2:9: source.csv: unknown key `delimeter`, did you mean `delimiter`?",
        ),
        (
            "version: 1\nsource: {location: a, csv: {header: sometimes}}\n",
            "2:37: source.csv.header: `sometimes` is not one of `auto`",
        ),
        (
            "version: 1\nsource: {location: a, format: cvs}\n",
            "2:31: source.format: `cvs` is not one of `auto`, `csv`, `ndjson`, `json`, `parquet` (did you mean `csv`?)",
        ),
        ("version: one\nsource: {location: a}\n", "1:10: version: expected a whole number, found text"),
        (
            "version: 1\nname: 7\nsource: {location: a}\n",
            "2:7: name: expected text, found a number (put it in quotes to make it text)",
        ),
        (
            "version: 1\nsource: {location: a, csv: {nulls: [NULL]}}\n",
            "2:37: source.csv.nulls[0]: expected text, found nothing (put it in quotes to make it text)",
        ),
        ("version: 1\nsource: {format: csv}\n", "2:9: source: `location` is missing"),
        ("version: 1\nsource: {location: a}\nlimits: {threads: -1}\n", "3:19: limits.threads: -1 is out of range"),
        ("- a\n", "1:1: expected a mapping of keys, found a list"),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text, &[]), expected, "{text}");
    }
}

#[test]
fn everything_is_reported_at_once() {
    let text = "version: 1\nsourse: {}\nsource: {location: 3, formt: csv}\nschema: {columns: [{name: a}]}\n";
    let expected = "2:1: unknown key `sourse`, did you mean `source`?\n\
        3:20: source.location: expected text or a list, found a number (put it in quotes to make it text)\n\
        3:23: source: unknown key `formt`, did you mean `format`?\n\
        4:20: schema.columns[0]: `type` is missing";
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn yaml_errors_have_a_place() {
    for text in ["version: 1\nversion: 2\n", "a: [1, 2\n", "a: *nowhere\n", "a: 1\n---\nb: 1\n", "? [a]\n: b\n"] {
        let found = load(text, &[]).err().unwrap_or_default();
        assert_eq!(found.len(), 1, "{text}");
        assert!(found[0].line.is_some(), "{text}: {}", found[0]);
    }
    assert!(load("", &[]).is_err());
    assert!(load(&" ".repeat(MAX_JOB_BYTES + 1), &[]).is_err());
}

#[test]
fn alias_bombs_stop() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "));
    }
    assert!(load(&text, &[]).is_err());
}

#[test]
fn overrides_change_values_and_are_checked() -> Result<(), Vec<JobDiagnostic>> {
    let set = |texts: &[&str]| load(HEAD, &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let spec = set(&[
        "name=2024",
        "source.csv.nulls=[a, b]",
        "schema.columns[0].name=x",
        "schema.columns[0].type=int",
        "limits.threads=3",
    ])?
    .spec;
    assert_eq!(spec.name.as_deref(), Some("2024"));
    assert_eq!(spec.source.csv.nulls, ["a", "b"]);
    assert_eq!(spec.limits.threads, Some(3));
    assert_eq!(spec.schema.map(|schema| schema.columns[0].column_type.clone()).as_deref(), Some("int"));
    for text in [
        "name",
        "=1",
        "source.location.x=1",
        "schema.columns[4].name=x",
        "nmae=x",
        "limits.threads=many",
        "a..b=1",
        "name=[1",
    ] {
        assert!(set(&[text]).is_err(), "{text}");
    }
    assert_eq!(problems(HEAD, &["nmae=x"]), "unknown key `nmae`, did you mean `name`?");
    Ok(())
}
