//! What parsing costs: lists are shared, and time grows with the text, not with its square.

#![allow(clippy::unwrap_used, reason = "a test: what fails is shown")]

use std::fmt::Write;
use std::time::Instant;

use etl_rules::dqdl::ast::{Condition, StringOperand};
use etl_rules::dqdl::{Rule, parse};

/// Where the operands of a rule's string condition lie.
fn operands(rule: &Rule) -> *const StringOperand {
    let Rule::Leaf(leaf) = rule else { panic!("{rule} is no leaf") };
    let Some(Condition::String(strings)) = &leaf.condition else { panic!("{rule}: no strings") };
    strings.operands.as_ptr()
}

#[test]
fn rules_share_the_list_of_a_variable() {
    let values: Vec<String> = (0..3_000).map(|value| format!("\"value {value}\"")).collect();
    let mut text = format!("many = [{}]\none = \"x\"\nRules = [\n", values.join(", "));
    for rule in 0..2_000 {
        let _ = writeln!(text, "ColumnValues \"c{rule}\" {}in $many,", if rule % 2 == 0 { "" } else { "not " });
    }
    text.push_str("ColumnValues \"c\" in $one, ColumnValues \"d\" in $one ]");
    let document = parse(&text).document;
    let (lists, ones) = document.rules.split_at(2_000);
    assert_eq!(ones.len(), 2);
    assert!(lists.iter().all(|rule| operands(rule) == operands(&lists[0])), "a copy of the list");
    assert_eq!(operands(&ones[0]), operands(&ones[1]));
    let Rule::Leaf(leaf) = &lists[0] else { panic!("no leaf") };
    let Some(Condition::String(strings)) = &leaf.condition else { panic!("no strings") };
    assert_eq!(strings.operands.len(), 3_000);
    // A copy of the tree is no copy of the list.
    assert_eq!(operands(&lists[1].clone()), operands(&lists[0]));
}

#[test]
fn eight_times_the_text_takes_no_sixty_four_times_as_long() {
    let repeated = |piece: &'static str, before: &'static str, after: &'static str| {
        move |bytes: usize| format!("{before}{}{after}", piece.repeat(bytes / piece.len()))
    };
    let texts: [Box<dyn Fn(usize) -> String>; 16] = [
        Box::new(repeated("[", "Rules = ", "")),
        Box::new(repeated("(", "Rules = [", "")),
        Box::new(repeated("f(", "Rules = [ RowCount > ", "")),
        Box::new(repeated("1+", "Rules = [ RowCount > ", "1 ]")),
        Box::new(repeated("RowCount>1,", "Rules = [ ", "RowCount>1 ]")),
        Box::new(repeated("RowCount>1 or ", "Rules = [ ", "RowCount>1 ]")),
        Box::new(repeated("(RowCount,", "Rules = [ ", " ]")),
        Box::new(repeated("x,", "Rules = [ ", " ]")),
        Box::new(repeated("\"a\",", "Rules = [ ColumnValues a in [", "\"a\"] ]")),
        Box::new(repeated("\\\"", "Rules = [ IsComplete \"", "")),
        Box::new(repeated("\"", "", "")),
        Box::new(repeated("é", "", "")),
        Box::new(repeated("“ ", "", "")),
        Box::new(repeated("# c\n", "", "")),
        Box::new(repeated("] ", "Rules = [ RowCount > 1 ] ", "")),
        Box::new(|bytes| {
            let mut text = String::new();
            for variable in 0..bytes / 12 {
                let _ = writeln!(text, "v{variable} = NULL");
            }
            text + "Rules = [ RowCount > 1 ]"
        }),
    ];
    for (index, text) in texts.iter().enumerate() {
        let (short, long) = (text(64 << 10), text(512 << 10));
        let time = |text: &str| {
            let begun = Instant::now();
            parse(text);
            begun.elapsed()
        };
        // The best of three, and half a second of leave: other tests run beside this one.
        let best = |text: &str| (0..3).map(|_| time(text)).min().unwrap();
        let (quick, slow) = (best(&short), best(&long));
        assert!(slow.as_secs_f64() < quick.as_secs_f64() * 24.0 + 0.5, "text {index}: {quick:?}, {slow:?}");
    }
}
