//! Where a file is judged: in a function, or in a container. One pure decision, with its reasons.
//!
//! Three limits, the tightest of which decides:
//! - **time**: a function ends after 15 minutes; half of that is kept in hand for slow reads and retries.
//! - **room**: what does not stay in memory goes to the function's disk: a Parquet file is fetched whole, keys spill.
//! - **price**: a container is paid for at least a minute, a function by the millisecond and dearer by the core, so there
//!   is a size beyond which the container is cheaper (`prices.json` says with which prices).

use serde::Serialize;

use crate::plan::prices::{Prices, prices};

/// Megabytes of text that one vCPU validates, transforms and writes in a second. Measured on the benchmark machine it is more
/// than twice as much (docs/performance.md, workload P); a vCPU of a function is half a core.
pub const BYTES_PER_VCPU_SECOND: f64 = 60e6;
/// How much larger a compressed text is once it is read, when nothing better is known.
pub const EXPANSION: f64 = 5.0;
/// Seconds after which a function ends.
pub const FUNCTION_SECONDS: f64 = 900.0;
/// The share of its time that a file may be expected to take.
const TIME_SHARE: f64 = 0.5;
/// Seconds for which a container is paid at least.
pub const CONTAINER_MIN_SECONDS: f64 = 60.0;

/// Where a file is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Route {
    /// In a Lambda function.
    Lambda,
    /// In a Fargate container.
    Container,
}

/// What is to be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// Bytes once decompressed, as far as one can tell.
    pub bytes: f64,
    /// Bytes that must fit the disk of a function.
    pub disk_bytes: u64,
}

impl Load {
    /// What a file's name and size tell.
    pub fn of(uri: &str, stored_bytes: u64) -> Self {
        let name = uri.to_ascii_lowercase();
        let parquet = name.ends_with(".parquet");
        let compressed = parquet || [".gz", ".zst", ".zip", ".snappy"].iter().any(|end| name.ends_with(end));
        let bytes = stored_bytes as f64 * if compressed { EXPANSION } else { 1.0 };
        Self { stored_bytes, bytes, disk_bytes: if parquet { stored_bytes } else { 0 } }
    }
}

/// The function that files may be judged in.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSize {
    /// Its memory.
    pub memory_bytes: u64,
    /// Its disk.
    pub disk_bytes: u64,
    /// Whether it runs on arm64.
    pub arm: bool,
}

impl FunctionSize {
    /// The function of `deploy/template.yaml`.
    pub fn planned() -> Self {
        Self { memory_bytes: 3008 << 20, disk_bytes: 2048 << 20, arm: true }
    }

    /// Its share of processors: one for every 1,769 MB, six at most.
    pub fn vcpus(&self) -> f64 {
        (self.memory_bytes as f64 / f64::from(1769 << 20)).clamp(0.05, 6.0)
    }

    /// Seconds that a load takes in it, start left out.
    pub fn seconds(&self, load: &Load) -> f64 {
        load.bytes / (self.vcpus() * BYTES_PER_VCPU_SECOND)
    }
}

/// A limit that a file is beyond.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It would take longer than half of the function's time.
    Time,
    /// It does not fit the function's disk.
    Room,
    /// A container is cheaper.
    Price,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Routing {
    /// Where.
    pub route: Route,
    /// The limits that speak against the function; empty when it is the route.
    pub reasons: Vec<Reason>,
    /// Seconds that the function would take.
    pub function_seconds: f64,
}

impl Routing {
    /// The reasons in words.
    pub fn because(&self) -> String {
        let words: Vec<String> = self
            .reasons
            .iter()
            .map(|reason| match reason {
                Reason::Time => format!(
                    "it would take about {:.0} s, and a function should not be planned for more than {:.0} s",
                    self.function_seconds,
                    FUNCTION_SECONDS * TIME_SHARE
                ),
                Reason::Room => "it does not fit the disk of the function".to_owned(),
                Reason::Price => "a container is cheaper".to_owned(),
            })
            .collect();
        match words.is_empty() {
            true => "it fits the function".to_owned(),
            false => words.join("; "),
        }
    }
}

/// Decides where a file is judged.
pub fn route(load: &Load, function: &FunctionSize) -> Routing {
    let prices = prices();
    let function_seconds = function.seconds(load);
    let mut reasons = Vec::new();
    if function_seconds > FUNCTION_SECONDS * TIME_SHARE {
        reasons.push(Reason::Time);
    }
    // Keys may spill as well, so half of the disk is left to them.
    if load.disk_bytes > function.disk_bytes / 2 {
        reasons.push(Reason::Room);
    }
    if lambda_usd(prices, function, function_seconds) > container_usd(prices, container_seconds(load)) {
        reasons.push(Reason::Price);
    }
    let route = if reasons.is_empty() { Route::Lambda } else { Route::Container };
    Routing { route, reasons, function_seconds }
}

/// The virtual processors of the container of `deploy/template.yaml`.
pub const CONTAINER_VCPUS: f64 = 4.0;
/// Its memory, in GB.
pub const CONTAINER_GB: f64 = 16.0;
/// What a run may take of it.
pub const CONTAINER_RUN_BYTES: u64 = 12 << 30;

/// Seconds that a load takes in the container, image pull and start left out.
pub fn container_seconds(load: &Load) -> f64 {
    load.bytes / (CONTAINER_VCPUS * BYTES_PER_VCPU_SECOND)
}

/// What a function costs for so long; in USD.
pub fn lambda_usd(prices: &Prices, function: &FunctionSize, seconds: f64) -> f64 {
    let gb_second = if function.arm { prices.lambda_arm_gb_second } else { prices.lambda_x86_gb_second };
    let gb = function.memory_bytes as f64 / f64::from(1 << 30);
    gb_second * gb * seconds + prices.lambda_million_requests / 1e6
}

/// What a container costs for so long, at least for a minute; in USD.
pub fn container_usd(prices: &Prices, seconds: f64) -> f64 {
    let hours = seconds.max(CONTAINER_MIN_SECONDS) / 3600.0;
    hours * (CONTAINER_VCPUS * prices.fargate_arm_vcpu_hour + CONTAINER_GB * prices.fargate_arm_gb_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(uri: &str, bytes: u64, function: &FunctionSize) -> Routing {
        route(&Load::of(uri, bytes), function)
    }

    #[test]
    fn small_files_go_to_the_function_and_large_ones_to_the_container() {
        let function = FunctionSize::planned();
        assert_eq!(routed("a.csv", 0, &function).route, Route::Lambda);
        assert_eq!(routed("a.csv", 1 << 30, &function).route, Route::Lambda);
        assert_eq!(routed("a.csv", 100 << 30, &function).route, Route::Container);
        assert!(routed("a.csv", 100 << 30, &function).reasons.contains(&Reason::Time));
        assert!(routed("a.csv.gz", 20 << 30, &function).reasons.contains(&Reason::Time));
        assert_eq!(routed("a.parquet", 1500 << 20, &function).reasons.first(), Some(&Reason::Room));
    }

    #[test]
    fn more_bytes_never_lead_back_to_the_function() {
        for memory in [512_u64 << 20, 1769 << 20, 3008 << 20, 10_240 << 20] {
            let function = FunctionSize { memory_bytes: memory, ..FunctionSize::planned() };
            let routes = (20..40).map(|power| routed("a.csv", 1 << power, &function).route == Route::Container);
            assert!(routes.clone().is_sorted(), "{memory}: {:?}", routes.collect::<Vec<_>>());
        }
    }

    #[test]
    fn at_the_price_limit_the_container_is_cheaper() {
        let function = FunctionSize { memory_bytes: 10_240 << 20, ..FunctionSize::planned() };
        let load = Load::of("a.csv", 12 << 30);
        let routing = route(&load, &function);
        assert_eq!(routing.reasons, [Reason::Price]);
        let prices = prices();
        assert!(
            container_usd(prices, container_seconds(&load)) < lambda_usd(prices, &function, routing.function_seconds)
        );
    }
}
