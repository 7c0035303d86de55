use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::lookup::keys_and_columns;
use crate::action::{Action, JoinKind, Lookup, ROW_NUMBER};
use crate::names::Pairs;
use crate::sql::{Output, name, select_text};
use crate::step::{BindContext, Example, Problem, StepDoc, StepType};

/// A data set, its key, and which rows of both sides stay.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The alias of a data set under `sources`.
    source: String,
    /// The key columns: names that both sides have, or a map of names here to names there.
    on: Pairs,
    /// Which rows stay: those with a match (`inner`, the default), all of this side (`left`), of the data set (`right`), of
    /// both (`full`); `semi` and `anti` keep the rows with and without a match and add nothing.
    #[serde(default)]
    kind: Kind,
    /// The columns that are added: names there, or a map of names there to names here. All but the key when not given.
    columns: Option<Pairs>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Kind {
    #[default]
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
}

pub(crate) const STEP: StepType = StepType {
    name: "join",
    doc: StepDoc {
        summary: "Joins the rows with another data set by equal keys; rows that it alone has come last, in the order of their \
                  keys.",
        nulls: "A NULL key matches nothing; what the other side lacks is NULL.",
        glue: &["Join"],
        databrew: &["JOIN"],
        differs: "Glue keeps both keys; here the key stands once, under its name here, and holds the value of the side that has \
                  one. Keys are of one type, or whole numbers and decimals, which are compared by their value.",
        example: Example {
            types: "bigint, string",
            input: "id,country\n1,NO\n2,XX\n3,IT\n4,NO\n",
            job: "- join: {source: countries, on: {country: code}, kind: full}",
            output: "id,country,name\n1,NO,Norway\n2,XX,\n3,IT,Italy\n4,NO,Norway\n,FR,France\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { source, on, kind, columns } = crate::read(parameters)?;
    let adds = !matches!(kind, Kind::Semi | Kind::Anti);
    let (keys, columns) = keys_and_columns(context, &source, &on, columns.as_ref(), adds)?;
    let (kind, words) = match kind {
        Kind::Inner => (JoinKind::Inner, None),
        Kind::Left => (JoinKind::Left, None),
        Kind::Semi => (JoinKind::Semi, None),
        Kind::Anti => (JoinKind::Anti, None),
        Kind::Right => (JoinKind::Inner, Some("RIGHT JOIN")),
        Kind::Full => (JoinKind::Inner, Some("FULL JOIN")),
    };
    let lookup = Lookup { source, keys, kind, columns };
    Ok(vec![match words {
        None => Action::Lookup(lookup),
        Some(words) => query(context, &lookup, words)?,
    }])
}

/// A join that needs to know which rows of the data set were never matched.
fn query(context: &BindContext<'_>, lookup: &Lookup, words: &str) -> Result<Action, Problem> {
    let Lookup { source, keys, columns, .. } = lookup;
    let here = |column: &str| format!("`input`.{}", name(column));
    let there = |column: &str| format!("{}.{}", name(source), name(column));
    let mut outputs: Vec<Output> = Vec::new();
    for field in context.input.fields() {
        let expression = match keys.iter().find(|(left, _)| left == field.name()) {
            Some((left, right)) => format!("coalesce({}, {})", here(left), there(right)),
            None => here(field.name()),
        };
        outputs.push(Output::new(expression, field.name()));
    }
    outputs.extend(columns.iter().map(|(right, left)| Output::new(there(right), left)));
    let equal: Vec<String> = keys.iter().map(|(left, right)| format!("{} = {}", here(left), there(right))).collect();
    // The rest of the order is for rows without a number, and for one with several matches.
    let mut order = vec![format!("{} NULLS LAST", here(ROW_NUMBER))];
    order.extend(keys.iter().map(|(_, right)| there(right)));
    order.extend(columns.iter().map(|(right, _)| there(right)));
    let from = format!("`input` {words} {}", name(source));
    let tail = format!("ON {} ORDER BY {}", equal.join(" AND "), order.join(", "));
    let (sql, names) = select_text(&outputs, &from, &tail)?;
    Ok(Action::Query { sql, names: Some(names), ordered: true })
}

#[cfg(test)]
mod tests {
    use crate::action::{Action, JoinKind};
    use crate::testing::{bind, is_ordered, problem, sql, table};

    #[test]
    fn the_key_stands_once() {
        let actions = bind("join: {source: countries, on: {land: code}, kind: right}", &table("n int, land string"));
        assert!(is_ordered(&actions));
        assert_eq!(
            sql(&actions),
            "SELECT `input`.`n` AS c0, coalesce(`input`.`land`, `countries`.`code`) AS c1, `countries`.`name` AS c2 \
             FROM `input` RIGHT JOIN `countries` ON `input`.`land` = `countries`.`code` \
             ORDER BY `input`.`__row` NULLS LAST, `countries`.`code`, `countries`.`name` -> n,land,name"
        );
    }

    #[test]
    fn several_keys_and_odd_names() {
        let item =
            "join: {source: prices, on: {id: id, day: valid}, kind: full, columns: {\"odd`name\": \"new`name\"}}";
        let actions = bind(item, &table("id bigint, day date"));
        assert_eq!(
            sql(&actions),
            "SELECT coalesce(`input`.`id`, `prices`.`id`) AS c0, coalesce(`input`.`day`, `prices`.`valid`) AS c1, \
             `prices`.`odd``name` AS c2 FROM `input` FULL JOIN `prices` \
             ON `input`.`id` = `prices`.`id` AND `input`.`day` = `prices`.`valid` \
             ORDER BY `input`.`__row` NULLS LAST, `prices`.`id`, `prices`.`valid`, `prices`.`odd``name` -> id,day,new`name"
        );
    }

    #[test]
    fn the_others_are_lookups() {
        let input = table("code string");
        for (kind, expected) in [("inner", JoinKind::Inner), ("left", JoinKind::Left), ("anti", JoinKind::Anti)] {
            let actions = bind(&format!("join: {{source: countries, on: code, kind: {kind}}}"), &input);
            let [Action::Lookup(lookup)] = actions.as_slice() else { panic!("{actions:?}") };
            assert_eq!(lookup.kind, expected);
        }
        assert!(
            problem("join: {source: countries, on: name, kind: full}", &table("name date")).contains("not compared")
        );
    }
}
