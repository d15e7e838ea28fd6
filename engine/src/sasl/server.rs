//! The server's side of SASL.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Mechanism, Secret, Step, user_name};
use crate::codec::Str;
use crate::error::SaslFailure;
use crate::protocol::{SaslChallenge, SaslCode, SaslFrame, SaslInit, SaslMechanisms, SaslOutcome};

/// What a server asks of its clients.
#[derive(Clone, Debug)]
pub struct SaslServer {
    mechanisms: Vec<Mechanism>,
    required: bool,
}

impl SaslServer {
    /// Offers these mechanisms, in order of preference.
    ///
    /// ANONYMOUS is admitted by the engine itself; the others raise
    /// [`Event::Authenticate`](crate::Event::Authenticate) and wait for the embedder's decision.
    pub fn new(mechanisms: impl IntoIterator<Item = Mechanism>) -> Self {
        Self {
            mechanisms: mechanisms.into_iter().collect(),
            required: true,
        }
    }

    /// Whether a client that begins with AMQP and no SASL layer is turned away. Default true.
    #[must_use]
    pub const fn required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    pub(crate) const fn is_required(&self) -> bool {
        self.required
    }
}

/// Who a client claims to be. Answer with [`Engine::sasl_accept`](crate::Engine::sasl_accept) or
/// [`Engine::sasl_reject`](crate::Engine::sasl_reject), now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaslRequest {
    /// PLAIN: check that this password is this user's.
    Plain {
        /// Whose rights are asked for; empty for the user's own.
        authorize_as: Str,
        /// Who is asking.
        user: Str,
        /// The proof.
        password: Secret,
    },
    /// EXTERNAL: check that the transport has proved an identity that may act as this one.
    External {
        /// Whose rights are asked for; empty for the one the transport has proved.
        authorize_as: Str,
    },
}

#[derive(Debug)]
pub(crate) struct ServerStage {
    config: SaslServer,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitInit,
    AwaitResponse(Mechanism),
    Asking(SaslRequest),
    Over,
}

impl ServerStage {
    pub(crate) const fn new(config: SaslServer) -> Self {
        Self {
            config,
            state: State::AwaitInit,
        }
    }

    /// The first frame, which is sent before anything is heard.
    pub(crate) fn offer(&self) -> SaslFrame {
        let mechanisms = self.config.mechanisms.iter().map(|m| m.symbol()).collect();
        SaslFrame::Mechanisms(SaslMechanisms {
            sasl_server_mechanisms: mechanisms,
        })
    }

    /// What the embedder must decide about.
    pub(crate) const fn request(&self) -> Option<&SaslRequest> {
        match &self.state {
            State::Asking(request) => Some(request),
            _ => None,
        }
    }

    /// The embedder's decision.
    pub(crate) fn decide(&mut self, admitted: bool) -> Step {
        self.state = State::Over;
        let (code, outcome) = if admitted {
            (SaslCode::Ok, Ok(()))
        } else {
            (SaslCode::Auth, Err(SaslFailure::Refused))
        };
        Step {
            send: Some(SaslFrame::Outcome(SaslOutcome {
                code,
                additional_data: None,
            })),
            outcome: Some(outcome),
            ask: false,
        }
    }

    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        match (&self.state, frame) {
            (State::AwaitInit, SaslFrame::Init(init)) => self.begin(init),
            (State::AwaitResponse(mechanism), SaslFrame::Response(response)) => {
                self.check(*mechanism, response.response)
            }
            _ => {
                self.state = State::Over;
                Step::protocol("the client sent a SASL frame that is out of place")
            }
        }
    }

    fn begin(&mut self, init: SaslInit) -> Step {
        let known = Mechanism::from_name(init.mechanism.as_str());
        let Some(mechanism) = known.filter(|m| self.config.mechanisms.contains(m)) else {
            // A mechanism that was not offered fails like wrong credentials do (5.3.3.2).
            return self.decide(false);
        };
        match (mechanism, init.initial_response) {
            (Mechanism::Anonymous, _) => self.decide(true),
            (_, Some(response)) => self.check(mechanism, response),
            (_, None) => {
                self.state = State::AwaitResponse(mechanism);
                Step::send(SaslFrame::Challenge(SaslChallenge {
                    challenge: Bytes::new(),
                }))
            }
        }
    }

    fn check(&mut self, mechanism: Mechanism, response: Bytes) -> Step {
        let request = match mechanism {
            Mechanism::Plain => plain(&response),
            Mechanism::External => {
                user_name(response).map(|authorize_as| SaslRequest::External { authorize_as })
            }
            Mechanism::Anonymous => None,
        };
        match request {
            Some(request) => {
                self.state = State::Asking(request);
                Step {
                    ask: true,
                    ..Step::default()
                }
            }
            None => self.decide(false),
        }
    }
}

/// RFC 4616: `[authzid] NUL authcid NUL passwd`.
fn plain(response: &Bytes) -> Option<SaslRequest> {
    let first = response.iter().position(|octet| *octet == 0)?;
    let rest = response.get(first + 1..)?;
    let second = first + 1 + rest.iter().position(|octet| *octet == 0)?;
    let user = user_name(response.slice(first + 1..second))?;
    let password = response.slice(second + 1..);
    if user.is_empty() || password.contains(&0) {
        return None;
    }
    Some(SaslRequest::Plain {
        authorize_as: user_name(response.slice(..first))?,
        user,
        password: password.into(),
    })
}
