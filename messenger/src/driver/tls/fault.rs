//! What the TLS library says, in words that say what to do.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use crate::fault::TlsFault;

/// As many names of a certificate are told, none of them longer than a name of DNS: the peer chooses them.
const NAMES: usize = 16;
const LONGEST: usize = 255;

/// The fault behind an error; `certified` if we have a certificate that the peer could have disliked.
pub(super) fn of(error: &Error, certified: bool) -> TlsFault {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert, certified),
        Error::NoCertificatesPresented => TlsFault::Protocol(
            "the peer showed no certificate, and set_client_certificates() demands one".to_owned(),
        ),
        error => TlsFault::Protocol(error.to_string()),
    }
}

fn of_certificate(error: &CertificateError) -> TlsFault {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, Revoked, UnknownIssuer,
    };
    match error {
        UnknownIssuer => TlsFault::UnknownAuthority,
        Expired => TlsFault::Expired { since: None },
        ExpiredContext { not_after, .. } => TlsFault::Expired {
            since: Some(day(*not_after)),
        },
        NotValidYet => TlsFault::NotYetValid { until: None },
        NotValidYetContext { not_before, .. } => TlsFault::NotYetValid {
            until: Some(day(*not_before)),
        },
        NotValidForName => TlsFault::WrongName {
            expected: "the host".to_owned(),
            presented: Vec::new(),
        },
        NotValidForNameContext {
            expected,
            presented,
        } => TlsFault::WrongName {
            expected: expected.to_str().into_owned(),
            presented: presented
                .iter()
                .map(|name| plain_name(name))
                .filter(|name| name.len() <= LONGEST)
                .take(NAMES)
                .collect(),
        },
        Revoked => TlsFault::Revoked,
        Other(error) => TlsFault::BadCertificate(of_library(&error.0.to_string())),
        error => TlsFault::BadCertificate(error.to_string()),
    }
}

/// What the library under the TLS library says, which has names for its errors and no texts.
fn of_library(name: &str) -> String {
    match name {
        // Nearly everybody's first certificate.
        "CaUsedAsEndEntity" => {
            "it is an authority's own (CA:TRUE), as `openssl req -x509` makes it unless it is told \
             -addext basicConstraints=critical,CA:FALSE"
                .to_owned()
        }
        name => name.to_owned(),
    }
}

/// `DnsName("a.example")` as `a.example`: whoever reads the text knows names, not types.
fn plain_name(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

fn of_alert(alert: AlertDescription, certified: bool) -> TlsFault {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, UnknownCA, UnsupportedCertificate,
    };
    match alert {
        CertificateRequired => TlsFault::CertificateRequired,
        BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | AccessDenied => {
            if certified {
                TlsFault::CertificateRefused(name(alert))
            } else {
                // There was none to dislike: that is what they mean.
                TlsFault::CertificateRequired
            }
        }
        alert if certified => TlsFault::Protocol(format!(
            "the peer ended the TLS session with the alert {}; its log may say more",
            name(alert)
        )),
        alert => TlsFault::Protocol(format!(
            "the peer ended the TLS session with the alert {}; it may want a certificate of ours \
             (set_certificate()), and its log may say more",
            name(alert)
        )),
    }
}

/// The alert as the standard writes it: `UnknownCA` is `unknown_ca` (RFC 8446, 6).
fn name(alert: AlertDescription) -> String {
    let mut written = String::new();
    let mut after_small = false;
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && after_small {
            written.push('_');
        }
        after_small = letter.is_ascii_lowercase();
        written.push(letter.to_ascii_lowercase());
    }
    written
}

/// The day of a point in time, in UTC, as `2026-12-31`.
fn day(time: UnixTime) -> String {
    let days = time.as_secs() / 86_400;
    // Years that begin in March have the leap day last; 400 of them have a fixed number of days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::AlertDescription;
    use rustls::pki_types::UnixTime;

    use super::{day, name, plain_name};

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(day(time), expected, "{seconds}");
        }
    }

    #[test]
    fn names_read_as_people_write_them() {
        assert_eq!(name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(
            name(AlertDescription::HandshakeFailure),
            "handshake_failure"
        );
        assert_eq!(plain_name("DnsName(\"a.example\")"), "a.example");
        assert_eq!(plain_name("*.example"), "*.example");
    }
}
