//! Steps in the one pass: what is counted, in which order rows leave, what is refused before the first row.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod transform_support;

use std::fmt::Write;

use transform_support::{Published, job, publish, steps};

fn refused(found: Result<Published, etl_engine::Error>) -> String {
    let error = found.err().unwrap_or_else(|| panic!("it was not refused"));
    assert_eq!(error.kind(), etl_engine::ErrorKind::Configuration, "{error}");
    format!("{error} {}", error.help().unwrap_or_default())
}

/// `id,n,city` with a city of three for each.
fn many(rows: u64) -> String {
    let mut text = "id,n,city\n".to_owned();
    for id in 0..rows {
        let _ = writeln!(text, "{id},{},{}", (id * 7919) % 1000, ["Rome", "Oslo", "Pisa"][(id % 3) as usize]);
    }
    text
}

#[test]
fn what_is_left_out_is_counted_as_filtered() {
    let done = steps("bigint, bigint, string", &many(1000), "[{filter: id % 10 <> 0}, {derive: {m: n + 1}}]").unwrap();
    let rows = done.report.rows;
    assert_eq!((rows.read, rows.accepted, rows.filtered, rows.rejected), (1000, 900, 100, 0));
    assert_eq!(done.rows().lines().count(), 901);
    let counted: Vec<_> =
        done.report.steps.iter().map(|step| (step.name.as_str(), step.rows_in, step.rows_out)).collect();
    assert_eq!(counted, [("filter", 1000, 900), ("derive", 900, 900)]);
    assert_eq!(done.manifest["steps"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_group_leaves_is_no_filter() {
    let sql = "[{filter: n < 500}, {sql: 'SELECT city, count(*) AS c FROM input GROUP BY city ORDER BY city'}]";
    let done = steps("bigint, bigint, string", &many(3000), sql).unwrap();
    assert_eq!(done.rows().lines().count(), 4);
    assert_eq!((done.report.rows.accepted, done.report.rows.filtered), (1500, 1500));
    let modes: Vec<_> = done.report.steps.iter().map(|step| serde_json::to_value(step.mode).unwrap()).collect();
    assert_eq!(modes, ["per_batch", "all_rows"]);
}

#[test]
fn rows_leave_in_the_order_of_the_input_whatever_the_threads() {
    let text = many(200_000);
    let steps = "[{derive: {k: n * 2}}, {filter: k % 3 <> 0}]";
    let mut found = Vec::new();
    for threads in [1, 2, 5] {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(folder.path(), "bigint, bigint, string", &text, steps);
        job["limits"] = serde_json::json!({"threads": threads, "memory": "160MiB"});
        found.push(publish(folder, &job).unwrap().rows());
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    let ids: Vec<u64> = found[0].lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() > 100_000);
}

#[test]
fn a_second_stage_sees_what_the_first_left() {
    let text = "[{sql: 'SELECT city, n, id FROM input ORDER BY n DESC, id LIMIT 50'}, {filter: n > 900}, \
                {sql: 'SELECT city, max(id) AS last FROM input GROUP BY city ORDER BY city'}, {derive: {x: last + 1}}]";
    let done = steps("bigint, bigint, string", &many(3000), text).unwrap();
    assert_eq!(done.rows().lines().next(), Some("city,last,x"));
    let flow: Vec<_> = done.report.steps.iter().map(|step| (step.rows_in, step.rows_out)).collect();
    assert_eq!(flow.first(), Some(&(3000, 50)));
    assert!(flow.windows(2).all(|pair| pair[0].1 == pair[1].0), "{flow:?}");
}

#[test]
fn mistakes_are_found_before_the_first_row() {
    let on = |text: &str| refused(steps("bigint, bigint, string", &many(3), text));
    let found = on("[{rename_fields: {idd: x}}]");
    assert!(found.contains("step 1 (`rename_fields`)") && found.contains("did you mean `id`"), "{found}");
    let found = on("[{derive: {x: id +}}]");
    assert!(found.contains("step 1 (`derive`)"), "{found}");
    let found = on("[{rename_fields: {id: n}}]");
    assert!(found.contains("two columns would be called `n`"), "{found}");
    let found = on("[{sql: 'select id as A, n as a from input'}]");
    assert!(found.contains("step 1 (`sql`): two columns would be called `A`"), "{found}");
    let found = on("[{derive: {x: \"regexp_replace(city, 'a', '$2')\"}}]");
    assert!(found.contains("step 1 (`derive`): `regexp_replace`: the pattern has 0 groups, not 2"), "{found}");
    let found = on("[{derive: {x: array(id)}}]");
    assert!(found.contains("`x` would be of type"), "{found}");
    let found = on("[{filter: id + 1}]");
    assert!(found.contains("step 1 (`filter`)"), "{found}");
}

#[test]
fn rejected_rows_do_not_reach_the_steps() {
    let done = steps("bigint, string", "id,city\n1,Rome\nx,Oslo\n3,Pisa\n", "[{derive: {twice: id * 2}}]").unwrap();
    assert_eq!(done.rows(), "id,city,twice\n1,Rome,2\n3,Pisa,6\n");
    assert_eq!((done.report.rows.accepted, done.report.rows.rejected), (2, 1));
}

#[test]
fn partitions_are_those_of_the_columns_that_come_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut job =
        job(folder.path(), "bigint, bigint, string", &many(30), "[{derive: {half: 'id % 2'}}, {drop_fields: n}]");
    job["sink"]["partition_by"] = serde_json::json!(["half"]);
    let done = publish(folder, &job).unwrap();
    let files = done.manifest["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert!(files[0]["path"].as_str().unwrap().contains("half=0/"), "{files:?}");
    assert_eq!(done.manifest["table"]["columns"].as_array().unwrap().len(), 2);
}

#[test]
fn a_demand_that_is_not_met_makes_the_run_invalid() {
    let done =
        steps("bigint, bigint, string", &many(30), "[{require: {condition: 'id < 28', because: too many}}]").unwrap();
    assert_eq!(done.report.verdict, etl_engine::report::Verdict::Invalid);
    assert_eq!(done.report.reasons, ["step 1 (`require`): 2 row(s): too many"]);
    assert!(done.manifest.is_null());
    let text = "[{k_anonymity: {columns: city, k: 10}}]";
    let done = steps("bigint, bigint, string", &many(30), text).unwrap();
    assert_eq!(done.report.verdict, etl_engine::report::Verdict::Valid, "{:?}", done.report.reasons);
    let text = "[{k_anonymity: {columns: [city, n], k: 2}}]";
    let done = steps("bigint, bigint, string", &many(30), text).unwrap();
    assert_eq!(done.report.verdict, etl_engine::report::Verdict::Invalid);
}

#[test]
fn rows_are_told_where_they_came_from() {
    let input = "id,city\n1,Rome\nx,Oslo\n3,\"Pi\nsa\"\n4,Bari\n";
    let text = "[{filter: id <> 3}, {audit_columns: {line: l, record: r}}, {surrogate_key: {as: k}}]";
    let done = steps("bigint, string", input, text).unwrap();
    assert_eq!(done.rows(), "id,city,l,r,k\n1,Rome,2,1,1\n4,Bari,6,4,2\n");
}

#[test]
fn tables_beside_are_committed_with_the_jobs_own() {
    let text = "[{split_rows: {where: city = 'Oslo', into: north}}, {derive: {x: id}}]";
    let done = steps("bigint, bigint, string", &many(9), text).unwrap();
    assert_eq!((done.rows().lines().count(), done.table("north").lines().count()), (7, 4));
    let path = done.manifest["tables"][0]["files"][0]["path"].as_str().unwrap();
    assert!(path.contains("tables/") && path.contains("/north/"), "{path}");
}

/// `id,email,city`, the e-mail marked.
fn marked(steps: &str) -> Result<Published, etl_engine::Error> {
    let folder = tempfile::tempdir().unwrap();
    let input = "id,email,city\n1,ada@example.org,Rome\nx,bob@example.org,Oslo\n3,eve@example.org,Rome\n";
    let mut job = job(folder.path(), "bigint, string, string", input, steps);
    job["schema"]["columns"][1]["pii"] = "EMAIL".into();
    job["on_invalid"] = serde_json::json!({"format": "csv"});
    publish(folder, &job)
}

#[test]
fn personal_data_is_not_written_as_it_is() {
    for text in [
        "[]",
        "[{derive: {e: upper(email)}}, {drop_fields: email}]",
        "[{rename_fields: {email: e}}]",
        "[{sql: 'SELECT city, max(email) AS e FROM input GROUP BY city'}]",
        "[{nest: {columns: [id, email], as: n, to: struct}}]",
    ] {
        let found = refused(marked(text));
        assert!(found.contains("personal data would be written as it is: `"), "{text}: {found}");
    }
    for text in [
        "[{drop_fields: email}]",
        "[{hash: {columns: email, key: example}}]",
        "[{release: {columns: email, because: test}}]",
        "[{sql: 'SELECT city, count(*) AS n FROM input GROUP BY city'}]",
    ] {
        marked(text).unwrap();
    }
}

#[test]
fn personal_data_is_masked_in_rejects_and_samples() {
    let done = marked("[{drop_fields: email}]").unwrap();
    let rejects = done.report.commit.as_ref().and_then(|commit| commit.rejects.clone()).unwrap();
    let rejects = std::fs::read_to_string(rejects.strip_prefix("file://").unwrap_or(&rejects)).unwrap();
    assert!(rejects.contains("x,***************,Oslo") && !rejects.contains("bob@"), "{rejects}");
    let sample = done.report.samples.first().unwrap();
    assert_eq!(sample.line_text, "x,***************,Oslo");
    assert_eq!(sample.line_text.get(sample.caret.clone()), Some("x"));
}

#[test]
fn columns_get_what_is_asked_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "bigint, bigint, string", &many(3000), "[]");
    job["sink"]["columns"] = serde_json::json!({
        "id": {"bloom_filter": true, "page_index": true}, "CITY": {"compression": "none"},
    });
    let done = publish(folder, &job).unwrap();
    let path = done.manifest["files"][0]["path"].as_str().unwrap();
    let file = std::fs::File::open(format!("/{path}")).unwrap();
    let options = parquet::file::serialized_reader::ReadOptionsBuilder::new().with_page_index().build();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new_with_options(file, options).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader);
    let columns = metadata.row_group(0).columns();
    assert!(columns[0].bloom_filter_offset().is_some() && columns[1].bloom_filter_offset().is_none());
    assert!(columns[0].column_index_offset().is_some() && columns[1].column_index_offset().is_none());
    assert_eq!(columns[2].compression(), parquet::basic::Compression::UNCOMPRESSED);
    job["sink"]["columns"] = serde_json::json!({"idd": {}});
    let again = tempfile::tempdir().unwrap();
    job["source"]["location"] = again.path().join("in.csv").display().to_string().into();
    std::fs::write(again.path().join("in.csv"), many(3)).unwrap();
    job["sink"]["location"] = again.path().join("out").display().to_string().into();
    assert!(refused(publish(again, &job)).contains("no column `idd`"));
}

#[test]
fn a_mark_goes_with_the_values_whatever_the_column_is_called() {
    for text in [
        "[{unpivot: {columns: [email, city], name: kind, value: city}}]",
        "[{nest: {columns: [city, email], as: city, to: struct}}]",
        "[{sql: \"SELECT email AS city FROM input i WHERE city LIKE 'R%' OR EXISTS \
          (SELECT 1 FROM countries c WHERE c.code = i.email AND c.name = i.email)\"}]",
    ] {
        let found = refused(marked(text));
        assert!(found.contains("personal data would be written as it is: `city`"), "{text}: {found}");
    }
    marked("[{unpivot: {columns: [city], name: kind, value: v}}, {drop_fields: email}]").unwrap();
}

#[test]
fn a_data_set_of_which_no_column_is_read_is_counted() {
    let text = "[{sql: 'SELECT id, (SELECT count(*) FROM countries) AS n FROM input ORDER BY id'}]";
    let done = steps("bigint, bigint, string", &many(2), text).unwrap();
    assert_eq!(done.rows(), "id,n\n0,3\n1,3\n");
}

#[test]
fn a_value_that_a_step_cannot_take_makes_the_file_invalid_and_all_of_it_is_counted() {
    let mut text = "id,doc\n".to_owned();
    for id in 0..60_000 {
        let value = if id == 20_000 { "\"x\"".to_owned() } else { id.to_string() };
        let _ = writeln!(text, "{id},\"{{\"\"n\"\":{}}}\"", value.replace('"', "\"\""));
    }
    for threads in [1, 2, 5] {
        let folder = tempfile::tempdir().unwrap();
        let mut job = job(folder.path(), "bigint, string", &text, "[{unbox: {column: doc, fields: {n: bigint}}}]");
        job["limits"] = serde_json::json!({"threads": threads, "memory": "160MiB"});
        let done = publish(folder, &job).unwrap();
        assert_eq!(done.report.verdict, etl_engine::report::Verdict::Invalid);
        assert_eq!(done.report.rows.read, 60_000, "{threads} threads");
        let reason = &done.report.reasons[0];
        assert!(reason.contains("`doc.n`") && reason.contains("(`unbox`)") && !reason.contains("\"x\""), "{reason}");
    }
}

#[test]
fn a_lookup_that_does_not_fit_is_refused_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut job =
        job(folder.path(), "bigint, bigint, string", &many(3), "[{lookup: {source: countries, on: {city: code}}}]");
    let mut countries = "code,name\n".to_owned();
    for row in 0..300_000 {
        let _ = writeln!(countries, "c{row},n");
    }
    std::fs::write(folder.path().join("countries.csv"), countries).unwrap();
    job["limits"] = serde_json::json!({"memory": "128MiB"});
    let found = refused(publish(folder, &job));
    assert!(found.contains("`countries`") && found.contains("for a lookup"), "{found}");
}

#[test]
fn rows_of_a_key_come_in_the_order_of_the_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let job = job(
        folder.path(),
        "bigint, string",
        "id,code\n1,b\n2,a\n3,\n4,b\n",
        "[{lookup: {source: countries, on: code}}]",
    );
    std::fs::write(folder.path().join("countries.csv"), "code,name\nb,1\na,2\n,9\nb,3\na,4\nb,5\n").unwrap();
    let done = publish(folder, &job).unwrap();
    assert_eq!(done.rows(), "id,code,name\n1,b,1\n1,b,3\n1,b,5\n2,a,2\n2,a,4\n3,,\n4,b,1\n4,b,3\n4,b,5\n");
}

#[test]
fn the_line_of_a_record_without_a_line_end_is_its_line() {
    let done = steps("bigint, bigint", "id,n\n1,1\nx,2", "[{derive: {m: n}}]").unwrap();
    assert_eq!(done.report.faults[0].first.line, 3);
}

#[test]
fn columns_in_which_no_row_has_a_value_are_left_out() {
    let mut text = "id,late,never,word\n".to_owned();
    for id in 0..40_000 {
        let _ =
            writeln!(text, "{id},{},,{}", if id == 39_999 { "x" } else { "" }, if id % 2 == 0 { "null" } else { "" });
    }
    let types = "bigint, string, bigint, string";
    for threads in [1, 3] {
        let published = |steps: &str| {
            let folder = tempfile::tempdir().unwrap();
            let mut job = job(folder.path(), types, &text, steps);
            job["limits"] = serde_json::json!({"threads": threads});
            publish(folder, &job)
        };
        let done = published("[{filter: id >= 10}, {drop_null_fields: {}}]").unwrap();
        let rows = done.rows();
        assert!(rows.starts_with("id,late,word\n10,,null\n11,,\n"), "{}", &rows[..60]);
        assert_eq!((rows.lines().count(), rows.lines().last().unwrap()), (39_991, "39999,x,"));
        assert_eq!(done.report.warnings, ["left out, since no row has a value: never"]);
        let step = done.report.steps.last().unwrap();
        assert_eq!((step.name.as_str(), step.rows_in, step.rows_out), ("drop_null_fields", 39_990, 39_990));
        let listed = published("[{drop_null_fields: {columns: [word, late], null_values: ['null']}}]").unwrap();
        assert!(listed.rows().starts_with("id,late,never\n0,,\n"), "{}", &listed.rows()[..60]);
    }
    // Every column has a value in the first rows: nothing waits.
    let done = steps("bigint, string", "id,v\n1,a\n2,\n", "[{drop_null_fields: {}}]").unwrap();
    assert_eq!((done.rows().as_str(), done.report.warnings.len()), ("id,v\n1,a\n2,\n", 0));
    // A table keeps a column; of no rows nothing is known.
    let none = steps("bigint, string", "id,v\n,\n,\n", "[{drop_null_fields: {}}]").unwrap();
    assert_eq!(none.rows(), "id\n\"\"\n\"\"\n");
    let empty = steps("bigint, string", "id,v\n1,a\n", "[{filter: id > 1}, {drop_null_fields: {}}]").unwrap();
    assert_eq!(empty.report.warnings.len(), 0);
    let early = refused(steps("bigint, string", "id,v\n1,a\n", "[{drop_null_fields: {}}, {trim: {columns: v}}]"));
    assert!(early.contains("step 1 (`drop_null_fields`)") && early.contains("behind all other steps"), "{early}");
}

#[test]
fn columns_that_partition_are_never_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "bigint, date, string", "id,at,v\n1,,\n2,,\n", "[{drop_null_fields: {}}]");
    job["sink"]["partition_by"] = serde_json::json!(["day(at)"]);
    let done = publish(folder, &job).unwrap();
    assert_eq!(done.report.warnings, ["left out, since no row has a value: v"]);
    assert_eq!(done.rows(), "id,at\n1,\n2,\n");
}

#[test]
fn columns_do_not_come_and_go_in_a_catalog_that_forbids_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "bigint, string", "id,v\n1,\n", "[{drop_null_fields: {}}]");
    job["catalog"] = serde_json::json!({"glue": {"database": "d", "table": "t", "evolution": "strict"}});
    let found = refused(publish(folder, &job));
    assert!(found.contains("drop_null_fields") && found.contains("come and go"), "{found}");
}
