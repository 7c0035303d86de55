//! The short form: every seed, and mutations of it that are the same each time.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use super::TARGETS;

/// Mutations of a target's seeds.
const MUTATIONS: usize = 500;

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Numbers that look like chance: xorshift64*, Vigna 2016.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

/// Bytes that mean something to one format or another.
const TELLING: &[u8] = b",;\t\"'\n\r\\{}[]:.-+e0159 a\0\xFF\xC3\xA9";

/// A seed with some of its bytes changed, taken out, repeated, or put together with another one's.
fn mutated(chance: &mut Chance, seeds: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].1.clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let length = chance.below(9).min(bytes.len() - at);
        match chance.below(6) {
            0 => bytes.insert(at, chance.below(256) as u8),
            1 => bytes.insert(at, TELLING[chance.below(TELLING.len())]),
            2 if length > 0 => bytes[at] = TELLING[chance.below(TELLING.len())],
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let piece = bytes[at..at + length].repeat(1 + chance.below(12));
                bytes.splice(at..at, piece);
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())].1;
                bytes.truncate(at);
                bytes.extend_from_slice(&other[chance.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}

/// No seed of a target is a finding, and no mutation of one.
fn check(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    for (path, seed) in &seeds {
        assert!(catch_unwind(|| target(seed)).is_ok(), "{name}: {}", path.display());
    }
    let mut chance = Chance(0x5EED_0F5E_ED0F_5EED);
    for _ in 0..MUTATIONS {
        let input = mutated(&mut chance, &seeds);
        assert!(catch_unwind(|| target(&input)).is_ok(), "{name}: b\"{}\"", input.escape_ascii());
    }
}

#[test]
fn csv() {
    check("csv");
}

#[test]
fn dqdl() {
    check("dqdl");
}

#[test]
fn infer() {
    check("infer");
}

#[test]
fn ndjson() {
    check("ndjson");
}

#[test]
fn numbers() {
    check("numbers");
}

#[test]
fn every_target_has_its_file_and_its_entry() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut files: Vec<String> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, TARGETS.map(|(name, _)| name));
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
