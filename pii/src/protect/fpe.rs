//! Encryption that keeps length and alphabet.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::alphabet::{Alphabet, Numerals};
use super::ff1::{Direction, Ff1};
use super::key::{Key, Purpose};
use super::text::{self, Accepts, Written};
use super::{Place, Protect};
use crate::checksum;

/// The least number of texts of one length, as SP 800-38G Rev. 1 demands: below it all can be tried.
const LEAST_DOMAIN: u64 = 1_000_000;
/// The longest text. The rounds take time by the square of the length.
const LONGEST: usize = 1024;
/// One in ten numbers passes Luhn: that none of 10,000 does has a chance of 10^-457.
const MOST_STEPS: usize = 10_000;

/// What becomes of a value that cannot be encrypted so: too short, too long, or not Luhn where Luhn is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMisfit {
    /// The batch fails.
    #[default]
    Fail,
    /// The value becomes NULL.
    Null,
}

/// How values are encrypted.
#[derive(Debug, Clone)]
pub struct FpeOptions {
    /// Characters that are encrypted. All others stay where they are **and are readable**.
    pub alphabet: Alphabet,
    /// The fewest characters of the alphabet that a value has; if not given, the fewest that are safe: 6 digits, 4
    /// alphanumerics.
    pub least: Option<usize>,
    /// Values pass Luhn and shall pass it encrypted, as card numbers do; for digits only.
    pub luhn: bool,
    /// What becomes of a value that does not fit.
    pub on_misfit: OnMisfit,
}

/// Format-preserving encryption by FF1 (NIST SP 800-38G) with AES-256; the domain is the tweak. `123-45-6789` becomes
/// another nine digits with the hyphens where they were.
///
/// Equal values of a domain stay equal. It is weaker than [`super::EncryptDeterministic`]: nothing tells a changed text from
/// a true one, and what is outside the alphabet stays readable. Use it only where a form must be kept. A PIN of 4 digits
/// or a CVV of 3 is refused, since all of them can be tried; mask those.
///
/// With `luhn`, the encryption is repeated until the number passes Luhn, 10 times on average (cycle walking: Black and
/// Rogaway 2002). That leads back only if the number that went in passed it as well, so any other does not fit.
#[derive(Clone)]
pub struct Fpe {
    ff1: Arc<Ff1>,
    numerals: Numerals,
    key_id: String,
    tweak: String,
    least: usize,
    luhn: bool,
    on_misfit: OnMisfit,
}

impl Fpe {
    /// Encryption by this key.
    ///
    /// # Errors
    /// Fewer than 1,000,000 texts of the least length; Luhn for another alphabet than digits; a doubled character.
    pub fn new(key: &Key, domain: &str, options: FpeOptions) -> Result<Self, String> {
        let numerals = Numerals::new(&options.alphabet)?;
        if options.luhn && options.alphabet != Alphabet::Digits {
            return Err("`luhn` is for the alphabet of digits".to_owned());
        }
        let safe = fewest(numerals.radix(), options.luhn);
        let least = options.least.unwrap_or(safe);
        if least < safe {
            return Err(format!(
                "values of {least} characters can all be tried: {} need at least {safe}; mask them instead",
                match options.luhn {
                    true => "card numbers".to_owned(),
                    false => format!("{} different characters", numerals.radix()),
                }
            ));
        }
        if least > LONGEST {
            return Err(format!("values of at most {LONGEST} characters can be encrypted so"));
        }
        Ok(Self {
            ff1: Arc::new(Ff1::new(&key.derive(Purpose::Fpe, &[]), numerals.radix())?),
            numerals,
            key_id: key.id().to_owned(),
            tweak: domain.to_owned(),
            least,
            luhn: options.luhn,
            on_misfit: options.on_misfit,
        })
    }

    /// The id of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    fn column(&self, column: &ArrayRef, direction: Direction) -> Result<ArrayRef, String> {
        let input = Accepts::Text.read(column)?;
        let mut numbers = Vec::new();
        text::map(&input, input.values().len(), |_, value, out| {
            numbers.clear();
            numbers.extend(value.chars().filter_map(|character| self.numerals.number(character)));
            let encrypted = match self.numbers(&numbers, direction) {
                Ok(encrypted) => encrypted,
                Err(_) if self.on_misfit == OnMisfit::Null => return Ok(Written::Null),
                Err(why) => return Err(format!("a value {why}")),
            };
            let mut encrypted = encrypted.into_iter();
            for character in value.chars() {
                let other = match self.numerals.number(character) {
                    Some(_) => encrypted.next().and_then(|number| self.numerals.character(number)),
                    None => None,
                };
                out.push(other.unwrap_or(character));
            }
            Ok(Written::Value)
        })
    }

    fn numbers(&self, numbers: &[u16], direction: Direction) -> Result<Vec<u16>, String> {
        if numbers.len() < self.least {
            return Err(format!("has fewer than {} characters of the alphabet", self.least));
        }
        if numbers.len() > LONGEST {
            return Err(format!("has more than {LONGEST} characters of the alphabet"));
        }
        if self.luhn && !passes(numbers) {
            return Err("does not pass Luhn".to_owned());
        }
        let mut walked = self.step(numbers, direction)?;
        for _ in 0..MOST_STEPS {
            if !self.luhn || passes(&walked) {
                return Ok(walked);
            }
            walked = self.step(&walked, direction)?;
        }
        Err("does not come to a number that passes Luhn".to_owned())
    }

    fn step(&self, numbers: &[u16], direction: Direction) -> Result<Vec<u16>, String> {
        let stepped = self.ff1.apply(direction, self.tweak.as_bytes(), numbers);
        stepped.ok_or_else(|| "cannot be encrypted so".to_owned())
    }
}

fn passes(numbers: &[u16]) -> bool {
    let digits: Vec<u8> = numbers.iter().map(|number| b'0' + *number as u8).collect();
    checksum::luhn(&digits)
}

/// The fewest characters of which there are a million texts. Luhn leaves one in ten.
fn fewest(radix: u32, luhn: bool) -> usize {
    let (mut texts, mut length) = (1u64, 0);
    while texts < LEAST_DOMAIN * if luhn { 10 } else { 1 } || length < 2 {
        texts = texts.saturating_mul(u64::from(radix));
        length += 1;
    }
    length
}

impl fmt::Debug for Fpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fpe")
            .field("key_id", &self.key_id)
            .field("tweak", &self.tweak)
            .field("radix", &self.numerals.radix())
            .field("least", &self.least)
            .field("luhn", &self.luhn)
            .field("on_misfit", &self.on_misfit)
            .finish_non_exhaustive()
    }
}

impl Protect for Fpe {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        Accepts::Text.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        self.column(column, Direction::Encrypt)
    }
}

/// Decrypts what [`Fpe`] made with the same key, domain and options. Whether they are the same cannot be told: with others,
/// values of the same form come out.
#[derive(Debug, Clone)]
pub struct DecryptFpe(Fpe);

impl DecryptFpe {
    /// Decryption by this key.
    ///
    /// # Errors
    /// As [`Fpe::new`].
    pub fn new(key: &Key, domain: &str, options: FpeOptions) -> Result<Self, String> {
        Fpe::new(key, domain, options).map(Self)
    }
}

impl Protect for DecryptFpe {
    fn output(&self, input: &DataType) -> Result<DataType, String> {
        self.0.output(input)
    }

    fn protect(&self, column: &ArrayRef, _: Place) -> Result<ArrayRef, String> {
        self.0.column(column, Direction::Decrypt)
    }
}
