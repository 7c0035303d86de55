//! Web and other functions. Source: DataBrew developer guide, "Web functions" and "Other functions".

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use crate::sql::{names, text};

const SESSION: &str = "it belongs to the interactive session; nothing is to be done";

pub(super) const ACTIONS: &[ActionType] = &[
    action("IP_TO_INT", "derive", "", |action| {
        let address = address(action)?;
        let octet = |at: u8, weight: u32| format!("CAST(split_part({address}, '.', {at}) AS BIGINT) * {weight}");
        let sum = [octet(1, 1 << 24), octet(2, 1 << 16), octet(3, 1 << 8), octet(4, 1)].join(" + ");
        Ok(Mapped::column(action.parameters.target()?, sum))
    }),
    action("INT_TO_IP", "derive", "", |action| {
        let number = format!("CAST({} AS BIGINT)", action.parameters.one()?);
        let octet = |weight: u32| format!("{number} div {weight} % 256");
        let octets = [octet(1 << 24), octet(1 << 16), octet(1 << 8), format!("{number} % 256")].join(", ");
        Ok(Mapped::column(action.parameters.target()?, format!("concat_ws('.', {octets})")))
    }),
    without("URL_PARAMS", "use `extract` with a pattern for each parameter"),
    action("COALESCE", "derive", "", |action| {
        let columns = action.parameters.sources()?;
        Ok(Mapped::column(action.parameters.target()?, format!("coalesce({})", names(&columns))))
    }),
    without("GET_ACTION_RESULT", SESSION),
    without("GET_STEP_DATAFRAME", SESSION),
];

fn address(action: &Action<'_>) -> Result<String, Refusal> {
    match action.parameters.source() {
        Ok(column) => Ok(crate::sql::name(&column)),
        Err(_) => action.parameters.text("value").map(|value| text(&value)),
    }
}
