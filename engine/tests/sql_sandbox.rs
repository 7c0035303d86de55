//! Attempts to leave the sandbox: each is refused with one clear line, and nothing outside is touched.
//!
//! Canaries: a file whose content must not appear, a FIFO that would block whoever opens it, and a listening port that
//! must see no connection.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test that reports what it measured"
)]

mod sql_support;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use etl_engine::ErrorKind;
use etl_engine::exec::Cancel;
use etl_engine::expr::SqlPredicates;
use etl_rules::PredicateCompiler;
use sql_support::{Rows, engine, limits, run, run_within};

fn rows(count: i64) -> RecordBatch {
    let id: ArrayRef = Arc::new((0..count).collect::<Int64Array>());
    let name: ArrayRef = Arc::new((0..count).map(|id| Some(format!("name {id}"))).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("id", id, true), ("name", name, true)]).unwrap()
}

struct Canaries {
    directory: tempfile_dir::Dir,
    port: TcpListener,
}

/// A directory that goes with the test.
mod tempfile_dir {
    use std::path::PathBuf;

    pub struct Dir(pub PathBuf);

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

const SECRET: &str = "CANARY-5b1f";

impl Canaries {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sql-sandbox-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("canary.csv"), format!("a,b\n{SECRET},1\n")).unwrap();
        std::fs::write(path.join("canary.json"), format!("{{\"a\":\"{SECRET}\"}}\n")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path.join("fifo.csv")).status().unwrap();
        assert!(made.success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        port.set_nonblocking(true).unwrap();
        Self { directory: tempfile_dir::Dir(path), port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.0.join(name)
    }

    /// Puts the places of the canaries into a text.
    fn aimed(&self, sql: &str) -> String {
        let port = self.port.local_addr().unwrap().port();
        sql.replace("{csv}", self.path("canary.csv").to_str().unwrap())
            .replace("{json}", self.path("canary.json").to_str().unwrap())
            .replace("{fifo}", self.path("fifo.csv").to_str().unwrap())
            .replace("{new}", self.path("new.csv").to_str().unwrap())
            .replace("{url}", &format!("http://127.0.0.1:{port}/x.csv"))
    }

    fn untouched(&self) {
        assert!(self.port.accept().is_err(), "something connected");
        assert!(!self.path("new.csv").exists(), "something was written");
    }
}

const ATTEMPTS: &[&str] = &[
    // Files and URLs as tables.
    "select * from '{csv}'",
    "select * from \"{csv}\"",
    "select * from `{csv}`",
    "select * from `{fifo}`",
    "select * from '{fifo}'",
    "select * from csv.`{csv}`",
    "select * from json.`{json}`",
    "select * from parquet.`{csv}`",
    "select * from text.`{fifo}`",
    "select * from delta.`{csv}`",
    "select * from '{url}'",
    "select * from `{url}`",
    "select * from csv.`{url}`",
    "select * from `s3://bucket/key.csv`",
    "select * from `file://{csv}`",
    "select * from primary join `{csv}` on true",
    "select (select a from `{csv}`) from primary",
    "select * from primary where id in (select a from csv.`{csv}`)",
    "select * from primary where exists (select 1 from '{fifo}')",
    "with t as (select * from `{csv}`) select * from t",
    "select * from primary union all select * from `{csv}`",
    "select * from primary, '{csv}'",
    "select * from (primary join `{csv}` on true)",
    // Functions that read or give tables.
    "select * from read_csv('{csv}')",
    "select * from read_parquet('{csv}')",
    "select * from read_json_auto('{json}')",
    "select * from glob('/etc/*')",
    "select * from parquet_metadata('{csv}')",
    "select * from generate_series(1, 1000000000)",
    "select * from range(1000000000)",
    "select * from table(generate_series(1, 10))",
    "select * from unnest(array(1, 2, 3))",
    "select * from primary, lateral (select 1)",
    "select * from primary lateral view explode(array(1, 2)) t as x",
    "select explode(array(1, 2)) from primary",
    "select unnest(array(1, 2)) from primary",
    "select sequence(1, 1000000000) from primary",
    "select array_repeat(name, 1000000000) from primary",
    "select read_files('{csv}') from primary",
    "select pg_read_file('{csv}') from primary",
    "select load_file('{csv}') from primary",
    // Statements.
    "create table t as select 1",
    "create external table t stored as csv location '{csv}'",
    "create view v as select 1",
    "create function f(x int) returns int return x",
    "create temporary function f as 'java.lang.Runtime'",
    "drop table primary",
    "insert into primary values (1, 'a')",
    "insert overwrite directory '{new}' select * from primary",
    "update primary set id = 1",
    "delete from primary",
    "merge into primary using primary on true when matched then delete",
    "truncate table primary",
    "copy primary to '{new}'",
    "copy (select * from primary) to '{new}' stored as csv",
    "select * into t from primary",
    "set datafusion.execution.batch_size = 1",
    "reset all",
    "show tables",
    "show all",
    "show create table primary",
    "describe primary",
    "explain select * from primary",
    "explain analyze select * from primary",
    "analyze table primary compute statistics",
    "use other",
    "load data inpath '{csv}' into table primary",
    "add jar '{csv}'",
    "attach '{csv}' as x",
    "call p()",
    "execute immediate 'select 1'",
    "prepare p as select 1",
    "begin",
    "grant select on primary to x",
    "select 1; drop table primary",
    "select 1; select 2",
    "with x as (insert into primary values (1, 'a')) select 1",
    // Catalogs.
    "select * from information_schema.tables",
    "select * from information_schema.df_settings",
    "select * from tables.tables.primary",
    "select * from datafusion.public.primary",
    "select * from system.runtime",
    "select * from pg_catalog.pg_class",
    "table primary",
    "values (1), (2)",
    // What answers differently each time, or tells about the machine.
    "select random() from primary",
    "select rand() from primary",
    "select uuid() from primary",
    "select version() from primary",
    "select current_user from primary",
    "select current_user() from primary",
    "select current_database() from primary",
    "select input_file_name() from primary",
    "select file_row_index() from primary",
    "select monotonically_increasing_id() from primary",
    "select java_method('java.lang.Runtime', 'getRuntime') from primary",
    "select reflect('java.util.UUID', 'randomUUID') from primary",
    "select getenv('HOME') from primary",
    "select shuffle(array(1, 2)) from primary",
    "select arrow_cast(id, 'Utf8') from primary",
    "select arrow_typeof(id) from primary",
    "select spark_cast(id, 'string') from primary",
    "select spark_repeat(name, 2) from primary",
    "select assert_true(false) from primary",
    "select raise_error('x') from primary",
    "select from_json(name, 'a int') from primary",
    "select transform(array(1), x -> x + 1) from primary",
    // Shapes that are not needed.
    "with recursive t as (select 1 as n union all select n + 1 from t) select * from t",
    "with t as (select * from t) select * from t",
    "select * from primary tablesample (10 percent)",
    "select * from primary timestamp as of '2024-01-01'",
    "select * from primary version as of 1",
    "select * from primary pivot (max(id) for name in ('a'))",
    "select id, count(*) from primary group by cube (id, name)",
    "select id, count(*) from primary group by rollup (id, name)",
    "select id, count(*) from primary group by grouping sets ((id), (name))",
    "select * from primary for update",
    "select * from primary match_recognize (pattern (a) define a as true)",
    "select * from nowhere",
    "select * from primary where id = ?",
    "select * from primary where id = :x",
    "select * from primary where id = $1",
    "select @@version",
    "select {fn now()} from primary",
    "select name collate utf8 from primary",
    "",
    ";",
    "--",
    "/* select 1 */",
];

#[test]
fn attempts_are_refused_in_one_line() {
    let canaries = Canaries::new();
    let tables = [("primary".to_owned(), rows(0).schema())];
    assert!(ATTEMPTS.len() >= 60);
    let mut wrong = Vec::new();
    for attempt in ATTEMPTS {
        let sql = canaries.aimed(attempt);
        match engine().plan(&sql, &tables) {
            Ok(_) => wrong.push(format!("planned: {attempt}")),
            Err(error) if error.trim().is_empty() || error.contains('\n') || error.len() > 600 => {
                wrong.push(format!("no clear line: {attempt}: {error}"));
            }
            Err(error) if error.contains(SECRET) || error.contains("panicked") || error.contains("Internal") => {
                wrong.push(format!("says too much: {attempt}: {error}"));
            }
            Err(error) => println!("{attempt}\n    {error}"),
        }
    }
    canaries.untouched();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn predicates_are_one_expression_over_one_row() {
    let canaries = Canaries::new();
    let schema = rows(0).schema();
    for attempt in [
        "id in (select 1)",
        "id in (select a from `{csv}`)",
        "exists (select 1)",
        "(select count(*) from primary) > 0",
        "count(*) > 1",
        "count_if(id > 1) > 1",
        "row_number() over () = 1",
        "sum(id) over () > 1",
        "id > 1; drop table x",
        "id > 1 union select 1",
        "read_csv('{csv}') is not null",
        "random() > 0.5",
        "uuid() = name",
        "current_user = name",
        "explode(array(1)) = 1",
        "id",
        "set a = 1",
        "1 = 1 from primary",
        "sequence(1, 1000000000)[0] = 1",
        "",
    ] {
        let error = SqlPredicates::default().compile(&canaries.aimed(attempt), &schema).err();
        let error = error.unwrap_or_else(|| panic!("compiled: {attempt}"));
        assert!(!error.trim().is_empty() && !error.contains('\n') && !error.contains(SECRET), "{attempt}: {error}");
    }
    canaries.untouched();
}

#[test]
fn texts_that_are_too_large_are_refused_quickly() {
    let tables = [("primary".to_owned(), rows(0).schema())];
    let doubling = |levels: usize| {
        let mut sql = "with t0 as (select * from primary)".to_owned();
        for level in 1..=levels {
            sql += &format!(", t{level} as (select a.id from t{0} a cross join t{0} b)", level - 1);
        }
        sql + &format!(" select count(*) from t{levels}")
    };
    let defined = |expression: &str, levels: usize| {
        let inner = (0..levels).fold("select name as s from primary".to_owned(), |inner, _| {
            format!("select {expression} as s from ({inner}) t")
        });
        format!("select count(*) from ({inner}) t where s = 'x'")
    };
    let within = |open: &str, close: &str, levels: usize| {
        format!("select {}id = 1{} from primary", open.repeat(levels), close.repeat(levels))
    };
    let cases = [
        format!("select {} from primary", "(".repeat(10_000)),
        format!("select {}1{} from primary", "(".repeat(500), ")".repeat(500)),
        format!("select {}id from primary", "- ".repeat(5_000)),
        format!("select {}true from primary", "not ".repeat(5_000)),
        format!("select id from primary where {} id = 1", "id = 1 or ".repeat(3_000)),
        format!("select {} from primary", vec!["id"; 3_000].join(" + ")),
        format!("select '{}' from primary", "x".repeat(100_000)),
        format!("select * from primary where id in ({})", vec!["1"; 20_000].join(",")),
        format!("select case {} end from primary", "when id = 1 then 1 ".repeat(5_000)),
        vec!["select id from primary"; 200].join(" union all "),
        format!(
            "select 1 from primary p0 {}",
            (1..200).map(|n| format!("join primary p{n} on true ")).collect::<String>()
        ),
        format!("select * from {}primary{}", "(select * from ".repeat(60), ") t".repeat(60)),
        doubling(30),
        doubling(9),
        // Short texts that the optimizer would write out: columns replaced by what defines them, first parts twice.
        defined("concat(s, s)", 40),
        defined("case when s = 'a' then s else s || s end", 30),
        within("coalesce(", ", true)", 25),
        within("ifnull(", ", true)", 25),
        within("(", " between false and true)", 40),
    ];
    for sql in cases {
        let started = Instant::now();
        let shown: String = sql.chars().take(60).collect();
        let error = engine().plan(&sql, &tables).err().unwrap_or_else(|| panic!("planned: {shown}"));
        assert!(!error.contains('\n') && error.len() < 600, "{shown}: {error}");
        assert!(started.elapsed() < Duration::from_secs(20), "{shown} took {:?}", started.elapsed());
        println!("{shown}\n    {error}");
    }
}

#[test]
fn the_largest_texts_that_are_allowed_are_planned() {
    let tables = [("primary".to_owned(), rows(0).schema())];
    for sql in [
        format!("select id from primary where {} id = 1", "id = 1 or ".repeat(150)),
        format!(
            "select * from primary where id in ({})",
            (0..4_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",")
        ),
        vec!["select id from primary"; 40].join(" union all "),
        format!(
            "select 1 from primary p0 {}",
            (1..30).map(|n| format!("join primary p{n} on p0.id = p{n}.id ")).collect::<String>()
        ),
    ] {
        let started = Instant::now();
        let shown: String = sql.chars().take(60).collect();
        engine().plan(&sql, &tables).unwrap_or_else(|error| panic!("{shown}: {error}"));
        println!("{shown}: {:?}", started.elapsed());
    }
}

#[test]
fn texts_cannot_grow_without_bound() {
    let sources = [Rows::table("primary", vec![rows(1_000)])];
    let tables: Vec<_> = sources.iter().map(|(name, source)| (name.clone(), source.schema())).collect();
    let nested = |function: &str, levels: usize| {
        let mut sql = "select name as s from primary".to_owned();
        for _ in 0..levels {
            sql = format!("select {function} as s from ({sql}) t");
        }
        format!("select max(length(s)) from ({sql}) t")
    };
    for sql in [
        "select max(length(repeat(name, 1000000))) from primary".to_owned(),
        "select length(repeat('x', 2000000000))".to_owned(),
        "select length(repeat(repeat(repeat('x', 100000), 100000), 100000))".to_owned(),
        "select max(length(lpad(name, 1000000000, 'x'))) from primary".to_owned(),
        "select max(length(rpad(name, 2000000000))) from primary".to_owned(),
        "select length(space(2147483647))".to_owned(),
        "select max(length(replace(repeat('a', 10000), 'a', repeat('b', 10000)))) from primary".to_owned(),
        "select max(length(regexp_replace(repeat('a', 10000), 'a', repeat('b', 10000)))) from primary".to_owned(),
        "select max(length(concat_ws(repeat(name, 10000), name, name, name, name, name))) from primary".to_owned(),
        "select max(size(split(repeat(name, 5000), ''))) from primary".to_owned(),
        nested("concat(s, s)", 14),
        nested("concat(s, s)", 30),
        nested("s || s || s || s", 20),
        nested("replace(s, 'a', 'aaaaaaaaaaaaaaaa')", 20),
        nested("concat(array(s, s)[0], s, s)", 30),
    ] {
        let started = Instant::now();
        let outcome = engine()
            .plan(&sql, &tables)
            .and_then(|query| run(&query, &sources).map(|_| ()).map_err(|error| error.to_string()));
        let error = outcome.expect_err(&sql);
        assert!(
            ["MiB", "memory", "parts", "nested more than"].iter().any(|word| error.contains(word)),
            "{sql}: {error}"
        );
        assert!(started.elapsed() < Duration::from_secs(30), "{sql} took {:?}", started.elapsed());
    }
}

#[test]
fn a_query_without_end_is_stopped() {
    let sources = [Rows::table("primary", vec![rows(8_000)])];
    let tables: Vec<_> = sources.iter().map(|(name, source)| (name.clone(), source.schema())).collect();
    for sql in [
        "select count(*) from primary a, primary b, primary c, primary d",
        "select count(*) from primary a join primary b on a.id < b.id + 1 join primary c on b.id <> c.id",
        "select max(a.name || b.name || c.name) from primary a cross join primary b cross join primary c",
        "select a.id from primary a, primary b, primary c order by rand_free desc limit 1",
    ] {
        let sql = sql.replace("rand_free", "a.id * b.id + c.id");
        let query = engine().plan(&sql, &tables).unwrap();
        let mut short = limits();
        short.timeout = Duration::from_millis(700);
        let started = Instant::now();
        let error = run_within(&query, &sources, &short).expect_err(&sql);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{sql}: {error}");
        // Whichever bound is met first: texts of a cross join meet that of the memory.
        let bound =
            ["took longer than 0.7 seconds", "needs more than"].iter().any(|text| error.to_string().contains(text));
        assert!(bound, "{sql}: {error}");
        assert!(started.elapsed() < Duration::from_secs(15), "{sql} took {:?}", started.elapsed());
    }
    let query = engine().plan("select count(*) from primary a, primary b, primary c, primary d", &tables).unwrap();
    let cancel = Cancel::default();
    let error = std::thread::scope(|scope| {
        let running =
            scope.spawn(|| query.run(&sources, &limits(), &cancel, &mut |_| Ok(std::ops::ControlFlow::Continue(()))));
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
        running.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
