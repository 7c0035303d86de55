//! Logs as lines of JSON; spans to an OpenTelemetry collector when the environment names one.
//!
//! `RUST_LOG` says how much is logged. `OTEL_EXPORTER_OTLP_ENDPOINT` (such as `http://localhost:4318`) turns spans on; they are
//! sent as OTLP/HTTP JSON. No cell value is in a log line or a span.

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Keeps spans going out; ask it to flush before the process ends or is frozen.
#[derive(Debug, Default)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends what is left. Waits for the collector, so not on a thread of the runtime that does the sending.
    pub fn flush(&self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::force_flush) {
            tracing::warn!(%error, "spans could not be sent");
        }
    }

    /// Whether spans are sent.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

/// Begins to log, at `level` unless `RUST_LOG` says otherwise. Must be called within a runtime, which does the sending.
pub fn begin(service: &'static str, level: &str) -> Telemetry {
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // The runtime logs a failure once more, in words for programmers.
    if let Ok(quiet) = "lambda_runtime::layers=off".parse() {
        filter = filter.add_directive(quiet);
    }
    let logs = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).with_filter(filter);
    let provider = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT")
        .ok()
        .filter(|endpoint| !endpoint.is_empty())
        .and_then(|endpoint| exporter(&endpoint).ok())
        .map(|exporter| {
            let resource = Resource::builder().with_service_name(service).build();
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()
        });
    let spans = provider.as_ref().map(|provider| {
        // Our own spans, not those of the libraries that send them.
        let own = EnvFilter::new("off,etl_aws=info,etl_engine=info");
        tracing_opentelemetry::layer().with_tracer(provider.tracer("etl-engine")).with_filter(own)
    });
    // Nobody else has set one.
    let _ = tracing_subscriber::registry().with(logs).with(spans).try_init();
    Telemetry(provider)
}

fn exporter(endpoint: &str) -> Result<SpanExporter, opentelemetry_otlp::ExporterBuildError> {
    SpanExporter::builder()
        .with_http()
        .with_http_client(Sender { client: reqwest::Client::new(), runtime: Handle::current() })
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
}

/// Sends on the runtime of the process: the exporter has a thread of its own, without one.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request).await?;
            let status = answer.status();
            answer.bytes().await.map(|body| (status, body))
        });
        let (status, body) = sent.await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}
