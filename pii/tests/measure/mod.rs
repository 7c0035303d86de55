//! Precision and recall of each type. A value counts as found with a confidence of a half or more, a column by the default
//! options. What is of another type counts against a type as much as what is of none.

use etl_pii::Random;
use etl_pii::detect::{ColumnScan, Detector, Entity, ScanOptions, registry};
use etl_pii::synthetic::{NEGATIVES, names_of, positive};

const POSITIVES: usize = 1000;
const NEGATIVES_OF_A_KIND: usize = 100;
const COLUMNS: usize = 10;
const ROWS: usize = 100;

/// What was found and what should have been.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Count {
    fn add(&mut self, is: bool, found: bool) {
        self.right += usize::from(is && found);
        self.wrong += usize::from(!is && found);
        self.missed += usize::from(is && !found);
    }

    /// The share of what was found that is right; nothing found is nothing wrong.
    pub(crate) fn precision(self) -> f64 {
        if self.right + self.wrong == 0 { 1.0 } else { self.right as f64 / (self.right + self.wrong) as f64 }
    }

    /// The share of what is there that was found.
    pub(crate) fn recall(self) -> f64 {
        self.right as f64 / (self.right + self.missed) as f64
    }
}

/// The counts of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) entity: Entity,
    /// Values by themselves.
    pub(crate) value: Count,
    /// Columns whose name says nothing.
    pub(crate) unnamed: Count,
    /// Columns with the names they have.
    pub(crate) named: Count,
}

/// The counts of all types.
pub(crate) struct All(pub(crate) Vec<Measured>);

struct Column {
    entity: Option<Entity>,
    name: &'static str,
    scan: ColumnScan,
}

pub(crate) fn measure(seed: u64) -> All {
    let mut random = Random::new(seed);
    let mut values: Vec<(Option<Entity>, String)> = Vec::new();
    let mut columns = Vec::new();
    for entity in Entity::ALL {
        values.extend((0..POSITIVES).map(|_| (Some(*entity), positive(*entity, &mut random))));
        for at in 0..COLUMNS {
            let names = names_of(*entity);
            let value = |random: &mut Random| positive(*entity, random);
            columns.push(Column {
                entity: Some(*entity),
                name: names[at % names.len()],
                scan: scan(at, value, &mut random),
            });
        }
    }
    for negative in NEGATIVES {
        values.extend((0..NEGATIVES_OF_A_KIND).map(|_| (None, negative.value(&mut random))));
        for at in 0..COLUMNS {
            let value = |random: &mut Random| negative.value(random);
            columns.push(Column { entity: None, name: negative.column, scan: scan(at, value, &mut random) });
        }
    }
    All(registry::all().iter().map(|detector| of_type(detector, &values, &columns)).collect())
}

/// A column, every other of them with a third of its values unknown.
fn scan(at: usize, mut value: impl FnMut(&mut Random) -> String, random: &mut Random) -> ColumnScan {
    let mut scan = ColumnScan::default();
    for row in 0..ROWS {
        match at % 2 == 1 && row % 3 == 0 {
            true => scan.add("unknown"),
            false => scan.add(&value(random)),
        }
    }
    scan
}

fn of_type(detector: &Detector, values: &[(Option<Entity>, String)], columns: &[Column]) -> Measured {
    let entity = detector.entity;
    let (mut value, mut unnamed, mut named) = (Count::default(), Count::default(), Count::default());
    for (of, text) in values {
        value.add(*of == Some(entity), detector.score(text).is_some_and(|score| score >= 0.5));
    }
    let options = ScanOptions::default();
    let suspected = |column: &Column, name| column.scan.suspects(name, &options).iter().any(|s| s.entity == entity);
    for column in columns {
        let is = column.entity == Some(entity);
        unnamed.add(is, suspected(column, "c1"));
        named.add(is, suspected(column, column.name));
    }
    Measured { entity, value, unnamed, named }
}

impl All {
    #[allow(dead_code)]
    pub(crate) fn table(&self) -> String {
        let mut table = String::from(
            "| type | value: precision | recall | column without a name: precision | recall | with its name: precision | recall |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for measured in &self.0 {
            table += &format!("| {} ", measured.entity);
            for count in [measured.value, measured.unnamed, measured.named] {
                table += &format!("| {:.3} | {:.3} ", count.precision(), count.recall());
            }
            table += "|\n";
        }
        table
    }
}
