//! Halves of FF1 as machine words. The rounds are the `fpe` crate's; it brings big integers for any length, which cost ten
//! times as much as two words do for the lengths that cards, accounts and telephone numbers have.

use aes::Aes256Enc;
use fpe::ff1::{FF1, FlexibleNumeralString, NumeralString, Operations};

/// FF1 of NIST SP 800-38G with AES-256.
pub(crate) struct Ff1 {
    rounds: FF1<Aes256Enc>,
    radix: u32,
    /// The longest text whose halves fit in a word.
    short: usize,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

impl Ff1 {
    pub(crate) fn new(key: &[u8; 32], radix: u32) -> Result<Self, String> {
        let rounds = FF1::new(key, radix).map_err(|_| format!("an alphabet of {radix} characters"))?;
        // The longer half has (n + 1) / 2 numerals and must stay below 2^32, so that a word of the round's output can be
        // taken in without overflow.
        let half = (1u32..).take_while(|half| u64::from(radix).checked_pow(*half).is_some_and(|size| size <= 1 << 32));
        Ok(Self { rounds, radix, short: 2 * half.count() })
    }

    /// Encrypts or decrypts; `None` if the text is too short.
    pub(crate) fn apply(&self, direction: Direction, tweak: &[u8], numbers: &[u16]) -> Option<Vec<u16>> {
        match numbers.len() <= self.short {
            true => {
                self.run(direction, tweak, &Short { radix: self.radix, numbers: numbers.to_vec() }).map(|x| x.numbers)
            }
            false => self.run(direction, tweak, &FlexibleNumeralString::from(numbers.to_vec())).map(Into::into),
        }
    }

    fn run<T: NumeralString>(&self, direction: Direction, tweak: &[u8], numbers: &T) -> Option<T> {
        match direction {
            Direction::Encrypt => self.rounds.encrypt(tweak, numbers).ok(),
            Direction::Decrypt => self.rounds.decrypt(tweak, numbers).ok(),
        }
    }
}

/// A text of at most two words.
struct Short {
    radix: u32,
    numbers: Vec<u16>,
}

/// Half of it: a number below radix^count, which is at most 2^32.
#[derive(Clone, Copy)]
struct Half {
    radix: u32,
    count: usize,
    value: u64,
}

impl Short {
    fn half(&self, numbers: &[u16]) -> Half {
        let value = numbers.iter().fold(0, |value, number| value * u64::from(self.radix) + u64::from(*number));
        Half { radix: self.radix, count: numbers.len(), value }
    }
}

impl NumeralString for Short {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        self.numbers.iter().all(|number| u32::from(*number) < radix)
    }

    fn numeral_count(&self) -> usize {
        self.numbers.len()
    }

    fn split(&self) -> (Half, Half) {
        let (a, b) = self.numbers.split_at(self.numbers.len() / 2);
        (self.half(a), self.half(b))
    }

    fn concat(a: Half, b: Half) -> Self {
        let mut numbers = vec![0; a.count + b.count];
        let (left, right) = numbers.split_at_mut(a.count);
        a.write(left);
        b.write(right);
        Self { radix: a.radix, numbers }
    }
}

impl Half {
    fn write(self, numbers: &mut [u16]) {
        let mut value = self.value;
        for number in numbers.iter_mut().rev() {
            *number = (value % u64::from(self.radix)) as u16;
            value /= u64::from(self.radix);
        }
    }

    fn modulus(&self, count: usize) -> u64 {
        u64::from(self.radix).pow(count as u32)
    }
}

/// The number that the bytes are, modulo `modulus`, which is at most 2^32.
fn residue(bytes: impl Iterator<Item = u8>, modulus: u64) -> u64 {
    // FF1 gives a multiple of four bytes; nothing depends on it here.
    let (mut rest, mut word, mut held) = (0u64, 0u64, 0u32);
    for byte in bytes {
        word = word << 8 | u64::from(byte);
        held += 8;
        if held == 32 {
            rest = ((rest << 32) | word) % modulus;
            (word, held) = (0, 0);
        }
    }
    ((rest << held) | word) % modulus
}

/// `b` bytes of a number.
pub(crate) struct Bytes {
    bytes: [u8; 16],
    count: usize,
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[16 - self.count..]
    }
}

impl Operations for Half {
    type Bytes = Bytes;

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn to_be_bytes(&self, _: u32, b: usize) -> Bytes {
        Bytes { bytes: u128::from(self.value).to_be_bytes(), count: b }
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, m: usize) -> Self {
        let modulus = self.modulus(m);
        Self { count: m, value: (self.value + residue(other, modulus)) % modulus, ..self }
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _: u32, m: usize) -> Self {
        let modulus = self.modulus(m);
        Self { count: m, value: (self.value + modulus - residue(other, modulus)) % modulus, ..self }
    }
}

#[cfg(test)]
mod tests {
    use aes::{Aes128Enc, Aes192Enc};
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn numbers(text: &str) -> Vec<u16> {
        text.chars().map(|character| character.to_digit(36).unwrap() as u16).collect()
    }

    fn both<T: NumeralString>(key: &str, radix: u32, tweak: &[u8], plain: &T, cipher: &T, show: fn(&T) -> Vec<u16>) {
        let key = hex(key);
        let (there, back) = match key.len() {
            16 => way::<Aes128Enc, T>(&key, radix, tweak, plain, cipher),
            24 => way::<Aes192Enc, T>(&key, radix, tweak, plain, cipher),
            _ => way::<Aes256Enc, T>(&key, radix, tweak, plain, cipher),
        };
        assert_eq!(show(&there), show(cipher));
        assert_eq!(show(&back), show(plain));
    }

    fn way<C, T: NumeralString>(key: &[u8], radix: u32, tweak: &[u8], plain: &T, cipher: &T) -> (T, T)
    where
        C: aes::cipher::KeyInit + aes::cipher::BlockCipherEncrypt + Clone,
    {
        let ff1 = FF1::<C>::new(key, radix).unwrap();
        (ff1.encrypt(tweak, plain).unwrap(), ff1.decrypt(tweak, cipher).unwrap())
    }

    /// NIST, "FF1samples.pdf" to SP 800-38G: samples 1 to 9, through the words of this file and through the crate's.
    #[test]
    fn samples_of_nist() {
        const KEY_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
        const KEY_192: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f";
        const KEY_256: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
        let samples = [
            (KEY_128, 10, "", "0123456789", "2433477484"),
            (KEY_128, 10, "39383736353433323130", "0123456789", "6124200773"),
            (KEY_128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
            (KEY_192, 10, "", "0123456789", "2830668132"),
            (KEY_192, 10, "39383736353433323130", "0123456789", "2496655549"),
            (KEY_192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
            (KEY_256, 10, "", "0123456789", "6657667009"),
            (KEY_256, 10, "39383736353433323130", "0123456789", "1001623463"),
            (KEY_256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
        ];
        for (key, radix, tweak, plain, cipher) in samples {
            let (tweak, plain, cipher) = (hex(tweak), numbers(plain), numbers(cipher));
            if radix == 10 {
                let short = |numbers: &Vec<u16>| Short { radix, numbers: numbers.clone() };
                both(key, radix, &tweak, &short(&plain), &short(&cipher), |text| text.numbers.clone());
            }
            let long = |numbers: &Vec<u16>| FlexibleNumeralString::from(numbers.clone());
            let show = |text: &FlexibleNumeralString| {
                let (mut a, b) = text.split();
                a = FlexibleNumeralString::concat(a, b);
                Vec::from(a)
            };
            both(key, radix, &tweak, &long(&plain), &long(&cipher), show);
            if key == KEY_256 {
                let ff1 = Ff1::new(hex(key).as_slice().try_into().unwrap(), radix).unwrap();
                assert_eq!(ff1.apply(Direction::Encrypt, &tweak, &plain), Some(cipher));
            }
        }
    }

    proptest! {
        #[test]
        fn words_do_what_big_integers_do(
            key in any::<[u8; 32]>(), radix in 2u32..300, seed in any::<u64>(), length in 1usize..40,
            tweak in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let ff1 = Ff1::new(&key, radix).unwrap();
            let mut random = crate::Random::new(seed);
            let numbers: Vec<u16> = (0..length).map(|_| random.below(u64::from(radix)) as u16).collect();
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let long = FlexibleNumeralString::from(numbers.clone());
                let expected = ff1.run(direction, &tweak, &long).map(Vec::from);
                prop_assert_eq!(ff1.apply(direction, &tweak, &numbers), expected);
            }
        }
    }
}
