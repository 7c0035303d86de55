//! Where the lines of a block of NDJSON end, and the members of each: found 64 bytes at a time.
//!
//! The parity of quotes tells which commas stand outside texts. No text may hold a line feed, so each line begins outside
//! texts, and what is said of it follows from its own bytes, whatever is wrong with others. Nothing more is said than that:
//! whether a line is an object at all is for its reader to find out.

use crate::scan::{ChunkSink, JsonMasks, for_each_chunk_of_json, running};

/// What is said of a block so far.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    /// Line by line, where its commas outside texts stand, then where it ends.
    pub(super) ends: &'a [u32],
    /// The lines, also empty ones.
    pub(super) lines: &'a [LineEnd],
    /// The lines that hold a backslash, or a control character within a text; in order.
    pub(super) odd: &'a [u32],
    /// Whether all bytes are ASCII.
    pub(super) is_ascii: bool,
}

/// The end of a line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LineEnd {
    /// How many ends there are up to it, its own among them.
    pub(super) ends: u32,
    /// How many quotes stand before it, escaped ones left out.
    pub(super) quotes: u32,
}

/// Room for what is said; kept, because to ask for fresh memory for each block costs more.
#[derive(Debug, Default)]
pub(super) struct Room {
    ends: Vec<u32>,
    lines: Vec<LineEnd>,
    odd: Vec<u32>,
}

/// Ends that are written down at once, wanted or not: to ask after each costs more.
const AT_ONCE: usize = 6;
/// Bytes that are looked at before their lines are read: so many stay in a core's first cache meanwhile.
const PIECE: usize = 16 << 10;

/// Goes through a block piece by piece.
pub(super) struct Finder<'a> {
    bytes: &'a [u8],
    /// Where the next piece begins.
    next: usize,
    ends: &'a mut Vec<u32>,
    lines: &'a mut Vec<LineEnd>,
    odd: &'a mut Vec<u32>,
    /// Ends, lines and quotes so far.
    count: usize,
    line: usize,
    quotes: u32,
    /// All ones inside a text.
    inside: u64,
    /// One after a backslash that is not itself escaped.
    escaped: u64,
    /// Not zero when a byte is not ASCII.
    high: u64,
}

impl ChunkSink<5> for Finder<'_> {
    #[inline(always)]
    fn take(&mut self, [mut quotes, commas, feeds, odd, high]: JsonMasks, base: usize) {
        let base = self.next + base;
        self.high |= high;
        let mut backslashes = 0;
        if odd | self.escaped != 0 {
            let escapes = escapes(self.bytes.get(base..).unwrap_or_default(), odd, self.escaped);
            quotes &= !escapes.escaped;
            backslashes = escapes.backslashes;
            self.escaped = escapes.next;
        }
        let mut inside = running(quotes) ^ self.inside;
        let controls = odd & !backslashes;
        if backslashes | (inside & (feeds | controls)) != 0 {
            let (outside_at_feeds, unended) = begin_outside(inside, feeds);
            inside = outside_at_feeds;
            note_lines(self.odd, self.line as u32, feeds, backslashes | (inside & controls) | unended);
        }
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();

        let mut ending = feeds | (commas & !inside);
        if self.line + 64 > self.lines.len() {
            more(self.lines);
        }
        let Some(lines) = self.lines.get_mut(self.line..).and_then(<[LineEnd]>::first_chunk_mut::<64>) else { return };
        // Most lines are longer than 64 bytes: one is written down, wanted or not.
        let line_end = |feeds: u64| {
            let up_to = feeds ^ feeds.wrapping_sub(1);
            let ends = self.count as u32 + (ending & up_to).count_ones();
            LineEnd { ends, quotes: self.quotes + (quotes & up_to).count_ones() }
        };
        lines[0] = line_end(feeds);
        let mut more_feeds = feeds & feeds.wrapping_sub(1);
        if more_feeds != 0 {
            for line in &mut lines[1..] {
                *line = line_end(more_feeds);
                more_feeds &= more_feeds - 1;
                if more_feeds == 0 {
                    break;
                }
            }
        }
        self.line += feeds.count_ones() as usize;
        self.quotes += quotes.count_ones();

        let found = ending.count_ones() as usize;
        if self.count + 64 > self.ends.len() {
            more(self.ends);
        }
        let Some(slots) = self.ends.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut::<64>) else { return };
        let mut next = || {
            let at = base as u32 + ending.trailing_zeros();
            ending &= ending.wrapping_sub(1);
            at
        };
        for slot in &mut slots[..AT_ONCE] {
            *slot = next();
        }
        if found > AT_ONCE {
            for slot in &mut slots[AT_ONCE..found] {
                *slot = next();
            }
        }
        self.count += found;
    }
}

#[cold]
fn more<T: Clone + Default>(room: &mut Vec<T>) {
    room.resize(room.len() * 2 + 128, T::default());
}

/// The backslashes of a chunk and the bytes that they escape.
struct Escapes {
    backslashes: u64,
    escaped: u64,
    /// One when the next chunk begins with an escaped byte.
    next: u64,
}

/// `odd` says where a backslash may stand, `escaped` is one when the first byte is escaped.
#[inline(never)]
fn escapes(chunk: &[u8], mut odd: u64, escaped: u64) -> Escapes {
    let mut found = Escapes { backslashes: 0, escaped, next: 0 };
    while odd != 0 {
        let at = odd.trailing_zeros();
        let bit = odd & odd.wrapping_neg();
        odd ^= bit;
        if chunk.get(at as usize) != Some(&b'\\') {
            continue;
        }
        found.backslashes |= bit;
        if found.escaped & bit == 0 {
            found.escaped |= bit << 1;
            found.next = u64::from(at == 63);
        }
    }
    found
}

/// Makes what follows a line feed begin outside a text; also says which line feeds stand in one.
#[inline(never)]
fn begin_outside(mut inside: u64, feeds: u64) -> (u64, u64) {
    let mut unended = 0;
    while inside & feeds != 0 {
        let at = (inside & feeds).trailing_zeros();
        unended |= 1 << at;
        inside ^= u64::MAX << at;
    }
    (inside, unended)
}

/// Notes the lines of a chunk that have a bit in `bits`; `line` is the one that the chunk begins in.
#[inline(never)]
fn note_lines(odd: &mut Vec<u32>, line: u32, feeds: u64, mut bits: u64) {
    while bits != 0 {
        let before = (bits & bits.wrapping_neg()) - 1;
        bits &= bits - 1;
        let line = line + (feeds & before).count_ones();
        if odd.last() != Some(&line) {
            odd.push(line);
        }
    }
}

fn put<T>(room: &mut Vec<T>, at: usize, value: T) {
    match room.get_mut(at) {
        Some(slot) => *slot = value,
        None => room.push(value),
    }
}

impl<'a> Finder<'a> {
    /// Nothing of a block of whole lines was looked at yet.
    pub(super) fn new(bytes: &'a [u8], room: &'a mut Room) -> Self {
        let Room { ends, lines, odd } = room;
        odd.clear();
        Self { bytes, next: 0, ends, lines, odd, count: 0, line: 0, quotes: 0, inside: 0, escaped: 0, high: 0 }
    }

    /// Looks at the next piece, if there is one.
    pub(super) fn go_on(self) -> Option<Self> {
        let (bytes, start) = (self.bytes, self.next);
        let end = bytes.len().min(start + PIECE);
        let piece = bytes.get(start..end).filter(|piece| !piece.is_empty())?;
        let mut finder = for_each_chunk_of_json(piece, self);
        finder.next = end;
        if end == bytes.len() && bytes.last() != Some(&b'\n') {
            put(finder.ends, finder.count, end as u32);
            finder.count += 1;
            put(finder.lines, finder.line, LineEnd { ends: finder.count as u32, quotes: finder.quotes });
            finder.line += 1;
        }
        Some(finder)
    }

    /// What is known of the pieces so far.
    pub(super) fn marks(&self) -> Marks<'_> {
        Marks {
            ends: self.ends.get(..self.count).unwrap_or_default(),
            lines: self.lines.get(..self.line).unwrap_or_default(),
            odd: self.odd,
            is_ascii: self.high == 0,
        }
    }
}

/// The marks of a whole block, for tests.
#[cfg(test)]
pub(super) fn whole<'a>(bytes: &'a [u8], room: &'a mut Room) -> Finder<'a> {
    let mut finder = Finder::new(bytes, room);
    while finder.next < bytes.len() {
        finder = finder.go_on().unwrap();
    }
    finder
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Line by line, byte by byte: ends, quotes, whether it is odd.
    fn slowly(bytes: &[u8]) -> Vec<(Vec<u32>, u32, bool)> {
        let mut start = 0;
        let line = |line: &[u8]| {
            let (mut inside, mut escaped) = (false, false);
            let (mut ends, mut quotes, mut odd) = (Vec::new(), 0, false);
            for (at, &byte) in (start..).zip(line) {
                let special = !std::mem::take(&mut escaped);
                match byte {
                    b'"' if special => (inside, quotes) = (!inside, quotes + 1),
                    b'\\' => (escaped, odd) = (special, true),
                    b',' if !inside => ends.push(at),
                    b'\n' => (),
                    0..0x20 => odd |= inside,
                    _ => (),
                }
            }
            // A text that does not end before its line does.
            odd |= inside && line.ends_with(b"\n");
            start += line.len() as u32;
            ends.push(start - u32::from(line.ends_with(b"\n")));
            (ends, quotes, odd)
        };
        bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect()
    }

    proptest! {
        #[test]
        fn what_is_found_is_there(
            pieces in prop::collection::vec(prop::sample::select(vec!["\"", "\"", ",", ",", "\n", "\\", "\\\"", "\t", "é", "abcde", "0123456789"]), 0..300),
            before in prop_oneof![0usize..70, PIECE - 200..PIECE],
        ) {
            let text = format!("{}{}", "x".repeat(before), pieces.concat());
            let mut room = Room::default();
            for _ in 0..2 {
                let finder = whole(text.as_bytes(), &mut room);
                let marks = finder.marks();
                prop_assert_eq!(marks.is_ascii, text.is_ascii());
                let mut before = LineEnd::default();
                let found: Vec<_> = marks.lines.iter().enumerate().map(|(index, line)| {
                    let ends = marks.ends[before.ends as usize..line.ends as usize].to_vec();
                    let quotes = line.quotes - before.quotes;
                    before = *line;
                    (ends, quotes, marks.odd.contains(&(index as u32)))
                }).collect();
                prop_assert_eq!(found, slowly(text.as_bytes()));
            }
        }
    }
}
