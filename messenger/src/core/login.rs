//! Logging in (5.3): what connections of ours show, and who is admitted by listeners.

use std::collections::{HashMap, VecDeque};

use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslRequest, SaslServer, ScramCredentials, ScramHash,
    ScramServer, Secret,
};

use super::Core;
use super::pool::{ConnKey, Identity};
use super::reconnect::Line;

/// What SCRAM needs that nobody can foresee; the core has no randomness of its own.
pub(crate) struct Seeds {
    /// What nonces are made of, with a number for each.
    nonces: Secret,
    /// What the salts of a listener's users are made of.
    salts: Secret,
    count: u64,
}

impl Seeds {
    /// From octets that are fit for keys.
    pub(crate) fn new(nonces: [u8; 32], salts: [u8; 32]) -> Self {
        Self {
            nonces: nonces.to_vec().into(),
            salts: salts.to_vec().into(),
            count: 0,
        }
    }

    /// A nonce that no exchange had before: the keyed hash of a number.
    fn nonce(&mut self) -> Nonce {
        self.count += 1;
        let first = Nonce::from_random([0; 18]);
        let mut keyed = ScramServer::new(first, self.nonces.clone());
        let mut octets = [0; 18];
        keyed.salt_octets = octets.len();
        let hashed = keyed.salt(ScramHash::Sha512, &self.count.to_string());
        for (octet, random) in octets.iter_mut().zip(hashed) {
            *octet = random;
        }
        Nonce::from_random(octets)
    }

    fn scram(&mut self) -> ScramServer {
        ScramServer::new(self.nonce(), self.salts.clone())
    }

    /// What salts are made with. There is no nonce in it to speak of: nothing is said to anybody by it.
    fn salts(&self) -> ScramServer {
        ScramServer::new(Nonce::from_random([0; 18]), self.salts.clone())
    }
}

impl std::fmt::Debug for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seeds")
    }
}

/// Octets of a SASL frame where tokens are taken: they are longer than what the specification had in mind (5.3.1).
pub(super) const TOKEN_FRAME: u32 = 65_536;
/// Users for whom is kept what was computed for SCRAM; beyond it those it was computed for longest ago are forgotten.
const MAX_DERIVED: usize = 4096;
/// Octets of a user's name by SCRAM. Longer ones are refused, whoever they are, or they would fill the memory.
const MAX_NAME: usize = 255;

/// Says whether a token is good, for this user: see
/// [`set_listener_tokens`](crate::Messenger::set_listener_tokens).
pub type TokenCheck = Box<dyn FnMut(&str, &str) -> bool + Send>;

/// Who is admitted by listeners.
#[derive(Default)]
pub(super) struct Admission {
    /// Empty, and without a check of tokens, everyone is.
    passwords: HashMap<String, String>,
    tokens: Option<TokenCheck>,
    /// What SCRAM needs of users, computed when it was first asked for: that takes thousands of rounds of
    /// a hash, and a flood of logins must not be a flood of those. `None` for users that do not exist, who are treated
    /// like those who do in everything that takes time, or it would tell who they are.
    derived: HashMap<(ScramHash, String), Option<ScramCredentials>>,
    /// The same names, oldest first.
    order: VecDeque<(ScramHash, String)>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No secrets.
        f.write_str("Admission")
    }
}

impl Admission {
    pub(super) const fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    fn is_open(&self) -> bool {
        self.passwords.is_empty() && self.tokens.is_none()
    }

    fn has_password(&self, user: &str, password: &Secret) -> bool {
        let known = self.passwords.get(user);
        // An unknown user costs the same comparison as a wrong password.
        let expected = known.map_or("", String::as_str);
        password.matches(expected.as_bytes()) && known.is_some()
    }

    /// What SCRAM needs of a user, if there is such a one.
    fn scram(
        &mut self,
        hash: ScramHash,
        user: &str,
        how: &ScramServer,
    ) -> Option<ScramCredentials> {
        if user.len() > MAX_NAME {
            return None;
        }
        let key = (hash, user.to_owned());
        if let Some(known) = self.derived.get(&key) {
            return known.clone();
        }
        let password = self.passwords.get(user).map(String::as_str);
        if self.order.len() >= MAX_DERIVED
            && let Some(oldest) = self.order.pop_front()
        {
            self.derived.remove(&oldest);
        }
        // A user that does not exist takes as long as one that does, when it is first asked for.
        let salt = how.salt(hash, user);
        let some = password.unwrap_or("nobody");
        let derived = ScramCredentials::derive(hash, some, &salt, how.iterations).ok();
        let derived = derived.filter(|_| password.is_some());
        self.order.push_back(key.clone());
        self.derived.insert(key, derived.clone());
        derived
    }

    fn has_token(&mut self, user: &str, token: &Secret) -> bool {
        let token = std::str::from_utf8(token.as_bytes());
        match (&mut self.tokens, token) {
            (Some(check), Ok(token)) => check(user, token),
            _ => false,
        }
    }
}

impl Core {
    pub(crate) fn set_passwords(&mut self, passwords: HashMap<String, String>) {
        self.admission.passwords = passwords;
        self.admission.derived.clear();
        self.admission.order.clear();
    }

    /// Admits a user, or no longer.
    pub(crate) fn set_password(&mut self, user: &str, password: Option<&str>) {
        let admission = &mut self.admission;
        match password {
            Some(password) => admission
                .passwords
                .insert(user.to_owned(), password.to_owned()),
            None => admission.passwords.remove(user),
        };
        let mut was_derived = false;
        for hash in ScramHash::STRONGEST_FIRST {
            was_derived |= admission.derived.remove(&(hash, user.to_owned())).is_some();
        }
        if was_derived {
            admission.order.retain(|(_, name)| name != user);
        }
    }

    pub(crate) fn set_token_check(&mut self, check: Option<TokenCheck>) {
        self.admission.tokens = check;
    }

    /// How a connection of ours logs in.
    pub(super) fn client_login(&mut self, identity: &Identity, line: &Line) -> SaslClient {
        let address = line.target();
        let secure = address.scheme.is_secure();
        // A secret may go where nobody can read along, or where the user said so.
        let trusted = self.options.allow_plain || address.is_loopback();
        let clear = if line.is_redirected() {
            // Where a peer sends us to is nobody's word but its own, unless a certificate shows that it is a host which
            // the user named. Who is told a secret there could log in with it elsewhere.
            secure && !line.is_to_stranger() && !self.options.accepts_any
        } else {
            secure || trusted
        };
        // An address with an empty user asks for none.
        let nobody = identity.user.as_deref() == Some("") && identity.password.is_none();
        let token = self.options.token.as_ref().filter(|_| !nobody);
        match (&identity.user, &identity.password, token) {
            (Some(user), Some(password), _) => {
                let nonce = self.seeds.nonce();
                let (user, password) = (user.as_str(), password.as_str());
                SaslClient::scram(ScramHash::STRONGEST_FIRST, user, password, nonce)
                    .or(SaslClient::plain(user, password))
                    .allow_clear_text(clear)
            }
            (user, None, Some(token)) => {
                let user = user.as_deref().unwrap_or_default();
                SaslClient::oauthbearer(user, token.as_str())
                    .or(SaslClient::xoauth2(user, token.as_str()))
                    .allow_clear_text(clear)
            }
            // Not every server that looks at certificates lets them log in.
            _ if secure && self.options.has_certificate => {
                SaslClient::external().or(SaslClient::anonymous())
            }
            _ => SaslClient::anonymous(),
        }
    }

    /// Says so when a secret went where it may not stay one.
    pub(super) fn warn_of_clear_text(&mut self, key: ConnKey) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let Some(line) = &conn.line else {
            return;
        };
        let mechanism = conn.engine.sasl_mechanism();
        let shows = mechanism
            .and_then(|name| Mechanism::from_name(name.as_str()))
            .is_some_and(Mechanism::shows_secret);
        if shows && !line.target().scheme.is_secure() && !self.options.allow_plain {
            let text = format!(
                "the password or token for {} is sent without TLS; on loopback nobody else sees it",
                conn.endpoint
            );
            self.warn(text);
        }
    }

    /// What is asked of somebody who comes in, whose certificate may have proved who it is.
    pub(super) fn server_login(&mut self, proved: bool) -> SaslServer {
        let mut mechanisms = Vec::new();
        mechanisms.extend(proved.then_some(Mechanism::External));
        let admission = &self.admission;
        if admission.is_open() {
            mechanisms.push(Mechanism::Anonymous);
            return SaslServer::new(mechanisms).required(false);
        }
        if !admission.passwords.is_empty() {
            mechanisms.extend(ScramHash::STRONGEST_FIRST.map(Mechanism::Scram));
            mechanisms.push(Mechanism::Plain);
        }
        if admission.takes_tokens() {
            mechanisms.extend([Mechanism::OAuthBearer, Mechanism::XOAuth2]);
        }
        SaslServer::new(mechanisms).scram(self.seeds.scram())
    }

    /// A client says who it is: look it up.
    pub(super) fn authenticate(&mut self, key: ConnKey) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let admission = &mut self.admission;
        let answer = match conn.engine.sasl_request() {
            Some(SaslRequest::Plain {
                authorize_as,
                user,
                password,
            }) => {
                let own = authorize_as.is_empty() || authorize_as == user;
                conn.user = Some(user.to_string());
                admit(admission.has_password(user, password) && own)
            }
            Some(SaslRequest::Scram {
                hash,
                authorize_as,
                user,
            }) => {
                let own = authorize_as.is_empty() || authorize_as == user;
                conn.user = Some(user.to_string());
                match admission.scram(*hash, user, &self.seeds.salts()) {
                    Some(stored) if own => SaslAnswer::Scram(stored),
                    _ => SaslAnswer::Reject,
                }
            }
            Some(SaslRequest::Bearer { user, token, .. }) => {
                conn.user = Some(user.to_string());
                admit(admission.has_token(user, token))
            }
            // Offered only where a certificate has proved who it is: it may act as that, or as nobody else.
            Some(SaslRequest::External { authorize_as }) => {
                admit(conn.subject.as_ref().is_some_and(|subject| {
                    authorize_as.is_empty() || authorize_as.as_str() == subject.as_str()
                }))
            }
            _ => SaslAnswer::Reject,
        };
        // Only a client that asks can be answered, and this one did.
        let _ = conn.engine.sasl_answer(answer);
        self.pool.touch(key);
    }
}

const fn admit(good: bool) -> SaslAnswer {
    if good {
        SaslAnswer::Accept
    } else {
        SaslAnswer::Reject
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, MAX_DERIVED, MAX_NAME, Seeds};
    use ferrion_engine::sasl::ScramHash;

    #[test]
    fn what_is_kept_for_scram_has_an_end_and_does_not_tell_who_exists() {
        let mut how = Seeds::new([1; 32], [2; 32]).salts();
        // How often the hash is applied is nothing that this is about.
        how.iterations = 1;
        let mut admission = Admission::default();
        for user in ["ann", "bob"] {
            admission
                .passwords
                .insert(user.to_owned(), "secret".to_owned());
        }
        let hash = ScramHash::Sha256;
        let long = "x".repeat(MAX_NAME + 1);
        admission
            .passwords
            .insert(long.clone(), "secret".to_owned());
        assert!(admission.scram(hash, &long, &how).is_none());
        let ann = admission.scram(hash, "ann", &how).unwrap();
        assert!(admission.scram(hash, "nobody", &how).is_none());
        assert_eq!(admission.derived.len(), 2, "one like the other is kept");
        for n in 0..MAX_DERIVED {
            assert!(admission.scram(hash, &format!("x{n}"), &how).is_none());
            assert!(admission.derived.len() <= MAX_DERIVED);
            assert_eq!(admission.derived.len(), admission.order.len());
        }
        for user in ["ann", "nobody"] {
            let key = (hash, user.to_owned());
            assert!(
                !admission.derived.contains_key(&key),
                "{user} was forgotten"
            );
        }
        let again = admission.scram(hash, "ann", &how).unwrap();
        assert_eq!(
            (again.salt, again.stored_key.as_bytes()),
            (ann.salt, ann.stored_key.as_bytes())
        );
        assert!(admission.scram(hash, "bob", &how).is_some());
    }
}
