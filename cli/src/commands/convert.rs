//! `convert`: an input to one file of another format.

use etl_engine::job::open;
use etl_engine::write::OutputFormat;
use etl_engine::{Action, Error};

use super::{finish, spec};
use crate::args::{Convert, JsonShape};
use crate::failure::Failure;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Convert, world: &mut World) -> Result<u8, Failure> {
    if args.output == "-" {
        let error = Error::configuration("convert writes to a file, not to standard output");
        return Err(error.with_help("give a path or a URL: -o out.csv").into());
    }
    let stores = world.stores.as_ref();
    let mut spec = spec::empty();
    spec::apply(&args.reading, &mut spec);
    spec::limit(&args.limits, &mut spec);
    if let Some(file) = &args.schema {
        spec.schema = Some(spec::schema(file, None, stores).await?);
    }
    let mut job = open::bind(&spec, "", "", stores).await?;
    job.locations.clone_from(&args.inputs);
    let action = Action::Convert { output: args.output.clone(), format: args.to.as_deref().and_then(format) };
    let report = world.run(async |context| etl_engine::run(job, action, context).await).await?;
    finish(&report, args.json.then_some(JsonShape::Own), None, world)
}

/// The names that the command line allows.
fn format(name: &str) -> Option<OutputFormat> {
    [OutputFormat::Parquet, OutputFormat::Csv, OutputFormat::Ndjson]
        .into_iter()
        .find(|format| format.extension() == name)
}
