//! An app's statement to be itself, signed with its certificate's key.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::credential::Certificate;

/// Seconds that an assertion is good for; it is used at once.
const LIFE: i64 = 300;

/// A signed statement to be this app (RFC 7523), as Entra wants it: PS256, and `x5t#S256`, the
/// SHA-256 of the certificate, by which Entra finds its public part.
pub(super) fn sign(
    certificate: &Certificate,
    client_id: &str,
    token_url: &str,
    now: Timestamp,
) -> Result<SecretString, jsonwebtoken::errors::Error> {
    // As PEM, because jsonwebtoken reads PKCS#8 only so.
    let pem = SecretString::from(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(certificate.key())
    ));
    let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes())?;
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.leaf())));
    let now = now.as_second();
    let claims = json!({
        "aud": token_url,
        "iss": client_id,
        "sub": client_id,
        "jti": uuid::Uuid::now_v7().to_string(),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE,
    });
    jsonwebtoken::encode(&header, &claims, &key).map(SecretString::from)
}
