//! Queries of `CustomSql`: planned once, run over sources that are read again, within memory and time.
//!
//! Expected values by hand unless a case says otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test that reports what it measured"
)]

mod sql_support;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use etl_engine::exec::Cancel;
use etl_engine::exec::spool::Spool;
use etl_engine::expr::BatchSource;
use etl_engine::{Error, ErrorKind};
use sql_support::{Rows, engine, limits, run, run_within};

type Table = (String, Arc<dyn BatchSource>);

fn orders() -> RecordBatch {
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]));
    let customer: ArrayRef =
        Arc::new(StringArray::from(vec![Some("ann"), Some("bob"), Some("ann"), None, Some("eve")]));
    let amount: ArrayRef = Arc::new(Float64Array::from(vec![Some(10.0), Some(20.0), None, Some(5.5), Some(40.0)]));
    let day: ArrayRef =
        Arc::new(StringArray::from(vec!["2024-03-01", "2024-03-05", "soon", "2024-02-01", "2023-12-31"]));
    RecordBatch::try_from_iter_with_nullable([
        ("OrderId", id, true),
        ("Customer", customer, true),
        ("amount", amount, true),
        ("day", day, true),
    ])
    .unwrap()
}

fn people() -> RecordBatch {
    let name: ArrayRef = Arc::new(StringArray::from(vec!["ann", "bob", "dan"]));
    let city: ArrayRef = Arc::new(StringArray::from(vec![Some("Rome"), None, Some("Oslo")]));
    RecordBatch::try_from_iter_with_nullable([("name", name, true), ("city", city, true)]).unwrap()
}

fn tables() -> Vec<Table> {
    let orders = orders();
    vec![Rows::table("primary", vec![orders.slice(0, 2), orders.slice(2, 3)]), Rows::table("people", vec![people()])]
}

fn declared(sources: &[Table]) -> Vec<(String, SchemaRef)> {
    sources.iter().map(|(name, source)| (name.clone(), source.schema())).collect()
}

fn shown(batch: &RecordBatch) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(",");
    (0..batch.num_rows()).map(row).collect::<Vec<_>>().join(" | ")
}

fn answer(sql: &str) -> Result<String, String> {
    let sources = tables();
    let query = engine().plan(sql, &declared(&sources))?;
    run(&query, &sources).map(|batch| shown(&batch)).map_err(|error| error.to_string())
}

#[test]
fn queries_of_many_shapes() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        ("select count(*) from primary", "5"),
        ("SELECT COUNT(*) FROM PRIMARY WHERE AMOUNT > 9", "3"),
        ("select count(*) from primary where customer is not null;", "4"),
        ("select count(customer), count(distinct customer) from primary", "4,3"),
        ("select count(distinct customer, amount) from primary", "3"),
        ("select count(*) filter (where amount > 10) from primary", "2"),
        ("select count_if(amount > 10) from primary", "2"),
        ("select sum(amount), avg(amount), min(amount), max(customer) from primary", "75.5,18.875,5.5,eve"),
        ("select sum(day) from primary", "NULL"),
        ("select count(*) from primary where day > '2024-01-15'", "4"),
        ("select count(*) from primary where to_date(day) > '2024-01-15'", "3"),
        ("select count(*) from primary where to_date(day) >= date_sub(current_date(), 7)", "2"),
        ("select orderid from primary where cast(day as date) is null", "3"),
        ("select customer, count(*) as n from primary group by customer having count(*) > 1", "ann,2"),
        ("select customer, count(*) n from primary group by 1 order by n desc, 1", "ann,2 | NULL,1 | bob,1 | eve,1"),
        ("select customer from primary order by customer", "NULL | ann | ann | bob | eve"),
        ("select customer from primary order by customer desc", "eve | bob | ann | ann | NULL"),
        ("select amount from primary order by amount nulls last limit 2", "5.5 | 10.0"),
        ("select orderid from primary order by 1 limit 2 offset 1", "2 | 3"),
        ("select distinct customer from primary where customer is not null order by 1", "ann | bob | eve"),
        (
            "select stddev(amount) > 15, var_pop(amount) > 170, approx_count_distinct(customer) from primary",
            "true,true,3",
        ),
        ("select stddev(amount) from primary where orderid = 1", "NULL"),
        (
            "select p.orderid, q.city from primary p join people q on p.customer = q.name order by 1",
            "1,Rome | 2,NULL | 3,Rome",
        ),
        ("select count(*) from primary left join people on customer = name where name is null", "2"),
        ("select count(*) from primary right join people on customer = name", "4"),
        ("select count(*) from primary full outer join people on customer = name", "6"),
        ("select orderid from primary left semi join people on customer = name order by 1", "1 | 2 | 3"),
        ("select orderid from primary left anti join people on customer = name order by 1", "4 | 5"),
        ("select count(*) from primary cross join people", "15"),
        ("select count(*) from primary a, primary b where a.customer = b.customer and a.orderid < b.orderid", "1"),
        ("select count(*) from primary a join primary b on a.customer <=> b.customer", "7"),
        ("select orderid from primary where customer in (select name from people) order by 1", "1 | 2 | 3"),
        ("select orderid from primary where customer not in (select name from people) order by 1", "5"),
        (
            "select orderid from primary p where exists (select 1 from people q where q.name = p.customer and city is not null) order by 1",
            "1 | 3",
        ),
        ("select orderid from primary where amount = (select max(amount) from primary)", "5"),
        ("select (select count(*) from people) + count(*) from primary", "8"),
        (
            "with big as (select * from primary where amount > 9), few as (select * from big limit 2) select count(*) from few",
            "2",
        ),
        ("with primary as (select * from primary where orderid > 3) select count(*) from primary", "2"),
        ("select name from people union select customer from primary order by 1", "NULL | ann | bob | dan | eve"),
        ("select count(*) from (select name from people union all select customer from primary) t", "8"),
        ("select name from people intersect select customer from primary order by 1", "ann | bob"),
        ("select name from people except select customer from primary", "dan"),
        (
            "select orderid, row_number() over (partition by customer order by orderid desc) from primary where customer = 'ann' order by 1",
            "1,2 | 3,1",
        ),
        ("select max(r) from (select rank() over (order by customer) r from primary) t", "5"),
        ("select orderid, lag(orderid, 1, 0) over (order by orderid) from primary order by 1 limit 2", "1,0 | 2,1"),
        ("select orderid, sum(orderid) over (order by orderid) from primary order by 1 limit 3", "1,1 | 2,3 | 3,6"),
        ("select case when count(*) = 5 then 1 else 0 end from primary", "1"),
        ("select 1", "1"),
        ("select count(*) * 100 / 3 from primary", "166.66666666666666"),
        ("select sum(case when amount > 9 then 1 else 0 end) / count(*) from primary", "0.6"),
        ("select orderid, orderid from primary where orderid = 1", "1,1"),
        ("select count(*), count(*) from primary", "5,5"),
        ("select * except (day, amount) from primary where orderid = 2", "2,bob"),
        ("select p.* from people p where p.name = 'ann'", "ann,Rome"),
        ("select `OrderId` from `primary` where `Customer` = \"bob\"", "2"),
        ("select size(collect_set(customer)) from primary", "3"),
        ("select count(*) from primary where customer rlike '^[ab]'", "3"),
        ("select median(amount), percent from (select amount, 1 as percent from primary) t group by percent", "15.0,1"),
        ("select /*+ broadcast(people) */ count(*) from primary -- a comment\n", "5"),
        ("select count(*) from primary where amount between 5 and 10 and not (customer <=> 'bob')", "2"),
        ("select bool_and(orderid > 0), every(orderid > 1), some(orderid > 4) from primary", "true,false,true"),
    ] {
        let given = answer(sql);
        if given.as_deref() != Ok(expected) {
            wrong.push(format!("{sql}\n    expected {expected}, gave {given:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    for (sql, expected) in [
        ("select count(*) from primry", "there is no table `primry`: did you mean `primary`?"),
        ("select count(*) from orders", "there is no table `orders`; there is `people`, `primary`"),
        ("select oderid from primary", "there is no column `oderid`: did you mean `OrderId`?"),
        ("select p.orderid from primary q", "`p`"),
        ("select orderid from primary a, primary b", "several tables"),
        ("select customer, count(*) from primary", "customer"),
        ("select cout(*) from primary", "did you mean `count`"),
        ("select row_number() from primary", "OVER"),
        ("select * from primary where count(*) > 1", "ggregat"),
        ("selec 1", "Expected"),
        ("select id from primary where (b = 1", "Expected"),
    ] {
        let error = answer(sql).expect_err(sql);
        assert!(error.contains(expected), "{sql}: {error}");
        assert!(!error.contains('\n') && error.len() < 500, "{sql}: {error}");
    }
}

#[test]
fn the_result_is_spelled_as_its_tables_are() {
    let sources = tables();
    let query =
        engine().plan("select ORDERID, customer as Who, count(*) over () from primary", &declared(&sources)).unwrap();
    let names: Vec<String> = query.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names[..2], ["OrderId", "Who"]);
    assert_eq!(query.schema().field(1).data_type(), &DataType::Utf8);
}

#[test]
fn a_plan_knows_what_it_reads() {
    let sources = tables();
    let reads = |sql: &str, table: &str| engine().plan(sql, &declared(&sources)).unwrap().reads(table);
    assert_eq!(reads("select count(*) from primary", "primary"), Some(vec![]));
    assert_eq!(reads("select count(*) from primary", "people"), None);
    assert_eq!(reads("select amount from primary where customer = 'ann'", "PRIMARY"), Some(vec![1, 2]));
    assert_eq!(reads("select * from primary", "primary"), Some(vec![0, 1, 2, 3]));
    assert_eq!(
        reads("select max(a.amount) from primary a join primary b on a.orderid = b.orderid", "primary"),
        Some(vec![0, 2])
    );
    assert_eq!(reads("select 1 from primary where customer in (select name from people)", "people"), Some(vec![0]));
}

/// A source that counts how often it is opened and holds only some of the columns.
struct Watched(RecordBatch, AtomicUsize);

impl BatchSource for Watched {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn open(&self) -> etl_engine::Result<Box<dyn Iterator<Item = etl_engine::Result<RecordBatch>> + Send>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(std::iter::once(Ok(self.0.clone()))))
    }
}

#[test]
fn a_source_needs_the_columns_that_are_read_and_is_read_again() {
    let declared = [("primary".to_owned(), orders().schema())];
    let query =
        engine().plan("select count(*) from primary a join primary b on a.amount < b.amount", &declared).unwrap();
    let columns = query.reads("primary").unwrap();
    let source = Arc::new(Watched(orders().project(&columns).unwrap(), AtomicUsize::new(0)));
    let sources = [("primary".to_owned(), Arc::clone(&source) as Arc<dyn BatchSource>)];
    assert_eq!(shown(&run(&query, &sources).unwrap()), "6");
    assert_eq!(source.1.load(Ordering::Relaxed), 2);
    // Other columns than those it reads are no source for it.
    let other = [Rows::table("primary", vec![orders().project(&[0]).unwrap()])];
    let error = run(&query, &other).unwrap_err();
    assert!(error.to_string().contains("`primary` has no column `amount`"), "{error}");
    assert!(run(&query, &[]).unwrap_err().to_string().contains("there is no data for it"));
}

struct Broken(SchemaRef);

impl BatchSource for Broken {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }

    fn open(&self) -> etl_engine::Result<Box<dyn Iterator<Item = etl_engine::Result<RecordBatch>> + Send>> {
        Ok(Box::new(std::iter::once(Err(
            Error::new(ErrorKind::Data, "people.csv is truncated").with_help("send it again")
        ))))
    }
}

#[test]
fn the_error_of_a_source_comes_through() {
    let mut sources = tables();
    sources[1].1 = Arc::new(Broken(people().schema()));
    for sql in ["select count(*) from people", "select count(*) from primary join people on customer = name"] {
        let query = engine().plan(sql, &declared(&sources)).unwrap();
        let error = run(&query, &sources).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Data, "people.csv is truncated"), "{sql}");
        assert_eq!(error.help(), Some("send it again"));
    }
}

#[test]
fn values_do_not_reach_messages() {
    let amount: ArrayRef = Arc::new(StringArray::from(vec!["SECRET-99"]));
    let sources = [Rows::table("primary", vec![RecordBatch::try_from_iter([("a", amount)]).unwrap()])];
    for sql in
        ["select regexp_extract(a, 'S', length(a)) from primary", "select factorial(length(a) * 1000) from primary"]
    {
        let query = engine().plan(sql, &declared(&sources)).unwrap();
        if let Err(error) = run(&query, &sources) {
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
    }
}

#[test]
fn the_caller_ends_a_query() {
    let big: ArrayRef = Arc::new((0..100_000).collect::<Int64Array>());
    let big = RecordBatch::try_from_iter_with_nullable([("id", big, true)]).unwrap();
    let sources = [Rows::table("primary", vec![big; 20])];
    let query = engine().plan("select a.id from primary a", &declared(&sources)).unwrap();
    let mut batches = 0;
    query
        .run(&sources, &limits(), &Cancel::default(), &mut |_| {
            batches += 1;
            Ok(if batches == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .unwrap();
    assert_eq!(batches, 2);
    let failed = query.run(&sources, &limits(), &Cancel::default(), &mut |_| Err(Error::internal("enough")));
    assert_eq!(failed.unwrap_err().to_string(), "enough");
}

/// Keys and texts, more than the memory of the queries below.
fn spooled(rows: i64) -> Table {
    let schema =
        Arc::new(Schema::new(vec![Field::new("key", DataType::Int64, true), Field::new("text", DataType::Utf8, true)]));
    let mut spool = Spool::new(Arc::clone(&schema), &std::env::temp_dir()).unwrap();
    for start in (0..rows).step_by(20_000) {
        let keys = (start..(start + 20_000).min(rows)).map(|row| row * 7_919 % rows);
        let key: ArrayRef = Arc::new(keys.clone().collect::<Int64Array>());
        let text: ArrayRef =
            Arc::new(keys.map(|key| Some(format!("a text of some length {key:>12}"))).collect::<StringArray>());
        spool.append(&RecordBatch::try_new(Arc::clone(&schema), vec![key, text]).unwrap()).unwrap();
    }
    ("primary".to_owned(), spool.finish().unwrap())
}

#[test]
fn sorts_and_groups_go_to_disk() {
    const ROWS: i64 = 400_000;
    let sources = [spooled(ROWS)];
    let mut small = limits();
    // The texts alone are 14 MB.
    small.memory_bytes = 12 << 20;
    for (sql, expected) in [
        ("select count(*) from (select text, count(*) n from primary group by text) t where n = 1", "400000"),
        ("select count(distinct text) from primary", "400000"),
        (
            "select count(*) from (select key, row_number() over (order by text) r from primary) t where r = key + 1",
            "400000",
        ),
    ] {
        let query = engine().plan(sql, &declared(&sources)).unwrap();
        let result = run_within(&query, &sources, &small).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(shown(&result), expected, "{sql}");
    }
}

#[test]
fn too_little_memory_or_disk_is_said() {
    let sources = [spooled(200_000)];
    let mut small = limits();
    small.memory_bytes = 3 << 20;
    for sql in [
        "select count(*) from primary a join primary b on a.text = b.text",
        "select size(collect_list(text)) from primary",
    ] {
        let query = engine().plan(sql, &declared(&sources)).unwrap();
        let error = run_within(&query, &sources, &small).expect_err(sql);
        assert!(error.to_string().contains("needs more than 3 MiB of memory"), "{sql}: {error}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    let mut no_disk = limits();
    no_disk.memory_bytes = 6 << 20;
    no_disk.temp_bytes = 1 << 20;
    let query = engine().plan("select key from primary order by text", &declared(&sources)).unwrap();
    let error = run_within(&query, &sources, &no_disk).unwrap_err();
    assert!(error.to_string().contains("needs more than"), "{error}");
}
