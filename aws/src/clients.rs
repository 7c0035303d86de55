//! Clients of AWS services: one HTTP client and one configuration for all, made when first asked for.

use std::sync::Arc;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::sync::OnceCell;

/// How long a connection may take to come about.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(3);
/// How long one call may take, retries included.
const CALL: std::time::Duration = std::time::Duration::from_secs(60);

/// Where clients come from.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    config: Arc<OnceCell<SdkConfig>>,
    /// An emulator, with credentials that mean nothing.
    emulator: Option<String>,
}

impl Clients {
    /// Clients of an emulator, whatever the environment says.
    pub fn of_emulator(endpoint: &str) -> Self {
        Self { emulator: Some(endpoint.to_owned()), ..Self::default() }
    }

    /// The configuration of the environment.
    async fn config(&self) -> &SdkConfig {
        let load = || async {
            // TLS by rustls with ring, as the object stores have it.
            let http =
                aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
            let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(CALL).build();
            let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
            match &self.emulator {
                None => loader.load().await,
                Some(endpoint) => {
                    let credentials = Credentials::new("test", "test", None, None, "emulator");
                    let loader = loader.endpoint_url(endpoint).credentials_provider(credentials);
                    loader.region(Region::new("us-east-1")).load().await
                }
            }
        };
        self.config.get_or_init(load).await
    }

    /// DynamoDB.
    pub async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(self.config().await)
    }

    /// The Glue Data Catalog.
    pub async fn glue(&self) -> aws_sdk_glue::Client {
        aws_sdk_glue::Client::new(self.config().await)
    }

    /// SNS.
    pub async fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(self.config().await)
    }

    /// KMS.
    pub async fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(self.config().await)
    }

    /// Secrets Manager.
    pub async fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(self.config().await)
    }

    /// Step Functions.
    pub async fn step_functions(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(self.config().await)
    }
}
