//! Which files are put together: pure, so that it can be read and tested by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::catalog::{TableColumn, TableShape};
use crate::commit::{Part, PartitionValues};

/// What is asked of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// About how large a file is to become.
    pub(super) file_bytes: u64,
    /// Only files of commits up to then.
    pub(super) until: DateTime<Utc>,
    /// Only partitions with at least so many small files.
    pub(super) min_files: usize,
}

/// The small files of one partition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rewrite {
    /// The partition.
    pub(super) partition: PartitionValues,
    /// Its parts, oldest first.
    pub(super) parts: Vec<Part>,
}

impl Rewrite {
    pub(super) fn files(&self) -> u64 {
        self.parts.iter().map(|part| part.files.len() as u64).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.parts.iter().map(Part::rows).sum()
    }
}

/// What is to be done with one table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TablePlan {
    /// Its name; `None`: the job's own.
    pub(super) table: Option<String>,
    /// The columns of its new files: those of all that is put together.
    pub(super) shape: TableShape,
    /// One of each kind of files, the newest first, from which the columns' spelling is taken.
    pub(super) examples: Vec<Part>,
    /// Partition by partition.
    pub(super) rewrites: Vec<Rewrite>,
}

/// The work, and why some files are left as they are.
pub(super) fn plan(parts: &[Part], wanted: &Wanted) -> (Vec<TablePlan>, Vec<String>) {
    let mut tables: BTreeMap<&Option<String>, Vec<&Part>> = BTreeMap::new();
    parts.iter().for_each(|part| tables.entry(&part.table).or_default().push(part));
    let mut left = Vec::new();
    let planned = tables.into_iter().filter_map(|(table, parts)| of_table(table, &parts, wanted, &mut left));
    (planned.collect(), left)
}

fn of_table(table: &Option<String>, parts: &[&Part], wanted: &Wanted, left: &mut Vec<String>) -> Option<TablePlan> {
    // The newest says what the table is; what came in between may differ.
    let mut shape: TableShape = (*parts.last()?.shape).clone();
    let mut examples: Vec<Part> = Vec::new();
    let mut fitting: Vec<&Part> = Vec::new();
    let mut misfits: BTreeMap<String, usize> = BTreeMap::new();
    for part in parts.iter().rev() {
        if !examples.iter().any(|example| Arc::ptr_eq(&example.shape, &part.shape) || example.shape == part.shape) {
            match united(&shape, &part.shape) {
                Ok(columns) => shape.columns = columns,
                Err(why) => {
                    *misfits.entry(why).or_default() += part.files.len();
                    continue;
                }
            }
            examples.push((*part).clone());
        }
        fitting.push(part);
    }
    let name = table.as_ref().map_or_else(|| "the table".to_owned(), |name| format!("`{name}`"));
    left.extend(misfits.into_iter().map(|(why, files)| format!("{files} files of {name} are left as they are: {why}")));
    let mut partitions: BTreeMap<&PartitionValues, Vec<Part>> = BTreeMap::new();
    for part in fitting.into_iter().rev().filter(|part| part.committed_at <= wanted.until) {
        // Files that are large already gain nothing; a run's files in a partition are taken whole or not at all.
        if part.bytes() / (part.files.len() as u64).max(1) < wanted.file_bytes / 2 {
            partitions.entry(&part.partition).or_default().push(part.clone());
        }
    }
    let rewrites: Vec<Rewrite> = partitions
        .into_iter()
        .map(|(partition, parts)| Rewrite { partition: partition.clone(), parts })
        .filter(|rewrite| {
            let after = rewrite.bytes().div_ceil(wanted.file_bytes.max(1)).max(1);
            rewrite.files() >= wanted.min_files as u64 && rewrite.files() > after
        })
        .collect();
    (!rewrites.is_empty()).then(|| TablePlan { table: table.clone(), shape, examples, rewrites })
}

/// The columns of both, those of `newer` first.
fn united(newer: &TableShape, older: &TableShape) -> Result<Vec<TableColumn>, String> {
    if newer.columns.is_empty() || older.columns.is_empty() {
        return Err("their manifests, or that of the newest files, do not say which columns there are".to_owned());
    }
    if newer.partition_keys != older.partition_keys {
        return Err("they are partitioned by other columns than the newest files".to_owned());
    }
    let mut columns = newer.columns.clone();
    for column in &older.columns {
        match columns.iter().find(|known| known.is(&column.name)) {
            None => columns.push(column.clone()),
            Some(known) if known.column_type == column.column_type => {}
            Some(known) => {
                return Err(format!(
                    "`{}` is {} in them and {} in newer files",
                    column.name, column.column_type, known.column_type
                ));
            }
        }
    }
    Ok(columns)
}

/// Cuts the work into pieces of about `bytes`, each of which is committed by itself.
pub(super) fn rounds(plans: Vec<TablePlan>, bytes: u64) -> Vec<Vec<TablePlan>> {
    let mut rounds: Vec<Vec<TablePlan>> = Vec::new();
    let mut room = 0;
    for plan in plans {
        for rewrite in plan.rewrites {
            let needs = rewrite.bytes();
            if needs > room || rounds.is_empty() {
                rounds.push(Vec::new());
                room = bytes.max(needs);
            }
            room -= needs;
            let Some(round) = rounds.last_mut() else { continue };
            match round.last_mut().filter(|last| last.table == plan.table) {
                Some(last) => last.rewrites.push(rewrite),
                None => round.push(TablePlan {
                    table: plan.table.clone(),
                    shape: plan.shape.clone(),
                    examples: plan.examples.clone(),
                    rewrites: vec![rewrite],
                }),
            }
        }
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::RunId;
    use crate::write::DataFile;

    const MIB: u64 = 1 << 20;

    fn part(run: &str, day: &str, sizes: &[u64], columns: &[(&str, &str)]) -> Part {
        let shape = TableShape {
            columns: columns.iter().map(|(name, of)| TableColumn::new(name, of)).collect(),
            partition_keys: vec![TableColumn::new("day", "string")],
        };
        let partition = vec![("day".to_owned(), Some(day.to_owned()))];
        let file = |(index, size): (usize, &u64)| DataFile {
            path: format!("data/{run}/{day}/{index}.parquet"),
            size: *size,
            rows: 10,
            sha256: String::new(),
            partition: partition.clone(),
        };
        Part {
            table: None,
            partition: partition.clone(),
            run_id: RunId(run.to_owned()),
            committed_at: DateTime::UNIX_EPOCH,
            rows_of: DateTime::UNIX_EPOCH,
            shape: Arc::new(shape),
            files: sizes.iter().enumerate().map(file).collect(),
        }
    }

    const ID: [(&str, &str); 1] = [("id", "bigint")];

    fn wanted() -> Wanted {
        Wanted { file_bytes: 100 * MIB, until: DateTime::UNIX_EPOCH, min_files: 2 }
    }

    fn runs(plan: &TablePlan) -> Vec<Vec<&str>> {
        plan.rewrites.iter().map(|of| of.parts.iter().map(|part| part.run_id.0.as_str()).collect()).collect()
    }

    #[test]
    fn small_files_of_a_partition_are_put_together_and_large_ones_left() {
        let parts = [
            part("a", "1", &[MIB], &ID),
            part("b", "1", &[90 * MIB], &ID),
            part("c", "1", &[MIB, MIB], &ID),
            part("d", "2", &[MIB], &ID),
            part("e", "3", &[100 * MIB, 20 * MIB], &ID),
            part("f", "4", &[MIB; 3], &ID),
        ];
        let (plans, left) = plan(&parts, &wanted());
        assert_eq!((plans.len(), left), (1, Vec::new()));
        // Of the second partition there is but one; files of 100 and 20 MiB are as few as they can be.
        assert_eq!(runs(&plans[0]), [vec!["a", "c"], vec!["f"]]);
        let few = Wanted { min_files: 4, ..wanted() };
        assert!(plan(&parts, &few).0.is_empty());
    }

    #[test]
    fn what_was_put_together_is_not_put_together_again() {
        let (plans, _) = plan(&[part("compaction-000001", "1", &[100 * MIB, 3 * MIB], &ID)], &wanted());
        assert!(plans.is_empty());
        let young = Wanted { until: DateTime::UNIX_EPOCH - chrono::TimeDelta::seconds(1), ..wanted() };
        assert!(plan(&[part("a", "1", &[1], &ID), part("b", "1", &[1], &ID)], &young).0.is_empty());
    }

    #[test]
    fn columns_are_those_of_all_and_what_cannot_be_united_is_left_and_told() {
        let parts = [
            part("a", "1", &[1], &[("id", "string")]),
            part("b", "1", &[1], &[("gone", "date"), ("id", "bigint")]),
            part("c", "1", &[1], &[("id", "bigint"), ("new", "int")]),
        ];
        let (plans, left) = plan(&parts, &wanted());
        let names: Vec<&str> = plans[0].shape.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "new", "gone"]);
        assert_eq!(runs(&plans[0]), [["b", "c"]]);
        assert_eq!(
            left,
            ["1 files of the table are left as they are: `id` is string in them and bigint in newer files"]
        );
    }

    #[test]
    fn files_whose_columns_are_not_known_are_left() {
        let parts = [part("a", "1", &[1], &[]), part("b", "1", &[1], &[])];
        let (plans, left) = plan(&parts, &wanted());
        assert!(plans.is_empty() && left.len() == 1 && left[0].starts_with("2 files"), "{left:?}");
        let mixed = [part("a", "1", &[1], &[]), part("b", "1", &[1], &ID), part("c", "1", &[1], &ID)];
        let (plans, left) = plan(&mixed, &wanted());
        assert_eq!((runs(&plans[0]), left.len()), (vec![vec!["b", "c"]], 1));
    }

    #[test]
    fn rounds_hold_so_many_bytes_and_every_rewrite_once() {
        let parts: Vec<Part> = ["1", "2", "3", "4", "5"]
            .iter()
            .flat_map(|day| [part("a", day, &[2 * MIB], &ID), part("b", day, &[2 * MIB], &ID)])
            .collect();
        let (plans, _) = plan(&parts, &wanted());
        let sizes = |bytes| -> Vec<usize> {
            rounds(plans.clone(), bytes).iter().map(|round| round.iter().map(|of| of.rewrites.len()).sum()).collect()
        };
        assert_eq!(sizes(8 * MIB), [2, 2, 1]);
        assert_eq!(sizes(1), [1; 5]);
        assert_eq!(sizes(u64::MAX), [5]);
    }
}
