//! Authorities and certificates, made anew for each test process and gone with it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use tempfile::TempDir;

/// A certificate and its key, in files.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Who issues certificates.
pub(crate) struct Authority {
    /// Its own certificate, in a file.
    pub(crate) file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

pub(crate) struct Pki {
    dir: TempDir,
    /// Trusted by the clients of the tests.
    pub(crate) authority: Authority,
    /// Of 127.0.0.1 and localhost.
    pub(crate) server: Identity,
    /// `CN=client,O=Example`
    pub(crate) client: Identity,
}

/// Those of this process.
pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(Pki::new)
}

impl Pki {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let authority = Authority::new(dir.path(), "authority");
        let server = authority.issue(dir.path(), "server", |_| {});
        let client = authority.issue(dir.path(), "client", |params| {
            params.subject_alt_names.clear();
            let name = &mut params.distinguished_name;
            name.push(DnType::OrganizationName, "Example");
            name.push(DnType::CommonName, "client");
        });
        Self {
            dir,
            authority,
            server,
            client,
        }
    }

    /// A place with this name, in which there is nothing unless a test puts it there.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A place that is nobody else's, whatever its name: other tests run at the same time.
    pub(crate) fn own_path(&self, name: &str) -> PathBuf {
        own_path(self.dir.path(), name)
    }

    /// Another authority, which nobody trusts.
    pub(crate) fn stranger(&self, name: &str) -> Authority {
        Authority::new(self.dir.path(), name)
    }

    /// A certificate of the trusted authority, for 127.0.0.1 and localhost but for what `change` does.
    pub(crate) fn issue(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        self.authority.issue(self.dir.path(), name, change)
    }
}

fn own_path(dir: &Path, name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    dir.join(format!("{number}-{name}"))
}

impl Authority {
    fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = own_path(dir, &format!("{name}.pem"));
        std::fs::write(&file, certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { file, issuer }
    }

    pub(crate) fn issue(
        &self,
        dir: &Path,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let loopback = std::net::Ipv4Addr::LOCALHOST.into();
        params.subject_alt_names.push(SanType::IpAddress(loopback));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = Identity {
            certificate: own_path(dir, &format!("{name}.crt")),
            key: own_path(dir, &format!("{name}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }

    /// As [`issue`](Self::issue), next to its own file.
    pub(crate) fn issue_here(&self, name: &str) -> Identity {
        let dir = self.file.parent().unwrap();
        self.issue(dir, name, |_| {})
    }
}
