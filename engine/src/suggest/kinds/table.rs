//! `RowCount` and `ColumnCount`: the table as a whole.

use super::super::SuggestedRule;
use super::super::dqdl_text::grouped;

/// The rules that the size of the table suggests.
pub(in super::super) fn suggest(rows: u64, columns: usize) -> Vec<SuggestedRule> {
    let mut rules = Vec::new();
    let least = rounded_down(rows / 2);
    if least > 0 {
        rules.push(SuggestedRule {
            rule: format!("RowCount >= {least}"),
            evidence: format!("{} rows; the bound is half of that, rounded down", grouped(rows)),
        });
    }
    rules.push(SuggestedRule {
        rule: format!("ColumnCount = {columns}"),
        evidence: format!("{columns} columns in every row"),
    });
    rules
}

/// The number with all digits but its first made 0.
fn rounded_down(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or(0));
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rows_rounded_down() {
        assert_eq!([0, 1, 9, 10, 13_502, 99_999].map(rounded_down), [0, 1, 9, 10, 10_000, 90_000]);
        assert_eq!(suggest(27_004, 19)[0].rule, "RowCount >= 10000");
        assert_eq!(suggest(1, 2).len(), 1);
    }
}
