//! Certificate and key, which go together.

use std::path::PathBuf;

use super::ConfigError;
use crate::tls::TlsFiles;

/// Both files, or neither.
pub(super) fn files(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigError> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        _ => Err(ConfigError::HalfTls),
    }
}
