//! Days since 1970-01-01 and the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").

pub(crate) fn year_and_month(days: i64) -> (i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month)
}

/// The first day of a month.
pub(crate) fn first_of(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let day = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_every_month_is_itself() {
        assert_eq!((first_of(1970, 1), first_of(2000, 3), first_of(1969, 12)), (0, 11_017, -31));
        for year in -400..2400 {
            for month in 1..=12 {
                let first = first_of(year, month);
                let before = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
                assert_eq!((year_and_month(first), year_and_month(first - 1)), ((year, month), before));
            }
        }
    }
}
