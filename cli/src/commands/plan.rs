//! `plan`: what judging files on AWS will take and cost.

use etl_engine::job::open::read_text;
use etl_engine::plan::prices::{Prices, prices};
use etl_engine::plan::{Plan as Planned, plan, vcpus};
use etl_engine::source;
use etl_engine::workflow::{FunctionSize, Route};
use etl_engine::{Error, ErrorKind};

use crate::args::Plan;
use crate::failure::Failure;
use crate::render::numbers::{bytes, counted};
use crate::render::table;
use crate::world::World;

/// Files that are shown; the sums are of all.
const MAX_SHOWN: usize = 50;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Plan, world: &mut World) -> Result<u8, Failure> {
    if !(args.throughput > 0.0 && args.throughput.is_finite()) {
        return Err(Error::configuration("--throughput must be above zero").into());
    }
    let stores = world.stores.as_ref();
    let prices = match &args.prices {
        Some(file) => Prices::parse(&read_text(file, stores).await?)?,
        None => prices().clone(),
    };
    let mut files = Vec::new();
    for input in source::list(&args.inputs, stores).await? {
        let Some(size) = input.size else {
            return Err(Error::new(ErrorKind::Input, format!("the size of {} is not known", input.uri)).into());
        };
        files.push((input.uri, size));
    }
    let function = FunctionSize { memory_bytes: args.function_memory, disk_bytes: args.function_disk, arm: true };
    let planned = plan(&files, &function, &prices, args.throughput * 1e6);
    if args.json {
        let document = serde_json::to_value(&planned);
        let document = document.map_err(|why| Error::internal("a plan has no JSON form").with_source(why))?;
        world.output.document(&document)?;
        return Ok(0);
    }
    let text = text(&planned, &function, world);
    world.output.text(&text)?;
    Ok(0)
}

fn text(plan: &Planned, function: &FunctionSize, world: &World) -> String {
    let look = world.look;
    let shown = plan.files.iter().take(MAX_SHOWN).map(|file| {
        let route = match file.route {
            Route::Lambda => "function".to_owned(),
            Route::Container => {
                format!("container ({})", file.reasons.iter().map(reason).collect::<Vec<_>>().join(", "))
            }
        };
        vec![look.clean(&file.uri), bytes(file.bytes), route, format!("{:.1} s", file.seconds), usd(file.usd)]
    });
    let mut text = table(&["file", "size", "route", "time", "USD"], shown.collect(), &[1, 3, 4], look);
    if plan.files.len() > MAX_SHOWN {
        text.push_str(&format!("and {} more\n", plan.files.len() - MAX_SHOWN));
    }
    let (small, large) = vcpus(function);
    text.push_str(&format!(
        "\n{}: {} for judging and publishing, {} for requests, audit and state machine\n\
         total {}; {} for a thousand such files\n\
         Glue's floor for the same: {} when each file starts a run, {} when one run takes all\n\
         memory at most {}; {:.0} MB/s a vCPU reckoned with, {small:.1} vCPUs in the function, {large:.0} in the container\n\
         prices of {}, {}; time in queues, image pull and start left out\n",
        counted(plan.files.len() as u64, "file"),
        usd(plan.compute_usd),
        usd(plan.workflow_usd),
        usd(plan.total_usd),
        usd(plan.usd_per_thousand_files),
        usd(plan.glue_floor_per_file_usd),
        usd(plan.glue_floor_one_run_usd),
        bytes(plan.memory_bytes),
        plan.bytes_per_vcpu_second / 1e6,
        plan.region,
        plan.prices_as_of,
    ));
    text
}

fn reason(reason: &etl_engine::workflow::Reason) -> &'static str {
    use etl_engine::workflow::Reason;
    match reason {
        Reason::Time => "time",
        Reason::Room => "disk",
        Reason::Price => "price",
    }
}

/// Dollars with the digits that matter.
fn usd(value: f64) -> String {
    match value {
        value if value >= 1.0 => format!("${value:.2}"),
        value if value >= 0.001 => format!("${value:.4}"),
        value => format!("${value:.7}"),
    }
}
