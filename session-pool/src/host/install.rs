//! Installing the official PowerShell: download, verify, unpack, put in place.

mod archive;
mod download;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use super::pwsh::PwshVersion;

/// The version that is installed unless another is asked for.
pub const DEFAULT_VERSION: PwshVersion = PwshVersion::new(7, 6, 5);

/// SHA-256 of the official tarballs of [`DEFAULT_VERSION`], as the release's `hashes.sha256` has
/// them.
const PINNED: [(Architecture, &str); 2] = [
    (
        Architecture::X64,
        "b34ab3b19acac1d3d4d0d3cfdb02acf62f457b0b6a962ff008132033f7566844",
    ),
    (
        Architecture::Arm64,
        "ed4084f215d8bce2edd23aa7cb1f1e7b0818e41363a635a22065d2701b6141df",
    ),
];

/// What to install, from where, and where to.
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The version; also the name of its directory.
    pub version: PwshVersion,
    /// The tarball's digest; without one it is the pinned one, or the release's own list has it.
    pub sha256: Option<Sha256>,
    /// Where the tarball comes from; the official release if not given.
    pub from: Option<Source>,
    /// The directory that holds a directory a version.
    pub into: PathBuf,
    /// The processor it is for.
    pub architecture: Architecture,
}

/// A place to take the tarball from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An http or https URL.
    Url(Url),
    /// A file.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = InstallError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Url(url),
            Ok(url) if text.contains("://") => {
                return Err(InstallError::Scheme(url.scheme().to_owned()));
            }
            _ => Self::File(PathBuf::from(text)),
        })
    }
}

/// A processor for which there are official tarballs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `x86_64`.
    X64,
    /// `aarch64`.
    Arm64,
}

impl Architecture {
    /// This machine's.
    ///
    /// # Errors
    /// [`InstallError::NoTarball`] on any other system.
    pub fn current() -> Result<Self, InstallError> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::X64),
            ("linux", "aarch64") => Ok(Self::Arm64),
            (os, arch) => Err(InstallError::NoTarball { os, arch }),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sha256([u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = InstallError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let mut digest = [0; 32];
        match digits {
            Some(digits) if digits.len() == 64 => {
                for (byte, pair) in digest.iter_mut().zip(digits.chunks(2)) {
                    *byte = pair.iter().fold(0, |high, low| high << 4 | low);
                }
                Ok(Self(digest))
            }
            _ => Err(InstallError::NoDigest),
        }
    }
}

/// Why PowerShell was not installed. What was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no official tarball for this system.
    #[error(
        "there is no official PowerShell tarball for {os} on {arch}; install PowerShell another way and name it with --pwsh"
    )]
    NoTarball {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// What should be a digest is none.
    #[error("a SHA-256 digest has 64 hexadecimal digits")]
    NoDigest,
    /// Nothing tells what the tarball's digest must be.
    #[error("the digest of PowerShell {0} is not known here; give it with --sha256")]
    DigestUnknown(PwshVersion),
    /// The download failed.
    #[error(
        "cannot download {url}: {reason}; check the network and the proxy, or fetch the file yourself and give it with --from FILE"
    )]
    Download {
        /// What was to be downloaded.
        url: Box<Url>,
        /// What went wrong.
        reason: String,
    },
    /// The tarball is not the one that was meant.
    #[error(
        "{from} has the SHA-256 {found}, expected was {expected}: nothing was installed; download it again, or correct --version or --sha256"
    )]
    Mismatch {
        /// Where it came from.
        from: String,
        /// Its digest.
        found: Sha256,
        /// The digest it should have.
        expected: Sha256,
    },
    /// A URL that is fetched by other means.
    #[error(
        "--from takes a file, or a URL that begins with http:// or https://; for {0}:// fetch the \
         archive yourself and give the file"
    )]
    Scheme(String),
    /// An archive that cannot be unpacked.
    #[error(
        "{from} cannot be unpacked into {}: {source}; nothing was installed. If the disk is not full, \
         the archive is damaged or no .tar.gz: download it again",
        into.display()
    )]
    Archive {
        /// Where it came from.
        from: String,
        /// The directory that was to hold it.
        into: PathBuf,
        /// What the system or the decoder said.
        source: io::Error,
    },
    /// A verified archive that holds no PowerShell.
    #[error("{0} holds no program `pwsh`; is it a PowerShell tarball for Linux?")]
    NoPwsh(String),
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl InstallError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Installs PowerShell and returns the path of its program. Shows progress on a terminal.
///
/// # Errors
/// [`InstallError`], which says what to do; nothing half done is left.
pub async fn install(options: InstallOptions) -> Result<PathBuf, InstallError> {
    let release = Release {
        version: &options.version,
        architecture: options.architecture,
    };
    let expected = match (options.sha256, release.pinned(), &options.from) {
        (Some(given), _, _) => given,
        (None, Some(pinned), _) => pinned,
        (None, None, None) => download::published_digest(&release).await?,
        (None, None, Some(_)) => return Err(InstallError::DigestUnknown(options.version)),
    };
    std::fs::create_dir_all(&options.into).map_err(InstallError::io(&options.into))?;
    let source = match &options.from {
        Some(source) => source.clone(),
        None => Source::Url(release.url(&release.file_name())?),
    };
    let fetched = download::fetch(&source, &options.into).await?;
    if fetched.digest != expected {
        return Err(InstallError::Mismatch {
            from: fetched.from,
            found: fetched.digest,
            expected,
        });
    }
    let target = options.into.join(options.version.to_string());
    let unpacked =
        tokio::task::spawn_blocking(move || archive::put_in_place(fetched, &target)).await;
    unpacked.unwrap_or_else(|error| {
        Err(InstallError::Io {
            path: options.into,
            source: io::Error::other(error),
        })
    })
}

/// One official release for one processor.
struct Release<'a> {
    version: &'a PwshVersion,
    architecture: Architecture,
}

impl Release<'_> {
    fn file_name(&self) -> String {
        format!(
            "powershell-{}-linux-{}.tar.gz",
            self.version,
            self.architecture.name()
        )
    }

    fn url(&self, file: &str) -> Result<Url, InstallError> {
        let text = format!(
            "https://github.com/PowerShell/PowerShell/releases/download/v{}/{file}",
            self.version
        );
        // Only a version with strange characters could break it, and the parser lets none through.
        Url::parse(&text).map_err(|_| InstallError::DigestUnknown(self.version.clone()))
    }

    fn pinned(&self) -> Option<Sha256> {
        PINNED
            .iter()
            .find(|(architecture, _)| {
                *self.version == DEFAULT_VERSION && *architecture == self.architecture
            })
            .and_then(|(_, digest)| digest.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn every_pinned_digest_is_one() {
        for (architecture, digest) in PINNED {
            let release = Release {
                version: &DEFAULT_VERSION,
                architecture,
            };
            assert_eq!(release.pinned().unwrap().to_string(), digest);
        }
        let other = PwshVersion::new(7, 6, 4);
        assert!(
            Release {
                version: &other,
                architecture: Architecture::X64
            }
            .pinned()
            .is_none()
        );
    }

    #[test]
    fn the_official_url_is_the_releases_own() {
        let release = Release {
            version: &DEFAULT_VERSION,
            architecture: Architecture::Arm64,
        };
        assert_eq!(
            release.url(&release.file_name()).unwrap().as_str(),
            "https://github.com/PowerShell/PowerShell/releases/download/v7.6.5/powershell-7.6.5-linux-arm64.tar.gz"
        );
    }

    #[test]
    fn a_source_is_a_url_or_a_file() {
        assert!(matches!(
            "http://127.0.0.1:1/a.tar.gz".parse(),
            Ok(Source::Url(_))
        ));
        assert!(matches!("/tmp/a.tar.gz".parse(), Ok(Source::File(_))));
        assert!("abc".parse::<Sha256>().is_err());
        for other in ["ftp://host/a.tar.gz", "file:///tmp/a.tar.gz"] {
            let error = other.parse::<Source>().unwrap_err().to_string();
            let scheme = other.split("//").next().unwrap();
            assert!(
                error.contains("--from") && error.contains(scheme),
                "{error}"
            );
        }
    }
}
