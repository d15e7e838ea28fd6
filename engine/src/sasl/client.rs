//! The client's side of SASL.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Mechanism, Secret, Step};
use crate::codec::{Str, Symbol};
use crate::error::SaslFailure;
use crate::protocol::{SaslCode, SaslFrame, SaslInit, SaslMechanisms, SaslResponse};

/// What a client authenticates with.
#[derive(Clone, Debug)]
pub struct SaslClient {
    credentials: Credentials,
}

#[derive(Clone, Debug)]
enum Credentials {
    Anonymous,
    Plain { user: Str, password: Secret },
    External { authorize_as: Str },
}

impl SaslClient {
    /// ANONYMOUS: no identity.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            credentials: Credentials::Anonymous,
        }
    }

    /// PLAIN: user and password in clear. Only over a transport that keeps secrets.
    pub fn plain(user: impl Into<Str>, password: impl Into<Secret>) -> Self {
        Self {
            credentials: Credentials::Plain {
                user: user.into(),
                password: password.into(),
            },
        }
    }

    /// EXTERNAL: the identity that the transport has proved.
    #[must_use]
    pub fn external() -> Self {
        Self {
            credentials: Credentials::External {
                authorize_as: Str::default(),
            },
        }
    }

    const fn mechanism(&self) -> Mechanism {
        match self.credentials {
            Credentials::Anonymous => Mechanism::Anonymous,
            Credentials::Plain { .. } => Mechanism::Plain,
            Credentials::External { .. } => Mechanism::External,
        }
    }

    fn initial_response(&self) -> Bytes {
        match &self.credentials {
            // RFC 4505 allows a trace string here; there is nothing worth telling.
            Credentials::Anonymous => Bytes::from_static(b"anonymous"),
            // An empty authorization identity: some servers refuse any other (RFC 4616).
            Credentials::Plain { user, password } => {
                let mut response = Vec::with_capacity(2 + user.len() + password.as_bytes().len());
                response.push(0);
                response.extend_from_slice(user.as_bytes());
                response.push(0);
                response.extend_from_slice(password.as_bytes());
                response.into()
            }
            Credentials::External { authorize_as } => {
                Bytes::copy_from_slice(authorize_as.as_bytes())
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct ClientStage {
    config: SaslClient,
    hostname: Option<Str>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    AwaitMechanisms,
    AwaitOutcome,
    Over,
}

impl ClientStage {
    pub(crate) const fn new(config: SaslClient, hostname: Option<Str>) -> Self {
        Self {
            config,
            hostname,
            state: State::AwaitMechanisms,
        }
    }

    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        match (&self.state, frame) {
            (State::AwaitMechanisms, SaslFrame::Mechanisms(offer)) => self.choose(&offer),
            // None of our mechanisms has a challenge, but EXTERNAL and PLAIN servers have been seen
            // to ask again for an initial response they overlooked.
            (State::AwaitOutcome, SaslFrame::Challenge(challenge))
                if challenge.challenge.is_empty() =>
            {
                let response = self.config.initial_response();
                Step::send(SaslFrame::Response(SaslResponse { response }))
            }
            (State::AwaitOutcome, SaslFrame::Outcome(outcome)) => {
                self.state = State::Over;
                let result = match outcome.code {
                    SaslCode::Ok => Ok(()),
                    SaslCode::Auth => Err(SaslFailure::Refused),
                    SaslCode::SysTemp => Err(SaslFailure::System { temporary: true }),
                    SaslCode::Sys | SaslCode::SysPerm => {
                        Err(SaslFailure::System { temporary: false })
                    }
                };
                Step {
                    outcome: Some(result),
                    ..Step::default()
                }
            }
            _ => {
                self.state = State::Over;
                Step::protocol("the server sent a SASL frame that is out of place")
            }
        }
    }

    fn choose(&mut self, offer: &SaslMechanisms) -> Step {
        let mechanism = self.config.mechanism();
        let offered = |symbol: &Symbol| symbol.as_str() == mechanism.name();
        if !offer.sasl_server_mechanisms.iter().any(offered) {
            self.state = State::Over;
            let names: Vec<&str> = offer
                .sasl_server_mechanisms
                .iter()
                .map(Symbol::as_str)
                .collect();
            let offered: String = names.join(" ");
            return Step::fail(SaslFailure::NoCommonMechanism { offered });
        }
        self.state = State::AwaitOutcome;
        Step::send(SaslFrame::Init(SaslInit {
            mechanism: mechanism.symbol(),
            initial_response: Some(self.config.initial_response()),
            hostname: self.hostname.clone(),
        }))
    }
}
