use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::exact::{Fill, Measure, is_exact};
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::sql::{Output, all, cast, name, select, with};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};
use crate::whole::{self, beside, free, free_name};
use crate::{constant, edit};

/// Columns and what stands for their missing values.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The value to put in, of the columns' type.
    value: Option<Value>,
    /// What to take from the column itself, instead of `value`.
    with: Option<With>,
    /// Whether an empty text is missing too.
    #[serde(default)]
    empty: bool,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum With {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The sum. One that does not fit the column's type makes the run INVALID.
    Sum,
    /// The value that is there most often; of equally frequent ones the least.
    MostCommon,
    /// The value of the nearest row before that has one.
    LastValid,
    /// The value of the nearest row after that has one.
    NextValid,
}

pub(crate) const STEP: StepType = StepType {
    name: "fill_missing",
    doc: StepDoc {
        summary: "Puts a value where there is none: a given one, one of the whole column, or that of a row nearby.",
        nulls: "They are what is filled; one stays where the column has no value to take.",
        glue: &["FillMissingValues", "Fill Missing Values"],
        databrew: &[
            "FILL_WITH_AVERAGE",
            "FILL_WITH_CUSTOM",
            "FILL_WITH_EMPTY",
            "FILL_WITH_LAST_VALID",
            "FILL_WITH_MEDIAN",
            "FILL_WITH_MODE",
            "FILL_WITH_MOST_FREQUENT",
            "FILL_WITH_SUM",
        ],
        differs: "Glue guesses a value by machine learning; here it is said. Sums, means and medians of whole numbers and \
                  decimals are exact; means and medians are rounded to the column's type, half away from zero. Where a sum is \
                  wanted that does not fit the type, the run is INVALID: cast the column to a wider one before. `FILL_WITH_NULL` with another value to look for is `map_values`.",
        example: Example {
            types: "bigint, string, double",
            input: "age,city,score\n1,Rome,\n,,1.0\n4,Oslo,3.0\n",
            job: "- fill_missing: {columns: city, value: unknown}\n- fill_missing: {columns: score, with: mean}\n\
                  - fill_missing: {columns: age, with: last_valid}",
            output: "age,city,score\n1,Rome,2.0\n1,unknown,1.0\n4,Oslo,3.0\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

/// Columns that one query fills by what it takes from all rows: a query has so many SELECTs and no more.
const TOGETHER: usize = 15;

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let parameters: Parameters = crate::read(parameters)?;
    let columns = edit::columns(context, &parameters.columns)?;
    let filled = columns.chunks(TOGETHER).map(|columns| fill(&parameters, columns, context));
    Ok(filled.collect::<Result<Vec<_>, _>>()?.concat())
}

fn fill(
    Parameters { value, with: source, empty, .. }: &Parameters,
    columns: &[&FieldRef],
    context: &BindContext<'_>,
) -> Result<Vec<Action>, Problem> {
    let mut outputs = all(context.input);
    let (mut tables, mut fillings, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        let data_type = column.data_type();
        let present = match *empty && *data_type == DataType::Utf8 {
            true => format!("nullif({}, '')", name(column.name())),
            false => name(column.name()),
        };
        let filling = match (value, *source) {
            (Some(value), None) => constant::of(value, data_type)?,
            (None, Some(source @ (With::LastValid | With::NextValid))) => near(&present, source),
            (None, Some(source)) => {
                if let Some(measure) = source.measure().filter(|_| is_exact(data_type)) {
                    let names = (0..measure.count()).map(|part| free(context, &format!("__fill{at}_{part}")));
                    let names: Vec<String> = names.collect();
                    let aliases: Vec<String> = names.iter().map(|alias| name(alias)).collect();
                    tables.push(measure.parts(column, &aliases));
                    let index =
                        context.input.index_of(column.name()).map_err(|error| Problem::new(error.to_string()))?;
                    fillings.push((index, measure, context.input.fields().len() + parts.len()));
                    parts.extend(aliases.into_iter().zip(names).map(|(alias, name)| Output::new(alias, name)));
                    continue;
                }
                let alias = free_name(context, &format!("__fill{at}"));
                tables.push(format!(
                    "SELECT {} AS {alias} FROM {}",
                    aggregate(column, source)?,
                    rows(&present, source)
                ));
                cast(&alias, data_type)?
            }
            _ => return Err(Problem::new("one of `value` and `with` is wanted, and no more than one")),
        };
        outputs = with(outputs, Output::new(format!("coalesce({present}, {filling})"), column.name()));
    }
    outputs.extend(parts);
    let query = match source {
        Some(With::LastValid | With::NextValid) => whole::ordered(outputs, "input", "")?,
        Some(_) => {
            let (sql, names) = crate::sql::select_text(&outputs, &beside(&tables), "")?;
            Action::query(sql, names)
        }
        None => select(outputs, "")?,
    };
    let fill = Fill { schema: Arc::clone(context.input), fillings };
    Ok(match fill.fillings.is_empty() {
        true => vec![query],
        false => vec![query, Action::Kernel(Arc::new(fill))],
    })
}

impl With {
    /// What is exact for whole numbers and decimals.
    fn measure(self) -> Option<Measure> {
        match self {
            Self::Sum => Some(Measure::Sum),
            Self::Mean => Some(Measure::Mean),
            Self::Median => Some(Measure::Median),
            _ => None,
        }
    }
}

/// The value of the nearest row with one. Rows after are looked at backwards, so that none but the last value is kept.
fn near(present: &str, source: With) -> String {
    let order = if source == With::NextValid { "DESC" } else { "ASC" };
    format!(
        "last_value({present}) IGNORE NULLS OVER (ORDER BY {} {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        whole::row()
    )
}

/// What is taken from all values `v`.
fn aggregate(column: &Field, source: With) -> Result<&'static str, Problem> {
    let function = match source {
        With::Mean => "avg(v)",
        With::Median => "median(v)",
        With::Sum => "sum(v)",
        With::Min => "min(v)",
        // Of the one row that is left: there must be one, also where there is no value.
        With::Max | With::MostCommon | With::LastValid | With::NextValid => "max(v)",
    };
    if matches!(source, With::Mean | With::Median | With::Sum) {
        Kind::Number.check(column)?;
    }
    Ok(function)
}

fn rows(present: &str, source: With) -> String {
    match source {
        With::MostCommon => format!(
            "(SELECT {present} AS v FROM input WHERE {present} IS NOT NULL GROUP BY {present} \
             ORDER BY count(*) DESC, {present} LIMIT 1) AS rows"
        ),
        _ => format!("(SELECT {present} AS v FROM input) AS rows"),
    }
}

#[cfg(test)]
mod tests {
    use crate::action::Action;
    use crate::kernel::Place;
    use crate::testing::{batch, bind, kernel, problem, query, shown, table};

    /// `x` of that type, filled where the parts of what fills it are these.
    fn filled(with: &str, data_type: &str, parts: &str, row: &[Option<&str>]) -> Result<String, String> {
        let actions = bind(&format!("fill_missing: {{columns: x, with: {with}}}"), &table(&format!("x {data_type}")));
        let rows = [[&[Some("1")], row].concat(), [&[None], row].concat()];
        let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
        let done = kernel(&actions).apply(&batch(&format!("x {data_type}, {parts}"), &rows), Place::default())?;
        Ok(shown(&done).lines().last().unwrap_or_default().to_owned())
    }

    #[test]
    fn sums_of_whole_numbers_and_decimals_fit_or_are_refused() {
        let sum = |data_type: &str, scale: i8, total: &str| {
            let rough = total.parse::<f64>().unwrap().to_string();
            filled(
                "sum",
                data_type,
                &format!("s decimal(38,{scale}), n bigint, r double"),
                &[Some(total), Some("2"), Some(&rough)],
            )
        };
        assert_eq!(sum("int", 0, "2147483647"), Ok("2147483647".into()));
        assert_eq!(sum("int", 0, "4294967294"), Err("`x`: the sum of its values does not fit int".into()));
        assert_eq!(sum("bigint", 0, "-9223372036854775808"), Ok("-9223372036854775808".into()));
        assert!(sum("bigint", 0, "9223372036854775808").is_err());
        assert_eq!(sum("decimal(4,2)", 2, "99.99"), Ok("99.99".into()));
        assert_eq!(sum("decimal(4,2)", 2, "100"), Err("`x`: the sum of its values does not fit decimal(4,2)".into()));
    }

    #[test]
    fn a_sum_that_left_its_bits_is_refused() {
        // Three times 9.9e37, less 2^128.
        let row = &[Some("-43282366920938463463374607431768211456"), Some("3"), Some("2.97e38")];
        for (with, words) in [("sum", "fit decimal(38,0)"), ("mean", "fit decimal(38,0)")] {
            let wrong = filled(with, "decimal(38,0)", "s decimal(38,0), n bigint, r double", row).unwrap_err();
            assert!(wrong.contains(words), "{wrong}");
        }
    }

    #[test]
    fn means_and_medians_do_not_go_by_doubles() {
        let mean = |data_type: &str, sum: &str, count: &str| {
            let rough = sum.parse::<f64>().unwrap().to_string();
            let scale = if data_type == "bigint" { 0 } else { 2 };
            let parts = format!("s decimal(38,{scale}), n bigint, r double");
            filled("mean", data_type, &parts, &[Some(sum), Some(count), Some(&rough)]).unwrap()
        };
        assert_eq!(mean("bigint", "27021597764222979", "3"), "9007199254740993");
        assert_eq!(mean("bigint", "-7", "2"), "-4");
        assert_eq!(mean("decimal(9,2)", "0.01", "2"), "0.01");
        let median = |data_type: &str, low: &str, high: &str| {
            filled("median", data_type, &format!("l {data_type}, h {data_type}"), &[Some(low), Some(high)]).unwrap()
        };
        assert_eq!(median("bigint", "9007199254740993", "9007199254740993"), "9007199254740993");
        assert_eq!(median("bigint", "9223372036854775806", "9223372036854775807"), "9223372036854775807");
        assert_eq!(median("decimal(38,2)", "0.01", "12345678901234567890.01"), "6172839450617283945.01");
    }

    #[test]
    fn nothing_is_filled_by_nothing() {
        let parts = "s decimal(38,0), n bigint, r double";
        assert_eq!(filled("sum", "int", parts, &[None, Some("0"), None]), Ok("~".into()));
    }

    #[test]
    fn many_columns_are_filled_by_several_queries() {
        let names: Vec<String> = (0..20).map(|at| format!("a{at}")).collect();
        let schema = table(&names.iter().map(|name| format!("{name} int")).collect::<Vec<_>>().join(", "));
        let actions = bind(&format!("fill_missing: {{columns: [{}], with: sum}}", names.join(", ")), &schema);
        assert!(matches!(
            actions.as_slice(),
            [Action::Query { .. }, Action::Kernel(_), Action::Query { .. }, Action::Kernel(_)]
        ));
    }

    #[test]
    fn values_of_the_column_stand_beside_each_row() {
        let schema = table("age bigint, s string");
        assert_eq!(
            query("fill_missing: {columns: age, with: min}", &schema).unwrap(),
            "SELECT coalesce(`age`, CAST(`__fill0` AS BIGINT)) AS c0, `s` AS c1 FROM (SELECT min(v) AS `__fill0` FROM \
             (SELECT `age` AS v FROM input) AS rows) AS whole0 CROSS JOIN input"
        );
        let sql = query("fill_missing: {columns: s, with: next_valid, empty: true}", &schema).unwrap();
        assert!(sql.contains("last_value(nullif(`s`, '')) IGNORE NULLS OVER (ORDER BY `__row` DESC"), "{sql}");
    }

    #[test]
    fn values_fit_the_column() {
        let schema = table("age bigint, s string");
        assert_eq!(
            problem("fill_missing: {columns: age, value: none}", &schema),
            "fill_missing: `none` is not a value of type bigint"
        );
        assert!(problem("fill_missing: {columns: s, with: mean}", &schema).contains("takes numbers"));
        assert!(problem("fill_missing: {columns: s, with: min, value: x}", &schema).contains("no more than one"));
    }
}
