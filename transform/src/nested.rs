//! Types of nested columns, by the text that Glue and Hive write: `array<T>`, `map<string,T>`, `struct<name:T,...>`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::sql::type_name;

/// How many nested types may stand within each other: what reads and writes them calls itself once for each.
const DEEPEST: usize = 16;

/// Whether the text is one of a nested type, as far as its first word tells.
pub fn is_nested(text: &str) -> bool {
    let text = text.trim_start();
    let word = text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(word);
    ["array", "map", "struct"].iter().any(|known| known.eq_ignore_ascii_case(word))
        && rest.trim_start().starts_with('<')
}

/// The type that a text names. Words of types are read without regard to case, names of fields stay as they are written; one
/// with characters of the notation stands in backquotes, a backquote in it twice.
///
/// The names that types must have inside (`item`, `entries`, `keys`, `values`) are those of arrow's builders.
///
/// # Errors
/// A sentence with what was expected and where.
pub fn parse(text: &str) -> Result<DataType, String> {
    let mut reader = Reader { text, at: 0 };
    let data_type = reader.data_type(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.expected("the end"));
    }
    match data_type.is_nested() {
        true => Ok(data_type),
        false => Err(format!("type `{text}`: array<...>, map<string,...> or struct<...> is expected at character 1")),
    }
}

/// The text of a nested type that [`parse`] reads as just that type; `None` for any other, be it a scalar one, one with names
/// inside that differ, or one that is deeper than a text may be.
pub fn type_text(data_type: &DataType) -> Option<String> {
    let mut text = String::new();
    (data_type.is_nested() && write(data_type, 0, &mut text)).then_some(text)
}

/// A list of nullable items.
fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// A map from texts to nullable values.
fn map(value: DataType) -> DataType {
    let fields = vec![Field::new("keys", DataType::Utf8, false), Field::new("values", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields.into()), false)), false)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, character: char) -> bool {
        self.blanks();
        let taken = self.rest().starts_with(character);
        if taken {
            self.at += character.len_utf8();
        }
        taken
    }

    fn want(&mut self, character: char) -> Result<(), String> {
        if self.take(character) { Ok(()) } else { Err(self.expected(&format!("`{character}`"))) }
    }

    /// What is expected where the reader stands.
    fn expected(&self, what: &str) -> String {
        let text = self.text;
        let place = text[..self.at].chars().count() + 1;
        match self.rest().chars().next() {
            Some(found) => format!("type `{text}`: {what} is expected at character {place}, not `{found}`"),
            None => format!("type `{text}`: {what} is expected at its end"),
        }
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, String> {
        self.blanks();
        let start = self.at;
        let rest = self.rest();
        let word = &rest[..rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(self.expected("a type"));
        }
        self.at += word.len();
        match word.to_ascii_lowercase().as_str() {
            "array" => {
                self.open(depth)?;
                let item = self.data_type(depth + 1)?;
                self.want('>')?;
                Ok(list(item))
            }
            "map" => {
                self.open(depth)?;
                self.blanks();
                let key = self.at;
                if self.data_type(depth + 1)? != DataType::Utf8 {
                    self.at = key;
                    return Err(self.expected("`string`, the type of a map's keys,"));
                }
                self.want(',')?;
                let value = self.data_type(depth + 1)?;
                self.want('>')?;
                Ok(map(value))
            }
            "struct" => {
                self.open(depth)?;
                self.fields(depth)
            }
            scalar => self.scalar(scalar, start),
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), String> {
        self.want('<')?;
        match depth < DEEPEST {
            true => Ok(()),
            false => Err(self.expected(&format!("no more than {DEEPEST} types within each other: another one"))),
        }
    }

    /// The fields of a struct, its end included.
    fn fields(&mut self, depth: usize) -> Result<DataType, String> {
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        loop {
            self.blanks();
            let start = self.at;
            let name = self.name()?;
            // A catalog does not tell them apart.
            if !names.insert(name.to_lowercase()) {
                self.at = start;
                return Err(self.expected(&format!("another name than `{name}`, which the struct has already,")));
            }
            self.want(':')?;
            fields.push(Field::new(name, self.data_type(depth + 1)?, true));
            if self.take('>') {
                return Ok(DataType::Struct(fields.into()));
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `>`"));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        let start = self.at;
        if self.take('`') {
            loop {
                let end = self.rest().find('`').ok_or_else(|| {
                    let text = self.text;
                    format!("type `{text}`: a backquote that ends a field's name is expected at its end")
                })?;
                name.push_str(&self.rest()[..end]);
                self.at += end + 1;
                if !self.rest().starts_with('`') {
                    break;
                }
                name.push('`');
                self.at += 1;
            }
        } else {
            let end = self.rest().find(is_notation).unwrap_or(self.rest().len());
            name.push_str(self.rest()[..end].trim_end());
            self.at += end;
        }
        if name.is_empty() {
            self.at = start;
            return Err(self.expected("the name of a field"));
        }
        Ok(name)
    }

    /// A type without parts, whose word was read.
    fn scalar(&mut self, word: &str, start: usize) -> Result<DataType, String> {
        let mut numbers = Vec::new();
        if self.take('(') {
            loop {
                self.blanks();
                let rest = self.rest();
                let digits = &rest[..rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len())];
                numbers.push(digits.parse::<u16>().map_err(|_| self.expected("a number up to 65535"))?);
                self.at += digits.len();
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(self.expected("`,` or `)`"));
                }
            }
        }
        let listed: Vec<String> = numbers.iter().map(u16::to_string).collect();
        let fits = match word {
            "decimal" | "numeric" => numbers.len() <= 2,
            "varchar" | "char" => numbers.len() == 1 && numbers[0] > 0,
            _ => numbers.is_empty(),
        };
        let known = crate::sql::type_of(&format!("{word}({})", listed.join(",")));
        match known {
            Ok(known) if fits => Ok(known),
            _ => {
                let end = self.at;
                self.at = start;
                let (text, given) = (self.text, &self.text[start..end]);
                let place = text[..start].chars().count() + 1;
                Err(format!(
                    "type `{text}`: a type such as bigint, decimal(12,2) or array<string> is expected at character {place}, \
                     not `{given}`"
                ))
            }
        }
    }
}

/// Whether a character ends a name that stands in no backquotes.
fn is_notation(character: char) -> bool {
    matches!(character, ':' | ',' | '<' | '>' | '`')
}

/// Writes a type; `false` when there is no text of it.
fn write(data_type: &DataType, depth: usize, text: &mut String) -> bool {
    if data_type.is_nested() && depth == DEEPEST {
        return false;
    }
    let mut put = |before: &str, inner: &DataType| {
        text.push_str(before);
        write(inner, depth + 1, text)
    };
    let written = match data_type {
        DataType::List(item) => *data_type == list(item.data_type().clone()) && put("array<", item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let value = fields[1].data_type();
                *data_type == map(value.clone()) && put("map<string,", value)
            }
            _ => false,
        },
        DataType::Struct(fields) => {
            are_plain(fields) && {
                let begin = |at: usize| if at == 0 { "struct<" } else { "," };
                let mut each = fields.iter().enumerate();
                each.all(|(at, field)| put(&format!("{}{}:", begin(at), quoted(field.name())), field.data_type()))
            }
        }
        DataType::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond || zone.is_some() => false,
        DataType::Decimal128(precision, scale) if !(0..=*precision as i8).contains(scale) => false,
        scalar => match type_name(scalar) {
            Ok(name) => {
                text.push_str(&name.to_ascii_lowercase());
                true
            }
            Err(_) => false,
        },
    };
    if data_type.is_nested() {
        text.push('>');
    }
    written
}

/// Whether the fields are those that a text can say.
fn are_plain(fields: &Fields) -> bool {
    let mut names = HashSet::new();
    let plain = |field: &Field| field.is_nullable() && field.metadata().is_empty() && !field.name().is_empty();
    !fields.is_empty() && fields.iter().all(|field| plain(field) && names.insert(field.name().to_lowercase()))
}

/// A name, in backquotes where it needs them.
fn quoted(name: &str) -> String {
    match name.contains(is_notation) || name.trim() != name {
        true => crate::sql::name(name),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Int32Builder, ListBuilder, MapBuilder, StringBuilder};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_types() {
        let structure = |fields: Vec<Field>| DataType::Struct(fields.into());
        let check = |text: &str, expected: DataType, again: &str| {
            assert!(is_nested(text), "{text}");
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
            assert_eq!(type_text(&expected).as_deref(), Some(again));
        };
        check("array<string>", list(DataType::Utf8), "array<string>");
        check(" Array < VARCHAR(20) > ", list(DataType::Utf8), "array<string>");
        check("map<string,decimal( 12 , 2 )>", map(DataType::Decimal128(12, 2)), "map<string,decimal(12,2)>");
        check(
            "MAP<char(3), Timestamp>",
            map(DataType::Timestamp(TimeUnit::Microsecond, None)),
            "map<string,timestamp>",
        );
        let fields = vec![
            Field::new("Id", DataType::Int64, true),
            Field::new("a b:c`", list(map(DataType::Decimal128(10, 0))), true),
            Field::new("due date", DataType::Date32, true),
        ];
        check(
            "struct<Id:long, `a b:c```:array<map<string,decimal>>, due date :date>",
            structure(fields),
            "struct<Id:bigint,`a b:c```:array<map<string,decimal(10,0)>>,due date:date>",
        );
    }

    #[test]
    fn arrays_that_arrow_builds_have_these_types() {
        let list = ListBuilder::new(Int32Builder::new()).finish();
        assert_eq!(*list.data_type(), parse("array<int>").unwrap());
        let map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new()).finish();
        assert_eq!(*map.data_type(), parse("map<string,int>").unwrap());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let check = |text: &str, words: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        check("", "a type is expected at its end");
        check("int", "struct<...> is expected at character 1");
        check("array", "`<` is expected at its end");
        check("array<int", "`>` is expected at its end");
        check("array<int,int>", "`>` is expected at character 10, not `,`");
        check("array<int>>", "the end is expected at character 11, not `>`");
        check("array<int> x", "the end is expected at character 12, not `x`");
        check("array<number>", "is expected at character 7, not `number`");
        check("array<int(3)>", "is expected at character 7, not `int(3)`");
        check("array<varchar>", "is expected at character 7, not `varchar`");
        check("array<varchar(0)>", "not `varchar(0)`");
        check("array<decimal(39,0)>", "not `decimal(39,0)`");
        check("array<decimal(12,x)>", "a number up to 65535 is expected at character 18, not `x`");
        check("array<decimal(12 2)>", "`,` or `)` is expected at character 18");
        check("map<int,int>", "the type of a map's keys, is expected at character 5");
        check("map<string>", "`,` is expected at character 11");
        check("struct<>", "the name of a field is expected at character 8, not `>`");
        check("struct<a int>", "`:` is expected at character 13, not `>`");
        check("struct<a:int", "`,` or `>` is expected at its end");
        check("struct<a:int,>", "the name of a field is expected at character 14");
        check("struct<``:int>", "the name of a field is expected at character 8");
        check("struct<`a:int>", "a backquote that ends a field's name is expected at its end");
        check(
            "struct<\u{e9}:int,\u{c9}:int>",
            "another name than `\u{c9}`, which the struct has already, is expected at character 14",
        );
        let nested = |depth: usize| format!("{}int{}", "array<".repeat(depth), ">".repeat(depth));
        assert!(parse(&nested(DEEPEST)).is_ok());
        check(&nested(DEEPEST + 1), "no more than 16 types within each other");
        check(&nested(100_000), "no more than 16 types within each other");
    }

    #[test]
    fn types_that_no_text_says() {
        let field = |name: &str, nullable| Arc::new(Field::new(name, DataType::Int32, nullable));
        let deep = (0..=DEEPEST).fold(DataType::Int32, |inner, _| list(inner));
        for data_type in [
            DataType::Int32,
            DataType::List(field("element", true)),
            DataType::List(field("item", false)),
            DataType::LargeList(field("item", true)),
            list(DataType::UInt8),
            list(DataType::Timestamp(TimeUnit::Nanosecond, None)),
            list(DataType::Decimal128(5, -1)),
            DataType::Struct(Fields::empty()),
            DataType::Struct(vec![field("", true)].into()),
            DataType::Struct(vec![field("a", false)].into()),
            DataType::Struct(vec![field("a", true), field("A", true)].into()),
            deep,
        ] {
            assert_eq!(type_text(&data_type), None, "{data_type}");
        }
        assert!(!is_nested("structure<a:int>") && !is_nested("struct") && !is_nested("string"));
    }

    fn scalars() -> Vec<DataType> {
        use DataType::*;
        let microseconds = Timestamp(TimeUnit::Microsecond, None);
        let numbers = [Int8, Int16, Int32, Int64, Float32, Float64, Decimal128(10, 0), Decimal128(38, 38)];
        [Utf8, Boolean, Date32, microseconds, Binary].into_iter().chain(numbers).collect()
    }

    proptest! {
        #[test]
        fn a_type_is_read_back_from_its_text(data_type in crate::testing::nested_type("\\PC{1,6}", scalars())) {
            let text = type_text(&data_type).unwrap();
            prop_assert_eq!(parse(&text), Ok(data_type), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(array|map|struct|<|>|,|:|`|int|string|a|\u{e9}| |\\(|[0-9]|\\)){0,12}") {
            if let Ok(data_type) = parse(&text) {
                prop_assert_eq!(parse(&type_text(&data_type).unwrap()), Ok(data_type));
            }
        }
    }
}
