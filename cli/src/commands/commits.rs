//! `commits`: what was published, as its manifests say, and what no manifest names.

use etl_engine::commit::{self, Manifest, RunId};
use etl_engine::source::{Located, locate};
use etl_engine::{Error, ErrorKind};
use serde_json::{Value, json};

use super::list;
use crate::args::Commits;
use crate::failure::Failure;
use crate::render::numbers::{bytes, count, counted};
use crate::render::table;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: Commits, world: &mut World) -> Result<u8, Failure> {
    match args {
        Commits::List { root, json } => {
            let manifests = commit::list(&locate(&root, world.stores.as_ref())?).await?;
            print_list(&manifests, json, world)
        }
        Commits::Show { root, run_id, files, sql, json } => {
            let root = locate(&root, world.stores.as_ref())?;
            let manifests = match &run_id {
                Some(run_id) => vec![find(&root, run_id).await?],
                None => commit::list(&root).await?,
            };
            let paths = match (&run_id, files || sql) {
                (_, false) => Vec::new(),
                // Of one run: what it wrote, whatever became of it.
                (Some(_), true) => manifests.iter().flat_map(|manifest| data_files(&root, manifest)).collect(),
                (None, true) => current_files(&root, &manifests).await?,
            };
            match (files, sql) {
                (true, _) => print_files(paths, json, world),
                (_, true) => print_sql(&root, &paths, json, world),
                _ => print_manifests(&root, &manifests, run_id.is_some(), json, world),
            }
        }
        Commits::Gc { root, older_than, dry_run, json } => {
            let root = locate(&root, world.stores.as_ref())?;
            let garbage = commit::gc(&root, older_than, chrono::Utc::now(), dry_run).await?;
            let size: u64 = garbage.iter().map(|file| file.size).sum();
            if json {
                let files = garbage.iter().map(|file| json!({"path": root.uri_of(&file.path), "size": file.size}));
                let files: Vec<Value> = files.collect();
                world.output.document(&json!({"dry_run": dry_run, "bytes": size, "files": files}))?;
                return Ok(0);
            }
            for file in &garbage {
                let path = world.look.clean(&root.uri_of(&file.path));
                world.output.text(&format!("{path}  {}\n", bytes(file.size)))?;
            }
            let done = if dry_run { "would be deleted" } else { "deleted" };
            let files = counted(garbage.len() as u64, "file");
            world.output.text(&format!("{files}, {}, that no commit names {done}\n", bytes(size)))?;
            Ok(0)
        }
    }
}

/// The commit of a run, by its id or the beginning of it.
async fn find(root: &Located, run_id: &str) -> Result<Manifest, Error> {
    if let Some(manifest) = commit::find(root, &RunId(run_id.to_owned())).await? {
        return Ok(manifest);
    }
    let begins = |manifest: &Manifest| !run_id.is_empty() && manifest.run_id.0.starts_with(run_id);
    let mut found = commit::list(root).await?.into_iter().filter(begins);
    match (found.next(), found.next()) {
        (Some(manifest), None) => Ok(manifest),
        (Some(_), Some(_)) => Err(Error::configuration(format!("several runs begin with {run_id}"))
            .with_help("give more digits of the run's id")),
        _ => Err(Error::new(ErrorKind::Input, format!("no commit of run {run_id} in {}", root.uri))
            .with_help("see `etl-engine commits list ROOT`")),
    }
}

/// The files that the job's own table consists of now.
async fn current_files(root: &Located, manifests: &[Manifest]) -> Result<Vec<String>, Error> {
    let parts = commit::parts(manifests, &commit::compactions(root).await?);
    let own = parts.into_iter().filter(|part| part.table.is_none());
    Ok(own.flat_map(|part| part.files).map(|file| root.uri_of(&file.path)).collect())
}

fn data_files(root: &Located, manifest: &Manifest) -> Vec<String> {
    manifest.files.iter().map(|file| root.uri_of(&file.path)).collect()
}

fn value(manifest: &Manifest) -> Result<Value, Error> {
    let value = serde_json::to_value(manifest);
    value.map_err(|error| Error::internal("the manifest cannot be written as JSON").with_source(error))
}

fn size(manifest: &Manifest) -> u64 {
    manifest.files.iter().map(|file| file.size).sum()
}

fn print_list(manifests: &[Manifest], json: bool, world: &mut World) -> Result<u8, Failure> {
    if json {
        let commits = manifests.iter().map(|manifest| {
            json!({
                "run_id": manifest.run_id,
                "attempt": manifest.attempt,
                "job": manifest.job,
                "committed_at": manifest.committed_at,
                "rows": manifest.rows,
                "files": manifest.files.len(),
                "bytes": size(manifest),
            })
        });
        world.output.document(&list("commits", commits.collect()))?;
        return Ok(0);
    }
    if manifests.is_empty() {
        world.output.text("no commits\n")?;
        return Ok(0);
    }
    let rows = manifests.iter().map(|manifest| {
        vec![
            manifest.run_id.0.clone(),
            manifest.committed_at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            manifest.job.as_deref().map(|job| world.look.clean(job)).unwrap_or_default(),
            count(manifest.rows.accepted),
            count(manifest.rows.rejected),
            count(manifest.files.len() as u64),
            bytes(size(manifest)),
        ]
    });
    let header = ["run", "committed", "job", "rows", "rejected", "files", "size"];
    let text = table(&header, rows.collect(), &[3, 4, 5, 6], world.look);
    world.output.text(&text)?;
    Ok(0)
}

fn print_files(paths: Vec<String>, json: bool, world: &mut World) -> Result<u8, Failure> {
    if json {
        world.output.document(&list("files", paths.into_iter().map(Value::from).collect()))?;
        return Ok(0);
    }
    for path in paths {
        // For programs, so as it is.
        world.output.text(&format!("{path}\n"))?;
    }
    Ok(0)
}

fn print_sql(root: &Located, paths: &[String], json: bool, world: &mut World) -> Result<u8, Failure> {
    if paths.is_empty() {
        let error = Error::new(ErrorKind::Input, format!("no data files are published in {}", root.uri));
        return Err(error.with_help("see `etl-engine commits list ROOT`").into());
    }
    let sql = read_parquet(paths);
    match json {
        true => world.output.document(&json!({"sql": sql}))?,
        false => world.output.text(&format!("{sql}\n"))?,
    }
    Ok(0)
}

/// The files as a table of DuckDB.
fn read_parquet(paths: &[String]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("'{}'", path.replace('\'', "''"))).collect();
    format!("read_parquet([{}], hive_partitioning = true, union_by_name = true)", quoted.join(", "))
}

fn print_manifests(
    root: &Located,
    manifests: &[Manifest],
    one: bool,
    json: bool,
    world: &mut World,
) -> Result<u8, Failure> {
    if json {
        let mut values = manifests.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let document = if one && values.len() == 1 { values.remove(0) } else { list("commits", values) };
        world.output.document(&document)?;
        return Ok(0);
    }
    let look = world.look;
    for manifest in manifests {
        let mut text = format!("run {}  committed {}\n", manifest.run_id, manifest.committed_at.to_rfc3339());
        if let Some(job) = &manifest.job {
            text.push_str(&format!("job       {}\n", look.clean(job)));
        }
        for input in &manifest.inputs {
            text.push_str(&format!("input     {}  {}\n", look.clean(&input.uri), bytes(input.size)));
        }
        let rows = manifest.rows;
        text.push_str(&format!(
            "rows      read {}  accepted {}  rejected {}  filtered {}\n",
            count(rows.read),
            count(rows.accepted),
            count(rows.rejected),
            count(rows.filtered)
        ));
        for file in &manifest.files {
            let path = look.clean(&root.uri_of(&file.path));
            text.push_str(&format!("file      {path}  {}  {}\n", counted(file.rows, "row"), bytes(file.size)));
        }
        for table in &manifest.tables {
            for file in &table.files {
                let (name, path) = (look.clean(&table.name), look.clean(&root.uri_of(&file.path)));
                text.push_str(&format!("{name:<9} {path}  {}  {}\n", counted(file.rows, "row"), bytes(file.size)));
            }
        }
        if let Some(rejects) = &manifest.rejects {
            text.push_str(&format!("rejects   {}\n", look.clean(&root.uri_of(&rejects.path))));
        }
        world.output.text(&text)?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_paths_stay_in_their_literal() {
        let paths = ["a/x.parquet".to_owned(), "it's.parquet".to_owned()];
        assert_eq!(
            read_parquet(&paths),
            "read_parquet(['a/x.parquet', 'it''s.parquet'], hive_partitioning = true, union_by_name = true)"
        );
    }
}
