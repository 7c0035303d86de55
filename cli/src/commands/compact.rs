//! `compact`: the small files of a published table put together.

use etl_engine::job::open;
use etl_engine::{CompactOptions, CompactReport, Error, compact};

use super::{shell, spec};
use crate::args::Compact;
use crate::failure::Failure;
use crate::render::numbers::{bytes, count, counted};
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Compact, world: &mut World) -> Result<u8, Failure> {
    let stores = world.stores.as_ref();
    let text = open::read_text(&args.job, stores).await?;
    let mut spec = open::parse(&args.job, &text, &args.sets)?;
    spec::limit(&args.limits, &mut spec);
    let job = open::bind(&spec, &args.job, &text, stores).await?;
    let options = CompactOptions { older_than: args.older_than, min_files: args.min_files, dry_run: args.dry_run };
    let clients = world.clients.clone();
    let report = world
        .run(async |context| {
            let context = etl_aws::with_edges(&job, &clients, context);
            compact(job, options, context).await
        })
        .await?;
    if args.json {
        let document = serde_json::to_value(&report);
        let document = document.map_err(|why| Error::internal("a report has no JSON form").with_source(why))?;
        world.output.document(&document)?;
        return Ok(0);
    }
    let text = render(&report, world);
    world.output.text(&text)?;
    Ok(0)
}

fn render(report: &CompactReport, world: &World) -> String {
    let mut text = String::new();
    for warning in &report.warnings {
        text.push_str(&format!("warning: {}\n", world.look.clean(warning)));
    }
    if report.partitions == 0 {
        text.push_str("nothing to do: no partition has several small files\n");
        return text;
    }
    let partitions = counted(report.partitions, "partition");
    let before = format!("{} of {}", counted(report.files_before, "small file"), bytes(report.bytes_before));
    let rows = count(report.rows);
    match report.bytes_after {
        None => {
            let after = counted(report.files_after, "file");
            text.push_str(&format!("{before} in {partitions} ({rows} rows) would become about {after}\n"));
        }
        Some(after) => {
            let after = format!("{} of {}", counted(report.files_after, "file"), bytes(after));
            text.push_str(&format!("{before} in {partitions} ({rows} rows) became {after}\n"));
            let root = shell(&report.root);
            text.push_str(&format!("delete the old ones once no reader is at them: etl-engine commits gc {root}\n"));
        }
    }
    text
}
