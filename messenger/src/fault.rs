//! Why connections do not come about, and what to do: TLS, above all, has many ways not to work.

use std::fmt;

use crate::error::Error;

/// Why a connection could not be secured with TLS. The text of each says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The peer's certificate was issued by an authority that is not trusted here.
    UnknownAuthority,
    /// The peer's certificate is not valid any more.
    Expired {
        /// The last day of its validity, as `2026-12-31`, if it is known.
        since: Option<String>,
    },
    /// The peer's certificate is not valid yet; or this machine's clock is wrong.
    NotYetValid {
        /// The first day of its validity, as `2026-12-31`, if it is known.
        until: Option<String>,
    },
    /// The peer's certificate is for other names than the one that was connected to.
    WrongName {
        /// The host of the address.
        expected: String,
        /// The names in the certificate, as far as they are known.
        presented: Vec<String>,
    },
    /// The peer's certificate was revoked.
    Revoked,
    /// The peer's certificate cannot be used for another reason.
    BadCertificate(String),
    /// A host that certificates cannot be checked against.
    InvalidName(String),
    /// The peer talks without TLS.
    PeerSpeaksPlain,
    /// The peer speaks TLS, or asks for it, where it was talked to without.
    PeerWantsTls,
    /// The peer wants a certificate of ours, and none is set or it came none.
    CertificateRequired,
    /// The peer did not like the certificate that it was shown; how it called the reason.
    CertificateRefused(String),
    /// The peer did not finish the handshake in time.
    TimedOut,
    /// The peer went away in the middle of the handshake.
    Closed,
    /// The stream ended without the goodbye of TLS: somebody on the way may have cut it off.
    Truncated,
    /// Listening needs a certificate, and none is set.
    NoCertificate,
    /// Certificates of peers are to be checked, and there is nothing to check them against.
    NoAuthorities(String),
    /// The two sides found no way to talk, or one broke the rules.
    Protocol(String),
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority => f.write_str(
                "the peer's certificate was issued by an authority that is not trusted here; if you know it, give \
                 its certificate to set_trusted_certificates()",
            ),
            Self::Expired { since } => {
                f.write_str("the peer's certificate has expired")?;
                if let Some(day) = since {
                    write!(f, " on {day}")?;
                }
                f.write_str("; the peer needs a new one (or this machine's clock is wrong)")
            }
            Self::NotYetValid { until } => {
                f.write_str("the peer's certificate is not valid yet")?;
                if let Some(day) = until {
                    write!(f, ", but from {day} on")?;
                }
                f.write_str("; check this machine's clock")
            }
            Self::WrongName {
                expected,
                presented,
            } => {
                write!(f, "the peer's certificate is not for {expected:?}")?;
                if !presented.is_empty() {
                    write!(f, " but for {}", presented.join(", "))?;
                }
                f.write_str("; connect to it by a name that stands in the certificate")
            }
            Self::Revoked => f.write_str("the peer's certificate was revoked; the peer needs a new one"),
            Self::BadCertificate(why) => {
                write!(f, "the peer's certificate cannot be used: {why}; the peer needs another one")
            }
            Self::InvalidName(host) => write!(
                f,
                "{host:?} is not a name that a certificate could be for; use the peer's DNS name or IP address"
            ),
            Self::PeerSpeaksPlain => f.write_str(
                "the peer answers without TLS; check the port, or use the scheme without s if the network is trusted",
            ),
            Self::PeerWantsTls => f.write_str("the peer wants TLS; use the scheme with s: amqps:// or wss://"),
            Self::CertificateRequired => {
                f.write_str("the peer wants a certificate of ours; set one with set_certificate()")
            }
            Self::CertificateRefused(reason) => write!(
                f,
                "the peer refused our certificate ({reason}); set one that it trusts with set_certificate()"
            ),
            Self::TimedOut => f.write_str(
                "the handshake was not finished in time; check that the peer speaks TLS on this port, or raise \
                 set_handshake_time_out()",
            ),
            Self::Closed => f.write_str(
                "the peer closed the connection during the handshake; check that it speaks TLS on this port, and its \
                 log",
            ),
            Self::Truncated => f.write_str(
                "the stream ended without TLS having said goodbye: the peer crashed, or somebody on the way cut it off",
            ),
            Self::NoCertificate => {
                f.write_str("to listen with TLS needs a certificate; set one with set_certificate()")
            }
            Self::NoAuthorities(why) => {
                write!(
                    f,
                    "there is nothing to check certificates against: {why}; say who may issue them with \
                     set_trusted_certificates()"
                )
            }
            Self::Protocol(what) => f.write_str(what),
        }
    }
}

/// Why a transport did not come about, or ended, before it is known what that means for whom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cause {
    /// In the words of the system, or of who knows better.
    Words(String),
    /// TLS.
    Tls(TlsFault),
    /// WebSocket, with which it will not be different the next time.
    Web(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) | Self::Web(words) => f.write_str(words),
            Self::Tls(fault) => fault.fmt(f),
        }
    }
}

impl Cause {
    /// The error that this is while a connection is made.
    pub(crate) fn while_connecting(self, address: String) -> Error {
        match self {
            Self::Words(cause) => Error::Connect { address, cause },
            Self::Tls(fault) => Error::Tls { address, fault },
            Self::Web(cause) => Error::WebSocket { address, cause },
        }
    }

    /// The error that this is for a listening address.
    pub(crate) fn while_listening(self, address: String) -> Error {
        match self {
            Self::Words(cause) | Self::Web(cause) => Error::Listen { address, cause },
            Self::Tls(fault) => Error::Tls { address, fault },
        }
    }

    /// The error that this is for a connection that was open.
    pub(crate) fn after_opening(self, address: String) -> Error {
        let cause = self.to_string();
        Error::Lost { address, cause }
    }
}

impl From<String> for Cause {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<TlsFault> for Cause {
    fn from(fault: TlsFault) -> Self {
        Self::Tls(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::TlsFault;

    #[test]
    fn texts_carry_what_is_known_and_say_what_to_do() {
        let fault = TlsFault::Expired {
            since: Some("2020-02-29".to_owned()),
        };
        assert!(
            fault.to_string().contains("on 2020-02-29; the peer needs"),
            "{fault}"
        );
        let fault = TlsFault::Expired { since: None };
        assert!(
            fault.to_string().contains("expired; the peer needs"),
            "{fault}"
        );
        let fault = TlsFault::WrongName {
            expected: "a.example".to_owned(),
            presented: vec!["b.example".to_owned(), "c.example".to_owned()],
        };
        let text = "not for \"a.example\" but for b.example, c.example; connect";
        assert!(fault.to_string().contains(text), "{fault}");
    }
}
