//! `run`: a job from its file, published.

use etl_engine::Action;
use etl_engine::job::open;
use etl_engine::report::{CommitState, RunReport};

use super::{finish, shell, spec};
use crate::args::Run;
use crate::failure::Failure;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Run, world: &mut World) -> Result<u8, Failure> {
    let stores = world.stores.as_ref();
    let text = open::read_text(&args.job, stores).await?;
    let mut spec = open::parse(&args.job, &text, &args.sets)?;
    spec::rule(&args.ruling, &mut spec);
    spec::limit(&args.limits, &mut spec);
    let mut job = open::bind(&spec, &args.job, &text, stores).await?;
    if !args.inputs.is_empty() {
        job.locations.clone_from(&args.inputs);
    }
    let action = Action::Publish { dry_run: args.dry_run };
    let clients = world.clients.clone();
    let report = world
        .run(async |context| {
            let context = etl_aws::with_edges(&job, &clients, context);
            etl_engine::run(job, action, context).await
        })
        .await?;
    finish(&report, args.json, next(&report).as_deref(), world)
}

/// What the reader can do now.
fn next(report: &RunReport) -> Option<String> {
    let commit = report.commit.as_ref()?;
    Some(match commit.outcome {
        CommitState::Committed | CommitState::AlreadyCommitted => {
            format!("read it: etl-engine commits show {} --sql", shell(&commit.root))
        }
        CommitState::Staged => "commit what was staged".to_owned(),
        CommitState::DryRun => "publish it: run again without --dry-run".to_owned(),
        CommitState::NotCommitted if commit.rejects.is_some() => {
            "see the rejects for the rows and their reasons; correct the input and run again".to_owned()
        }
        CommitState::NotCommitted => "correct the input and run again".to_owned(),
    })
}
