use bytes::Bytes;

use super::Choices;
use crate::csv::{CsvDecoder, Dialect, sample};
use crate::{Block, BlockDecoder, Fault, Reason, detect, encoding, schema};

/// What a text of any bytes is taken for. The choices: its name, whether it is complete, a delimiter and a quote that are told,
/// or none.
pub fn infer(data: &[u8]) {
    let mut choices = Choices(data);
    let name = choices.of(&["x.csv", "x.json", "x.ndjson.gz"]);
    let complete = choices.of(&[true, false]);
    let delimiter = choices.of(&[None, Some(b','), Some(b';'), Some(b'\t')]);
    let quote = choices.of(&[None, Some(Some(b'"')), Some(None)]);
    let text = choices.rest();

    let _ = detect::format(name, text);
    let guessed = detect::encoding(text);
    assert!(guessed.bom <= text.len());
    let longest = 1 << 20;
    let layout = detect::csv(text, complete, delimiter, quote, None, longest);
    let invalid: Vec<_> = encoding::invalid(text).collect();
    assert_eq!(invalid.is_empty(), std::str::from_utf8(text).is_ok());
    inferred(text, &layout.dialect, layout.header, complete);
}

/// Every record that a schema was inferred from fits it, and the sample has the records that the decoder has.
fn inferred(text: &[u8], dialect: &Dialect, header: bool, complete: bool) {
    let records = sample::records(text, dialect, usize::MAX, complete);
    let Some(first) = records.first() else { return };
    let width = first.fields.len();
    let names: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
    // As a run looks at its first bytes: what is at fault as a whole says nothing of the columns.
    let fits = |record: &sample::SampleRecord<'_>| {
        record.well_formed
            && record.fields.len() == width
            && record.fields.iter().all(|(text, _)| std::str::from_utf8(text).is_ok())
    };
    let rows = records.iter().skip(usize::from(header)).filter(|record| fits(record));
    let schema = schema::infer(&names, rows.map(|record| record.fields.iter().copied()));
    assert_eq!(schema.columns.len(), width);

    let end = if complete { text.len() } else { records.last().map_or(0, |record| record.end) };
    let decoder = CsvDecoder::new(*dialect, &schema, (0..width).map(Some).collect(), width, &[]);
    let decoded = decoder.decode(&Block { bytes: Bytes::copy_from_slice(&text[..end]), offset: 0 }).unwrap();
    let ends: Vec<usize> = decoded.record_starts.iter().skip(1).map(|start| *start as usize).collect();
    assert_eq!(ends.len(), records.len(), "records of the sample");
    for (index, record) in records.iter().enumerate() {
        // Between two records there may be empty lines.
        assert!(record.end <= ends[index], "the end of record {index}");
        let mut faults = decoded.faults.iter().filter(|fault| fault.record as usize == index);
        let structure = |fault: &Fault| {
            matches!(
                fault.reason,
                Reason::TooFewFields
                    | Reason::TooManyFields
                    | Reason::UnclosedQuote
                    | Reason::TextAfterQuote
                    | Reason::InvalidEncoding
            )
        };
        match fits(record) {
            // The header's texts are no values.
            true if header && index == 0 => assert!(faults.all(|fault| !structure(fault)), "record {index}"),
            true => assert_eq!(faults.next(), None, "record {index}: {schema:?}"),
            false => assert!(faults.any(structure), "record {index}"),
        }
    }
}
