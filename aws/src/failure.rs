//! Errors of the SDK as errors of the engine: what a caller can do about them.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use etl_engine::{Error, ErrorKind};

/// Codes that mean "not now".
const PASSING: [&str; 12] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "InternalServiceError",
    "InternalServerError",
    "InternalError",
    "InternalServiceException",
    "OperationTimeoutException",
    "ConcurrentModificationException",
];

/// The error of a call; `what` says what was being done, such as `the table etl-audit cannot be written`.
pub(crate) fn error<E>(what: impl Into<String>, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let what = what.into();
    let Some(service) = error.as_service_error() else {
        // No answer: a timeout, a connection, or credentials that cannot be had.
        return Error::storage(format!("{what}: {}", DisplayErrorContext(&error)), "the service was not reached")
            .with_help("check the network, the region and the credentials");
    };
    let code = service.code().unwrap_or("unknown").to_owned();
    let message = service.message().unwrap_or_default().to_owned();
    let text = format!("{what}: {code}: {message}");
    if PASSING.contains(&code.as_str()) || error.raw_response().is_some_and(|reply| reply.status().is_server_error()) {
        return Error::storage(text, code);
    }
    let help = match code.as_str() {
        "AccessDeniedException" | "AccessDenied" | "AuthorizationError" | "UnrecognizedClientException" => {
            "check the role's policy and the credentials"
        }
        "ResourceNotFoundException" | "EntityNotFoundException" | "NotFound" => "check the name and the region",
        _ => "check the job's settings",
    };
    Error::new(ErrorKind::Configuration, text).with_help(help)
}
