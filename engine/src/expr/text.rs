//! Text functions whose Spark meaning no crate has, and those whose result may be far longer than their arguments.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use regex::{Regex, RegexBuilder};

use super::kernel::{Kernel, Returns, texts, within_limit};

/// The memory of one compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 20;

const TEXT: Returns = |_, _| Ok(DataType::Utf8);
const WHOLE: Returns = |_, _| Ok(DataType::Int32);

/// All of them.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Kernel::udf("spark_regexp_extract", TEXT, |args, _| regexp_extract(args)),
        Kernel::udf("spark_regexp_replace", TEXT, |args, _| regexp_replace(args)),
        Kernel::udf("spark_split", |_, _| Ok(list_of_texts()), |args, _| split(args)),
        Kernel::udf("spark_replace", TEXT, |args, _| replace(args)),
        Kernel::udf("spark_repeat", TEXT, |args, _| repeat(args)),
        Kernel::udf("spark_lpad", TEXT, |args, _| pad(args, true)),
        Kernel::udf("spark_rpad", TEXT, |args, _| pad(args, false)),
        Kernel::udf("spark_right", TEXT, |args, _| right(args)),
        Kernel::udf("spark_initcap", TEXT, |args, _| initcap(args)),
        Kernel::udf("spark_concat_ws", TEXT, |args, _| concat_ws(args)),
        Kernel::udf("spark_key", TEXT, |args, _| key(args)),
        Kernel::udf("spark_locate", WHOLE, |args, _| locate(args)),
    ]
}

/// The pattern, compiled with a bound on its size; it is in the syntax of the `regex` crate already.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build().map_err(|error| {
        let text = error.to_string();
        format!("the pattern cannot be used: {}", text.lines().last().unwrap_or_default().trim())
    })
}

/// Refuses a literal group that the pattern has not, before the first row.
pub(super) fn check_group(pattern: &str, group: Option<i64>) -> Result<(), String> {
    let groups = compile(pattern)?.captures_len();
    match group {
        Some(group) if usize::try_from(group).is_ok_and(|group| group < groups) => Ok(()),
        Some(group) => Err(no_group("regexp_extract", groups, group)),
        None => Ok(()),
    }
}

/// Refuses a literal replacement that names a group which the pattern has not, before the first row.
pub(super) fn check_replacement(pattern: &str, replacement: Option<&str>) -> Result<(), String> {
    let groups = compile(pattern)?.captures_len();
    replacement.map_or(Ok(()), |replacement| java_replacement(replacement, groups).map(drop))
}

fn no_group(name: &str, groups: usize, group: impl std::fmt::Display) -> String {
    format!("`{name}`: the pattern has {} groups, not {group}", groups - 1)
}

/// Text under construction, held to the bound of one call.
struct Texts {
    name: &'static str,
    builder: StringBuilder,
    bytes: u64,
}

impl Texts {
    fn new(name: &'static str, rows: usize) -> Self {
        Self { name, builder: StringBuilder::with_capacity(rows, 0), bytes: 0 }
    }

    /// Says that `bytes` more will come, before they are made.
    fn reserve(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        within_limit(self.name, self.bytes)
    }

    fn push(&mut self, text: &str) {
        self.builder.append_value(text);
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

fn argument(args: &[ArrayRef], index: usize) -> Result<&ArrayRef> {
    match args.get(index) {
        Some(array) => Ok(array),
        None => exec_err!("an argument is missing"),
    }
}

fn text(args: &[ArrayRef], index: usize) -> Result<StringArray> {
    texts(argument(args, index)?)
}

fn whole(args: &[ArrayRef], index: usize) -> Result<Int32Array> {
    let cast = arrow::compute::cast(argument(args, index)?, &DataType::Int32)?;
    Ok(cast.as_primitive::<Int32Type>().clone())
}

fn at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

fn number(array: &Int32Array, row: usize) -> Option<i32> {
    array.is_valid(row).then(|| array.value(row))
}

/// The pattern of every row, which is one literal.
fn pattern(args: &[ArrayRef], index: usize) -> Result<Option<Regex>> {
    let patterns = text(args, index)?;
    match patterns.iter().flatten().next() {
        None => Ok(None),
        Some(pattern) => match compile(pattern) {
            Ok(regex) => Ok(Some(regex)),
            Err(why) => exec_err!("{why}"),
        },
    }
}

/// `regexp_extract(text, pattern[, group])`: no match gives an empty text.
fn regexp_extract(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, regex) = (text(args, 0)?, pattern(args, 1)?);
    let groups = if args.len() > 2 { whole(args, 2)? } else { Int32Array::from(vec![1; values.len()]) };
    let Some(regex) = regex else { return Ok(Arc::new(StringArray::new_null(values.len()))) };
    let mut out = StringBuilder::new();
    for row in 0..values.len() {
        let (Some(value), Some(group)) = (at(&values, row), number(&groups, row)) else {
            out.append_null();
            continue;
        };
        let Some(group) = usize::try_from(group).ok().filter(|group| *group < regex.captures_len()) else {
            return exec_err!("{}", no_group("regexp_extract", regex.captures_len(), group));
        };
        let found = regex.captures(value).and_then(|captures| captures.get(group));
        out.append_value(found.map_or("", |found| found.as_str()));
    }
    Ok(Arc::new(out.finish()))
}

/// `regexp_replace(text, pattern, replacement)`: every match; `$1` is a group, `\` takes the next character as it is.
fn regexp_replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, regex, replacements) = (text(args, 0)?, pattern(args, 1)?, text(args, 2)?);
    let Some(regex) = regex else { return Ok(Arc::new(StringArray::new_null(values.len()))) };
    let mut out = Texts::new("regexp_replace", values.len());
    let mut last: Option<(String, Vec<Part>)> = None;
    for row in 0..values.len() {
        let (Some(value), Some(replacement)) = (at(&values, row), at(&replacements, row)) else {
            out.null();
            continue;
        };
        if last.as_ref().is_none_or(|(written, _)| written != replacement) {
            let parts = java_replacement(replacement, regex.captures_len());
            last = Some((replacement.to_owned(), parts.or_else(|why| exec_err!("{why}"))?));
        }
        let parts = last.as_ref().map_or(&[][..], |(_, parts)| parts);
        let (mut result, mut end) = (String::new(), 0);
        for captures in regex.captures_iter(value) {
            let Some(whole) = captures.get(0) else { continue };
            result.push_str(value.get(end..whole.start()).unwrap_or(""));
            for part in parts {
                match part {
                    Part::Text(text) => result.push_str(text),
                    Part::Group(group) => result.push_str(captures.get(*group).map_or("", |found| found.as_str())),
                }
            }
            within_limit("regexp_replace", out.bytes.saturating_add(result.len() as u64))?;
            end = whole.end();
        }
        result.push_str(value.get(end..).unwrap_or(""));
        out.reserve(result.len())?;
        out.push(&result);
    }
    Ok(out.finish())
}

enum Part {
    Text(String),
    Group(usize),
}

/// A replacement as `java.util.regex.Matcher.appendReplacement` reads it.
fn java_replacement(replacement: &str, groups: usize) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => literal.extend(characters.next()),
            '$' => {
                let Some(mut group) = characters.next_if(char::is_ascii_digit).and_then(|digit| digit.to_digit(10))
                else {
                    return Err("`regexp_replace`: `$` must be followed by the number of a group".to_owned());
                };
                // More digits belong to the number as long as there is such a group.
                while let Some(digit) = characters.peek().and_then(|next| next.to_digit(10)) {
                    let longer = group * 10 + digit;
                    if longer as usize >= groups {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if group as usize >= groups {
                    return Err(no_group("regexp_replace", groups, group));
                }
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Group(group as usize));
            }
            other => literal.push(other),
        }
    }
    parts.push(Part::Text(literal));
    Ok(parts)
}

fn list_of_texts() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// `split(text, pattern[, limit])`, empty texts at the end kept.
fn split(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, regex) = (text(args, 0)?, pattern(args, 1)?);
    let limits = if args.len() > 2 { whole(args, 2)? } else { Int32Array::from(vec![-1; values.len()]) };
    let mut out = ListBuilder::new(StringBuilder::new());
    let mut pieces = 0u64;
    for row in 0..values.len() {
        let (Some(value), Some(limit), Some(regex)) = (at(&values, row), number(&limits, row), regex.as_ref()) else {
            out.append_null();
            continue;
        };
        let most = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let (mut start, mut count) = (0, 1);
        for found in regex.find_iter(value) {
            // Java: no empty text before an empty match at the start; Spark: none after one at the end.
            if found.is_empty() && (found.start() == 0 || found.start() == value.len()) {
                continue;
            }
            if count >= most {
                break;
            }
            out.values().append_value(value.get(start..found.start()).unwrap_or(""));
            start = found.end();
            count += 1;
        }
        pieces += count as u64;
        within_limit("split", pieces * 16)?;
        out.values().append_value(value.get(start..).unwrap_or(""));
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

/// `replace(text, search[, replacement])`; an empty search changes nothing.
fn replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, searches) = (text(args, 0)?, text(args, 1)?);
    let replacements =
        if args.len() > 2 { text(args, 2)? } else { StringArray::from_iter_values(vec![""; values.len()]) };
    let mut out = Texts::new("replace", values.len());
    for row in 0..values.len() {
        match (at(&values, row), at(&searches, row), at(&replacements, row)) {
            (Some(value), Some(""), Some(_)) => {
                out.reserve(value.len())?;
                out.push(value);
            }
            (Some(value), Some(search), Some(replacement)) => {
                let hits = value.matches(search).count();
                out.reserve(
                    (value.len() - hits * search.len()).saturating_add(hits.saturating_mul(replacement.len())),
                )?;
                out.push(&value.replace(search, replacement));
            }
            _ => out.null(),
        }
    }
    Ok(out.finish())
}

/// `repeat(text, times)`.
fn repeat(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, times) = (text(args, 0)?, whole(args, 1)?);
    let mut out = Texts::new("repeat", values.len());
    for row in 0..values.len() {
        match (at(&values, row), number(&times, row)) {
            (Some(value), Some(times)) => {
                let times = usize::try_from(times).unwrap_or(0);
                out.reserve(value.len().saturating_mul(times))?;
                out.push(&value.repeat(times));
            }
            _ => out.null(),
        }
    }
    Ok(out.finish())
}

/// `lpad(text, length[, pad])` and `rpad`: to `length` characters, cut off where longer.
fn pad(args: &[ArrayRef], left: bool) -> Result<ArrayRef> {
    let (values, lengths) = (text(args, 0)?, whole(args, 1)?);
    let pads = if args.len() > 2 { text(args, 2)? } else { StringArray::from_iter_values(vec![" "; values.len()]) };
    let mut out = Texts::new(if left { "lpad" } else { "rpad" }, values.len());
    for row in 0..values.len() {
        let (Some(value), Some(length), Some(pad)) = (at(&values, row), number(&lengths, row), at(&pads, row)) else {
            out.null();
            continue;
        };
        let length = usize::try_from(length).unwrap_or(0);
        let missing = length.saturating_sub(value.chars().count());
        if missing == 0 || pad.is_empty() {
            let kept: String = value.chars().take(length).collect();
            out.reserve(kept.len())?;
            out.push(&kept);
            continue;
        }
        // A character of the padding takes four bytes at most.
        out.reserve(value.len().saturating_add(missing.saturating_mul(4)))?;
        let padding: String = pad.chars().cycle().take(missing).collect();
        out.push(&if left { padding + value } else { value.to_owned() + &padding });
    }
    Ok(out.finish())
}

/// `right(text, length)`.
fn right(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, lengths) = (text(args, 0)?, whole(args, 1)?);
    let cut = (0..values.len()).map(|row| {
        let (value, length) = (at(&values, row)?, number(&lengths, row)?);
        let skipped = value.chars().count().saturating_sub(usize::try_from(length).unwrap_or(0));
        Some(value.char_indices().nth(skipped).map_or("", |(start, _)| value.get(start..).unwrap_or("")))
    });
    Ok(Arc::new(cut.collect::<StringArray>()))
}

/// `initcap(text)`: words are what blanks separate. All of it is lowered at once: a sigma is another one at the end of a word.
fn initcap(args: &[ArrayRef]) -> Result<ArrayRef> {
    let values = text(args, 0)?;
    let titled = values.iter().map(|value| {
        let mut out = String::new();
        let mut first = true;
        for character in value?.to_lowercase().chars() {
            if first {
                out.extend(character.to_uppercase())
            } else {
                out.push(character)
            }
            first = character == ' ';
        }
        Some(out)
    });
    Ok(Arc::new(titled.collect::<StringArray>()))
}

/// `concat_ws(separator, text, ...)`: NULLs are left out; NULL only where the separator is.
fn concat_ws(args: &[ArrayRef]) -> Result<ArrayRef> {
    let separators = text(args, 0)?;
    let values = args.iter().skip(1).map(texts).collect::<Result<Vec<_>>>()?;
    let mut out = Texts::new("concat_ws", separators.len());
    for row in 0..separators.len() {
        let Some(separator) = at(&separators, row) else {
            out.null();
            continue;
        };
        let present: Vec<&str> = values.iter().filter_map(|column| at(column, row)).collect();
        let bytes: usize = present.iter().map(|value| value.len()).sum();
        out.reserve(bytes.saturating_add(separator.len().saturating_mul(present.len())))?;
        out.push(&present.join(separator));
    }
    Ok(out.finish())
}

/// The values of `count(distinct a, b)` as one text, each with its length before it; NULL where one of them is.
fn key(args: &[ArrayRef]) -> Result<ArrayRef> {
    let values = args.iter().map(texts).collect::<Result<Vec<_>>>()?;
    let rows = values.first().map_or(0, StringArray::len);
    let mut out = Texts::new("count", rows);
    for row in 0..rows {
        let Some(present) = values.iter().map(|column| at(column, row)).collect::<Option<Vec<&str>>>() else {
            out.null();
            continue;
        };
        let key: String = present.iter().map(|value| format!("{}:{value}", value.len())).collect();
        out.reserve(key.len())?;
        out.push(&key);
    }
    Ok(out.finish())
}

/// `locate(search, text[, start])`: the position of the first hit in characters from 1, or 0.
fn locate(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (searches, values) = (text(args, 0)?, text(args, 1)?);
    let starts = if args.len() > 2 { whole(args, 2)? } else { Int32Array::from(vec![1; values.len()]) };
    let places = (0..values.len()).map(|row| {
        let (search, value) = (at(&searches, row)?, at(&values, row)?);
        let skipped = match number(&starts, row) {
            Some(start) if start >= 1 => usize::try_from(start - 1).ok()?,
            _ => return Some(0),
        };
        let offset = value.char_indices().map(|(offset, _)| offset).chain([value.len()]).nth(skipped);
        let found = offset.and_then(|offset| value.get(offset..)?.find(search).map(|hit| offset + hit));
        Some(found.map_or(0, |hit| value.get(..hit).map_or(0, |before| before.chars().count() as i32 + 1)))
    });
    Ok(Arc::new(places.collect::<Int32Array>()))
}
