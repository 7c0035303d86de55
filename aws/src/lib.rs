//! The engine's edges on AWS: stores by URL, the audit table, the catalog, notification, answers to a state machine, and the
//! one handler that the Lambda and the container share.
//!
//! The one place of the libraries that reads the environment: region, credentials and endpoint are found as the AWS SDKs
//! find them (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, container and instance roles, `AWS_ENDPOINT_URL`). A client is made when it
//! is first used, so that a start costs none of it.

mod audit;
mod callback;
mod catalog;
mod clients;
mod crawler;
mod delete;
mod failure;
mod handler;
mod keys;
mod lineage;
pub mod metrics;
mod notify;
mod settings;
mod stores;
pub mod telemetry;

pub use audit::DynamoAudit;
pub use callback::Callback;
pub use catalog::GlueCatalog;
pub use clients::Clients;
pub use handler::{Answer, Handler, STATE_NAMES};
pub use keys::Keys;
pub use lineage::LineageOut;
pub use notify::{NotifyOut, SnsNotifier, Webhook};
pub use settings::{with_edges, workflow};
pub use stores::Stores;
