//! What the object store has no call for: deleting an object only if it is still the one that was judged.
//!
//! One request decides: where the bucket keeps versions, that version goes and no other; where it does not, S3 compares the
//! entity tag (`If-Match`). An upload of the same name in between is safe either way.

use etl_engine::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ClientConfigKey, ClientOptions, HeaderValue};
use std::time::Duration;

/// What came of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// It is gone.
    Yes,
    /// It is another by now, or was gone already.
    No,
    /// The store does not know conditional deletes.
    NotSupported,
}

/// Deletes `path` at `version`: an entity tag when it is in quotes, else a version id. `owner` is the account that the bucket
/// must belong to.
pub(crate) async fn delete_exactly(
    store: &AmazonS3,
    region: &str,
    path: &Path,
    version: &str,
    owner: Option<&str>,
) -> Result<Deleted> {
    let failed = |why: &str| Error::storage(format!("{path} cannot be deleted"), why.to_owned());
    // The store knows how its URLs are made; the signature is made anew, for it must cover what is added here.
    let method = "DELETE".parse().map_err(|_| Error::internal("a method has a name"))?;
    let mut url = store.signed_url(method, path, Duration::from_secs(60)).await?;
    let plain = url.scheme() == "http";
    let etag = version.starts_with('"') || version.starts_with("W/");
    url.set_query(None);
    if !etag {
        url.query_pairs_mut().append_pair("versionId", version);
    }
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = "DELETE".parse().map_err(|_| Error::internal("a method has a name"))?;
    *request.uri_mut() = url.as_str().parse().map_err(|_| failed("its name makes no URL"))?;
    let mut header = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).map_err(|_| failed("a header cannot be written"))?;
        request.headers_mut().insert(name, value);
        Ok::<(), Error>(())
    };
    if etag {
        header("if-match", version)?;
    }
    if let Some(owner) = owner {
        header("x-amz-expected-bucket-owner", owner)?;
    }
    let credential = store.credentials().get_credential().await?;
    AwsAuthorizer::new(&credential, "s3", region).authorize(&mut request, None);
    let options = ClientOptions::new().with_config(ClientConfigKey::AllowHttp, plain.to_string());
    let client = ReqwestConnector::default().connect(&options)?;
    let answer =
        client.execute(request).await.map_err(|why| Error::storage(format!("{path} cannot be deleted"), why))?;
    match answer.status().as_u16() {
        200..=299 => Ok(Deleted::Yes),
        404 | 412 => Ok(Deleted::No),
        405 | 501 => Ok(Deleted::NotSupported),
        401 | 403 => Err(Error::new(ErrorKind::Input, format!("access denied: {path} cannot be deleted"))
            .with_help("check the credentials and the bucket policy")),
        other => Err(failed(&format!("the store answered {other}"))),
    }
}
