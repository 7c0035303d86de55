//! Values that are of no type and look like one.

use super::{between, fill, one_of};
use crate::Random;

/// Values of one kind that are personal data of no type.
#[derive(Debug)]
pub struct Negative {
    /// What a column of them is called.
    pub column: &'static str,
    make: fn(&mut Random) -> String,
}

impl Negative {
    /// A value.
    pub fn value(&self, random: &mut Random) -> String {
        (self.make)(random)
    }
}

const WORDS: &[&str] = &[
    "delivered",
    "pending",
    "north",
    "blue",
    "invoice",
    "late",
    "Monday",
    "Refund",
    "standard",
    "express",
    "gift",
    "N/A",
    "unknown",
    "true",
    "Berlin",
    "Oak",
    "premium",
    "yes",
];
const PLACES: &[&str] =
    &["Oak Street", "New York", "Market Square", "Jackson Hole", "San Diego", "Mill Lane", "Park Avenue"];
const FIRMS: &[&str] = &["Northwind Traders", "Acme Corp.", "Globex", "Smith & Sons", "Blue Sky Ltd", "Umbrella Inc."];

/// All kinds.
#[rustfmt::skip]
pub const NEGATIVES: &[Negative] = &[
    Negative { column: "order_no", make: |r| fill("ORD-####-######", r) },
    Negative { column: "order_id", make: |r| fill("##########", r) },
    Negative { column: "invoice_id", make: |r| fill("################", r) },
    Negative { column: "ticket", make: |r| fill("#########", r) },
    Negative { column: "batch_no", make: |r| fill("############", r) },
    Negative { column: "row_number", make: |r| r.below(100_000).to_string() },
    Negative { column: "price", make: |r| format!("{}.{:02}", r.below(5000), r.below(100)) },
    Negative { column: "amount_usd", make: |r| format!("${},{:03}.{:02}", between(1, 99, r), r.below(1000), r.below(100)) },
    Negative { column: "epoch", make: |r| between(1_500_000_000, 1_800_000_000, r).to_string() },
    Negative { column: "epoch_ms", make: |r| between(1_500_000_000_000, 1_800_000_000_000, r).to_string() },
    Negative { column: "time_of_day", make: |r| format!("{:02}:{:02}:{:02}", r.below(24), r.below(60), r.below(60)) },
    Negative { column: "uuid", make: |r| {
        let (high, low) = (r.next(), r.next());
        format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xfff, low >> 48 | 0x8000, low & 0xffff_ffff_ffff)
    } },
    Negative { column: "sha256", make: |r| format!("{:016x}{:016x}{:016x}{:016x}", r.next(), r.next(), r.next(), r.next()) },
    Negative { column: "version", make: |r| format!("{}.{}.{}", r.below(20), r.below(40), r.below(100)) },
    Negative { column: "build", make: |r| format!("{}.{}.{}.{}", r.below(12), r.below(20), r.below(30), r.below(20)) },
    Negative { column: "sku", make: |r| fill("?####", r) },
    Negative { column: "product_code", make: |r| fill("??-####-?", r) },
    Negative { column: "part", make: |r| fill("??#######", r) },
    Negative { column: "asin", make: |r| fill("B0##?#?#??", r) },
    Negative { column: "isbn", make: |r| fill("978##########", r) },
    Negative { column: "imei", make: |r| fill("35#############", r) },
    Negative { column: "tracking", make: |r| fill("1Z###??##########", r) },
    Negative { column: "customer_ref", make: |r| fill("###-####-###", r) },
    Negative { column: "device_ref", make: |r| fill("###-###-###-####", r) },
    Negative { column: "zip", make: |r| fill("#####", r) },
    Negative { column: "zip4", make: |r| fill("#####-####", r) },
    Negative { column: "plate", make: |r| fill("???-####", r) },
    Negative { column: "flight", make: |r| fill("??###", r) },
    Negative { column: "latitude", make: |r| format!("{}{}.{:06}", if r.below(2) == 0 { "-" } else { "" }, r.below(90), r.below(1_000_000)) },
    Negative { column: "percent", make: |r| format!("{}.{}%", r.below(100), r.below(10)) },
    Negative { column: "status", make: |r| one_of(WORDS, r).to_owned() },
    Negative { column: "comment", make: |r| format!("{} {} {}", one_of(WORDS, r), one_of(WORDS, r), one_of(WORDS, r)) },
    Negative { column: "city", make: |r| one_of(PLACES, r).to_owned() },
    Negative { column: "street", make: |r| format!("{} {}", r.below(300), one_of(PLACES, r)) },
    Negative { column: "vendor", make: |r| one_of(FIRMS, r).to_owned() },
    Negative { column: "handle", make: |r| format!("@{}{}", one_of(WORDS, r), r.below(99)) },
    Negative { column: "git_remote", make: |r| format!("git@host:{}/{}.git", one_of(WORDS, r), r.below(99)) },
    Negative { column: "url", make: |r| format!("https://example.com/{}/{}", one_of(WORDS, r), r.below(9999)) },
    Negative { column: "file", make: |r| fill("report_####-##.csv", r) },
];
