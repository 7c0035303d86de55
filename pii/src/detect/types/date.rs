//! Dates in the usual forms, with or without a time. The parts must be a month and a day.

use std::sync::LazyLock;

use regex::Regex;

use crate::detect::{Detector, Entity, Reading};

pub(crate) const DETECTOR: Detector = Detector {
    entity: Entity::Date,
    context: &["date", "dob", "birth", "birthday", "born", "dt", "day", "timestamp"],
    read,
};

static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let month = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august\
                 |september|october|november|december)";
    let time = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[ap]m)?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?";
    Regex::new(&format!(
        r"(?i)^(?:(?P<y>[0-9]{{4}})[-/.](?P<m>[0-9]{{1,2}})[-/.](?P<d>[0-9]{{1,2}})|(?P<a>[0-9]{{1,2}})(?:/(?P<b>[0-9]{{1,2}})/|-(?P<b2>[0-9]{{1,2}})-|\.(?P<b3>[0-9]{{1,2}})\.)(?P<yy>[0-9]{{4}}|[0-9]{{2}})|{month}\.? (?P<d1>[0-9]{{1,2}})(?:st|nd|rd|th)?,? [0-9]{{4}}|(?P<d2>[0-9]{{1,2}})[ -]{month}\.?[ -](?:[0-9]{{4}}|[0-9]{{2}})){time}$"
    ))
    .ok()
});

fn read(value: &str) -> Reading {
    let Some(parts) = FORMS.as_ref().and_then(|forms| forms.captures(value)) else {
        return Reading::No;
    };
    let part = |names: &[&str]| {
        let found = names.iter().find_map(|name| parts.name(name));
        found.and_then(|found| found.as_str().parse::<u32>().ok())
    };
    let (day, month) = (1..=31, 1..=12);
    if let (Some(year), Some(m), Some(d)) = (part(&["y"]), part(&["m"]), part(&["d"])) {
        let fits = (1800..=2200).contains(&year) && month.contains(&m) && day.contains(&d);
        return if fits { Reading::Form(0.95) } else { Reading::No };
    }
    if let (Some(a), Some(b), Some(year)) = (part(&["a"]), part(&["b", "b2", "b3"]), part(&["yy"])) {
        // Month first or day first.
        let fits = (month.contains(&a) && day.contains(&b)) || (day.contains(&a) && month.contains(&b));
        return match year {
            _ if !fits => Reading::No,
            1800..=2200 => Reading::Form(0.9),
            0..=99 if parts.name("b").is_some() => Reading::Form(0.6),
            // `1.2.34` is a version as well.
            0..=99 => Reading::Form(0.3),
            _ => Reading::No,
        };
    }
    match part(&["d1", "d2"]) {
        Some(d) if day.contains(&d) => Reading::Form(0.95),
        _ => Reading::No,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_forms_are_built() {
        assert!(super::FORMS.is_some());
    }
}
