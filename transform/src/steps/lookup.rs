use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::action::{Action, JoinKind, Lookup};
use crate::agree::{key_type, type_words};
use crate::names::Pairs;
use crate::step::{BindContext, Example, Problem, StepDoc, StepType, column};

/// A data set, its key, and what is taken from it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The alias of a data set under `sources`.
    source: String,
    /// The key columns: names that both sides have, or a map of names here to names there.
    on: Pairs,
    /// What becomes of rows without a match: `left` keeps them (the default), `inner` leaves them out; `semi` and `anti` keep
    /// the rows with and without a match and add nothing.
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
    Left,
    Inner,
    Semi,
    Anti,
}

pub(crate) const STEP: StepType = StepType {
    name: "lookup",
    doc: StepDoc {
        summary: "Adds columns of another data set to the rows whose keys match; the order of the rows stays.",
        nulls: "A NULL key matches nothing; added columns are NULL in rows without a match.",
        glue: &["Join", "Lookup"],
        databrew: &["JOIN"],
        differs: "A row with several matches comes out once for each, in the order of the data set. Keys are of one type, or whole \
                  numbers and decimals, which are compared by their value; floating point is no key.",
        example: Example {
            types: "bigint, string",
            input: "id,country\n1,NO\n2,IT\n3,XX\n4,\n",
            job: "- lookup: {source: countries, on: {country: code}, columns: {name: country_name}}",
            output: "id,country,country_name\n1,NO,Norway\n2,IT,Italy\n3,XX,\n4,,\n",
        },
    },
    parameters: || schemars::schema_for!(Parameters),
    bind,
};

fn bind(parameters: &Value, context: &BindContext<'_>) -> Result<Vec<Action>, Problem> {
    let Parameters { source, on, kind, columns } = crate::read(parameters)?;
    let kind = match kind {
        Kind::Left => JoinKind::Left,
        Kind::Inner => JoinKind::Inner,
        Kind::Semi => JoinKind::Semi,
        Kind::Anti => JoinKind::Anti,
    };
    let adds = matches!(kind, JoinKind::Left | JoinKind::Inner);
    let (keys, columns) = keys_and_columns(context, &source, &on, columns.as_ref(), adds)?;
    Ok(vec![Action::Lookup(Lookup { source, keys, kind, columns })])
}

/// Names here and there, by pairs.
type Names = Vec<(String, String)>;

/// Checks both sides of a join: the keys (here, there) and the columns that are added (there, here).
pub(super) fn keys_and_columns(
    context: &BindContext<'_>,
    source: &str,
    on: &Pairs,
    columns: Option<&Pairs>,
    adds: bool,
) -> Result<(Names, Names), Problem> {
    let theirs = context.source(source)?;
    let there = |name: &str| {
        let elsewhere = |problem: Problem| Problem { message: format!("{source}: {}", problem.message), ..problem };
        column(theirs, name).map_err(elsewhere)
    };
    if on.0.is_empty() {
        return Err(Problem::new("`on` names no column"));
    }
    let mut keys = Names::new();
    for (left, right) in &on.0 {
        let (left, right) = (context.column(left)?, there(right)?);
        if key_type(left.data_type(), right.data_type()).is_none() {
            let (left_type, right_type) = (type_words(left.data_type()), type_words(right.data_type()));
            let message = format!(
                "`{}` ({left_type}) and `{source}.{}` ({right_type}) are not compared",
                left.name(),
                right.name(),
            );
            return Err(Problem::new(message).with_help(
                match left.data_type().is_floating() || right.data_type().is_floating() {
                    true => "floating point is no key: cast it to a decimal or to text before this step".to_owned(),
                    false => format!("- cast: {{columns: {{{}: {right_type}}}}} before this step", left.name()),
                },
            ));
        }
        keys.push((left.name().clone(), right.name().clone()));
    }
    let added: Names = match columns {
        Some(_) if !adds => return Err(Problem::new("`columns`: a join of this kind adds none")),
        Some(Pairs(pairs)) => {
            let named = pairs.iter().map(|(right, left)| Ok((there(right)?.name().clone(), left.clone())));
            named.collect::<Result<_, Problem>>()?
        }
        None if !adds => Names::new(),
        None => {
            let fields = theirs.fields().iter().map(|field| field.name());
            let others = fields.filter(|name| !keys.iter().any(|(_, key)| &key == name));
            others.map(|name| (name.clone(), name.clone())).collect()
        }
    };
    for (at, (right, left)) in added.iter().enumerate() {
        let twice = added[..at].iter().any(|(_, before)| before.eq_ignore_ascii_case(left));
        let taken = match twice {
            true => Err(Problem::new(format!("two columns would be called `{left}`"))),
            false => context.new_column(left),
        };
        taken.map_err(|problem| problem.with_help(format!("give it another name: columns: {{{right}: new_name}}")))?;
    }
    Ok((keys, added))
}

#[cfg(test)]
mod tests {
    use crate::action::{Action, JoinKind};
    use crate::testing::{bind, problem, table};

    fn check(item: &str, input: &str, keys: &[(&str, &str)], kind: JoinKind, columns: &[(&str, &str)]) {
        let actions = bind(item, &table(input));
        let [Action::Lookup(lookup)] = actions.as_slice() else { panic!("{actions:?}") };
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect()
        };
        assert_eq!(lookup.keys, owned(keys));
        assert_eq!(lookup.kind, kind);
        assert_eq!(lookup.columns, owned(columns));
    }

    #[test]
    fn all_but_the_key_is_added() {
        check(
            "lookup: {source: countries, on: CODE}",
            "Code string",
            &[("Code", "code")],
            JoinKind::Left,
            &[("name", "name")],
        );
    }

    #[test]
    fn numbers_of_other_width_are_compared() {
        let columns = [("price", "cost"), ("odd`name", "odd`name")];
        let item = "lookup: {source: prices, on: id, kind: inner, columns: {price: cost, \"odd`name\": \"odd`name\"}}";
        check(item, "id bigint", &[("id", "id")], JoinKind::Inner, &columns);
        check("lookup: {source: prices, on: id, kind: semi}", "id decimal(12,2)", &[("id", "id")], JoinKind::Semi, &[]);
    }

    #[test]
    fn what_cannot_be() {
        let input = table("id string, name string, code string, ratio double");
        let check = |parameters: &str, words: &str| {
            let problem = problem(&format!("lookup: {{{parameters}}}"), &input);
            assert!(problem.contains(words), "{problem}");
        };
        check("source: cities, on: id", "the data set `cities` is not declared");
        check("source: prices, on: id", "`id` (string) and `prices.id` (int) are not compared (- cast:");
        check("source: prices, on: {ratio: price}", "are not compared (floating point is no key");
        check("source: countries, on: {code: kode}", "countries: there is no column `kode` (did you mean `code`?)");
        check("source: countries, on: {kode: code}", "there is no column `kode`");
        check("source: countries, on: []", "names no column");
        check(
            "source: countries, on: code",
            "a column `name` already (give it another name: columns: {name: new_name})",
        );
        check("source: countries, on: code, columns: {name: x, code: X}", "two columns would be called `X`");
        check("source: countries, on: code, kind: anti, columns: name", "adds none");
        check("source: countries, on: code, kind: full", "unknown variant `full`");
    }
}
