//! `job schema`: the JSON Schema of the job file.

use crate::args::JobCommand;
use crate::failure::Failure;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) fn execute(args: &JobCommand, world: &mut World) -> Result<u8, Failure> {
    match args {
        JobCommand::Schema => world.output.document(&etl_engine::job::json_schema())?,
    }
    Ok(0)
}
