//! Fetching a tarball into a temporary file, with its digest on the way.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::Digest as _;
use url::Url;

use super::{InstallError, Release, Sha256, Source};
use crate::domain::cause::deepest;

/// The official tarballs have 75 MB; more than this is not one of them.
const MAX_TARBALL: u64 = 1024 * 1024 * 1024;
/// A list of digests has a few KB.
const MAX_LIST: usize = 1024 * 1024;

/// A fetched tarball, still to be compared and unpacked.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Unlinked already; rewound.
    pub(super) file: File,
    pub(super) digest: Sha256,
    /// Where it came from, for messages.
    pub(super) from: String,
}

/// Fetches the tarball, into `directory` if it comes from the network.
pub(super) async fn fetch(source: &Source, directory: &Path) -> Result<Fetched, InstallError> {
    match source {
        Source::Url(url) => from_url(url, directory).await,
        Source::File(path) => {
            let path = path.clone();
            let from = path.display().to_string();
            let hash = move || hash_file(&path).map_err(InstallError::io(&path));
            let (file, digest) = tokio::task::spawn_blocking(hash)
                .await
                .map_err(|error| InstallError::io(directory)(io::Error::other(error)))??;
            Ok(Fetched { file, digest, from })
        }
    }
}

fn hash_file(path: &Path) -> io::Result<(File, Sha256)> {
    let mut file = File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => hasher.update(chunk.get(..read).unwrap_or_default()),
        }
    }
    file.rewind()?;
    Ok((file, Sha256(hasher.finalize().into())))
}

async fn from_url(url: &Url, directory: &Path) -> Result<Fetched, InstallError> {
    let failed = failure(url);
    let response = get(url).await?;
    let progress = progress_bar(response.content_length());
    let mut file = tempfile::tempfile_in(directory).map_err(InstallError::io(directory))?;
    let mut hasher = sha2::Sha256::new();
    let mut stream = response.bytes_stream();
    let mut total = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| failed(root_cause(&error)))?;
        total += chunk.len() as u64;
        if total > MAX_TARBALL {
            return Err(failed("it is larger than 1 GB".to_owned()));
        }
        hasher.update(&chunk);
        file.write_all(&chunk)
            .map_err(InstallError::io(directory))?;
        progress.inc(chunk.len() as u64);
    }
    progress.finish_and_clear();
    file.rewind().map_err(InstallError::io(directory))?;
    Ok(Fetched {
        file,
        digest: Sha256(hasher.finalize().into()),
        from: url.to_string(),
    })
}

/// The digest that the release itself publishes for its tarball (`hashes.sha256`, lines
/// `HASH *FILE`).
pub(super) async fn published_digest(release: &Release<'_>) -> Result<Sha256, InstallError> {
    let url = release.url("hashes.sha256")?;
    let failed = failure(&url);
    let mut list = Vec::new();
    let mut stream = get(&url).await?.bytes_stream();
    while let Some(chunk) = stream.next().await {
        list.extend_from_slice(&chunk.map_err(|error| failed(root_cause(&error)))?);
        if list.len() > MAX_LIST {
            return Err(failed("it is larger than 1 MB".to_owned()));
        }
    }
    digest_in_list(&String::from_utf8_lossy(&list), &release.file_name())
        .ok_or_else(|| InstallError::DigestUnknown(release.version.clone()))
}

fn digest_in_list(list: &str, file_name: &str) -> Option<Sha256> {
    list.lines()
        .filter_map(|line| {
            line.trim_start_matches('\u{feff}')
                .split_once(char::is_whitespace)
        })
        .find(|(_, name)| name.trim().trim_start_matches('*') == file_name)
        .and_then(|(digest, _)| digest.parse().ok())
}

async fn get(url: &Url) -> Result<reqwest::Response, InstallError> {
    let failed = failure(url);
    let client = reqwest::Client::builder()
        .user_agent(concat!("session-pool/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(30))
        .read_timeout(Duration::from_secs(60))
        .build()
        .map_err(|error| failed(root_cause(&error)))?;
    client
        .get(url.clone())
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| failed(root_cause(&error)))
}

fn failure(url: &Url) -> impl Fn(String) -> InstallError {
    let url = url.clone();
    move |reason| InstallError::Download {
        url: Box::new(url.clone()),
        reason,
    }
}

/// The innermost reason, which is the telling one; the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    if let Some(status) = error.status() {
        return format!("the server answered {status}");
    }
    deepest(error)
}

/// Hidden by itself where standard error is no terminal.
fn progress_bar(length: Option<u64>) -> ProgressBar {
    let Some(length) = length else {
        return ProgressBar::new_spinner();
    };
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_releases_list_is_read() {
        let digest = "b34ab3b19acac1d3d4d0d3cfdb02acf62f457b0b6a962ff008132033f7566844";
        let list = format!(
            "\u{feff}{digest} *a.tar.gz\r\n{} *b.tar.gz\r\n",
            "0".repeat(64)
        );
        let found = |name| digest_in_list(&list, name).map(|digest| digest.to_string());
        assert_eq!(found("a.tar.gz").as_deref(), Some(digest));
        assert_eq!(found("b.tar.gz"), Some("0".repeat(64)));
        assert_eq!(found("c.tar.gz"), None);
    }
}
