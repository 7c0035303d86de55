//! Times of day: read where they stand, as the reference does, in the zone that the rule names.

use chrono_tz::Tz;

use super::ast::{Condition, Date, LeafRule, Tag};
use super::cursor::{Cursor, Parse};

/// Refuses a time that no clock shows, and a zone nobody knows where a time needs one.
pub(super) fn check(cursor: &mut Cursor<'_>, leaf: &LeafRule) -> Parse<()> {
    let Some(Condition::Date(dates)) = &leaf.condition else {
        return Ok(());
    };
    for date in &dates.operands {
        let Date::Time(text) = date else { continue };
        if !is_time(text) {
            return Err(cursor.fail(leaf.span.clone(), format!("Error Parsing Date: {text}. It is not a time of day")));
        }
        let zone = leaf.tags.iter().find(|(name, _)| name == "timeZone");
        if let Some((_, Tag::Text(zone) | Tag::Number(zone))) = zone
            && !is_zone(zone)
        {
            let message = format!("Error Parsing Time Zone: {zone}. It is not a known time zone");
            return Err(cursor.fail(leaf.span.clone(), message));
        }
    }
    Ok(())
}

/// `h:mm AM` from 1:00 to 12:59, `HH:mm` from 00:00 to 23:59.
fn is_time(text: &str) -> bool {
    let clock = text.split_once(' ').map_or(text, |(clock, _)| clock);
    let Some((hour, minute)) = clock.split_once(':') else { return false };
    let (Ok(hour), Ok(minute)) = (hour.parse::<u8>(), minute.parse::<u8>()) else { return false };
    let hours = if text.contains(' ') { 1..=12 } else { 0..=23 };
    hours.contains(&hour) && minute < 60
}

/// A region, or an offset as Java's `ZoneId` takes it: `Z`, `+2`, `-05:30`, `UTC+1`.
fn is_zone(name: &str) -> bool {
    if name == "Z" || name.parse::<Tz>().is_ok() {
        return true;
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let Some(digits) = offset.strip_prefix(['+', '-']) else { return offset.is_empty() && !name.is_empty() };
    let shape: String = digits.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let known = ["0", "00", "00:00", "0000", "00:00:00", "000000"].contains(&shape.as_str());
    let numbers = digits.replace(':', "");
    let part = |from: usize| numbers.get(from..from + 2).and_then(|two| two.parse::<u8>().ok()).unwrap_or(0);
    known && part(2) < 60 && part(4) < 60 && (numbers.len() == 1 || part(0) <= 18)
}
