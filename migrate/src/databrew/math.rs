//! Mathematical functions. Source: DataBrew developer guide, "Mathematical functions".

use super::action::{Action, ActionType, Mapped, Refusal, action, without};

const RANDOM: &str = "expressions have no random numbers: `replace_random` puts some in place of a column";

pub(super) const ACTIONS: &[ActionType] = &[
    action("ABSOLUTE", "derive", "", |action| of_one(action, |x| format!("abs({x})"))),
    action("ADD", "derive", "", |action| of_many(action, " + ")),
    action("CEILING", "derive", "", |action| of_one(action, |x| format!("ceil({x})"))),
    action("DEGREES", "derive", "", |action| of_one(action, |x| format!("degrees({x})"))),
    action("DIVIDE", "derive", "Division by 0 is NULL.", |action| of_two(action, |x, y| format!("{x} / {y}"))),
    action("EXPONENT", "derive", "", |action| of_one(action, |x| format!("exp({x})"))),
    action("FLOOR", "derive", "", |action| of_one(action, |x| format!("floor({x})"))),
    action("IS_EVEN", "derive", "", |action| parity(action, 0)),
    action("IS_ODD", "derive", "", |action| parity(action, 1)),
    action("LN", "derive", "", |action| of_one(action, |x| format!("ln({x})"))),
    action("LOG", "derive", "", |action| {
        let base = match action.parameters.maybe("base") {
            Some(_) => action.parameters.number("base")?,
            None => "10".to_owned(),
        };
        Ok(Mapped::column(action.parameters.target()?, format!("log({base}, {})", action.parameters.one()?)))
    }),
    action("MOD", "derive", "", |action| of_two(action, |x, y| format!("{x} % {y}"))),
    action("MULTIPLY", "derive", "", |action| of_many(action, " * ")),
    action("NEGATE", "derive", "", |action| of_one(action, |x| format!("-({x})"))),
    action("PI", "derive", "", |action| Ok(Mapped::column(action.parameters.target()?, "pi()"))),
    action("POWER", "derive", "", |action| {
        let exponent = action.parameters.operand(&["sourceColumn2"], &["exponent", "value2"])?;
        Ok(Mapped::column(action.parameters.target()?, format!("power({}, {exponent})", action.parameters.one()?)))
    }),
    action("RADIANS", "derive", "", |action| of_one(action, |x| format!("radians({x})"))),
    without("RANDOM", RANDOM),
    without("RANDOM_BETWEEN", RANDOM),
    action("ROUND", "derive", "", |action| {
        let places = match action.parameters.maybe("decimalPlaces").is_some() {
            true => action.parameters.whole("decimalPlaces")?,
            false => 0,
        };
        Ok(Mapped::column(action.parameters.target()?, format!("round({}, {places})", action.parameters.one()?)))
    }),
    action("SIGN", "derive", "", |action| of_one(action, |x| format!("sign({x})"))),
    action("SQUARE_ROOT", "derive", "", |action| of_one(action, |x| format!("sqrt({x})"))),
    action("SUBTRACT", "derive", "", |action| of_two(action, |x, y| format!("{x} - {y}"))),
];

fn of_one(action: &Action<'_>, sql: fn(&str) -> String) -> Result<Mapped, Refusal> {
    Ok(Mapped::column(action.parameters.target()?, sql(&action.parameters.one()?)))
}

fn of_two(action: &Action<'_>, sql: fn(&str, &str) -> String) -> Result<Mapped, Refusal> {
    let (first, second) = action.parameters.two()?;
    Ok(Mapped::column(action.parameters.target()?, sql(&first, &second)))
}

fn of_many(action: &Action<'_>, operator: &str) -> Result<Mapped, Refusal> {
    let columns = action.parameters.list("sourceColumns").unwrap_or_default();
    let operands = match columns.len() {
        0 | 1 => {
            let (first, second) = action.parameters.two()?;
            vec![first, second]
        }
        _ => columns.iter().map(|column| crate::sql::name(column)).collect(),
    };
    Ok(Mapped::column(action.parameters.target()?, operands.join(operator)))
}

fn parity(action: &Action<'_>, rest: u8) -> Result<Mapped, Refusal> {
    let test = format!("pmod({}, 2) = {rest}", action.parameters.one()?);
    let sql = match action.parameters.maybe("trueString").is_some() {
        true => super::quality::flagged(action, &test),
        false => test,
    };
    Ok(Mapped::column(action.parameters.target()?, sql))
}
