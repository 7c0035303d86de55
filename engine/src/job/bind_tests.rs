use super::super::load;
use super::*;

const RULES: &str = "Rules = [ IsComplete \"a\" ]";

fn bound(text: &str) -> Result<Job, String> {
    let lines = |found: Vec<JobDiagnostic>| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let loaded = load(text, &[]).map_err(lines)?;
    let read_rules = |path: &str| {
        if path.ends_with("orders.dqdl") { Ok(RULES.to_owned()) } else { Err(format!("not found: {path}")) }
    };
    bind(&loaded.spec, &BindContext { base: Path::new("/jobs"), read_rules: &read_rules })
        .map_err(|found| lines(loaded.locate(found)))
}

fn with(line: &str) -> String {
    format!("version: 1\nsource: {{location: in.csv}}\n{line}\n")
}

#[test]
fn messages() {
    let cases = [
        (
            "sink: {location: out, file_size: big}",
            "3:34: sink.file_size: `big` is not a size (write 128MiB, 64KB or a number of bytes)",
        ),
        (
            "on_invalid: {max_rejected: 1 percent}",
            "3:28: on_invalid.max_rejected: `1 percent` is not a percentage (write 1% or a number of rows)",
        ),
        (
            "on_invalid: {max_rejected: 120%}",
            "3:28: on_invalid.max_rejected: `120%` is more than 100% (write 1% or a number of rows)",
        ),
        (
            "schema: {columns: [{name: a, type: int}, {name: A, type: int}]}",
            "3:49: schema.columns[1].name: column `A` is there twice (Athena does not tell upper from lower case in names)",
        ),
        (
            "schema: {columns: [{name: a, type: \"decimal(39,2)\"}]}",
            "3:36: schema.columns[0].type: `decimal(39,2)`: the precision must be 1 to 38",
        ),
        (
            "schema: {columns: [{name: a, type: \"decimal(5,6)\"}]}",
            "3:36: schema.columns[0].type: `decimal(5,6)`: the scale is larger than the precision",
        ),
        (
            "schema: {columns: [{name: a, type: date, format: \"%Q\"}]}",
            "3:50: schema.columns[0].format: `%Q` is not a date format (write it as in %Y-%m-%d %H:%M:%S)",
        ),
        ("transform: [{drop: a}]", "3:12: transform: `transform` is not supported yet (leave it out)"),
        ("catalog: {glue: {}}", "3:10: catalog: `catalog` is not supported yet (leave it out)"),
        ("audit: {dynamodb: {table: t}}", "3:19: audit.dynamodb: `audit.dynamodb` is not supported yet (leave it out)"),
        ("rules: nope.dqdl", "3:8: rules: not found: /jobs/nope.dqdl"),
        (
            "sink: {location: out, compression: zstd(99)}",
            "3:36: sink.compression: zstd has no level 99; 1 to 22 (write zstd, zstd(3), snappy or none)",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(bound(&with(line)).err().as_deref(), Some(expected), "{line}");
    }
    let empty = bound("version: 2\nsource: {location: [], csv: {delimiter: \";;\"}}\n").err();
    let expected = "1:10: version: version 2 is not known (this engine reads version 1)\n\
        2:20: source.location: no location is given (name a file, a folder, a pattern or s3://bucket/prefix/)\n\
        2:41: source.csv.delimiter: `;;` is not one ASCII character (write a tab as \"\\t\")";
    assert_eq!(empty.as_deref(), Some(expected));
}

#[test]
fn a_whole_job_binds() -> Result<(), String> {
    let job = bound(&with(
        "schema: {columns: [{name: a, type: 'decimal(12,2)', nullable: false}]}\nrules: orders.dqdl\non_invalid: {max_rejected: 1%}\n\
         sink: {location: out, compression: zstd(3)}\nlimits: {memory: 1GiB}",
    ))?;
    assert_eq!(job.source.locations, ["/jobs/in.csv"]);
    assert_eq!(job.rules.map(|rules| rules.text).as_deref(), Some(RULES));
    assert_eq!(job.on_invalid.max_rejected, RejectLimit::Fraction(0.01));
    assert_eq!(job.limits.memory, 1 << 30);
    let sink = job.sink.ok_or("no sink")?;
    assert_eq!(
        (sink.location.as_str(), sink.compression, sink.file_size),
        ("/jobs/out", SinkCompression::Zstd(3), 128 << 20)
    );
    let schema = job.schema.ok_or("no schema")?;
    assert_eq!(schema.columns[0].column_type, ColumnType::Decimal { precision: 12, scale: 2 });
    assert!(!schema.columns[0].nullable);
    Ok(())
}

#[test]
fn hash_follows_meaning_not_spelling() -> Result<(), String> {
    let hash = |line: &str| bound(&with(line)).map(|job| job.job_hash);
    let first = hash("sink: {location: out, file_size: 128MiB}")?;
    assert_eq!(first.len(), 64);
    assert_eq!(first, hash("sink: {file_size: 134217728, location: ./out}\nlimits: {threads: 1}")?);
    assert_eq!(hash("rules: orders.dqdl")?, hash(&format!("rules_text: '{RULES}'"))?);
    assert_ne!(first, hash("sink: {location: out, file_size: 64MiB}")?);
    assert_ne!(hash("rules_text: a")?, hash("rules_text: b")?);
    Ok(())
}
