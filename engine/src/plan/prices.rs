//! Prices with their date: `prices.json`, or a file of the user's in the same shape.
//!
//! The figures are list prices of us-east-1 as found in public copies of AWS's price pages; they change, so every plan
//! prints their date.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::{Error, Result};

/// Prices in USD.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The month in which they were looked up.
    pub as_of: String,
    /// The region.
    pub region: String,
    /// The currency.
    pub currency: String,
    /// A GB of memory of a function on arm64 for a second.
    pub lambda_arm_gb_second: f64,
    /// The same on x86-64.
    pub lambda_x86_gb_second: f64,
    /// A million invocations.
    pub lambda_million_requests: f64,
    /// A vCPU of a container on arm64 for an hour.
    pub fargate_arm_vcpu_hour: f64,
    /// A GB of its memory for an hour.
    pub fargate_arm_gb_hour: f64,
    /// The most that Spot takes off.
    pub fargate_spot_discount: f64,
    /// A thousand transitions of a standard state machine.
    pub step_functions_thousand_transitions: f64,
    /// A thousand writes of objects.
    pub s3_thousand_puts: f64,
    /// A thousand reads of objects.
    pub s3_thousand_gets: f64,
    /// A DPU of Glue for an hour.
    pub glue_dpu_hour: f64,
    /// The fewest DPUs of a Spark job.
    pub glue_min_dpus: f64,
    /// Seconds for which a job is paid at least.
    pub glue_min_seconds: f64,
    /// A million write request units on demand.
    pub dynamodb_million_writes: f64,
    /// A million read request units on demand.
    pub dynamodb_million_reads: f64,
}

impl Prices {
    /// Reads prices in the shape of `prices.json`.
    ///
    /// # Errors
    /// `Configuration` that says what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::configuration(format!("the prices cannot be read: {error}")))
    }

    /// The least that one run of a Glue Spark job costs.
    pub fn glue_floor(&self) -> f64 {
        self.glue_dpu_hour * self.glue_min_dpus * self.glue_min_seconds / 3600.0
    }
}

/// The prices that are built in.
pub fn prices() -> &'static Prices {
    static PRICES: LazyLock<Prices> = LazyLock::new(|| {
        serde_json::from_str(include_str!("prices.json")).unwrap_or_else(|_| unreachable!("a test reads the file"))
    });
    &PRICES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_prices_can_be_read() {
        let prices = prices();
        assert_eq!(prices.region, "us-east-1");
        assert!((prices.glue_floor() - 0.014_666_7).abs() < 1e-6);
    }
}
