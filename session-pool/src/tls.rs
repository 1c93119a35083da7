//! TLS for the pool and the router: certificate and key from files, read again when they change.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::serve::Listener;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tls_listener::{TlsListener, builder};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(2);

/// What a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Rest after the system refused a connection, for want of files mostly.
const REST: Duration = Duration::from_secs(1);

/// Where certificate and key lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those of its issuers (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// Certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("{} cannot be used for TLS: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// They do not belong together, or are of a kind that is not known.
    #[error("certificate and key do not go together: {0}")]
    Pair(rustls::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// TLS with what the files held when they were last good.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    /// What the files were like when they were read.
    seen: [Stamp; 2],
    current: Arc<Current>,
    acceptor: TlsAcceptorDebug,
}

#[derive(Clone)]
struct TlsAcceptorDebug(TlsAcceptor);

impl std::fmt::Debug for TlsAcceptorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl Tls {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Before they are read: a change in between is read again.
        let seen = stamp(&files);
        let current = Arc::new(Current(RwLock::new(Arc::new(read(&files, &provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files,
            seen,
            current,
            acceptor: TlsAcceptorDebug(TlsAcceptor::from(Arc::new(config))),
        })
    }

    /// Takes changed files over, until it is dropped. What cannot be used is told once, and the last
    /// good certificate stays.
    pub async fn watch(self) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.seen;
        loop {
            ticks.tick().await;
            // A home on the network may take its time.
            let files = self.files.clone();
            let look = tokio::task::spawn_blocking(move || {
                let now = stamp(&files);
                (now != seen).then(|| (now, read(&files, &aws_lc_rs::default_provider())))
            });
            let Ok(Some((now, result))) = look.await else {
                continue;
            };
            seen = now;
            match result {
                Ok(key) => {
                    let mut current = self
                        .current
                        .0
                        .write()
                        .unwrap_or_else(PoisonError::into_inner);
                    *current = Arc::new(key);
                    tracing::info!("TLS certificate read again");
                }
                // Two files cannot change at once: this may pass with the second one.
                Err(error) => tracing::warn!(%error, "the old TLS certificate stays in use"),
            }
        }
    }

    /// Takes connections off this listener, handshakes side by side.
    pub fn listener(&self, listener: TcpListener) -> SecureListener {
        let mut builder = builder(self.acceptor.0.clone());
        builder.handshake_timeout(HANDSHAKE);
        SecureListener(builder.listen(listener))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |reason: rustls_pki_types::pem::Error| TlsError::File {
            path,
            reason: reason.to_string(),
        }
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unusable(&files.certificate))?;
    if chain.is_empty() {
        return Err(TlsError::File {
            path: files.certificate.clone(),
            reason: "it holds no certificate (PEM)".to_owned(),
        });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unusable(&files.key))?;
    CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Pair)
}

/// What tells one state of a file from another.
type Stamp = Option<(i64, i64, u64, u64)>;

fn stamp(files: &TlsFiles) -> [Stamp; 2] {
    [&files.certificate, &files.key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.size(),
            metadata.ino(),
        ))
    })
}

/// A listener whose connections have shaken hands.
pub struct SecureListener(TlsListener<TcpListener, TlsAcceptor>);

impl std::fmt::Debug for SecureListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecureListener")
    }
}

impl Listener for SecureListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok(connection) => return connection,
                Err(tls_listener::Error::ListenerError(error)) => {
                    tracing::error!(%error, "no connection can be taken");
                    sleep(REST).await;
                }
                // Somebody speaks plain HTTP, or does not trust the certificate.
                Err(error) => tracing::debug!(%error, "no TLS handshake"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.listener().local_addr()
    }
}
