//! The functions a text may call: a list, with what each argument is read as and what runs.
//!
//! A function that is not here cannot be called. Nothing here reads anything, asks the clock or answers differently each
//! time; what makes long texts is held to a bound (`kernel.rs`). `datafusion_spark` goes before DataFusion's own, and a
//! kernel of ours stands only where neither gives what Spark 3.5 gives.

use std::sync::Arc;

use datafusion::functions::{core, datetime as core_datetime, math, regex, string, unicode};
use datafusion::functions_aggregate as aggregate;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion_spark::function as spark;

use super::cast;
use super::kernel::Guarded;
use super::{numbers, round, text};

/// What an argument is read as before the function sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Any,
    /// A text; anything else is written as Spark writes it.
    Text,
    /// A number as it is; a text as a double.
    Number,
    /// A double.
    Double,
    /// An int.
    Int,
    /// A date.
    Date,
    /// A timestamp.
    Timestamp,
    /// True or false.
    Bool,
    /// A literal text: a unit of time.
    Literal,
    /// A literal text: a Java regular expression.
    Regex,
    /// A literal text: a Java date pattern.
    DatePattern,
}

/// A function of Spark's and what runs for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Spark's names of it, separated by blanks.
    pub(super) names: &'static str,
    /// The registered function that runs.
    pub(super) runs: &'static str,
    /// What each argument is read as; the last one for all that follow when `many`.
    pub(super) arguments: &'static [Kind],
    /// Arguments that must be given.
    pub(super) least: usize,
    /// Whether more arguments than listed may be given.
    pub(super) many: bool,
}

const fn entry(names: &'static str, runs: &'static str, arguments: &'static [Kind]) -> Entry {
    Entry { names, runs, arguments, least: arguments.len(), many: false }
}

impl Entry {
    const fn at_least(mut self, least: usize) -> Self {
        self.least = least;
        self
    }

    const fn many(mut self) -> Self {
        self.many = true;
        self
    }
}

use Kind::{Any, Bool, Date, DatePattern, Double, Int, Literal, Number, Regex, Text, Timestamp};

/// Functions of one row. Those with a shape of their own (`nvl2`, `isnull`, `year`, casts by name) are in `spark.rs`.
pub(super) const SCALARS: &[Entry] = &[
    // Texts.
    entry("upper ucase", "upper", &[Text]),
    entry("lower lcase", "lower", &[Text]),
    entry("length char_length character_length len", "length", &[Text]),
    entry("octet_length", "octet_length", &[Text]),
    entry("bit_length", "bit_length", &[Text]),
    entry("concat", "concat", &[Text]).at_least(0).many(),
    entry("concat_ws", "spark_concat_ws", &[Text]).many(),
    entry("substring substr mid", "substring", &[Text, Int, Int]).at_least(2),
    entry("substring_index", "substr_index", &[Text, Text, Int]),
    entry("right", "spark_right", &[Text, Int]),
    entry("locate position charindex", "spark_locate", &[Text, Text, Int]).at_least(2),
    entry("contains", "contains", &[Text, Text]),
    entry("startswith", "starts_with", &[Text, Text]),
    entry("endswith", "ends_with", &[Text, Text]),
    entry("replace", "spark_replace", &[Text, Text, Text]).at_least(2),
    entry("translate", "translate", &[Text, Text, Text]),
    entry("reverse", "reverse", &[Text]),
    entry("repeat", "spark_repeat", &[Text, Int]),
    entry("lpad", "spark_lpad", &[Text, Int, Text]).at_least(2),
    entry("rpad", "spark_rpad", &[Text, Int, Text]).at_least(2),
    entry("initcap", "spark_initcap", &[Text]),
    entry("ascii", "ascii", &[Text]),
    entry("char chr", "char", &[Int]),
    entry("find_in_set", "find_in_set", &[Text, Text]),
    entry("split_part", "split_part", &[Text, Text, Int]),
    entry("soundex", "soundex", &[Text]),
    entry("luhn_check", "luhn_check", &[Text]),
    entry("sha sha1", "sha1", &[Text]),
    entry("sha2", "sha2", &[Text, Int]),
    entry("crc32", "crc32", &[Text]),
    entry("rlike regexp regexp_like", "regexp_like", &[Text, Regex]),
    entry("regexp_extract", "spark_regexp_extract", &[Text, Regex, Int]).at_least(2),
    entry("regexp_replace", "spark_regexp_replace", &[Text, Regex, Text]),
    entry("split", "spark_split", &[Text, Regex, Int]).at_least(2),
    // Lists.
    entry("size cardinality", "size", &[Any]),
    entry("array_contains", "array_contains", &[Any, Any]),
    entry("array", "array", &[Any]).at_least(0).many(),
    // NULL and choice.
    entry("coalesce", "coalesce", &[Any]).many(),
    entry("nvl ifnull", "coalesce", &[Any, Any]),
    entry("nullif", "nullif", &[Any, Any]),
    entry("if iff", "if", &[Bool, Any, Any]),
    entry("isnan", "isnan", &[Double]),
    entry("nanvl", "nanvl", &[Double, Double]),
    entry("greatest", "greatest", &[Any, Any]).many(),
    entry("least", "least", &[Any, Any]).many(),
    // Numbers.
    entry("abs", "abs", &[Number]),
    entry("ceil ceiling", "ceil", &[Number]),
    entry("floor", "floor", &[Number]),
    entry("round", "round", &[Number, Int]).at_least(1),
    entry("rint", "rint", &[Double]),
    entry("sign signum", "signum", &[Double]),
    entry("sqrt", "sqrt", &[Double]),
    entry("cbrt", "cbrt", &[Double]),
    entry("exp", "exp", &[Double]),
    entry("expm1", "expm1", &[Double]),
    entry("ln", "spark_ln", &[Double]),
    entry("log", "spark_log", &[Double, Double]).at_least(1),
    entry("log10", "spark_log10", &[Double]),
    entry("log2", "spark_log2", &[Double]),
    entry("log1p", "spark_log1p", &[Double]),
    entry("pow power", "pow", &[Double, Double]),
    entry("pmod", "pmod", &[Number, Number]),
    entry("sin", "sin", &[Double]),
    entry("cos", "cos", &[Double]),
    entry("tan", "tan", &[Double]),
    entry("asin", "asin", &[Double]),
    entry("acos", "acos", &[Double]),
    entry("atan", "atan", &[Double]),
    entry("atan2", "atan2", &[Double, Double]),
    entry("sinh", "sinh", &[Double]),
    entry("cosh", "cosh", &[Double]),
    entry("tanh", "tanh", &[Double]),
    entry("degrees", "degrees", &[Double]),
    entry("radians", "radians", &[Double]),
    entry("hypot", "hypot", &[Double, Double]),
    entry("pi", "pi", &[]),
    entry("factorial", "factorial", &[Int]),
    // Dates and times.
    entry("date_add dateadd", "date_add", &[Date, Int]),
    entry("date_sub", "date_sub", &[Date, Int]),
    entry("datediff date_diff", "date_diff", &[Date, Date]),
    entry("add_months", "add_months", &[Date, Int]),
    entry("last_day", "last_day", &[Date]),
    entry("next_day", "next_day", &[Date, Literal]),
    entry("trunc", "trunc", &[Date, Literal]),
    entry("date_trunc", "date_trunc", &[Literal, Timestamp]),
    entry("date_part datepart", "date_part", &[Literal, Timestamp]),
    entry("weekday", "weekday", &[Date]),
    entry("unix_date", "unix_date", &[Date]),
    entry("date_format", "spark_date_format", &[Timestamp, DatePattern]),
];

/// Functions of many rows.
pub(super) const AGGREGATES: &[Entry] = &[
    entry("count", "count", &[Any]).many(),
    entry("sum", "sum", &[Number]),
    entry("avg mean", "avg", &[Number]),
    entry("min", "min", &[Any]),
    entry("max", "max", &[Any]),
    entry("stddev std stddev_samp", "stddev", &[Double]),
    entry("stddev_pop", "stddev_pop", &[Double]),
    entry("variance var_samp", "var", &[Double]),
    entry("var_pop", "var_pop", &[Double]),
    entry("corr", "corr", &[Double, Double]),
    entry("covar_pop", "covar_pop", &[Double, Double]),
    entry("covar_samp", "covar_samp", &[Double, Double]),
    entry("approx_count_distinct", "approx_distinct", &[Text]),
    entry("median", "median", &[Double]),
    entry("bool_and every", "bool_and", &[Bool]),
    entry("bool_or some any", "bool_or", &[Bool]),
    entry("first first_value any_value", "first_value", &[Any]),
    entry("last last_value", "last_value", &[Any]),
    entry("collect_list array_agg", "collect_list", &[Any]),
    entry("collect_set", "collect_set", &[Any]),
];

/// Functions of a window alone; aggregates may be used over one too. Their offsets must stay literals.
pub(super) const WINDOWS: &[Entry] = &[
    entry("row_number", "row_number", &[]),
    entry("rank", "rank", &[]),
    entry("dense_rank", "dense_rank", &[]),
    entry("percent_rank", "percent_rank", &[]),
    entry("cume_dist", "cume_dist", &[]),
    entry("ntile", "ntile", &[Any]),
    entry("lag", "lag", &[Any, Any, Any]).at_least(1),
    entry("lead", "lead", &[Any, Any, Any]).at_least(1),
    entry("nth_value", "nth_value", &[Any, Any]),
];

/// The entry of a name, in lower case.
pub(super) fn find(list: &'static [Entry], name: &str) -> Option<&'static Entry> {
    list.iter().find(|entry| entry.names.split(' ').any(|known| known == name))
}

/// Every name a text may call, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    [SCALARS, AGGREGATES, WINDOWS].into_iter().flatten().flat_map(|entry| entry.names.split(' '))
}

/// What runs: the scalar functions to register.
pub(super) fn scalars() -> Vec<Arc<ScalarUDF>> {
    let mut all = vec![
        cast::udf(),
        string::upper(),
        string::lower(),
        string::octet_length(),
        string::bit_length(),
        string::btrim(),
        string::ltrim(),
        string::rtrim(),
        string::contains(),
        string::starts_with(),
        string::ends_with(),
        string::split_part(),
        unicode::translate(),
        unicode::reverse(),
        unicode::find_in_set(),
        unicode::substr_index(),
        regex::regexp_like(),
        core::coalesce(),
        core::nullif(),
        core::greatest(),
        core::least(),
        math::isnan(),
        math::nanvl(),
        math::signum(),
        math::sqrt(),
        math::cbrt(),
        math::exp(),
        math::sin(),
        math::cos(),
        math::tan(),
        math::asin(),
        math::acos(),
        math::atan(),
        math::sinh(),
        math::cosh(),
        math::tanh(),
        math::degrees(),
        math::radians(),
        math::pi(),
        core_datetime::date_part(),
        spark::string::length(),
        spark::string::substring(),
        Guarded::udf(spark::string::concat(), 1),
        spark::string::ascii(),
        spark::string::char(),
        spark::string::soundex(),
        spark::string::luhn_check(),
        spark::hash::sha1(),
        spark::hash::sha2(),
        spark::hash::crc32(),
        spark::collection::size(),
        spark::array::spark_array_contains(),
        spark::array::array(),
        datafusion::functions_nested::extract::array_element_udf(),
        spark::conditional::r#if(),
        spark::math::abs(),
        spark::math::ceil(),
        spark::math::floor(),
        round::udf(spark::math::round()),
        spark::math::rint(),
        spark::math::expm1(),
        spark::math::pow(),
        spark::math::pmod(),
        spark::math::atan2(),
        spark::math::hypot(),
        spark::math::factorial(),
        spark::datetime::date_add(),
        spark::datetime::date_sub(),
        spark::datetime::date_diff(),
        spark::datetime::add_months(),
        spark::datetime::last_day(),
        spark::datetime::next_day(),
        spark::datetime::trunc(),
        spark::datetime::date_trunc(),
        spark::datetime::date_part(),
        spark::datetime::weekday(),
        spark::datetime::unix_date(),
    ];
    all.extend(text::functions());
    all.extend(numbers::functions());
    all
}

/// What runs: the aggregates to register.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![
        aggregate::count::count_udaf(),
        aggregate::sum::sum_udaf(),
        aggregate::average::avg_udaf(),
        aggregate::min_max::min_udaf(),
        aggregate::min_max::max_udaf(),
        aggregate::stddev::stddev_udaf(),
        aggregate::stddev::stddev_pop_udaf(),
        aggregate::variance::var_samp_udaf(),
        aggregate::variance::var_pop_udaf(),
        aggregate::correlation::corr_udaf(),
        aggregate::covariance::covar_pop_udaf(),
        aggregate::covariance::covar_samp_udaf(),
        aggregate::approx_distinct::approx_distinct_udaf(),
        aggregate::median::median_udaf(),
        aggregate::bool_and_or::bool_and_udaf(),
        aggregate::bool_and_or::bool_or_udaf(),
        aggregate::first_last::first_value_udaf(),
        aggregate::first_last::last_value_udaf(),
        spark::aggregate::collect_list(),
        spark::aggregate::collect_set(),
    ]
}

/// What runs: the window functions to register.
pub(super) fn windows() -> Vec<Arc<WindowUDF>> {
    // The planner takes these two for functions of a window where one follows, aggregates though they are elsewhere.
    const BOTH: [&str; 2] = ["first_value", "last_value"];
    let wanted = |window: &Arc<WindowUDF>| {
        BOTH.contains(&window.name()) || WINDOWS.iter().any(|entry| entry.runs == window.name())
    };
    datafusion::functions_window::all_default_window_functions().into_iter().filter(wanted).collect()
}
