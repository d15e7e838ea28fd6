//! Certificates for brokers and their clients, made anew by each test process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SanType, date_time_ymd,
};

use super::Scratch;

/// The password of stores for Java, which wants one.
pub const STORE_PASSWORD: &str = "changeit";

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Who issues certificates. Its files go away with the value.
#[derive(Debug)]
pub struct Authority {
    folder: Scratch,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    ///
    /// # Panics
    ///
    /// When the system gives no randomness, or its folder for temporary files can not be written.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = common_name(name);
        let key = KeyPair::generate().expect("randomness");
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = Scratch::new();
        write(&folder.path().join("ca.pem"), &certificate.pem());
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// Its own certificate, by which it is trusted.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for 127.0.0.1, and for no other host.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[must_use]
    pub fn issue(&self, name: &str) -> Identity {
        self.issue_with(name, name, |_| {})
    }

    /// The same, but that it was valid until the end of 2020.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[must_use]
    pub fn issue_expired(&self, name: &str) -> Identity {
        self.issue_with(&format!("{name}-expired"), name, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 12, 31);
        })
    }

    fn issue_with(
        &self,
        file: &str,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let mut params = CertificateParams::default();
        let loopback = std::net::Ipv4Addr::LOCALHOST.into();
        params.subject_alt_names.push(SanType::IpAddress(loopback));
        params.distinguished_name = common_name(name);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().expect("randomness");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let identity = Identity {
            certificate: self.folder.path().join(format!("{file}.pem")),
            key: self.folder.path().join(format!("{file}.key")),
        };
        write(&identity.certificate, &certificate.pem());
        write(&identity.key, &key.serialize_pem());
        identity
    }

    /// A store of Java's (PKCS #12) with a certificate of this authority and its key.
    ///
    /// # Panics
    ///
    /// When `openssl` can not be run.
    #[must_use]
    pub fn key_store(&self, identity: &Identity) -> Vec<u8> {
        let store = identity.key.with_extension("p12");
        run(Command::new("openssl")
            .args(["pkcs12", "-export", "-name", "own", "-passout"])
            .arg(format!("pass:{STORE_PASSWORD}"))
            .arg("-inkey")
            .arg(&identity.key)
            .arg("-in")
            .arg(&identity.certificate)
            .arg("-certfile")
            .arg(self.file())
            .arg("-out")
            .arg(&store));
        fs::read(&store).expect("the store")
    }

    /// A store of Java's with the certificate of this authority, whom to trust.
    ///
    /// # Panics
    ///
    /// When `keytool` can not be run.
    #[must_use]
    pub fn trust_store(&self) -> Vec<u8> {
        let store = self.folder.path().join("trust.p12");
        drop(fs::remove_file(&store));
        run(Command::new("keytool")
            .args(["-importcert", "-noprompt", "-alias", "authority"])
            .args(["-storetype", "PKCS12", "-storepass", STORE_PASSWORD])
            .arg("-file")
            .arg(self.file())
            .arg("-keystore")
            .arg(&store));
        fs::read(&store).expect("the store")
    }
}

impl Identity {
    /// What is in the files: the certificate, then the key.
    ///
    /// # Panics
    ///
    /// When the authority is gone, and the files with it.
    #[must_use]
    pub fn pem(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |path| fs::read(path).expect("a file of an authority that is still there");
        (read(&self.certificate), read(&self.key))
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::CommonName, name);
    whole
}

fn write(path: &Path, content: &str) {
    fs::write(path, content)
        .unwrap_or_else(|error| panic!("can not write {}: {error}", path.display()));
}

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("can not run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
