//! What a file is, from its first bytes: format, encoding, dialect, header. Every guess says why.

use super::csv::{Dialect, sample};
use crate::parse;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The name in job files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }
}

/// How the bytes of a text stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// The encoding.
    pub encoding: &'static encoding_rs::Encoding,
    /// Bytes of the byte order mark, to be skipped.
    pub bom: usize,
    /// Why it was chosen.
    pub because: &'static str,
}

/// Why an encoding is certain, whatever was declared: so say the standards of the web and of Unicode.
const BYTE_ORDER_MARK: &str = "byte order mark";

/// Guesses the encoding of a text from its first bytes.
pub fn encoding(head: &[u8]) -> Encoding {
    if let Some((encoding, bom)) = encoding_rs::Encoding::for_bom(head) {
        return Encoding { encoding, bom, because: BYTE_ORDER_MARK };
    }
    let zeros = |first: usize| head.iter().skip(first).step_by(2).take(512).filter(|byte| **byte == 0).count();
    let pairs = (head.len() / 2).min(512);
    if pairs >= 2 && head.len().is_multiple_of(2) || pairs >= 64 {
        // Latin text in UTF-16 has a zero in every other byte.
        if zeros(1) * 10 >= pairs * 7 && zeros(0) * 10 < pairs {
            return Encoding { encoding: encoding_rs::UTF_16LE, bom: 0, because: "every second byte is zero" };
        }
        if zeros(0) * 10 >= pairs * 7 && zeros(1) * 10 < pairs {
            return Encoding { encoding: encoding_rs::UTF_16BE, bom: 0, because: "every first byte is zero" };
        }
    }
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character cut by the end of the sample is no error.
        Err(error) => error.error_len().is_none(),
    };
    if valid {
        return Encoding { encoding: encoding_rs::UTF_8, bom: 0, because: "valid UTF-8" };
    }
    if !looks_like_text_of_another_encoding(head) {
        return Encoding { encoding: encoding_rs::UTF_8, bom: 0, because: "UTF-8 but for a few bytes" };
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(head, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    Encoding { encoding, bom: 0, because: "not UTF-8; the likeliest by its byte frequencies" }
}

/// Whether bytes that are not UTF-8 are better explained by another encoding than by damage.
///
/// Text in another encoding has such bytes on many lines and hardly ever forms a character of UTF-8 by chance; a file with
/// a few damaged records has them on few lines, or among characters that are UTF-8. In doubt it is UTF-8: a record that is
/// refused can be looked at, one that was read as something else cannot.
fn looks_like_text_of_another_encoding(head: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in head.utf8_chunks() {
        valid += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    if valid * 2 >= invalid {
        return false;
    }
    let lines = head.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (mut all, mut odd, mut implausible) = (0, 0, 0);
    for line in lines {
        all += 1;
        odd += usize::from(std::str::from_utf8(line).is_err());
        // No letter in the languages that most files are in; what fills damaged or binary bytes.
        implausible += usize::from(line.contains(&0xFF));
    }
    odd >= 2 && odd * 100 >= all && implausible * 10 <= odd
}

/// The encoding of a text: by its byte order mark, else as declared, else guessed.
pub fn encoding_of(declared: Option<&'static encoding_rs::Encoding>, head: &[u8]) -> Encoding {
    let guessed = encoding(head);
    match declared {
        Some(encoding) if guessed.because != BYTE_ORDER_MARK => Encoding { encoding, bom: 0, because: "declared" },
        _ => guessed,
    }
}

/// Guesses the format from the name and the first bytes.
///
/// # Errors
/// `Data` when the bytes are none of the formats, naming what they look like.
pub fn format(uri: &str, head: &[u8]) -> Result<(Format, &'static str)> {
    if head.starts_with(b"PAR1") {
        return Ok((Format::Parquet, "it begins with PAR1"));
    }
    let text = encoding(head);
    if let Some(kind) = infer::get(head).filter(|kind| kind.matcher_type() != infer::MatcherType::Text) {
        return Err(not_text(uri, &format!("it looks like {} ({})", kind.extension(), kind.mime_type())));
    }
    let utf16 =
        text.encoding != encoding_rs::UTF_8 && text.because != "not UTF-8; the likeliest by its byte frequencies";
    let controls = head.iter().filter(|byte| matches!(byte, 0 | 2..=8 | 14..=26)).count();
    if !utf16 && controls * 100 > head.len() {
        return Err(not_text(uri, "it is full of control characters"));
    }
    let first = head[text.bom.min(head.len())..].trim_ascii_start().first();
    let lower = uri.to_ascii_lowercase();
    let stem = lower.trim_end_matches(".gz").trim_end_matches(".zst");
    match first {
        Some(b'{') => Ok((Format::Ndjson, "it begins with `{`")),
        Some(b'[') if stem.ends_with(".json") => Err(Error::data(
            format!("{uri}: a JSON array is not supported yet, only one object a line (NDJSON)"),
            "convert it, for example with `jq -c '.[]'`",
        )),
        _ if [".json", ".ndjson", ".jsonl"].iter().any(|end| stem.ends_with(end)) => Ok((Format::Ndjson, "its name")),
        _ => Ok((Format::Csv, "delimited text")),
    }
}

fn not_text(uri: &str, why: &str) -> Error {
    Error::data(
        format!("{uri}: this is not CSV, NDJSON or Parquet: {why}"),
        "check that the sender uploaded the right file",
    )
}

/// What was found out about an input without being told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detected {
    /// What was looked at, such as `delimiter`.
    pub what: String,
    /// What was found.
    pub value: String,
    /// Why.
    pub because: String,
}

/// A guessed CSV layout.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvLayout {
    /// Delimiter and quote.
    pub dialect: Dialect,
    /// Whether the first record names the columns.
    pub header: bool,
    /// What was guessed, and why.
    pub detected: Vec<Detected>,
}

/// Delimiters that are tried, the commonest first.
const DELIMITERS: [u8; 5] = [b',', b';', b'\t', b'|', 1];
/// Records looked at.
const RECORDS: usize = 200;

/// Guesses delimiter, quote and header of CSV text; what is given is kept.
pub fn csv(
    head: &[u8],
    complete: bool,
    delimiter: Option<u8>,
    quote: Option<Option<u8>>,
    header: Option<bool>,
    max_field_bytes: usize,
) -> CsvLayout {
    let mut detected = Vec::new();
    let dialect_of = |delimiter, quote| Dialect { delimiter, quote, max_field_bytes };
    let quote = quote.unwrap_or(Some(b'"'));
    let delimiter = delimiter.unwrap_or_else(|| {
        let scored = DELIMITERS.map(|delimiter| (delimiter, score(head, &dialect_of(delimiter, quote), complete)));
        let best = scored.iter().copied().max_by(|a, b| a.1.rank.total_cmp(&b.1.rank).then(b.0.cmp(&a.0)));
        let (delimiter, score) = best.filter(|(_, score)| score.rank > 0.0).unwrap_or((b',', Score::default()));
        let because = match score.fields {
            0 => "no delimiter was found; one column".to_owned(),
            fields => format!("{} of the first {} records have {fields} fields", score.agreeing, score.records),
        };
        detected.push(Detected { what: "delimiter".to_owned(), value: name_of(delimiter), because });
        delimiter
    });
    let dialect = dialect_of(delimiter, quote);
    let header = header.unwrap_or_else(|| {
        let (header, because) = guess_header(head, &dialect, complete);
        let value = if header { "yes" } else { "no" };
        detected.push(Detected { what: "header".to_owned(), value: value.to_owned(), because: because.to_owned() });
        header
    });
    CsvLayout { dialect, header, detected }
}

fn name_of(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "\\t".to_owned(),
        1 => "^A".to_owned(),
        other => char::from(other).to_string(),
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Score {
    rank: f64,
    fields: usize,
    agreeing: usize,
    records: usize,
}

/// How well a dialect explains the sample: the share of records that agree on a field count above one, a bit more for
/// more fields.
fn score(head: &[u8], dialect: &Dialect, complete: bool) -> Score {
    let records = sample::records(head, dialect, RECORDS, complete);
    let counts: Vec<usize> = records.iter().filter(|r| r.well_formed).map(|record| record.fields.len()).collect();
    let mut sorted = counts.clone();
    sorted.sort_unstable();
    let common = sorted.chunk_by(|a, b| a == b).max_by_key(|chunk| chunk.len());
    let Some((fields, agreeing)) = common.and_then(|chunk| Some((*chunk.first()?, chunk.len()))) else {
        return Score::default();
    };
    if fields < 2 {
        return Score::default();
    }
    let share = agreeing as f64 / records.len() as f64;
    Score { rank: share + (fields as f64).ln() / 100.0, fields, agreeing, records: records.len() }
}

fn guess_header(head: &[u8], dialect: &Dialect, complete: bool) -> (bool, &'static str) {
    let records = sample::records(head, dialect, 2, complete);
    let Some(first) = records.first() else { return (false, "the file is empty") };
    let is_value =
        |text: &[u8]| parse::double(text).is_ok() || parse::date(text).is_some() || parse::timestamp(text).is_some();
    let mut names: Vec<String> = Vec::new();
    if first.fields.iter().any(|(text, _)| is_value(text.trim_ascii())) {
        return (false, "the first record holds a number or a date");
    }
    // Words above numbers are names, even where one is missing or stands twice.
    let second = records.get(1).map(|record| record.fields.as_slice()).unwrap_or_default();
    let above = |((name, _), (value, _)): (&sample::Field<'_>, &sample::Field<'_>)| {
        !name.trim_ascii().is_empty() && is_value(value.trim_ascii())
    };
    if first.fields.len() == second.len() && first.fields.iter().zip(second).any(above) {
        return (true, "the first record holds texts above numbers or dates");
    }
    for (text, _) in &first.fields {
        let text = text.trim_ascii();
        if text.is_empty() && first.fields.len() > 1 {
            return (false, "the first record has an empty field");
        }
        names.push(String::from_utf8_lossy(text).to_ascii_lowercase());
    }
    names.sort_unstable();
    match names.windows(2).any(|pair| pair[0] == pair[1]) {
        true => (false, "the first record holds the same text twice"),
        false => (true, "the first record holds distinct texts, none a number or a date"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> (char, bool) {
        let layout = csv(text.as_bytes(), true, None, None, None, 1 << 20);
        (layout.dialect.delimiter.into(), layout.header)
    }

    #[test]
    fn delimiter_and_header() {
        assert_eq!(layout("a,b\n1,2\n3,4\n"), (',', true));
        assert_eq!(layout("a;b\n1,5;2\n3,1;4\n"), (';', true));
        assert_eq!(layout("1\t2\n3\t4\n"), ('\t', false));
        assert_eq!(layout("id|text\n1|\"a|b\"\n"), ('|', true));
        assert_eq!(layout("name\nx\n"), (',', true));
        assert_eq!(layout("a,a\nx,y\n"), (',', false));
        assert_eq!(layout("a,a,\nx,1,y\n"), (',', true));
        assert_eq!(layout(",a\n0,x\n"), (',', false));
        assert_eq!(layout(",a,b\n0,x,2024-01-31\n"), (',', true));
    }

    #[test]
    fn encodings() {
        assert_eq!(encoding("grün".as_bytes()).encoding, encoding_rs::UTF_8);
        assert_eq!(encoding(b"\xef\xbb\xbfa").bom, 3);
        assert_eq!(encoding(b"a\0,\0b\0\n\0").encoding, encoding_rs::UTF_16LE);
        let latin: Vec<u8> = "name;größe;straße\nmüller;groß;weißestraße\n".chars().map(|c| c as u8).collect();
        assert_eq!(encoding(&latin).encoding, encoding_rs::WINDOWS_1252);
    }

    #[test]
    fn damage_is_not_taken_for_another_encoding() {
        let rows = |bad: &[u8]| [b"id,name\n1,ann\n2,", bad, b"\n3,bob\n"].concat();
        for bad in [&b"\xFF\xFE"[..], b"\xC3(", b"\x80\x80\x80", b"caf\xC3\xA9 \xE9\nx,\xE8\n", b"\xFF\n3,\xFF\xFF"] {
            assert_eq!(encoding(&rows(bad)).encoding, encoding_rs::UTF_8, "{}", bad.escape_ascii());
        }
        // One accent on one line of many is no evidence; on every hundredth line it is.
        let mut text = b"id;name\n1;ann\n".repeat(300);
        text.extend(b"M\xFCller;1\n");
        assert_eq!(encoding(&text).encoding, encoding_rs::UTF_8);
        text.extend(b"Z\xFCrich;2\n".repeat(9));
        assert_eq!(encoding(&text).encoding, encoding_rs::WINDOWS_1252);
    }

    #[test]
    fn a_byte_order_mark_is_stronger_than_a_declaration() {
        let declared = |label: &str| encoding_rs::Encoding::for_label(label.as_bytes());
        let found = encoding_of(declared("utf-16"), b"\xFE\xFF\0a\0\n");
        assert_eq!((found.encoding, found.bom), (encoding_rs::UTF_16BE, 2));
        assert_eq!(encoding_of(declared("utf-8"), b"M\xFCller\nZ\xFCrich\n").encoding, encoding_rs::UTF_8);
    }

    #[test]
    fn other_files_are_named() {
        let error = format("x.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap_err().to_string();
        assert!(error.contains("png"), "{error}");
        assert!(format("x.csv", &[0u8, 1, 2, 3, 4, 5, 6, 7].repeat(50)).is_err());
        assert_eq!(format("x.csv", b"PAR1....").unwrap().0, Format::Parquet);
    }
}
