//! Writes TPC-H `lineitem` as CSV or NDJSON: the data of the side-by-side runs.
//!
//! `lineitem --scale 1 --out lineitem.csv [--format csv|ndjson]`
#![allow(clippy::print_stderr, reason = "a command line program")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use tpchgen::csv::LineItemCsv;
use tpchgen::generators::{LineItem, LineItemGenerator};

struct Options {
    scale: f64,
    out: String,
    ndjson: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { scale: 1.0, out: String::new(), ndjson: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--scale" => options.scale = value()?.parse().map_err(|error| format!("--scale: {error}"))?,
            "--out" => options.out = value()?,
            "--format" => options.ndjson = value()? == "ndjson",
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if options.out.is_empty() { Err("--out FILE is missing".to_owned()) } else { Ok(options) }
}

fn json(item: &LineItem<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{{\"l_orderkey\":{},\"l_partkey\":{},\"l_suppkey\":{},\"l_linenumber\":{},\"l_quantity\":{},\"l_extendedprice\":{},\
         \"l_discount\":{},\"l_tax\":{},\"l_returnflag\":\"{}\",\"l_linestatus\":\"{}\",\"l_shipdate\":\"{}\",\
         \"l_commitdate\":\"{}\",\"l_receiptdate\":\"{}\",\"l_shipinstruct\":\"{}\",\"l_shipmode\":\"{}\",\"l_comment\":\"{}\"}}",
        item.l_orderkey,
        item.l_partkey,
        item.l_suppkey,
        item.l_linenumber,
        item.l_quantity,
        item.l_extendedprice,
        item.l_discount,
        item.l_tax,
        item.l_returnflag,
        item.l_linestatus,
        item.l_shipdate,
        item.l_commitdate,
        item.l_receiptdate,
        item.l_shipinstruct,
        item.l_shipmode,
        item.l_comment
    )
}

fn write(options: &Options) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&options.out)?);
    if !options.ndjson {
        writeln!(out, "{}", LineItemCsv::header())?;
    }
    for item in LineItemGenerator::new(options.scale, 1, 1).iter() {
        match options.ndjson {
            true => json(&item, &mut out)?,
            false => writeln!(out, "{}", LineItemCsv::new(item))?,
        }
    }
    out.flush()
}

fn main() -> ExitCode {
    let done = options().and_then(|options| write(&options).map_err(|error| error.to_string()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lineitem: {error}");
            ExitCode::from(2)
        }
    }
}
