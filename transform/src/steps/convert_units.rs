use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::constant::double;
use crate::edit;
use crate::kinds::Kind;
use crate::sql::{name, select};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType, nearest};

/// A column of numbers, their unit and another one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The column.
    column: String,
    /// Its unit. Lengths: `nm um mm cm dm m km in ft yd mi nmi`. Masses: `ug mg g kg t oz lb st`. Temperatures: `C F K`.
    /// Volumes: `ml cl dl l m3 cm3 in3 ft3 fl_oz cup pt qt gal gal_uk` (those of the US but for the last). Areas: `mm2 cm2 m2
    /// ha km2 in2 ft2 yd2 acre mi2`. Speeds: `m/s km/h mph kn ft/s`. Data: `bit B kB MB GB TB KiB MiB GiB TiB PiB`.
    from: String,
    /// The unit of the result.
    to: String,
    /// A new column for the result; the column itself when left out.
    r#as: Option<String>,
}

pub(crate) const STEP: StepType = StepType {
    name: "convert_units",
    doc: StepDoc {
        summary: "Converts numbers from one unit to another: lengths, masses, temperatures, volumes, areas, speeds, data.",
        nulls: "Kept.",
        glue: &[],
        databrew: &[],
        differs: "The result is a `double`.",
        example: Example {
            types: "double, bigint",
            input: "height,degrees\n72.0,212\n1.5,-40\n,\n",
            job: "- convert_units: {column: height, from: in, to: cm, as: cm}\n\
                  - convert_units: {column: degrees, from: F, to: C}",
            output: "height,degrees,cm\n72.0,100.0,182.88\n1.5,-40.0,3.81\n,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Length,
    Mass,
    Temperature,
    Volume,
    Area,
    Speed,
    Data,
}

/// Name, quantity, and how many base units it is, as a fraction, so that `1000 m` are `1 km` to the last digit.
/// Source: NIST SP 811, appendix B; the exact definitions.
type Unit = (&'static str, Quantity, f64, f64);

const UNITS: [Unit; 63] = {
    use Quantity::{Area, Data, Length, Mass, Speed, Temperature, Volume};
    [
        ("nm", Length, 1.0, 1e9),
        ("um", Length, 1.0, 1e6),
        ("mm", Length, 1.0, 1000.0),
        ("cm", Length, 1.0, 100.0),
        ("dm", Length, 1.0, 10.0),
        ("m", Length, 1.0, 1.0),
        ("km", Length, 1000.0, 1.0),
        ("in", Length, 254.0, 10_000.0),
        ("ft", Length, 3048.0, 10_000.0),
        ("yd", Length, 9144.0, 10_000.0),
        ("mi", Length, 1_609_344.0, 1000.0),
        ("nmi", Length, 1852.0, 1.0),
        ("ug", Mass, 1.0, 1e9),
        ("mg", Mass, 1.0, 1e6),
        ("g", Mass, 1.0, 1000.0),
        ("kg", Mass, 1.0, 1.0),
        ("t", Mass, 1000.0, 1.0),
        ("oz", Mass, 45_359_237.0, 1.6e9),
        ("lb", Mass, 45_359_237.0, 1e8),
        ("st", Mass, 635_029_318.0, 1e8),
        ("C", Temperature, 1.0, 1.0),
        ("F", Temperature, 5.0, 9.0),
        ("K", Temperature, 1.0, 1.0),
        ("ml", Volume, 1.0, 1000.0),
        ("cl", Volume, 1.0, 100.0),
        ("dl", Volume, 1.0, 10.0),
        ("l", Volume, 1.0, 1.0),
        ("m3", Volume, 1000.0, 1.0),
        ("cm3", Volume, 1.0, 1000.0),
        ("in3", Volume, 16_387_064.0, 1e9),
        ("ft3", Volume, 28_316_846_592.0, 1e9),
        ("fl_oz", Volume, 3_785_411_784.0, 1.28e11),
        ("cup", Volume, 3_785_411_784.0, 1.6e10),
        ("pt", Volume, 3_785_411_784.0, 8e9),
        ("qt", Volume, 3_785_411_784.0, 4e9),
        ("gal", Volume, 3_785_411_784.0, 1e9),
        ("gal_uk", Volume, 454_609.0, 1e5),
        ("mm2", Area, 1.0, 1e6),
        ("cm2", Area, 1.0, 1e4),
        ("m2", Area, 1.0, 1.0),
        ("ha", Area, 10_000.0, 1.0),
        ("km2", Area, 1e6, 1.0),
        ("in2", Area, 64_516.0, 1e8),
        ("ft2", Area, 9_290_304.0, 1e8),
        ("yd2", Area, 83_612_736.0, 1e8),
        ("acre", Area, 40_468_564_224.0, 1e7),
        ("mi2", Area, 2_589_988_110_336.0, 1e6),
        ("m/s", Speed, 1.0, 1.0),
        ("km/h", Speed, 1000.0, 3600.0),
        ("mph", Speed, 1_609_344.0, 3.6e6),
        ("kn", Speed, 1852.0, 3600.0),
        ("ft/s", Speed, 3048.0, 10_000.0),
        ("bit", Data, 1.0, 8.0),
        ("B", Data, 1.0, 1.0),
        ("kB", Data, 1e3, 1.0),
        ("MB", Data, 1e6, 1.0),
        ("GB", Data, 1e9, 1.0),
        ("TB", Data, 1e12, 1.0),
        ("KiB", Data, 1024.0, 1.0),
        ("MiB", Data, 1_048_576.0, 1.0),
        ("GiB", Data, 1_073_741_824.0, 1.0),
        ("TiB", Data, 1_099_511_627_776.0, 1.0),
        ("PiB", Data, 1_125_899_906_842_624.0, 1.0),
    ]
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { column, from, to, r#as: new_name } = crate::read(parameters)?;
    let column = context.column(&column)?;
    Kind::Number.check(column)?;
    let (from, to) = (unit(&from)?, unit(&to)?);
    if from.1 != to.1 {
        return Err(Problem::new(format!("`{}` and `{}` are units of different quantities", from.0, to.0)));
    }
    let converted = conversion(&format!("CAST({} AS DOUBLE)", name(column.name())), from, to);
    Ok(vec![select(edit::put(context, column, new_name.as_deref(), converted)?, "")?])
}

fn unit(written: &str) -> Result<&'static Unit, Problem> {
    UNITS.iter().find(|unit| unit.0 == written).ok_or_else(|| {
        let help = nearest(written, UNITS.iter().map(|unit| unit.0));
        Problem::new(format!("there is no unit `{written}`")).with_help(help)
    })
}

fn conversion(value: &str, from: &Unit, to: &Unit) -> String {
    let (times, parts) = (from.2 * to.3, from.3 * to.2);
    let above = |value: String, sign: char, zero: f64| match zero {
        0.0 => value,
        zero => format!("({value} {sign} {})", double(zero)),
    };
    let mut result = above(value.to_owned(), '-', zero(from));
    if times != parts {
        result = format!("({result} * {} / {})", double(times), double(parts));
    }
    above(result, '+', zero(to))
}

/// What a thermometer in this unit shows at 0 °C.
fn zero(unit: &Unit) -> f64 {
    match unit.0 {
        "F" => 32.0,
        "K" => 273.15,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{problem, query, table};

    /// What the expression gives, by the same operations on doubles.
    fn converted(value: f64, from: &str, to: &str) -> f64 {
        let (from, to) = (unit(from).unwrap(), unit(to).unwrap());
        (value - zero(from)) * (from.2 * to.3) / (from.3 * to.2) + zero(to)
    }

    // Expected values: NIST SP 811, and by hand.
    #[test]
    fn conversions_are_exact_where_they_can_be() {
        for (value, from, to, expected) in [
            (1000.0, "m", "km", 1.0),
            (1.0, "in", "cm", 2.54),
            (1.0, "mi", "ft", 5280.0),
            (1.0, "lb", "oz", 16.0),
            (1.0, "st", "lb", 14.0),
            (212.0, "F", "C", 100.0),
            (0.0, "C", "K", 273.15),
            (1.0, "gal", "fl_oz", 128.0),
            (1.0, "acre", "ft2", 43_560.0),
            (1.0, "mi2", "acre", 640.0),
            (36.0, "km/h", "m/s", 10.0),
            (1.0, "GiB", "MiB", 1024.0),
            (1.0, "kB", "bit", 8000.0),
        ] {
            assert!((converted(value, from, to) - expected).abs() < expected * 1e-15, "{value} {from} {to}");
        }
    }

    #[test]
    fn units_are_of_one_quantity() {
        let schema = table("x bigint");
        assert_eq!(
            query("convert_units: {column: x, from: km, to: m}", &schema).unwrap(),
            "SELECT (CAST(`x` AS DOUBLE) * CAST('1000.0' AS DOUBLE) / CAST('1.0' AS DOUBLE)) AS c0 FROM input"
        );
        assert!(problem("convert_units: {column: x, from: km, to: kg}", &schema).contains("different quantities"));
        assert!(problem("convert_units: {column: x, from: mile, to: kg}", &schema).contains("no unit `mile`"));
    }
}
