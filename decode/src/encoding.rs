//! Bytes that stand for no character: each is a fault of its record and column, with its own place.
//!
//! A block is checked as a whole, which costs little; only one that fails is looked at more closely. Such bytes are never
//! part of a delimiter, a quote or a line end, so each lies within one field.

use std::ops::Range;

use super::cells::Span;
use super::{Fault, Reason};

/// Put by a transcoder where bytes stand for no character. UTF-8 has no such byte, so the record is refused like one whose
/// own bytes are not UTF-8.
pub const UNDECODABLE: u8 = 0xFF;

/// The parts of `bytes` that are not UTF-8, in order.
pub fn invalid(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    bytes.utf8_chunks().filter_map(move |chunk| {
        let start = at + chunk.valid().len();
        at = start + chunk.invalid().len();
        (at > start).then_some(start..at)
    })
}

/// Makes a fault of every field that holds bytes which stand for no character, and takes the field out: what the spans are
/// left with is UTF-8.
///
/// `starts` says where each record begins, `spans` holds `width` fields a record, and `column` tells the column of a field.
/// A field of no column, and bytes outside all fields, are faults of the record.
pub(crate) fn refuse(
    bytes: &[u8],
    starts: &[u32],
    spans: &mut [Span],
    width: usize,
    column: impl Fn(usize) -> Option<u32>,
    faults: &mut Vec<Fault>,
) {
    let mut fields = Vec::new();
    let mut last = None;
    for range in invalid(bytes) {
        let record = starts.partition_point(|&start| start as usize <= range.start).saturating_sub(1);
        let row = spans.get(record * width..(record + 1) * width).unwrap_or_default();
        let field = row.iter().position(|span| span.holds(range.start));
        let value = range.start as u32..range.end as u32;
        match faults.last_mut().filter(|_| last == Some((record, field))) {
            // A fault is told once a field: from its first such byte to the end of that run.
            Some(fault) if fault.value.end == value.start => fault.value.end = value.end,
            Some(_) => {}
            None => {
                let column = field.and_then(&column);
                faults.push(Fault { record: record as u32, column, reason: Reason::InvalidEncoding, value });
                fields.extend(field.map(|field| record * width + field));
            }
        }
        last = Some((record, field));
    }
    for field in fields {
        if let Some(span) = spans.get_mut(field) {
            *span = Span::SKIP;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_parts_are_found_where_they_stand() {
        // By hand: 0xFF is in no UTF-8; C3 wants a continuation; E2 82 is two thirds of a euro sign.
        let found: Vec<_> = invalid(b"a\xFF\xFEb\xC3(\xC3\xA9\xE2\x82").collect();
        assert_eq!(found, [1..2, 2..3, 4..5, 8..10]);
        assert_eq!(invalid("größe".as_bytes()).count(), 0);
    }

    #[test]
    fn a_fault_is_told_once_a_field_and_the_field_is_taken_out() {
        let bytes = b"a\xFF\xFEb\xFF,x,\xFE\nc,d,e\n";
        let mut spans = vec![
            Span::plain(0, 5),
            Span::plain(6, 7),
            Span::plain(8, 9),
            Span::plain(10, 11),
            Span::plain(12, 13),
            Span::plain(14, 15),
        ];
        let mut faults = Vec::new();
        let column = |field: usize| (field < 2).then_some(field as u32);
        refuse(bytes, &[0, 10], &mut spans, 3, column, &mut faults);
        let fault = |column, value| Fault { record: 0, column, reason: Reason::InvalidEncoding, value };
        assert_eq!(faults, [fault(Some(0), 1..3), fault(None, 8..9)]);
        assert_eq!((spans[0], spans[1], spans[2]), (Span::SKIP, Span::plain(6, 7), Span::SKIP));
    }
}
