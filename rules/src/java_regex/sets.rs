//! Named sets of characters: `\d`, `\p{Alpha}`, `\p{IsGreek}`, `\p{javaLowerCase}`.
//!
//! The tables of Unicode are those of `regex-syntax`, which are newer than those of Java 17: characters assigned since
//! belong to more sets here.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::flags::Flags;
use super::tree::Set;

/// What ends a line where `(?d)` is not set.
pub(super) const LINE_TERMINATORS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// The set of a character.
pub(super) fn one(character: char) -> Set {
    range(character, character)
}

/// The characters from one to another.
pub(super) fn range(from: char, to: char) -> Set {
    ClassUnicode::new([ClassUnicodeRange::new(from, to)])
}

/// All characters but those of a set.
pub(super) fn not(mut set: Set) -> Set {
    set.negate();
    set
}

/// The characters of all of them.
pub(super) fn union(sets: impl IntoIterator<Item = Set>) -> Set {
    sets.into_iter().fold(Set::empty(), |mut all, set| {
        all.union(&set);
        all
    })
}

fn characters(of: &str) -> Set {
    ClassUnicode::new(of.chars().map(|character| ClassUnicodeRange::new(character, character)))
}

/// `.`
pub(super) fn dot(flags: Flags) -> Set {
    match flags {
        Flags { dot_all: true, .. } => not(Set::empty()),
        Flags { unix_lines: true, .. } => not(one('\n')),
        _ => not(LINE_TERMINATORS.into_iter().map(one).fold(Set::empty(), |all, set| union([all, set]))),
    }
}

/// `\d`, `\w`, `\s`, `\h`, `\v` and their complements; `None` for other letters.
pub(super) fn of_letter(letter: char, flags: Flags) -> Option<Set> {
    let unicode = flags.unicode_classes;
    let set = match letter.to_ascii_lowercase() {
        'd' if unicode => unicode_set("Nd")?,
        'w' if unicode => unicode_word(),
        's' if unicode => unicode_set("White_Space")?,
        'd' => range('0', '9'),
        'w' => union([range('0', '9'), range('A', 'Z'), range('a', 'z'), one('_')]),
        's' => characters(" \t\n\x0B\x0C\r"),
        'h' => union([characters(" \t\u{A0}\u{1680}\u{180E}\u{202F}\u{205F}\u{3000}"), range('\u{2000}', '\u{200A}')]),
        'v' => characters("\n\x0B\x0C\r\u{85}\u{2028}\u{2029}"),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { not(set) } else { set })
}

/// The characters of words under `(?U)`.
pub(super) fn unicode_word() -> Set {
    parsed(r"\w").unwrap_or_else(Set::empty)
}

/// What `\b` takes for a character of a word: letters, digits, `_`, and the marks on them.
///
/// Java takes a mark only after a letter or a digit; one that stands alone is no character of a text in practice.
pub(super) fn boundary_word() -> Set {
    let sets = ["L", "Nd", "Mn"].into_iter().filter_map(unicode_set);
    union(sets.chain([one('_')]))
}

/// The set of `\p{name}`; the error says why there is none.
pub(super) fn of_property(name: &str, flags: Flags) -> Result<Set, String> {
    if let Some((key, value)) = name.split_once('=') {
        let found = match key.to_ascii_lowercase().as_str() {
            "sc" | "script" => script(value),
            "blk" | "block" => block(value),
            "gc" | "general_category" => category(value, flags),
            _ => None,
        };
        return found.ok_or_else(|| format!("Unknown Unicode property {{name=<{key}>, value=<{value}>}}"));
    }
    if let Some(rest) = name.strip_prefix("In") {
        let unknown = || format!("Unknown character property name {{{name}}}, or a block that is not supported");
        return block(rest).ok_or_else(unknown);
    }
    if let Some(rest) = name.strip_prefix("Is") {
        let found = binary(rest, flags).or_else(|| category(rest, flags)).or_else(|| script(rest));
        return found.ok_or_else(|| format!("Unknown character property name {{{name}}}"));
    }
    let posix = if flags.unicode_classes { unicode_posix(name, flags) } else { None };
    posix.or_else(|| category(name, flags)).ok_or_else(|| format!("Unknown character property name {{{name}}}"))
}

/// Where case does not matter it does not matter for these either.
fn cased(name: &str, flags: Flags) -> Option<Set> {
    match (flags.ignore_case, name) {
        (false, "lower") => unicode_set("Lowercase"),
        (false, "upper") => unicode_set("Uppercase"),
        (false, _) => unicode_set("Lt"),
        (true, _) => Some(union(["Lowercase", "Uppercase", "Lt"].into_iter().filter_map(unicode_set))),
    }
}

/// The binary properties that Java knows after `Is`, whatever their case.
fn binary(name: &str, flags: Flags) -> Option<Set> {
    match name.to_ascii_uppercase().as_str() {
        "LOWERCASE" => cased("lower", flags),
        "UPPERCASE" => cased("upper", flags),
        "TITLECASE" => cased("title", flags),
        "ALPHABETIC" => unicode_set("Alphabetic"),
        "IDEOGRAPHIC" => unicode_set("Ideographic"),
        "LETTER" => unicode_set("L"),
        "PUNCTUATION" => unicode_set("P"),
        "CONTROL" => unicode_set("Cc"),
        "WHITE_SPACE" | "WHITESPACE" => unicode_set("White_Space"),
        "DIGIT" => unicode_set("Nd"),
        "HEX_DIGIT" | "HEXDIGIT" => Some(union([
            unicode_set("Nd")?,
            parsed(r"[0-9A-Fa-f\x{FF10}-\x{FF19}\x{FF21}-\x{FF26}\x{FF41}-\x{FF46}]")?,
        ])),
        "JOIN_CONTROL" | "JOINCONTROL" => Some(range('\u{200C}', '\u{200D}')),
        "NONCHARACTER_CODE_POINT" | "NONCHARACTERCODEPOINT" => unicode_set("Noncharacter_Code_Point"),
        "ASSIGNED" => unicode_set("Cn").map(not),
        "WORD" => Some(unicode_word()),
        "ALNUM" => Some(union([unicode_set("Alphabetic")?, unicode_set("Nd")?])),
        _ => None,
    }
}

/// POSIX names under `(?U)`.
fn unicode_posix(name: &str, flags: Flags) -> Option<Set> {
    match name.to_ascii_uppercase().as_str() {
        "ALPHA" => unicode_set("Alphabetic"),
        "LOWER" => cased("lower", flags),
        "UPPER" => cased("upper", flags),
        "SPACE" => unicode_set("White_Space"),
        "PUNCT" => unicode_set("P"),
        "XDIGIT" => binary("HEX_DIGIT", flags),
        "ALNUM" => binary("ALNUM", flags),
        "CNTRL" => unicode_set("Cc"),
        "DIGIT" => unicode_set("Nd"),
        "BLANK" => Some(union([unicode_set("Zs")?, one('\t')])),
        "GRAPH" => Some(not(union([unicode_set("White_Space")?, unicode_set("Cc")?, unicode_set("Cn")?]))),
        "PRINT" => {
            let graph = unicode_posix("GRAPH", flags)?;
            let mut all = union([graph, unicode_posix("BLANK", flags)?]);
            all.difference(&unicode_set("Cc")?);
            Some(all)
        }
        _ => None,
    }
}

/// General categories, POSIX names and the methods of `java.lang.Character`.
fn category(name: &str, flags: Flags) -> Option<Set> {
    let set = match name {
        "Lu" | "Ll" | "Lt" if flags.ignore_case => union(["Lu", "Ll", "Lt"].into_iter().filter_map(unicode_set)),
        "Cn" | "Lu" | "Ll" | "Lt" | "Lm" | "Lo" | "Mn" | "Me" | "Mc" | "Nd" | "Nl" | "No" | "Zs" | "Zl" | "Zp"
        | "Cc" | "Cf" | "Co" | "Pd" | "Ps" | "Pe" | "Pc" | "Po" | "Sm" | "Sc" | "Sk" | "So" | "Pi" | "Pf" | "L"
        | "M" | "N" | "Z" | "C" | "P" | "S" => unicode_set(name)?,
        // No text holds half a character.
        "Cs" => Set::empty(),
        "LC" => union(["Lu", "Ll", "Lt"].into_iter().filter_map(unicode_set)),
        "LD" => union(["L", "Nd"].into_iter().filter_map(unicode_set)),
        "L1" => range('\0', '\u{FF}'),
        "all" => not(Set::empty()),
        "Lower" | "Upper" if flags.ignore_case => parsed("[A-Za-z]")?,
        "Lower" => range('a', 'z'),
        "Upper" => range('A', 'Z'),
        "ASCII" => range('\0', '\x7F'),
        "Alpha" => parsed("[A-Za-z]")?,
        "Digit" => range('0', '9'),
        "Alnum" => parsed("[0-9A-Za-z]")?,
        "Punct" => parsed("[[:punct:]]")?,
        "Graph" => range('!', '~'),
        "Print" => range(' ', '~'),
        "Blank" => characters(" \t"),
        "Cntrl" => union([range('\0', '\x1F'), one('\x7F')]),
        "XDigit" => parsed("[0-9A-Fa-f]")?,
        "Space" => characters(" \t\n\x0B\x0C\r"),
        _ => return java_method(name.strip_prefix("java")?, flags),
    };
    Some(set)
}

fn java_method(name: &str, flags: Flags) -> Option<Set> {
    let of = |names: &[&str]| union(names.iter().filter_map(|name| unicode_set(name)));
    let ignorable = || parsed(r"[\x00-\x08\x0E-\x1B\x7F-\x9F\p{Cf}]");
    Some(match name {
        "LowerCase" => cased("lower", flags)?,
        "UpperCase" => cased("upper", flags)?,
        "TitleCase" => cased("title", flags)?,
        "Alphabetic" => unicode_set("Alphabetic")?,
        "Ideographic" => unicode_set("Ideographic")?,
        "Digit" => unicode_set("Nd")?,
        "Defined" => not(unicode_set("Cn")?),
        "Letter" => unicode_set("L")?,
        "LetterOrDigit" => of(&["L", "Nd"]),
        "SpaceChar" => unicode_set("Z")?,
        // Space characters but those that do not break, and what controls the line.
        "Whitespace" => {
            let mut set = union([unicode_set("Z")?, parsed(r"[\t-\r\x1C-\x1F]")?]);
            set.difference(&characters("\u{A0}\u{2007}\u{202F}"));
            set
        }
        "ISOControl" => unicode_set("Cc")?,
        "IdentifierIgnorable" => ignorable()?,
        "JavaIdentifierStart" => of(&["L", "Nl", "Sc", "Pc"]),
        "JavaIdentifierPart" => union([of(&["L", "Nl", "Sc", "Pc", "Nd", "Mc", "Mn"]), ignorable()?]),
        "UnicodeIdentifierStart" => unicode_set("ID_Start")?,
        "UnicodeIdentifierPart" => union([unicode_set("ID_Continue")?, ignorable()?]),
        _ => return None,
    })
}

fn script(name: &str) -> Option<Set> {
    unicode_set(&format!("Script={name}"))
}

/// The blocks that patterns name in practice: those of European and East Asian text.
fn block(name: &str) -> Option<Set> {
    let key: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    let (from, to) = match key.as_str() {
        "basiclatin" => ('\0', '\u{7F}'),
        "latin1supplement" => ('\u{80}', '\u{FF}'),
        "latinextendeda" => ('\u{100}', '\u{17F}'),
        "latinextendedb" => ('\u{180}', '\u{24F}'),
        "ipaextensions" => ('\u{250}', '\u{2AF}'),
        "spacingmodifierletters" => ('\u{2B0}', '\u{2FF}'),
        "combiningdiacriticalmarks" => ('\u{300}', '\u{36F}'),
        "greek" | "greekandcoptic" => ('\u{370}', '\u{3FF}'),
        "cyrillic" => ('\u{400}', '\u{4FF}'),
        "cyrillicsupplement" | "cyrillicsupplementary" => ('\u{500}', '\u{52F}'),
        "armenian" => ('\u{530}', '\u{58F}'),
        "hebrew" => ('\u{590}', '\u{5FF}'),
        "arabic" => ('\u{600}', '\u{6FF}'),
        "devanagari" => ('\u{900}', '\u{97F}'),
        "bengali" => ('\u{980}', '\u{9FF}'),
        "thai" => ('\u{E00}', '\u{E7F}'),
        "georgian" => ('\u{10A0}', '\u{10FF}'),
        "hanguljamo" => ('\u{1100}', '\u{11FF}'),
        "latinextendedadditional" => ('\u{1E00}', '\u{1EFF}'),
        "greekextended" => ('\u{1F00}', '\u{1FFF}'),
        "generalpunctuation" => ('\u{2000}', '\u{206F}'),
        "superscriptsandsubscripts" => ('\u{2070}', '\u{209F}'),
        "currencysymbols" => ('\u{20A0}', '\u{20CF}'),
        "letterlikesymbols" => ('\u{2100}', '\u{214F}'),
        "numberforms" => ('\u{2150}', '\u{218F}'),
        "arrows" => ('\u{2190}', '\u{21FF}'),
        "mathematicaloperators" => ('\u{2200}', '\u{22FF}'),
        "boxdrawing" => ('\u{2500}', '\u{257F}'),
        "dingbats" => ('\u{2700}', '\u{27BF}'),
        "cjksymbolsandpunctuation" => ('\u{3000}', '\u{303F}'),
        "hiragana" => ('\u{3040}', '\u{309F}'),
        "katakana" => ('\u{30A0}', '\u{30FF}'),
        "cjkunifiedideographs" => ('\u{4E00}', '\u{9FFF}'),
        "hangulsyllables" => ('\u{AC00}', '\u{D7AF}'),
        "halfwidthandfullwidthforms" => ('\u{FF00}', '\u{FFEF}'),
        "emoticons" => ('\u{1F600}', '\u{1F64F}'),
        _ => return None,
    };
    Some(range(from, to))
}

fn unicode_set(name: &str) -> Option<Set> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '=' | '-' | ' ');
    if name.is_empty() || !name.chars().all(known) {
        return None;
    }
    parsed(&format!("\\p{{{name}}}"))
}

/// The set that an expression of the `regex` crate takes.
fn parsed(class: &str) -> Option<Set> {
    match regex_syntax::parse(class).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(set)) => Some(set),
        HirKind::Class(Class::Bytes(bytes)) => bytes.to_unicode_class(),
        // A set of one.
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(characters),
        _ => None,
    }
}
