//! What protecting a column costs: `cargo run --release -p etl-pii --example hmac_throughput`, one thread, batches of 8,192
//! rows, the best of 200: a batch fits in a time slice, so that a busy machine does not show.

#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use etl_pii::Random;
use etl_pii::protect::{
    Alphabet, Canonical, Encrypt, EncryptDeterministic, Fpe, FpeOptions, Key, MaskRange, OnMisfit, Place, Protect,
    Pseudonym, PseudonymOptions, RunId,
};

const ROWS: usize = 8192;

fn main() -> Result<(), String> {
    let key = Key::new("bench", std::array::from_fn(|at| at as u8))?;
    let email =
        |random: &mut Random| format!("person.number{}@mail{}.example.com", random.below(1 << 30), random.below(9));
    let columns: [(&str, ArrayRef); 4] = [
        ("SSN, 11 bytes", column(|r| format!("{:03}-{:02}-{:04}", r.below(900), r.below(100), r.below(10_000)))),
        ("UUID, 36 bytes", column(|r| uuid(r.next(), r.next()))),
        ("e-mail, 38 bytes", column(email)),
        ("text, 200 bytes", column(|r| format!("{:0200}", r.next()))),
    ];
    let hash = |canonical| Pseudonym::new(&key, PseudonymOptions { canonical, ..PseudonymOptions::default() });
    let card = FpeOptions { alphabet: Alphabet::Digits, least: None, luhn: false, on_misfit: OnMisfit::Fail };
    let kernels: [(&str, Box<dyn Protect>); 6] = [
        ("HMAC", Box::new(hash(Canonical::None)?)),
        ("HMAC, e-mail form", Box::new(hash(Canonical::Email)?)),
        ("AES-256-GCM-SIV", Box::new(EncryptDeterministic::new(&key, "bench"))),
        ("AES-256-GCM", Box::new(Encrypt::new(&key, "bench", RunId([1; 16]), 0))),
        ("mask all but last 4", Box::new(MaskRange::keep_last(4, '*'))),
        ("FF1 of digits", Box::new(Fpe::new(&key, "bench", card)?)),
    ];
    println!("| kernel | column | MB/s | ns a value |\n|---|---|---|---|");
    for (kernel_name, kernel) in &kernels {
        for (column_name, column) in &columns {
            if kernel_name.starts_with("FF1") && !column_name.starts_with("SSN") {
                continue;
            }
            print(kernel_name, column_name, kernel.as_ref(), column)?;
        }
    }
    let cards = column(|r| luhn(r.below(100_000_000_000_000)));
    print("FF1", "card, 16 bytes", &Fpe::new(&key, "bench", card_options(false))?, &cards)?;
    print("FF1 with Luhn", "card, 16 bytes", &Fpe::new(&key, "bench", card_options(true))?, &cards)
}

fn card_options(luhn: bool) -> FpeOptions {
    FpeOptions { alphabet: Alphabet::Digits, least: None, luhn, on_misfit: OnMisfit::Fail }
}

fn column(mut value: impl FnMut(&mut Random) -> String) -> ArrayRef {
    let mut random = Random::new(1);
    Arc::new((0..ROWS).map(|_| Some(value(&mut random))).collect::<StringArray>())
}

fn uuid(high: u64, low: u64) -> String {
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", low >> 48 | 0x8000, low & 0xffff_ffff_ffff)
}

fn luhn(digits: u64) -> String {
    let stem = format!("4{digits:014}");
    let numbers = (0..10).map(|check| format!("{stem}{check}"));
    numbers.into_iter().find(|number| etl_pii::checksum::luhn(number.as_bytes())).unwrap_or_default()
}

fn print(kernel_name: &str, column_name: &str, kernel: &dyn Protect, column: &ArrayRef) -> Result<(), String> {
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        std::hint::black_box(kernel.protect(column, Place::default())?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let bytes = column.as_string::<i32>().values().len() as f64;
    let nanoseconds = best * 1e9 / column.len() as f64;
    println!("| {kernel_name} | {column_name} | {:.0} | {nanoseconds:.0} |", bytes / best / 1e6);
    Ok(())
}
