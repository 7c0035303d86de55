//! How well the detectors do on synthetic data: `cargo run -p etl-pii --example precision` prints the table of docs and
//! reviews. The counting is in `tests/measure/mod.rs`, which the tests assert on.

#![allow(clippy::print_stdout)]

#[path = "../tests/measure/mod.rs"]
mod measure;

fn main() {
    print!("{}", measure::measure(7).table());
}
