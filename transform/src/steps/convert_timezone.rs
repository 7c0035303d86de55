use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use chrono::{DateTime, Days, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::edit;
use crate::kernel::{Kernel, Place};
use crate::kinds::Kind;
use crate::parameters::OneOrMany;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// Timestamp columns and two zones.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The columns.
    columns: OneOrMany<String>,
    /// The zone whose clock the columns show; UTC when left out. `Europe/Paris` or `+01:00`.
    #[serde(default = "utc")]
    from: String,
    /// The zone whose clock they are to show; UTC when left out.
    #[serde(default = "utc")]
    to: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

pub(crate) const STEP: StepType = StepType {
    name: "convert_timezone",
    doc: StepDoc {
        summary: "Turns timestamps from the clock of one zone to that of another.",
        nulls: "Kept.",
        glue: &[],
        databrew: &["CONVERT_TIMEZONE"],
        differs: "As Spark's `convert_timezone`: of a time that a zone has twice, when clocks go back, the first is meant; one that \
                  it has not, when they go forward, moves on by as much.",
        example: Example {
            types: "bigint, timestamp",
            input: "id,at\n1,2024-01-31T10:00:00\n2,2024-07-31T10:00:00\n3,\n",
            job: "- convert_timezone: {columns: at, to: Europe/Paris}",
            output: "id,at\n1,2024-01-31T11:00:00\n2,2024-07-31T12:00:00\n3,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { columns, from, to } = crate::read(parameters)?;
    let (from, to) = (from.parse()?, to.parse()?);
    let columns = edit::columns(context, &columns)?;
    columns.iter().try_for_each(|column| Kind::Timestamp.check(column))?;
    let fields = context.input.fields().iter().enumerate();
    let positions = fields.filter(|(_, field)| columns.contains(field)).map(|(position, _)| position).collect();
    Ok(vec![Action::Kernel(Arc::new(Convert { schema: Arc::clone(context.input), positions, from, to }))])
}

/// A zone by its name or its distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl FromStr for Zone {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let fixed = || text.parse::<FixedOffset>().map(Zone::Fixed).ok();
        let zone = Tz::from_str(text).map(Zone::Named).ok().or_else(fixed);
        zone.ok_or_else(|| Problem::new(format!("there is no zone `{text}`")).with_help("`Europe/Paris`, or `+01:00`"))
    }
}

impl Zone {
    /// What the zone's clock showed, in UTC.
    fn to_utc(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let offset = match self.of_local(local) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
            // The clock went past it: what held before holds on.
            MappedLocalTime::None => self.of_local(local.checked_sub_days(Days::new(1))?).earliest()?,
        };
        local.checked_sub_offset(offset)
    }

    /// What the zone's clock shows.
    fn of_utc(self, instant: NaiveDateTime) -> Option<NaiveDateTime> {
        let offset = match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(&instant).fix(),
            Self::Fixed(offset) => offset,
        };
        instant.checked_add_offset(offset)
    }

    fn of_local(self, local: NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        match self {
            Self::Named(zone) => zone.offset_from_local_datetime(&local).map(|offset| offset.fix()),
            Self::Fixed(offset) => MappedLocalTime::Single(offset),
        }
    }
}

#[derive(Debug)]
struct Convert {
    schema: SchemaRef,
    positions: Vec<usize>,
    from: Zone,
    to: Zone,
}

impl Convert {
    fn convert(&self, micros: i64) -> Option<i64> {
        let local = DateTime::from_timestamp_micros(micros)?.naive_utc();
        Some(self.to.of_utc(self.from.to_utc(local)?)?.and_utc().timestamp_micros())
    }
}

impl Kernel for Convert {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn one_to_one(&self) -> bool {
        true
    }

    fn made_of(&self, output: usize) -> Vec<usize> {
        vec![output]
    }

    fn apply(&self, batch: &RecordBatch, _: Place) -> Result<RecordBatch, String> {
        let mut columns = batch.columns().to_vec();
        for position in &self.positions {
            let Some(column) = columns.get_mut(*position) else { return Err("a column is missing".to_owned()) };
            let Some(micros) = column.as_primitive_opt::<TimestampMicrosecondType>() else {
                return Err("a timestamp is not in microseconds".to_owned());
            };
            let converted: TimestampMicrosecondArray =
                micros.iter().map(|micros| micros.and_then(|micros| self.convert(micros))).collect();
            *column = Arc::new(converted) as ArrayRef;
        }
        RecordBatch::try_new(self.schema(), columns).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bound, problem, table};

    fn converted(from: &str, to: &str, local: &str) -> String {
        let schema = table("id bigint, at timestamp");
        let item = format!("convert_timezone: {{columns: AT, from: \"{from}\", to: \"{to}\"}}");
        let Some(Action::Kernel(kernel)) = bound(&item, &schema).unwrap().pop() else { panic!("a kernel is expected") };
        let form = "%Y-%m-%dT%H:%M:%S%.f";
        let micros = NaiveDateTime::parse_from_str(local, form).unwrap().and_utc().timestamp_micros();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(arrow::array::Int64Array::from(vec![1, 2])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(micros), None])),
        ];
        let batch = kernel.apply(&RecordBatch::try_new(schema, columns).unwrap(), Place::default()).unwrap();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        assert!(at.iter().nth(1) == Some(None));
        DateTime::from_timestamp_micros(at.value(0)).unwrap().naive_utc().format(form).to_string()
    }

    // Expected values: java.time, ZonedDateTime.of(local, from).withZoneSameInstant(to).
    #[test]
    fn clocks_that_change_are_those_of_java() {
        for (from, to, local, expected) in [
            ("UTC", "Europe/Paris", "2024-03-31T00:59:59.5", "2024-03-31T01:59:59.500"),
            ("UTC", "Europe/Paris", "2024-03-31T01:00:00", "2024-03-31T03:00:00"),
            ("Europe/Paris", "UTC", "2024-03-31T02:30:00", "2024-03-31T01:30:00"),
            ("Europe/Paris", "UTC", "2024-10-27T02:30:00", "2024-10-27T00:30:00"),
            ("America/New_York", "Asia/Tokyo", "2024-07-01T20:00:00", "2024-07-02T09:00:00"),
            ("+05:30", "UTC", "1969-12-31T23:00:00", "1969-12-31T17:30:00"),
        ] {
            assert_eq!(converted(from, to, local), expected, "{from} {local}");
        }
    }

    #[test]
    fn zones_and_columns_are_looked_at() {
        let schema = table("at timestamp, day date");
        assert!(problem("convert_timezone: {columns: at, to: Paris}", &schema).contains("no zone `Paris`"));
        assert!(problem("convert_timezone: {columns: day, to: Europe/Paris}", &schema).contains("takes timestamps"));
    }
}
