//! Logging in (5.3): what connections of ours show, and who is admitted by listeners.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslRequest, SaslServer, ScramCredentials, ScramHash,
    ScramServer, Secret,
};

use super::Core;
use super::line::Line;
use super::pool::{ConnKey, Identity};

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

    /// By what somebody is known again who shows the same token, and nobody else is; the token cannot be had of it.
    fn mark(&self, token: &str) -> TokenMark {
        let mut keyed = ScramServer::new(Nonce::from_random([0; 18]), self.nonces.clone());
        keyed.salt_octets = 32;
        // Not with the hash that nonces are made with, so that a token which looks like a number is none.
        TokenMark(keyed.salt(ScramHash::Sha256, token))
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

/// What is kept of a token: see [`Seeds::mark`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenMark(Bytes);

impl std::fmt::Debug for TokenMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenMark")
    }
}

/// Says whether a token is good, for this user: see
/// [`set_listener_tokens`](crate::Messenger::set_listener_tokens).
pub type TokenCheck = Box<dyn FnMut(&str, &str) -> bool + Send>;

/// Who is admitted by listeners.
#[derive(Default)]
pub(super) struct Admission {
    passwords: HashMap<String, Secret>,
    tokens: HashMap<String, Secret>,
    token_check: Option<TokenCheck>,
    /// Somebody was admitted by name: when the last of those is taken away, nobody is left, rather than everyone let in.
    restricted: bool,
    /// What SCRAM needs of them, by the hashes that somebody logged in with.
    keys: HashMap<ScramHash, Keys>,
}

/// What SCRAM needs of users, with one hash. To derive it from a password takes thousands of rounds of the hash, so a flood of
/// logins must not be a flood of those; and whether it is done must not tell which users there are. So each login,
/// whoever it claims to be, derives what is missing of one user, as long as anything is: of its own, or of the next one.
/// There are as many derivations as users, and after them none.
#[derive(Default)]
struct Keys {
    /// Nothing for users with passwords that SCRAM cannot say.
    derived: HashMap<String, Option<ScramCredentials>>,
    /// Users for whom nothing was derived yet.
    missing: BTreeSet<String>,
}

impl Keys {
    fn of(
        &mut self,
        user: &str,
        derive: impl FnOnce(&str) -> Option<ScramCredentials>,
    ) -> Option<ScramCredentials> {
        let due = self.missing.take(user).or_else(|| self.missing.pop_first());
        if let Some(due) = due {
            let derived = derive(&due);
            self.derived.insert(due, derived);
        }
        self.derived.get(user)?.clone()
    }
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No secrets.
        f.write_str("Admission")
    }
}

impl Admission {
    pub(super) fn takes_tokens(&self) -> bool {
        self.token_check.is_some() || !self.tokens.is_empty()
    }

    /// Nobody was ever named who is to be let in, so everyone is.
    fn is_open(&self) -> bool {
        !self.restricted && self.passwords.is_empty() && !self.takes_tokens()
    }

    fn has_password(&self, user: &str, password: &Secret) -> bool {
        let known = self.passwords.get(user);
        // An unknown user costs the same comparison as a wrong password.
        let expected = known.map_or(&[][..], Secret::as_bytes);
        password.matches(expected) && known.is_some()
    }

    /// What SCRAM needs of a user, if there is such a one.
    fn scram(
        &mut self,
        hash: ScramHash,
        user: &str,
        how: &ScramServer,
    ) -> Option<ScramCredentials> {
        let keys = self.keys.entry(hash).or_insert_with(|| Keys {
            derived: HashMap::new(),
            missing: self.passwords.keys().cloned().collect(),
        });
        keys.of(user, |due| {
            let password = std::str::from_utf8(self.passwords.get(due)?.as_bytes()).ok()?;
            let salt = how.salt(hash, due);
            ScramCredentials::derive(hash, password, &salt, how.iterations).ok()
        })
    }

    fn has_token(&mut self, user: &str, token: &Secret) -> bool {
        let known = self.tokens.get(user);
        if known.is_some_and(|known| known.matches(token.as_bytes())) {
            return true;
        }
        let token = std::str::from_utf8(token.as_bytes());
        match (&mut self.token_check, token) {
            (Some(check), Ok(token)) => check(user, token),
            _ => false,
        }
    }
}

impl Core {
    pub(crate) fn set_passwords(&mut self, passwords: HashMap<String, Secret>) {
        self.admission.restricted = false;
        self.admission.passwords = passwords;
        self.admission.keys.clear();
    }

    /// Admits a user, or no longer.
    pub(crate) fn set_password(&mut self, user: &str, password: Option<&str>) {
        let admission = &mut self.admission;
        admission.restricted |= password.is_some();
        match password {
            Some(password) => admission.passwords.insert(user.to_owned(), password.into()),
            None => admission.passwords.remove(user),
        };
        for keys in admission.keys.values_mut() {
            keys.derived.remove(user);
            match password {
                Some(_) => keys.missing.insert(user.to_owned()),
                None => keys.missing.remove(user),
            };
        }
    }

    /// Admits who shows this token as this user, or no longer.
    pub(crate) fn set_known_token(&mut self, user: &str, token: Option<&str>) {
        self.admission.restricted |= token.is_some();
        let tokens = &mut self.admission.tokens;
        match token {
            Some(token) => tokens.insert(user.to_owned(), token.into()),
            None => tokens.remove(user),
        };
    }

    pub(crate) fn set_token_check(&mut self, check: Option<TokenCheck>) {
        self.admission.token_check = check;
    }

    /// How a connection of ours logs in. Who has a password or a token does so with it or not at all: if nobody (ANONYMOUS) were
    /// a way out, anyone on the way could take the login away by changing what the peer offers, and nobody would know.
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
                let user = user.as_str();
                SaslClient::scram(ScramHash::STRONGEST_FIRST, user, password.clone(), nonce)
                    .or(SaslClient::plain(user, password.clone()))
                    .allow_clear_text(clear)
            }
            (user, None, Some(token)) => {
                let user = user.as_deref().unwrap_or_default();
                SaslClient::oauthbearer(user, token.clone())
                    .or(SaslClient::xoauth2(user, token.clone()))
                    .allow_clear_text(clear)
            }
            // Not every server that looks at certificates lets them log in.
            _ if secure && self.options.has_certificate => {
                SaslClient::external().or(SaslClient::anonymous())
            }
            _ => SaslClient::anonymous(),
        }
    }

    /// Says so when who was to log in did not, for want of a password.
    pub(super) fn warn_of_nobody(&mut self, key: ConnKey) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let user = conn.identity.as_ref().and_then(|it| it.user.as_deref());
        let Some(user) = user.filter(|user| !user.is_empty()) else {
            return;
        };
        let anonymous = Mechanism::Anonymous.name();
        if conn
            .engine
            .sasl_mechanism()
            .is_some_and(|name| name.as_str() == anonymous)
        {
            let text = format!(
                "nobody is logged in at {}, though {user:?} was to be: give a password too, or leave the user out",
                conn.endpoint
            );
            self.warn(text);
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
        // With nobody left to admit these refuse all: some mechanism has to be offered (5.3.3.1).
        if !admission.passwords.is_empty() || !admission.takes_tokens() {
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
                // Where the token alone says who it is, another token is somebody else.
                let text = std::str::from_utf8(token.as_bytes()).ok();
                let text = text.filter(|_| user.is_empty());
                conn.token = text.map(|token| self.seeds.mark(token));
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
    use super::{Admission, Keys, Seeds};
    use ferrion_engine::sasl::{ScramCredentials, ScramHash};

    const HASH: ScramHash = ScramHash::Sha256;

    fn some_credentials() -> Option<ScramCredentials> {
        ScramCredentials::derive(HASH, "secret", b"salt", 1).ok()
    }

    /// How many derivations each of these logins costs.
    fn costs<'n>(keys: &mut Keys, names: impl IntoIterator<Item = &'n str>) -> Vec<u32> {
        let cost = |name| {
            let mut count = 0;
            keys.of(name, |_| {
                count += 1;
                some_credentials()
            });
            count
        };
        names.into_iter().map(cost).collect()
    }

    fn keys(users: &[&str]) -> Keys {
        Keys {
            missing: users.iter().map(|&user| user.to_owned()).collect(),
            ..Keys::default()
        }
    }

    #[test]
    fn a_flood_of_unknown_names_derives_no_more_keys_than_there_are_users() {
        let mut keys = keys(&["ann", "bob", "cid"]);
        let names: Vec<String> = (0..10_000).map(|n| format!("nobody {n}")).collect();
        let costs = costs(&mut keys, names.iter().map(String::as_str));
        assert_eq!(costs[..3], [1, 1, 1]);
        assert_eq!(costs[3..].iter().sum::<u32>(), 0);
        assert_eq!(keys.derived.len(), 3, "nothing is kept of strangers");
    }

    #[test]
    fn what_a_login_costs_does_not_tell_whether_there_is_such_a_user() {
        let users = ["ann", "bob", "cid", "dan"];
        // A known name that comes first, that comes again, that others were derived before; and unknown ones.
        for third in ["ann", "cid", "dan", "nobody", "somebody"] {
            for second in ["ann", "bob", "nobody"] {
                let names = ["ann", second, third, third, second, "ann", "nobody"];
                assert_eq!(costs(&mut keys(&users), names), [1, 1, 1, 1, 0, 0, 0]);
            }
        }
    }

    #[test]
    fn who_is_admitted_has_keys_with_each_hash_and_others_have_none() {
        let mut how = Seeds::new([1; 32], [2; 32]).salts();
        // How often the hash is applied is nothing that this is about.
        how.iterations = 1;
        let mut admission = Admission::default();
        for (user, password) in [("ann", "secret"), ("bob", "secret"), ("bell", "\u{7}")] {
            admission.passwords.insert(user.into(), password.into());
        }
        for hash in ScramHash::STRONGEST_FIRST {
            for _ in 0..2 {
                assert!(admission.scram(hash, "nobody", &how).is_none());
                let ann = admission.scram(hash, "ann", &how).unwrap();
                assert_eq!(ann.salt, how.salt(hash, "ann"));
                assert!(admission.scram(hash, "bob", &how).is_some());
                let unspeakable = admission.scram(hash, "bell", &how);
                assert!(unspeakable.is_none(), "a password that cannot be said");
            }
        }
    }
}
