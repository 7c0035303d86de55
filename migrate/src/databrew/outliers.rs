//! Outliers. Source: DataBrew developer guide, "Outlier detection and handling recipe steps".

use serde_json::{Value, json};

use super::action::{Action, ActionType, Mapped, Refusal, action, without};
use super::quality::flagged;
use crate::sql::name;

pub(super) const ACTIONS: &[ActionType] = &[
    action("FLAG_OUTLIERS", "outliers, derive", "The modified z-score.", flag),
    action("REMOVE_OUTLIERS", "outliers", "The modified z-score; trimming by percentiles.", |action| {
        let delete = action.parameters.maybe("removeType").is_none_or(|kind| kind == "DELETE_ROWS");
        outliers(action, if delete { "remove" } else { "null" })
    }),
    action("REPLACE_OUTLIERS", "outliers", "Other replacements than NULL and the bound.", replace),
    action("RESCALE_OUTLIERS_WITH_Z_SCORE", "scale", "All values are rescaled, not only outliers.", |action| {
        let step =
            json!({"column": action.parameters.source()?, "as": action.parameters.target()?, "method": "z_score"});
        for seen in ["outlierStrategy", "threshold"] {
            action.parameters.see(seen);
        }
        Ok(Mapped::step("scale", step).changed("all values are rescaled, not only outliers"))
    }),
    without("RESCALE_OUTLIERS_WITH_SKEW", "use `outliers` with `action: flag`, then `derive`"),
];

fn outliers(action: &Action<'_>, what: &str) -> Result<Mapped, Refusal> {
    let method = match action.parameters.maybe("outlierStrategy").as_deref() {
        None | Some("Z_SCORE") => "z_score",
        Some("IQR") => "iqr",
        Some(other) => return Err(Refusal::new(format!("there is no method {other}: use Z_SCORE or IQR"))),
    };
    let threshold = match action.parameters.maybe("threshold") {
        Some(_) => serde_json::from_str(&action.parameters.number("threshold")?).unwrap_or(Value::Null),
        None => Value::from(3),
    };
    let step = json!({"column": action.parameters.source()?, "method": method, "threshold": threshold, "action": what});
    Ok(Mapped::step("outliers", step))
}

fn flag(action: &Action<'_>) -> Result<Mapped, Refusal> {
    let target = action.parameters.target()?;
    let mut mapped = outliers(action, "flag")?;
    if let Some(step) = mapped.steps.first_mut() {
        step.parameters["as"] = Value::from(target.as_str());
    }
    let words = flagged(action, &name(&target));
    Ok(mapped.then("derive", json!({target: words})))
}

fn replace(action: &Action<'_>) -> Result<Mapped, Refusal> {
    match action.parameters.maybe("replaceType").as_deref() {
        Some("WINSORIZE_VALUES" | "REPLACE_WITH_BOUND") => outliers(action, "clip"),
        Some("REPLACE_WITH_NULL") => outliers(action, "null"),
        Some(other) => Err(Refusal::new(format!("{other}: use `outliers` with `action: null`, then `fill_missing`"))),
        None => Err(Refusal::new("the parameter `replaceType` is missing")),
    }
}
