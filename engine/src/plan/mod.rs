//! What judging files will take before it is done: route, seconds, memory, USD, beside what Glue charges at least.
//!
//! Pure: sizes, prices and a throughput in, a plan out.

pub mod prices;

use serde::Serialize;

use crate::workflow::route::{
    CONTAINER_RUN_BYTES, CONTAINER_VCPUS, FunctionSize, Load, Reason, Route, container_seconds, container_usd,
    lambda_usd, route,
};
use prices::Prices;

/// Requests to S3 that one file takes, as (reads, writes): the object, the job, the rules; data, report, manifests, history.
const REQUESTS: (f64, f64) = (8.0, 6.0);
/// Bytes of one ranged read.
const RANGE_BYTES: f64 = 8e6;
/// Units that the audit of one file takes, as (reads, writes): five steps of a transaction over two items, indexed.
const AUDIT_UNITS: (f64, f64) = (8.0, 25.0);
/// Transitions of the state machine that one good file takes.
const TRANSITIONS: f64 = 6.0;
/// Seconds that the small steps of one file take in functions of 512 MB: register, publish.
const SMALL_STEPS: (f64, f64) = (0.4, 0.5);

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilePlan {
    /// The file.
    pub uri: String,
    /// Its bytes as stored.
    pub bytes: u64,
    /// Where it is judged.
    pub route: Route,
    /// What speaks against the function.
    pub reasons: Vec<Reason>,
    /// Seconds that it takes there, start left out.
    pub seconds: f64,
    /// What that costs.
    pub usd: f64,
}

/// All files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The files.
    pub files: Vec<FilePlan>,
    /// What judging and publishing them costs, without what is around it.
    pub compute_usd: f64,
    /// Requests to S3, units of DynamoDB, transitions of the state machine, the small functions.
    pub workflow_usd: f64,
    /// Both.
    pub total_usd: f64,
    /// What a thousand such files cost.
    pub usd_per_thousand_files: f64,
    /// The least that Glue costs when each file starts a run.
    pub glue_floor_per_file_usd: f64,
    /// The least that Glue costs when one run takes them all.
    pub glue_floor_one_run_usd: f64,
    /// The most memory that a run holds: the function's four fifths, or the container's limit.
    pub memory_bytes: u64,
    /// The throughput that was reckoned with; bytes a second and vCPU.
    pub bytes_per_vcpu_second: f64,
    /// The month of the prices.
    pub prices_as_of: String,
    /// Their region.
    pub region: String,
}

/// Plans files of the given sizes; `rate` is bytes of text a second and vCPU.
pub fn plan(files: &[(String, u64)], function: &FunctionSize, prices: &Prices, rate: f64) -> Plan {
    let scale = crate::workflow::route::BYTES_PER_VCPU_SECOND / rate;
    let mut plans = Vec::with_capacity(files.len());
    let (mut compute, mut around) = (0.0, 0.0);
    for (uri, bytes) in files {
        let mut load = Load::of(uri, *bytes);
        // The decision is made at a fixed rate; another rate is as good as another size.
        load.bytes *= scale;
        let routing = route(&load, function);
        let (seconds, usd) = match routing.route {
            Route::Lambda => (routing.function_seconds, lambda_usd(prices, function, routing.function_seconds)),
            Route::Container => (container_seconds(&load), container_usd(prices, container_seconds(&load))),
        };
        compute += usd;
        let reads = REQUESTS.0 + *bytes as f64 / RANGE_BYTES;
        around += reads / 1000.0 * prices.s3_thousand_gets
            + REQUESTS.1 / 1000.0 * prices.s3_thousand_puts
            + AUDIT_UNITS.0 / 1e6 * prices.dynamodb_million_reads
            + AUDIT_UNITS.1 / 1e6 * prices.dynamodb_million_writes
            + TRANSITIONS / 1000.0 * prices.step_functions_thousand_transitions
            + SMALL_STEPS.0 * SMALL_STEPS.1 * prices.lambda_arm_gb_second
            + 2.0 / 1e6 * prices.lambda_million_requests;
        plans.push(FilePlan {
            uri: uri.clone(),
            bytes: *bytes,
            route: routing.route,
            reasons: routing.reasons,
            seconds,
            usd,
        });
    }
    let total = compute + around;
    let count = files.len().max(1) as f64;
    let container = plans.iter().any(|file| file.route == Route::Container);
    Plan {
        compute_usd: compute,
        workflow_usd: around,
        total_usd: total,
        usd_per_thousand_files: total / count * 1000.0,
        glue_floor_per_file_usd: prices.glue_floor() * files.len() as f64,
        glue_floor_one_run_usd: if files.is_empty() { 0.0 } else { prices.glue_floor() },
        memory_bytes: if container { CONTAINER_RUN_BYTES } else { function.memory_bytes / 5 * 4 },
        bytes_per_vcpu_second: rate,
        prices_as_of: prices.as_of.clone(),
        region: prices.region.clone(),
        files: plans,
    }
}

/// The virtual processors that a plan reckons with, as (function, container).
pub fn vcpus(function: &FunctionSize) -> (f64, f64) {
    (function.vcpus(), CONTAINER_VCPUS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_adds_up_and_a_slower_engine_costs_more() {
        let files = [("a.csv".to_owned(), 1 << 20), ("b.csv".to_owned(), 200 << 30)];
        let prices = prices::prices();
        let function = FunctionSize::planned();
        let fast = plan(&files, &function, prices, 60e6);
        assert_eq!(fast.files[0].route, Route::Lambda);
        assert_eq!(fast.files[1].route, Route::Container);
        let sum: f64 = fast.files.iter().map(|file| file.usd).sum();
        assert!((fast.compute_usd - sum).abs() < 1e-12 && fast.total_usd > fast.compute_usd);
        let slow = plan(&files, &function, prices, 6e6);
        assert!(slow.total_usd > fast.total_usd * 5.0);
        assert!((fast.glue_floor_per_file_usd - 2.0 * prices.glue_floor()).abs() < 1e-12);
    }
}
