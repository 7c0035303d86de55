//! Expressions of Spark SQL and the values that Spark 3.5 gives with `spark.sql.ansi.enabled=false` and session zone UTC.
//!
//! Source of the values: the examples of Spark's own documentation (spark.apache.org/docs/3.5.1/api/sql/), which its test
//! suite runs (`ExpressionInfoSuite`), and the rules of `TypeCoercion`, `Cast` and sql-ref-null-semantics. Each is shown
//! as `CAST(value AS STRING)` shows it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test that reports what it measured"
)]

mod sql_support;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use sql_support::{Rows, engine, run};

/// One row with a value of each type.
fn row() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int32Array::from(vec![7]))),
        ("big", Arc::new(Int64Array::from(vec![i64::MAX]))),
        ("d", Arc::new(Float64Array::from(vec![2.5]))),
        ("dec", Arc::new(Decimal128Array::from(vec![1234]).with_precision_and_scale(10, 2).unwrap())),
        ("s", Arc::new(StringArray::from(vec!["Spark SQL"]))),
        ("n", Arc::new(StringArray::from(vec!["42"]))),
        ("x", Arc::new(StringArray::from(vec!["abc"]))),
        ("z", Arc::new(StringArray::from(vec![None::<&str>]))),
        ("e", Arc::new(StringArray::from(vec![""]))),
        ("b", Arc::new(BooleanArray::from(vec![true]))),
        ("dt", Arc::new(Date32Array::from(vec![19_787]))),
        ("ts", Arc::new(TimestampMicrosecondArray::from(vec![1_709_647_629_250_000]))),
        ("Order Date", Arc::new(StringArray::from(vec!["2024-03-05"]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn value(expression: &str) -> Result<String, String> {
    let sources = [Rows::table("primary", vec![row()])];
    let tables: Vec<_> = sources.iter().map(|(name, source)| (name.clone(), source.schema())).collect();
    let query = engine().plan(&format!("select cast(({expression}) as string) from primary"), &tables)?;
    let result = run(&query, &sources).map_err(|error| error.to_string())?;
    Ok(result.column(0).as_string::<i32>().iter().next().flatten().unwrap_or("NULL").to_owned())
}

fn check(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (expression, expected) in cases {
        let value = value(expression);
        if value.as_deref() != Ok(*expected) {
            wrong.push(format!("{expression}: Spark gives {expected}, this gave {value:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn names_literals_and_operators() {
    check(&[
        ("I + 1", "8"),
        ("primary.I", "7"),
        ("`Order Date`", "2024-03-05"),
        ("`order date` == '2024-03-05'", "true"),
        ("\"a text\"", "a text"),
        ("'it\\'s'", "it's"),
        ("'a\\tb' = concat('a', char(9), 'b')", "true"),
        ("3 / 2", "1.5"),
        ("i / 2", "3.5"),
        ("2L / 2L", "1.0"),
        ("1 / 0", "NULL"),
        ("d / 0", "NULL"),
        ("3 div 2", "1"),
        ("7 div 2 * 2", "6"),
        ("-7 div 2", "-3"),
        ("7 div 0", "NULL"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("mod(i, 0)", "NULL"),
        ("2 % 1.8", "0.2"),
        ("0.1 + 0.2 = 0.3", "true"),
        ("1.5 * 2", "3.0"),
        ("! true", "false"),
        ("! (i > 5)", "false"),
        ("not i > 5", "false"),
        ("i <> 7", "false"),
        ("i != 8", "true"),
        ("NULL <=> NULL", "true"),
        ("1 <=> NULL", "false"),
        ("2 <=> 2", "true"),
        ("z <=> NULL", "true"),
        ("NULL and false", "false"),
        ("NULL or true", "true"),
        ("z = NULL", "NULL"),
        ("z is not distinct from NULL", "true"),
        ("i is distinct from 7", "false"),
        ("'Spark' || 'SQL'", "SparkSQL"),
        ("'a' || z", "NULL"),
        ("i || 'x'", "7x"),
        ("big + 1", "-9223372036854775808"),
        ("-i", "-7"),
        ("+i", "7"),
    ]);
}

#[test]
fn comparisons_between_unlike_types() {
    check(&[
        ("n = 42", "true"),
        ("n > 5", "true"),
        ("x > 5", "NULL"),
        ("x = 0", "NULL"),
        ("'1.5' = 1", "true"),
        ("'1.5' = 1.5", "true"),
        ("' 42 ' = 42", "true"),
        ("n + 1", "43.0"),
        ("x + 1", "NULL"),
        ("n * '2'", "84.0"),
        ("n % 5", "2.0"),
        ("b = 'true'", "true"),
        ("b = 'yes'", "true"),
        ("dt = '2024-03-05'", "true"),
        ("dt > '2024-01-01'", "true"),
        ("dt = 'soon'", "NULL"),
        ("ts > '2024-03-05'", "true"),
        ("ts > dt", "true"),
        ("dec = '12.34'", "true"),
        ("dec > 12", "true"),
        ("n between 40 and 50", "true"),
        ("x between 1 and 2", "NULL"),
        ("i not between 1 and 5", "true"),
        ("n in (41, 42)", "true"),
        ("'1.0' in (1, 2)", "false"),
        ("i in ('7')", "true"),
        ("i in (1, NULL)", "NULL"),
        ("x not in ('a', 'b')", "true"),
        ("case when i > 5 then 'big' else 'small' end", "big"),
        ("case i when 7 then 'seven' end", "seven"),
        ("case i when 8 then 'eight' end", "NULL"),
        ("case n when 42 then 'yes' end", "yes"),
        ("s like 'Spark%'", "true"),
        ("s like 'spark%'", "false"),
        ("s ilike 'spark%'", "true"),
        ("s not like '_park SQL'", "false"),
        ("'50%' like '50\\%'", "true"),
        ("'50x' like '50\\%'", "false"),
        ("i like '7'", "true"),
        ("s rlike '^S.*L$'", "true"),
        ("s regexp 'park'", "true"),
        ("s not rlike '\\\\d'", "true"),
        ("n rlike '^\\\\d+$'", "true"),
        ("z rlike 'a'", "NULL"),
    ]);
}

#[test]
fn casts() {
    check(&[
        ("cast('10' as int)", "10"),
        ("cast(' 10 ' as int)", "10"),
        ("cast('1.9' as int)", "1"),
        ("cast('abc' as int)", "NULL"),
        ("cast('' as int)", "NULL"),
        ("cast('9999999999' as int)", "NULL"),
        ("cast('9999999999' as bigint)", "9999999999"),
        ("cast(1.9 as int)", "1"),
        ("cast(-1.9 as int)", "-1"),
        ("cast(3000000000 as int)", "-1294967296"),
        ("cast('1e3' as double)", "1000.0"),
        ("cast('NaN' as double)", "NaN"),
        ("cast('x' as double)", "NULL"),
        ("cast('12.345' as decimal(10,2))", "12.35"),
        ("cast('123456' as decimal(4,2))", "NULL"),
        ("cast('t' as boolean)", "true"),
        ("cast('no' as boolean)", "false"),
        ("cast('maybe' as boolean)", "NULL"),
        ("cast(0 as boolean)", "false"),
        ("cast(true as int)", "1"),
        ("cast('2024-02-30' as date)", "NULL"),
        ("cast('2024-2-3' as date)", "2024-02-03"),
        ("cast('2024-03-05 14:07:09' as timestamp)", "2024-03-05 14:07:09"),
        ("cast(ts as date)", "2024-03-05"),
        ("cast(dt as timestamp)", "2024-03-05 00:00:00"),
        ("cast(ts as bigint)", "1709647629"),
        ("cast(0 as timestamp)", "1970-01-01 00:00:00"),
        ("ts", "2024-03-05 14:07:09.25"),
        ("d", "2.5"),
        ("cast(100000000 as double)", "1.0E8"),
        ("dec", "12.34"),
        ("b", "true"),
        ("try_cast('x' as int)", "NULL"),
        ("int('12')", "12"),
        ("string(12)", "12"),
        ("double('2')", "2.0"),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("upper('SparkSql')", "SPARKSQL"),
        ("LCASE('SparkSql')", "sparksql"),
        ("length('Spark SQL ')", "10"),
        ("char_length('Spark SQL ')", "10"),
        ("length('äö')", "2"),
        ("octet_length('Spark SQL')", "9"),
        ("bit_length('Spark SQL')", "72"),
        ("length(12345)", "5"),
        ("concat('Spark', 'SQL')", "SparkSQL"),
        ("concat('a', z)", "NULL"),
        ("concat(i, '-', b)", "7-true"),
        ("concat_ws(' ', 'Spark', 'SQL')", "Spark SQL"),
        ("concat_ws('/', 'foo', NULL, 'bar')", "foo/bar"),
        ("concat_ws(NULL, 'Spark', 'SQL')", "NULL"),
        ("substring('Spark SQL', 5)", "k SQL"),
        ("substring('Spark SQL', -3)", "SQL"),
        ("substring('Spark SQL', 5, 1)", "k"),
        ("substr('Spark SQL', 0, 2)", "Sp"),
        ("substring('Spark SQL' from 5 for 1)", "k"),
        ("left('Spark SQL', 3)", "Spa"),
        ("right('Spark SQL', 3)", "SQL"),
        ("right('Spark SQL', 0)", ""),
        ("instr('SparkSQL', 'SQL')", "6"),
        ("instr('SparkSQL', 'x')", "0"),
        ("locate('bar', 'foobarbar')", "4"),
        ("locate('bar', 'foobarbar', 5)", "7"),
        ("position('bar' IN 'foobarbar')", "4"),
        ("contains('Spark SQL', 'Spark')", "true"),
        ("startswith('Spark SQL', 'SQL')", "false"),
        ("endswith('Spark SQL', 'SQL')", "true"),
        ("replace('ABCabc', 'abc', 'DEF')", "ABCDEF"),
        ("replace('ABCabc', 'abc')", "ABC"),
        ("replace('abc', '', 'x')", "abc"),
        ("translate('AaBbCc', 'abc', '123')", "A1B2C3"),
        ("reverse('Spark SQL')", "LQS krapS"),
        ("repeat('123', 2)", "123123"),
        ("repeat('123', -1)", ""),
        ("concat('[', space(2), ']')", "[  ]"),
        ("lpad('hi', 5, '??')", "???hi"),
        ("lpad('hi', 1, '??')", "h"),
        ("lpad('hi', 5)", "   hi"),
        ("rpad('hi', 5, '??')", "hi???"),
        ("lpad(i, 3, '0')", "007"),
        ("trim('    SparkSQL   ')", "SparkSQL"),
        ("length(trim('\\tx\\n'))", "3"),
        ("trim(BOTH 'SL' FROM 'SSparkSQLS')", "parkSQ"),
        ("trim(LEADING 'SL' FROM 'SSparkSQLS')", "parkSQLS"),
        ("trim(TRAILING 'SL' FROM 'SSparkSQLS')", "SSparkSQ"),
        ("concat('[', ltrim('  x '), ']')", "[x ]"),
        ("concat('[', rtrim(' x  '), ']')", "[ x]"),
        ("initcap('sPark sql')", "Spark Sql"),
        ("initcap('o\\'neil')", "O'neil"),
        ("initcap('ΟΔΟΣ ΜΟΥ')", "Οδος Μου"),
        ("ascii('222')", "50"),
        ("char(65)", "A"),
        ("find_in_set('ab', 'abc,b,ab,c,def')", "3"),
        ("split_part('11.12.13', '.', 3)", "13"),
        ("substring_index('www.apache.org', '.', 2)", "www.apache"),
        ("soundex('Miller')", "M460"),
        ("luhn_check('8112189876')", "true"),
        ("luhn_check('79927398714')", "false"),
        ("sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"),
        ("sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"),
        ("crc32('Spark')", "1557323817"),
        ("regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", "100"),
        ("regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 2)", "200"),
        ("regexp_extract('abc', '(\\\\d+)')", ""),
        ("regexp_replace('100-200', '(\\\\d+)', 'num')", "num-num"),
        ("regexp_replace('2024-03', '(\\\\d+)-(\\\\d+)', '$2/$1')", "03/2024"),
        ("regexp_like('abc', 'B')", "false"),
        ("size(split('oneAtwoBthreeC', '[ABC]'))", "4"),
        ("split('oneAtwoBthreeC', '[ABC]')[1]", "two"),
        ("split('oneAtwoBthreeC', '[ABC]', 2)[1]", "twoBthreeC"),
        ("split('a,b', ',')[5]", "NULL"),
        ("element_at(array(1, 2, 3), -1)", "3"),
        ("array_contains(array(1, 2, 3), 2)", "true"),
        ("size(array())", "0"),
    ]);
}

#[test]
fn null_and_choice() {
    check(&[
        ("coalesce(NULL, 1, NULL)", "1"),
        ("coalesce(z, 'none')", "none"),
        ("nvl(z, 'none')", "none"),
        ("ifnull(n, 'none')", "42"),
        ("nvl2(NULL, 2, 1)", "1"),
        ("nullif(2, 2)", "NULL"),
        ("nullif(x, 'a')", "abc"),
        ("if(1 < 2, 'a', 'b')", "a"),
        ("if(NULL, 'a', 'b')", "b"),
        ("isnull(z)", "true"),
        ("isnotnull(z)", "false"),
        ("isnan(cast('NaN' as double))", "true"),
        ("nanvl(cast('NaN' as double), 123)", "123.0"),
        ("greatest(10, 9, 2, 4, 3)", "10"),
        ("least(10, 9, NULL, 4, 3)", "3"),
        ("equal_null(NULL, NULL)", "true"),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("abs(-1)", "1"),
        ("abs('-2')", "2.0"),
        ("ceil(-0.1)", "0"),
        ("ceil(5)", "5"),
        ("ceil(cast(2.1 as double))", "3"),
        ("floor(-0.1)", "-1"),
        ("floor(d)", "2"),
        ("round(2.567, 2) = 2.57", "true"),
        ("round(-d)", "-3.0"),
        ("round(d)", "3.0"),
        ("round(cast('2.345' as double), 2)", "2.35"),
        ("round(cast('1.005' as double), 2)", "1.01"),
        ("round(cast('-2.675' as double), 2)", "-2.68"),
        ("round(125, -1)", "130"),
        ("cbrt(27.0)", "3.0"),
        ("exp(0)", "1.0"),
        ("ln(1)", "0.0"),
        ("ln(0)", "NULL"),
        ("log(10, 100)", "2.0"),
        ("log10(10)", "1.0"),
        ("log2(2)", "1.0"),
        ("log10(-1)", "NULL"),
        ("pow(2, 3)", "8.0"),
        ("pmod(10, 3)", "1"),
        ("pmod(-10, 3)", "2"),
        ("rint(12.3456)", "12.0"),
        ("sign(40)", "1.0"),
        ("sqrt(4)", "2.0"),
        ("sqrt('16')", "4.0"),
        ("hypot(3, 4)", "5.0"),
        ("factorial(5)", "120"),
        ("degrees(3.141592653589793)", "180.0"),
        ("negative(1)", "-1"),
    ]);
}

#[test]
fn dates_and_times() {
    check(&[
        ("current_date", "2024-03-05"),
        ("current_date()", "2024-03-05"),
        ("current_timestamp()", "2024-03-05 14:07:09.25"),
        ("now() = ts", "true"),
        ("to_date('2009-07-30 04:17:52')", "2009-07-30"),
        ("to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31"),
        ("to_date('31/12/2016', 'dd/MM/yyyy')", "2016-12-31"),
        ("to_date('x')", "NULL"),
        ("to_timestamp('2016-12-31 00:12:00')", "2016-12-31 00:12:00"),
        ("to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
        ("date_add('2016-07-30', 1)", "2016-07-31"),
        ("date_sub('2016-07-30', 1)", "2016-07-29"),
        ("datediff('2009-07-31', '2009-07-30')", "1"),
        ("datediff('2009-07-30', '2009-07-31')", "-1"),
        ("add_months('2016-08-31', 1)", "2016-09-30"),
        ("last_day('2009-01-12')", "2009-01-31"),
        ("next_day('2015-01-14', 'TU')", "2015-01-20"),
        ("year('2016-07-30')", "2016"),
        ("quarter('2016-08-31')", "3"),
        ("month(dt)", "3"),
        ("day('2009-07-30')", "30"),
        ("dayofmonth(ts)", "5"),
        ("dayofweek('2009-07-30')", "5"),
        ("weekday('2009-07-30')", "3"),
        ("dayofyear('2016-04-09')", "100"),
        ("weekofyear('2008-02-20')", "8"),
        ("hour('2009-07-30 12:58:59')", "12"),
        ("minute('2009-07-30 12:58:59')", "58"),
        ("second('2009-07-30 12:58:59')", "59"),
        ("extract(DOY FROM DATE'2019-08-12')", "224"),
        ("extract(year from ts)", "2024"),
        ("date_part('YEAR', TIMESTAMP '2019-08-12 01:00:00.123456')", "2019"),
        ("date_trunc('YEAR', '2015-03-05T09:32:05.359')", "2015-01-01 00:00:00"),
        ("date_trunc('MM', '2015-03-05T09:32:05.359')", "2015-03-01 00:00:00"),
        ("date_trunc('HOUR', '2015-03-05T09:32:05.359')", "2015-03-05 09:00:00"),
        ("trunc('2019-08-04', 'week')", "2019-07-29"),
        ("trunc('2019-08-04', 'quarter')", "2019-07-01"),
        ("trunc('2009-02-12', 'MM')", "2009-02-01"),
        ("trunc('2015-10-27', 'YEAR')", "2015-01-01"),
        ("date_format('2016-04-08', 'y')", "2016"),
        ("date_format(ts, 'dd/MM/yyyy HH:mm')", "05/03/2024 14:07"),
        ("unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460073600"),
        ("from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1970-01-01 00:00:00"),
        ("unix_date(DATE'1970-01-02')", "1"),
        ("dt + 1", "2024-03-06"),
        ("dt - 5", "2024-02-29"),
        ("dt + interval 1 day", "2024-03-06"),
        ("dt + interval '2' month", "2024-05-05"),
        ("dt - interval 30 days", "2024-02-04"),
        ("ts - interval 1 hour", "2024-03-05 13:07:09.25"),
        ("dt > current_date - interval 7 days", "true"),
        ("dt >= date_sub(current_date(), 7)", "true"),
        ("DATE '2024-03-05' = dt", "true"),
    ]);
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    for (expression, expected) in [
        ("nme", "there is no column `nme`"),
        ("order_dat", "there is no column `order_dat`"),
        ("uper(s)", "did you mean `upper`"),
        ("substring(s)", "`substring` takes 2 to 3 argument(s), not 1"),
        ("s rlike n", "must be a text between quotes"),
        ("s rlike '(?=a)'", "look-ahead"),
        ("s rlike '['", "unclosed character class"),
        ("to_date(s, 'yyyy-QQ')", "`qq`"),
        ("cast(s as array<int>)", "not supported"),
        ("cast(dt as int)", "cannot be cast"),
        ("DATE '2024-02-30'", "is no date"),
        ("i +", "expected"),
        ("md5(s)", "there is no function `md5`"),
    ] {
        let error = value(expression).expect_err(expression);
        assert!(error.to_lowercase().contains(expected), "{expression}: {error}");
        assert!(!error.contains('\n') && error.len() < 500, "{expression}: {error}");
    }
}
