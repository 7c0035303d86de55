//! Persons' names, as well as a short list allows: **best effort**. The list holds common given names and surnames of the
//! United States; most names of the world are not in it, and many words are names too. A column's name says more.

use super::names::{GIVEN, SURNAMES};
use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::PersonName,
    context: &[
        "first name",
        "last name",
        "full name",
        "given name",
        "family name",
        "middle name",
        "surname",
        "person name",
        "customer name",
        "patient name",
        "employee name",
        "contact name",
        "user name",
        "fname",
        "lname",
        "passenger name",
        "account holder",
        "cardholder",
        "patient",
        "firstname",
        "lastname",
    ],
    read,
};

const TITLES: &[&str] = &["mr", "mrs", "ms", "miss", "dr", "prof", "jr", "sr", "ii", "iii", "iv"];

fn read(value: &str) -> Reading {
    if value.len() > 60
        || value.chars().any(|c| !(c.is_alphabetic() || matches!(c, ' ' | '.' | ',' | '\'' | '’' | '-')))
    {
        return Reading::No;
    }
    let words: Vec<&str> =
        value.split([' ', ',']).map(|word| word.trim_end_matches('.')).filter(|w| !w.is_empty()).collect();
    let is_title = |word: &&str| TITLES.contains(&word.to_lowercase().as_str());
    let (titles, names): (Vec<&str>, Vec<&str>) = words.into_iter().partition(is_title);
    if names.is_empty() || names.len() > 4 || !names.iter().all(|name| is_capitalised(name)) {
        return Reading::No;
    }
    let in_list = |list: &[&str], name: &str| list.binary_search(&name.to_lowercase().as_str()).is_ok();
    // A surname may be in two parts: one of them counts.
    let of_list = |name: &str, list: &[&str]| name.split('-').any(|part| in_list(list, part));
    let given = names.iter().filter(|name| of_list(name, GIVEN)).count();
    let family = names.iter().filter(|name| of_list(name, SURNAMES)).count();
    let either = names.iter().filter(|name| of_list(name, GIVEN) || of_list(name, SURNAMES)).count();
    let score = match (names.len(), given, family) {
        (1, 0, 0) => 0.1,
        (1, _, _) if !titles.is_empty() => 0.8,
        (1, _, _) => 0.4,
        (_, 1.., 1..) if either >= 2 => 0.92,
        (_, 1.., _) => 0.75,
        (_, _, 1..) => 0.55,
        _ if !titles.is_empty() => 0.6,
        _ => 0.15,
    };
    Reading::Form(score)
}

/// `Ada`, `ADA`, `O'Brien`, `McDonald`, `A`; not `ada`.
fn is_capitalised(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(GIVEN.is_sorted() && SURNAMES.is_sorted());
    }
}
