//! Check digits, each by its standard.

/// Whether the digits pass Luhn's test (ISO/IEC 7812-1, annex B). Anything but ASCII digits fails, and so does no digit.
pub fn luhn(digits: &[u8]) -> bool {
    !digits.is_empty() && luhn_sum(digits).is_some_and(|sum| sum % 10 == 0)
}

fn luhn_sum(digits: &[u8]) -> Option<u32> {
    let mut sum = 0;
    for (place, byte) in digits.iter().rev().enumerate() {
        let digit = digit(*byte)?;
        sum += match place % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        };
    }
    Some(sum)
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// Whether ten digits are a National Provider Identifier: Luhn over them after the prefix 80840 (45 CFR 162.406).
pub fn npi(digits: &[u8]) -> bool {
    // The prefix adds 24 to the sum of ten digits.
    digits.len() == 10 && luhn_sum(digits).is_some_and(|sum| (sum + 24) % 10 == 0)
}

/// Whether seven digits end in the check digit of a DEA number: first, third and fifth, plus twice second, fourth and sixth.
pub fn dea(digits: &[u8]) -> bool {
    if digits.len() != 7 {
        return false;
    }
    let value = |place: usize| digits.get(place).and_then(|byte| digit(*byte));
    let sum = |places: [usize; 3]| places.into_iter().map(value).sum::<Option<u32>>();
    match (sum([0, 2, 4]), sum([1, 3, 5]), value(6)) {
        (Some(odd), Some(even), Some(check)) => (odd + 2 * even) % 10 == check,
        _ => false,
    }
}

/// Whether nine digits are a routing number of the American Bankers Association: weights 3, 7, 1 and a district in use.
pub fn aba(digits: &[u8]) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let weighted = digits.iter().zip([3, 7, 1].into_iter().cycle());
    let sum: Option<u32> = weighted.map(|(byte, weight)| digit(*byte).map(|digit| digit * weight)).sum();
    let district = digits.iter().take(2).fold(0, |district, byte| district * 10 + digit(*byte).unwrap_or(99));
    let in_use = matches!(district, 1..=12 | 21..=32 | 61..=72 | 80);
    in_use && sum.is_some_and(|sum| sum % 10 == 0)
}

/// Whether the text, without blanks and in upper case, is an IBAN: length of its country, and 1 modulo 97 (ISO 13616-1).
pub fn iban(text: &[u8]) -> bool {
    let country = text.get(..2).and_then(|country| std::str::from_utf8(country).ok());
    let length = country.and_then(|country| IBAN_LENGTHS.iter().find(|(known, _)| *known == country));
    if length.is_none_or(|(_, length)| *length != text.len()) {
        return false;
    }
    let mut rest = 0u32;
    for byte in text.iter().skip(4).chain(text.iter().take(4)) {
        rest = match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
            _ => return false,
        };
    }
    rest == 1
}

/// Lengths by country, of the IBAN registry of SWIFT, release 99.
pub(crate) const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass_and_their_neighbours_fail() {
        assert!(luhn(b"79927398713"), "the example of the standard");
        assert!(luhn(b"4111111111111111"));
        assert!(!luhn(b"4111111111111112"));
        assert!(!luhn(b"") && !luhn(b"41x1"));
        assert!(npi(b"1234567893"), "the example of CMS");
        assert!(!npi(b"1234567890"));
        assert!(dea(b"1234563"));
        assert!(!dea(b"1234564"));
        assert!(aba(b"021000021") && aba(b"011401533"));
        assert!(!aba(b"021000022") && !aba(b"991000021"));
        assert!(iban(b"GB29NWBK60161331926819") && iban(b"DE89370400440532013000"), "the examples of SWIFT");
        assert!(!iban(b"GB29NWBK60161331926818") && !iban(b"GB29NWBK6016133192681"));
    }
}
