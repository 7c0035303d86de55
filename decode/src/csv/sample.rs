//! The first records of a file, read with a dialect under trial: for detection, inference and the header.

use memchr::memchr;

use super::quoted::{Dialect, Quoted, follow};

/// One field: its content without quotes, and whether it had them. Doubled quotes stay doubled.
pub type Field<'a> = (&'a [u8], bool);

/// A record of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRecord<'a> {
    /// Its fields.
    pub fields: Vec<Field<'a>>,
    /// One past its line end.
    pub end: usize,
    /// Whether its quotes are well-formed.
    pub well_formed: bool,
}

/// Reads up to `limit` records that end within `sample`; `complete` says that nothing comes after it.
pub fn records<'a>(sample: &'a [u8], dialect: &Dialect, limit: usize, complete: bool) -> Vec<SampleRecord<'a>> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < sample.len() && records.len() < limit {
        if let Some(blank) = blank_line(&sample[at..]) {
            at += blank;
            continue;
        }
        let Some(record) = record(sample, at, dialect, complete) else { break };
        at = record.end;
        records.push(record);
    }
    records
}

fn blank_line(text: &[u8]) -> Option<usize> {
    match text {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [b'\r'] => Some(1),
        _ => None,
    }
}

fn record<'a>(sample: &'a [u8], start: usize, dialect: &Dialect, complete: bool) -> Option<SampleRecord<'a>> {
    let mut fields = Vec::new();
    let mut at = start;
    let line_end = |from: usize| memchr(b'\n', &sample[from..]).map(|end| from + end);
    loop {
        let quote = dialect.quote.filter(|quote| sample.get(at) == Some(quote));
        let end = match quote.map(|quote| follow(sample, at, quote, dialect, complete)) {
            Some(Quoted::Closed { end, .. }) => {
                fields.push((&sample[at + 1..end], true));
                end + 1
            }
            Some(Quoted::NeedsMore) => return None,
            Some(Quoted::TextAfter | Quoted::Unclosed) => {
                let end = line_end(at).unwrap_or(sample.len());
                fields.push((&sample[at..end], false));
                return Some(SampleRecord { fields, end: (end + 1).min(sample.len()), well_formed: false });
            }
            None => {
                let rest = &sample[at..];
                let length = rest.iter().position(|&byte| byte == dialect.delimiter || byte == b'\n');
                if length.is_none() && !complete {
                    return None;
                }
                let end = at + length.unwrap_or(rest.len());
                let text = &sample[at..end];
                let ends_line = sample.get(end) != Some(&dialect.delimiter);
                let text = if ends_line { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
                fields.push((text, false));
                end
            }
        };
        match sample.get(end) {
            Some(&byte) if byte == dialect.delimiter => at = end + 1,
            _ => {
                let next = line_end(end.min(sample.len())).map_or(sample.len(), |line| line + 1);
                return Some(SampleRecord { fields, end: next, well_formed: true });
            }
        }
    }
}
