//! How encrypted bytes are written: `version.key id.base64url`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Adds the text of encrypted bytes.
pub(crate) fn write(version: &str, key_id: &str, bytes: &[u8], out: &mut String) {
    out.push_str(version);
    out.push('.');
    out.push_str(key_id);
    out.push('.');
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// The encrypted bytes of a text.
///
/// # Errors
/// What is wrong with it. Nothing of the text is in the message, not even its key id: it may be anything.
pub(crate) fn read(version: &str, key_id: &str, text: &str) -> Result<Vec<u8>, String> {
    let mut parts = text.splitn(3, '.');
    let (found, id, bytes) = (parts.next(), parts.next(), parts.next());
    match (found, id, bytes) {
        (Some(found), Some(id), Some(bytes)) if found == version => match id == key_id {
            true => URL_SAFE_NO_PAD.decode(bytes).map_err(|_| damaged()),
            false => Err(format!("a value is encrypted with a key other than `{key_id}`")),
        },
        _ => Err(format!("a value is not encrypted so: want `{version}.<key id>.<base64url>`")),
    }
}

/// The message about bytes that do not decrypt.
pub(crate) fn damaged() -> String {
    "a value does not decrypt: it was changed, cut, or encrypted with another key or domain".to_owned()
}
