//! The server's side of the exchange.

#[cfg(feature = "scram")]
use alloc::boxed::Box;

use bytes::Bytes;

use super::{
    Bounds, Mechanism, SaslAnswer, SaslRequest, SaslServer, Secret, Step, WRONG_ANSWER, bearer,
    name, plain,
};
use crate::codec::{Str, Symbol};
use crate::error::{SaslFailure, UsageError};
use crate::protocol::{SaslChallenge, SaslCode, SaslFrame, SaslInit, SaslMechanisms, SaslOutcome};

#[derive(Debug)]
pub(crate) struct ServerStage {
    config: SaslServer,
    mechanism: Option<Symbol>,
    hostname: Option<Str>,
    /// Responses that may still come.
    rounds: u32,
    bounds: Bounds,
    state: State,
    /// What SCRAM was told first, while the embedder looks up the user.
    #[cfg(feature = "scram")]
    scram: Option<Box<super::scram::ServerExchange>>,
}

#[derive(Debug)]
enum State {
    AwaitInit,
    /// The initial response was left out and asked for.
    AwaitMessage(Mechanism),
    Asking(SaslRequest),
    #[cfg(feature = "scram")]
    AwaitProof(Box<super::scram::ServerExchange>),
    /// The client was told what is wrong with its token, and has to take note of it.
    AwaitNote,
    AwaitRaw,
    Over,
}

impl ServerStage {
    pub(crate) fn new(config: SaslServer, bounds: Bounds) -> Self {
        Self {
            config,
            mechanism: None,
            hostname: None,
            rounds: bounds.rounds,
            bounds,
            state: State::AwaitInit,
            #[cfg(feature = "scram")]
            scram: None,
        }
    }

    /// The first frame, which is sent before anything is heard. It must not be empty (5.3.3.1).
    pub(crate) fn offer(&self) -> Step {
        let mechanisms = self.config.offer();
        if mechanisms.is_empty() {
            return Step::fail(SaslFailure::NothingOffered);
        }
        Step::send(SaslFrame::Mechanisms(SaslMechanisms {
            sasl_server_mechanisms: mechanisms,
        }))
    }

    pub(crate) const fn mechanism(&self) -> Option<&Symbol> {
        self.mechanism.as_ref()
    }

    /// The host that the client wants to reach (5.3.3.2).
    pub(crate) const fn hostname(&self) -> Option<&Str> {
        self.hostname.as_ref()
    }

    pub(crate) const fn request(&self) -> Option<&SaslRequest> {
        match &self.state {
            State::Asking(request) => Some(request),
            _ => None,
        }
    }

    pub(crate) fn answer(&mut self, answer: SaslAnswer) -> Result<Step, UsageError> {
        let Some(request) = self.request() else {
            return Err(WRONG_ANSWER);
        };
        Ok(match (request, answer) {
            (_, SaslAnswer::Unavailable) => self.end(
                SaslCode::SysTemp,
                Err(SaslFailure::System { temporary: true }),
            ),
            #[cfg(feature = "scram")]
            (SaslRequest::Scram { hash, .. }, SaslAnswer::Scram(credentials)) => {
                credentials.check(*hash)?;
                self.scram_challenge(Some(credentials))
            }
            #[cfg(feature = "scram")]
            (SaslRequest::Scram { .. }, SaslAnswer::Reject) => self.scram_challenge(None),
            #[cfg(feature = "scram")]
            (SaslRequest::Scram { .. }, _) => return Err(WRONG_ANSWER),
            (SaslRequest::Bearer { mechanism, .. }, SaslAnswer::Reject) => {
                let why = bearer::refusal(*mechanism);
                self.refuse_token(why)
            }
            (SaslRequest::Bearer { .. }, SaslAnswer::RejectWith(why)) => self.refuse_token(why),
            (SaslRequest::Raw { .. }, SaslAnswer::Continue(octets)) => {
                self.state = State::AwaitRaw;
                challenge(octets.to_bytes())
            }
            (SaslRequest::Raw { .. }, SaslAnswer::AcceptWith(octets)) => {
                self.admit(Some(octets.to_bytes()))
            }
            (_, SaslAnswer::Accept) => self.admit(None),
            (_, SaslAnswer::Reject) => self.refuse(),
            _ => return Err(WRONG_ANSWER),
        })
    }

    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        if matches!(frame, SaslFrame::Response(_)) {
            match self.rounds.checked_sub(1) {
                Some(left) => self.rounds = left,
                None => {
                    let limit = self.bounds.rounds;
                    return self.end(SaslCode::Auth, Err(SaslFailure::TooManyRounds { limit }));
                }
            }
        }
        match (core::mem::replace(&mut self.state, State::Over), frame) {
            (State::AwaitInit, SaslFrame::Init(init)) => self.begin(init),
            (State::AwaitMessage(mechanism), SaslFrame::Response(response)) => {
                self.read(mechanism, response.response)
            }
            #[cfg(feature = "scram")]
            (State::AwaitProof(scram), SaslFrame::Response(response)) => {
                match scram.check_proof(&response.response) {
                    Some(signature) => self.admit(Some(signature)),
                    None => self.refuse(),
                }
            }
            (State::AwaitNote, SaslFrame::Response(_)) => self.refuse(),
            (State::AwaitRaw, SaslFrame::Response(response)) => {
                self.ask_raw(Some(response.response))
            }
            _ => Step::protocol("the client sent a SASL frame that is out of place"),
        }
    }

    fn begin(&mut self, init: SaslInit) -> Step {
        let own = self.config.own(&init.mechanism);
        if own.is_none() && !self.config.is_raw(&init.mechanism) {
            // A mechanism that was not offered fails like wrong credentials do (5.3.3.2).
            return self.refuse();
        }
        self.mechanism = Some(init.mechanism.detached());
        self.hostname = init.hostname.as_ref().map(Str::detached);
        match (own, init.initial_response) {
            (None, response) => self.ask_raw(response),
            (Some(Mechanism::Anonymous), _) => self.admit(None),
            (Some(mechanism), Some(message)) => self.read(mechanism, message),
            (Some(mechanism), None) => {
                self.state = State::AwaitMessage(mechanism);
                challenge(Bytes::new())
            }
        }
    }

    /// The first message of a mechanism that the engine knows.
    fn read(&mut self, mechanism: Mechanism, message: Bytes) -> Step {
        let request = match mechanism {
            Mechanism::Plain => plain::read(&message),
            Mechanism::External => {
                name(message).map(|authorize_as| SaslRequest::External { authorize_as })
            }
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => bearer::read(mechanism, &message),
            #[cfg(feature = "scram")]
            Mechanism::Scram(hash) => self
                .config
                .scram_settings()
                .and_then(|settings| super::scram::ServerExchange::read(hash, settings, &message))
                .map(|(exchange, request)| {
                    self.scram = Some(Box::new(exchange));
                    request
                }),
            Mechanism::Anonymous => None,
        };
        match request {
            Some(request) => self.ask(request),
            None => self.refuse(),
        }
    }

    fn ask(&mut self, request: SaslRequest) -> Step {
        self.state = State::Asking(request);
        Step::ask()
    }

    fn ask_raw(&mut self, response: Option<Bytes>) -> Step {
        let mechanism = self.mechanism.clone().unwrap_or_default();
        let response = response.map(Secret::from);
        self.ask(SaslRequest::Raw {
            mechanism,
            response,
        })
    }

    #[cfg(feature = "scram")]
    fn scram_challenge(&mut self, credentials: Option<super::ScramCredentials>) -> Step {
        match self.scram.take() {
            Some(mut exchange) => {
                let message = exchange.challenge(credentials);
                self.state = State::AwaitProof(exchange);
                challenge(message)
            }
            None => self.refuse(),
        }
    }

    fn refuse_token(&mut self, why: Str) -> Step {
        self.state = State::AwaitNote;
        challenge(why.into_bytes())
    }

    fn admit(&mut self, additional_data: Option<Bytes>) -> Step {
        let mut step = self.end(SaslCode::Ok, Ok(()));
        if let Some(SaslFrame::Outcome(outcome)) = &mut step.send {
            outcome.additional_data = additional_data;
        }
        step
    }

    fn refuse(&mut self) -> Step {
        let detail = None;
        self.end(SaslCode::Auth, Err(SaslFailure::Refused { detail }))
    }

    fn end(&mut self, code: SaslCode, result: Result<(), SaslFailure>) -> Step {
        self.state = State::Over;
        Step {
            send: Some(SaslFrame::Outcome(SaslOutcome {
                code,
                additional_data: None,
            })),
            outcome: Some(result),
            ask: false,
        }
    }
}

fn challenge(challenge: Bytes) -> Step {
    Step::send(SaslFrame::Challenge(SaslChallenge { challenge }))
}
