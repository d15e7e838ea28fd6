//! What TLS is done with: certificates from files, and whom to trust.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use super::Tls;
use crate::error::{Error, Result};
use crate::fault::TlsFault;

/// What a listener does about certificates of those who connect to it with TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// None is asked for.
    #[default]
    Ignore,
    /// One is asked for, and must be good if it is shown. Who has none can log in another way.
    Accept,
    /// Nobody comes in without a good one.
    Require,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct TlsSettings {
    provider: Arc<CryptoProvider>,
    /// Who is trusted to issue certificates; `None`: those whom the system trusts.
    authorities: Option<RootCertStore>,
    certificate: Option<Arc<CertifiedKey>>,
    accept_any: bool,
    clients: ClientCertificates,
    /// Made when first needed: reading the system's authorities takes a while.
    client: Option<Arc<ClientConfig>>,
    server: Option<Arc<ServerConfig>>,
}

impl TlsSettings {
    pub(crate) fn new() -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            authorities: None,
            certificate: None,
            accept_any: false,
            clients: ClientCertificates::Ignore,
            client: None,
            server: None,
        }
    }

    /// Sets the certificate that is shown to peers: a chain, the own one first, and its key.
    pub(crate) fn set_certificate(&mut self, certificate: &Path, key: &Path) -> Result<()> {
        self.certificate = Some(Arc::new(self.load(certificate, key)?));
        self.forget();
        Ok(())
    }

    fn load(&self, certificate: &Path, key: &Path) -> Result<CertifiedKey> {
        let chain = certificates(certificate)?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
            pem::Error::NoItemsFound if is_encrypted(key) => unusable(
                key,
                "the key is encrypted; write it without a password (`openssl pkey -in FILE -out NEW`) where \
                 only this program can read it",
            ),
            pem::Error::NoItemsFound => {
                unusable(key, "there is no private key in it (-----BEGIN PRIVATE KEY-----)")
            }
            error => unreadable(key, &error),
        })?;
        CertifiedKey::from_der(chain, private, &self.provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => unusable(
                key,
                &format!(
                    "it is not the key of the certificate in {}; give the key that the certificate was made for",
                    certificate.display()
                ),
            ),
            error => unusable(
                key,
                &format!("{error}; use a key for RSA, ECDSA or Ed25519"),
            ),
        })
    }

    /// Sets who is trusted to issue certificates, instead of those whom the system trusts.
    pub(crate) fn set_authorities(&mut self, file: &Path) -> Result<()> {
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(file)? {
            let added = authorities.add(certificate);
            added.map_err(|error| {
                let cause = format!("{error}; see what is in it (`openssl x509 -text`)");
                unusable(file, &cause)
            })?;
        }
        self.authorities = Some(authorities);
        self.forget();
        Ok(())
    }

    pub(crate) fn set_accept_any(&mut self, accept: bool) {
        self.accept_any = accept;
        self.forget();
    }

    pub(crate) const fn accepts_any(&self) -> bool {
        self.accept_any
    }

    pub(crate) fn set_clients(&mut self, clients: ClientCertificates) {
        self.clients = clients;
        self.forget();
    }

    /// What follows uses what was set since.
    fn forget(&mut self) {
        self.client = None;
        self.server = None;
    }

    /// A session for a connection to `host`.
    pub(crate) fn connect(&mut self, host: &str) -> std::result::Result<Tls, TlsFault> {
        let config = match &self.client {
            Some(config) => Arc::clone(config),
            None => {
                let config = Arc::new(self.client_config()?);
                Arc::clone(self.client.insert(config))
            }
        };
        Tls::client(config, host, self.certificate.is_some())
    }

    fn client_config(&self) -> std::result::Result<ClientConfig, TlsFault> {
        let verifier: Arc<dyn ServerCertVerifier> = if self.accept_any {
            Arc::new(Anyone(Arc::clone(&self.provider)))
        } else {
            let authorities = match &self.authorities {
                Some(store) => store.clone(),
                None => system_authorities()?,
            };
            let provider = Arc::clone(&self.provider);
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider)
                    .build();
            built.map_err(|error| TlsFault::NoAuthorities(error.to_string()))?
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsFault::Protocol(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(match &self.certificate {
            Some(certificate) => {
                let shown = SingleCertAndKey::from(Arc::clone(certificate));
                config.with_client_cert_resolver(Arc::new(shown))
            }
            None => config.with_no_client_auth(),
        })
    }

    /// What listeners secure connections with.
    pub(crate) fn listen(&mut self) -> std::result::Result<Arc<ServerConfig>, TlsFault> {
        match &self.server {
            Some(config) => Ok(Arc::clone(config)),
            None => {
                let config = Arc::new(self.server_config()?);
                Ok(Arc::clone(self.server.insert(config)))
            }
        }
    }

    fn server_config(&self) -> std::result::Result<ServerConfig, TlsFault> {
        let Some(certificate) = &self.certificate else {
            return Err(TlsFault::NoCertificate);
        };
        let config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsFault::Protocol(error.to_string()))?;
        let config = if self.clients == ClientCertificates::Ignore {
            config.with_no_client_auth()
        } else {
            let Some(authorities) = &self.authorities else {
                // The system's authorities vouch for names on the Internet: anybody can have one.
                return Err(TlsFault::NoAuthorities(
                    "nobody was named whose certificates clients may show".to_owned(),
                ));
            };
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(authorities.clone()),
                Arc::clone(&self.provider),
            );
            let verifier = if self.clients == ClientCertificates::Accept {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            let built = verifier.build();
            config.with_client_cert_verifier(
                built.map_err(|error| TlsFault::NoAuthorities(error.to_string()))?,
            )
        };
        let shown = SingleCertAndKey::from(Arc::clone(certificate));
        Ok(config.with_cert_resolver(Arc::new(shown)))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(unusable(
            file,
            "there is no certificate in it (-----BEGIN CERTIFICATE-----)",
        )),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn is_encrypted(file: &Path) -> bool {
    let text = std::fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&text).contains("BEGIN ENCRYPTED PRIVATE KEY")
}

fn unreadable(file: &Path, error: &pem::Error) -> Error {
    match error {
        pem::Error::Io(error) => unusable(
            file,
            &format!("{error}; check the path, and that it may be read"),
        ),
        error => unusable(
            file,
            &format!(
                "it is not in PEM form: {error}; convert it (`openssl x509` or `openssl pkey`)"
            ),
        ),
    }
}

fn unusable(file: &Path, cause: &str) -> Error {
    Error::Certificate {
        file: file.display().to_string(),
        cause: cause.to_owned(),
    }
}

fn system_authorities() -> std::result::Result<RootCertStore, TlsFault> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    // Systems keep odd and ancient ones as well, which nobody misses.
    let (usable, _) = store.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(store);
    }
    let why = match found.errors.first() {
        Some(error) => format!("the system's authorities cannot be read ({error})"),
        None => "the system has no authorities".to_owned(),
    };
    Err(TlsFault::NoAuthorities(format!(
        "{why}; install them (on Debian the package ca-certificates)"
    )))
}

/// Takes every certificate for good. The peer must still have the key to the one it shows.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
