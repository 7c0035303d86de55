//! Words in the names of columns.

/// Whether one of the words (or groups of words) is in a column's name, however it is put together: `cust_ssn`,
/// `CustomerSSN`, `customer ssn`. Words of five letters and more are also found within a word: `emailaddress`.
pub(crate) fn speaks_for(column: &str, words: &[&str]) -> bool {
    let name = spaced(column);
    let joined: String = name.chars().filter(|character| *character != ' ').collect();
    words.iter().any(|word| {
        let whole = name.contains(&format!(" {word} "));
        whole || (word.len() >= 5 && joined.contains(&word.replace(' ', "")))
    })
}

/// The words of a name in lower case, with one blank before, between and after.
fn spaced(column: &str) -> String {
    let mut spaced = String::from(" ");
    let mut before = ' ';
    let mut characters = column.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let starts = character.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_lower));
        if (starts || !character.is_alphanumeric()) && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        if character.is_alphanumeric() {
            spaced.extend(character.to_lowercase());
        }
        before = character;
    }
    if !spaced.ends_with(' ') {
        spaced.push(' ');
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_names_are_put_together() {
        for name in ["ssn", "SSN", "cust_ssn", "customerSsn", "CustomerSSN", "SSNumber ssn", "ssn-2", "SSNOfCustomer"] {
            assert!(speaks_for(name, &["ssn"]), "{name} {}", spaced(name));
        }
        for name in ["", "session", "ssns", "passn"] {
            assert!(!speaks_for(name, &["ssn"]), "{name}");
        }
        assert!(speaks_for("EMAILADDRESS", &["email"]) && speaks_for("acct_no", &["acct no"]));
        assert!(speaks_for("accountnumber", &["account number"]));
    }
}
