//! The certificate of a hosted domain: the operator's, or one made on first run. Refuses to run without TLS.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Application protocol of XMPP client streams (XEP-0368).
const ALPN: &[u8] = b"xmpp-client";

/// Why there is no certificate to use.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What went wrong.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{0}: no PEM certificate chain or private key in it")]
    Pem(String),
    /// No certificate could be made.
    #[error("cannot make a certificate for {domain}: {error}")]
    Make {
        /// For this domain.
        domain: String,
        /// What went wrong.
        error: rcgen::Error,
    },
    /// Certificate and key do not fit.
    #[error("certificate and private key: {0}")]
    Use(#[from] tokio_rustls::rustls::Error),
}

/// Makes a self-signed certificate for `domain` unless one is there. The key is readable by its owner only.
///
/// # Errors
/// [`TlsError`].
pub fn make(domain: &str, certificate: &Path, key: &Path) -> Result<(), TlsError> {
    if certificate.exists() && key.exists() {
        return Ok(());
    }
    let fail = |error| TlsError::Make {
        domain: domain.into(),
        error,
    };
    let names = vec![
        domain.to_owned(),
        format!("*.{domain}"),
        "localhost".to_owned(),
    ];
    let mut params = CertificateParams::new(names).map_err(fail)?;
    params.distinguished_name.push(DnType::CommonName, domain);
    let pair = KeyPair::generate().map_err(fail)?;
    let made = params.self_signed(&pair).map_err(fail)?;
    write_private(key, pair.serialize_pem().as_bytes()).map_err(at(key))?;
    fs::write(certificate, made.pem()).map_err(at(certificate))
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

/// TLS with the certificate chain and key in these PEM files.
///
/// # Errors
/// [`TlsError`].
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let pem = fs::read(certificate).map_err(at(certificate))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| no_pem(certificate))?;
    let pem = fs::read(key).map_err(at(key))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| no_pem(key))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn at(path: &Path) -> impl Fn(io::Error) -> TlsError {
    move |error| TlsError::File {
        path: path.display().to_string(),
        error,
    }
}

fn no_pem(path: &Path) -> TlsError {
    TlsError::Pem(path.display().to_string())
}
