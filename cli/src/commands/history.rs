//! `history`: the metrics of published runs, which rules like `RowCount > avg(last(10)) * 0.6` look back at.

use etl_engine::history::{HistoryEntry, HistoryStore, StoreHistory, unrecorded};
use etl_engine::source::locate;
use serde_json::{Value, json};

use super::list;
use crate::args::{Export, History, HistoryOf};
use crate::failure::Failure;
use crate::render::table;
use crate::world::World;

/// Does it; gives the exit code.
pub(super) async fn execute(args: History, world: &mut World) -> Result<u8, Failure> {
    match args {
        History::List { of, json } => {
            let points = points(&of, world).await?;
            if json {
                world.output.document(&document(&points))?;
                return Ok(0);
            }
            print(&points, world)
        }
        History::Export { of, format, json } => {
            let points = points(&of, world).await?;
            match if json { Export::Json } else { format } {
                Export::Json => world.output.document(&document(&points))?,
                Export::Csv => world.output.text(&csv(&points))?,
                Export::Ndjson => {
                    for point in &points {
                        world.output.text(&format!("{}\n", point.value()))?;
                    }
                }
            }
            Ok(0)
        }
    }
}

/// One metric of one run.
struct Point {
    dataset: String,
    at: String,
    run_id: String,
    metric: String,
    filter: Option<String>,
    value: f64,
}

impl Point {
    fn value(&self) -> Value {
        json!({
            "dataset": self.dataset,
            "at": self.at,
            "run_id": self.run_id,
            "metric": self.metric,
            "where": self.filter,
            "value": self.value,
        })
    }
}

/// The points asked for, newest first; runs that were killed before their metrics were appended are among them.
async fn points(of: &HistoryOf, world: &World) -> Result<Vec<Point>, Failure> {
    let root = locate(&of.root, world.stores.as_ref())?;
    let store = StoreHistory::new(root.clone());
    let mut entries = store.read(of.dataset.as_deref(), usize::MAX).await?;
    let late = unrecorded(&root, &store).await?;
    entries.extend(late.into_iter().filter(|entry| of.dataset.as_ref().is_none_or(|name| *name == entry.dataset)));
    entries.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.run_id.cmp(&a.run_id)));
    let wanted = |metric: &str| of.metric.as_ref().is_none_or(|name| name == metric);
    let of_entry = |entry: HistoryEntry| {
        let HistoryEntry { dataset, run_id, at, metrics, .. } = entry;
        metrics.into_iter().filter(|metric| wanted(&metric.metric)).map(move |metric| Point {
            dataset: dataset.clone(),
            at: at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            run_id: run_id.to_string(),
            metric: metric.metric,
            filter: metric.filter,
            value: metric.value,
        })
    };
    Ok(entries.into_iter().flat_map(of_entry).collect())
}

fn document(points: &[Point]) -> Value {
    list("metrics", points.iter().map(Point::value).collect())
}

fn print(points: &[Point], world: &mut World) -> Result<u8, Failure> {
    if points.is_empty() {
        world.output.text("no metrics\n")?;
        return Ok(0);
    }
    let look = world.look;
    let filters = points.iter().any(|point| point.filter.is_some());
    let rows = points.iter().map(|point| {
        let mut row = vec![
            point.at.get(..19).unwrap_or(&point.at).replace('T', " ") + "Z",
            look.clean(&point.dataset),
            look.clean(&point.run_id),
            look.clean(&point.metric),
            point.value.to_string(),
        ];
        if filters {
            row.push(look.clean(point.filter.as_deref().unwrap_or_default()));
        }
        row
    });
    let header = ["committed", "dataset", "run", "metric", "value", "where"];
    let shown = if filters { header.len() } else { header.len() - 1 };
    let text = table(&header[..shown], rows.collect(), &[4], look);
    world.output.text(&text)?;
    Ok(0)
}

/// RFC 4180, lines ended by LF; no `where` is an empty field.
fn csv(points: &[Point]) -> String {
    let mut text = "dataset,at,run_id,metric,where,value\n".to_owned();
    for point in points {
        let filter = point.filter.as_deref().unwrap_or_default();
        let fields = [&point.dataset, &point.at, &point.run_id, &point.metric, filter].map(field);
        text.push_str(&format!("{},{}\n", fields.join(","), point.value));
    }
    text
}

fn field(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_keeps_every_text() {
        let point = Point {
            dataset: "a,b".to_owned(),
            at: "2024-01-01T00:00:00.000000Z".to_owned(),
            run_id: "ab".to_owned(),
            metric: "Column.x.Mean".to_owned(),
            filter: Some("y = \"1\"".to_owned()),
            value: 0.1,
        };
        let line = "\"a,b\",2024-01-01T00:00:00.000000Z,ab,Column.x.Mean,\"y = \"\"1\"\"\",0.1";
        assert_eq!(csv(&[point]), format!("dataset,at,run_id,metric,where,value\n{line}\n"));
    }
}
