//! Java's regular expressions: every pattern and text of a table whose results a JDK gave.
//!
//! `java_regex/jdk17.tsv` was made once by OpenJDK 17.0.15 with `java_regex/Jdk.java`; the head of that says how to read
//! it. `JDK_TABLE` names another table, such as one of random patterns; there the words of refusals are not compared.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test: what fails is shown")]

use std::collections::HashMap;

use etl_rules::{JavaRegex, MAX_PATTERN_BYTES, TooManySteps};

/// The patterns that Java takes and we refuse, and why.
const REFUSED: [(&str, &str); 4] = [
    (r"\p{javaMirrored}", "no table of mirrored characters"),
    (r"\X", "grapheme clusters"),
    (r"\N{LATIN SMALL LETTER A}", "characters by name"),
    (r"\b{g}", "boundaries of grapheme clusters"),
];

/// `%{41}` is `A`.
fn decoded(field: &str) -> String {
    let mut text = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once("%{") {
        let (hex, after) = after.split_once('}').unwrap();
        text.push_str(before);
        text.push(char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap());
        rest = after;
    }
    text + rest
}

/// `1`, `0`, or `!` for a pattern that is refused.
fn digit(regex: &Result<JavaRegex, String>, text: &str, judge: fn(&JavaRegex, &str) -> bool) -> char {
    match regex {
        Ok(regex) if judge(regex, text) => '1',
        Ok(_) => '0',
        Err(_) => '!',
    }
}

fn compiled(pattern: &str) -> Result<JavaRegex, String> {
    JavaRegex::new(pattern).map_err(|error| error.to_string())
}

struct Forms {
    find: Result<JavaRegex, String>,
    whole: Result<JavaRegex, String>,
    value: Result<JavaRegex, String>,
    forbidden: Result<JavaRegex, String>,
}

#[test]
fn agrees_with_a_jdk() {
    let table = std::env::var("JDK_TABLE").map(|file| std::fs::read_to_string(file).unwrap());
    let table = table.unwrap_or_else(|_| include_str!("java_regex/jdk17.tsv").to_owned());
    let mut forms: HashMap<String, Forms> = HashMap::new();
    let (mut agreed, mut wrong) = (0, Vec::new());
    for line in table.lines() {
        let [pattern, text, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (pattern, text) = (decoded(pattern), decoded(text));
        if REFUSED.iter().any(|(refused, _)| *refused == pattern) {
            assert!(compiled(&pattern).is_err(), "{pattern}");
            continue;
        }
        let forms = forms.entry(pattern.clone()).or_insert_with(|| Forms {
            find: compiled(&pattern),
            whole: JavaRegex::whole(&pattern).map_err(|error| error.to_string()),
            value: compiled(&format!("^{pattern}$")),
            forbidden: compiled(&format!(r"^(?!\b{pattern}\b).*$")),
        });
        let found = match (&forms.find, expected.strip_prefix('!')) {
            (Err(message), Some(why)) => {
                if !message.contains(why) && std::env::var("JDK_TABLE").is_err() {
                    wrong.push(format!("{pattern:?}: {message:?}, Java says {why:?}"));
                }
                expected.to_owned()
            }
            _ => [
                digit(&forms.find, &text, |regex, text| regex.is_match(text).unwrap()),
                digit(&forms.whole, &text, |regex, text| regex.is_match(text).unwrap()),
                digit(&forms.value, &text, |regex, text| regex.extracts(text).unwrap()),
                digit(&forms.forbidden, &text, |regex, text| regex.extracts(text).unwrap()),
            ]
            .iter()
            .collect(),
        };
        if found == expected {
            agreed += 1;
        } else {
            wrong.push(format!(
                "{pattern:?} on {text:?}: {found}, Java says {expected} {:?}",
                forms.find.as_ref().err()
            ));
        }
    }
    assert!(agreed > 1000, "{agreed}");
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), wrong.len() + agreed, wrong.join("\n"));
}

#[test]
fn a_refusal_says_what_and_where() {
    for (pattern, message, position) in [
        ("(a", "Unclosed group", 2),
        ("ab**", "Dangling meta character '*'", 3),
        ("[a-", "Unclosed character class", 0),
        (r"x\y", "Illegal/unsupported escape sequence", 1),
        (r"é\p{Foo}", "Unknown character property name {Foo}", 3),
        (r"\X", r"a grapheme cluster, `\X`, is not supported", 0),
        ("a{9999999999}", "Illegal repetition range", 1),
    ] {
        let error = JavaRegex::new(pattern).unwrap_err();
        assert_eq!((error.message.as_str(), error.position), (message, position), "{pattern}");
        assert!(error.to_string().starts_with("Invalid regex pattern: "), "{error}");
    }
    assert!(JavaRegex::new(&"(".repeat(100_000)).is_err());
    assert!(JavaRegex::new(&"[".repeat(100_000)).is_err());
    assert!(JavaRegex::new(&"(?=a)".repeat(2_000)).is_ok());
    assert!(JavaRegex::new(r"(\p{L}{1000}){1000}").is_err());
}

#[test]
fn a_pattern_that_could_take_for_ever_stops() {
    let text = "a".repeat(40) + "!";
    // In linear time there is an answer, whatever the pattern.
    assert_eq!(JavaRegex::new("^(a+)+$").unwrap().is_match(&text), Ok(false));
    // As good: a look-ahead at either end leaves the middle linear.
    assert_eq!(JavaRegex::new("^(?=a)(a+)+$").unwrap().is_match(&text), Ok(false));
    for pattern in ["^(?:(?!b)a+)+$", r"^(a|a)*\1?b(?!c)$", "^(?:a|a)+(?<!a)$", r"^(\w+\s?)*\1$", r"(a*)*\1x"] {
        let regex = JavaRegex::new(pattern).unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(regex.is_match(&text), Err(TooManySteps), "{pattern}");
        assert_eq!(regex.extracts(&text), Err(TooManySteps), "{pattern}");
        println!("{pattern}: {:?}", begun.elapsed() / 2);
        assert!(begun.elapsed().as_secs() < 20, "{pattern}");
        assert!(regex.is_match("c").is_ok(), "{pattern}");
    }
}

#[test]
fn long_texts_are_for_linear_patterns() {
    let long = "a".repeat(MAX_PATTERN_BYTES + 1);
    assert_eq!(JavaRegex::new("^a+$").unwrap().is_match(&long), Ok(true));
    let ahead = JavaRegex::new("^(?=a)a+$").unwrap();
    assert_eq!(ahead.is_match(&long), Err(TooManySteps));
    assert_eq!(ahead.is_match(&long[1..]), Ok(true));
    // A pattern that fails where it is anchored is not tried everywhere else.
    assert_eq!(JavaRegex::new("^(?=b)a+$").unwrap().is_match(&long[1..]), Ok(false));
    // `\b` needs backtracking only in text that is not ASCII.
    let word = JavaRegex::new(r"^\ba+\b$").unwrap();
    assert_eq!(word.is_match(&long), Ok(true));
    assert_eq!(word.is_match(&format!("é{long}")), Err(TooManySteps));
}
