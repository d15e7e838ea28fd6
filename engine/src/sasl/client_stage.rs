//! The client's side of the exchange.

use bytes::Bytes;

use super::client::{Choice, Credentials};
use super::{
    Bounds, Mechanism, SaslAnswer, SaslClient, SaslRequest, Secret, Step, WRONG_ANSWER, bearer,
    readable,
};
use crate::codec::{Str, Symbol};
use crate::error::{SaslFailure, UsageError};
use crate::protocol::{
    SaslChallenge, SaslCode, SaslFrame, SaslInit, SaslMechanisms, SaslOutcome, SaslResponse,
};

#[derive(Debug)]
pub(crate) struct ClientStage {
    config: SaslClient,
    hostname: Option<Str>,
    mechanism: Option<Symbol>,
    /// Challenges that may still come.
    rounds: u32,
    bounds: Bounds,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitMechanisms,
    /// The mechanism talks.
    Exchange(Exchange),
    /// A mechanism of the embedder's, whose turn it is.
    Asking(SaslRequest),
    Over,
}

/// What a mechanism knows between two frames.
#[derive(Debug)]
enum Exchange {
    /// All was said with the initial response.
    Said {
        message: Secret,
        again: bool,
    },
    /// The token was shown. `refused`: what the server had against it.
    Bearer {
        mechanism: Mechanism,
        message: Secret,
        again: bool,
        refused: Option<Secret>,
    },
    #[cfg(feature = "scram")]
    Scram(super::scram::ClientExchange),
    Raw,
}

impl ClientStage {
    pub(crate) fn new(config: SaslClient, hostname: Option<Str>, bounds: Bounds) -> Self {
        Self {
            config,
            hostname,
            mechanism: None,
            rounds: bounds.rounds,
            bounds,
            state: State::AwaitMechanisms,
        }
    }

    pub(crate) const fn mechanism(&self) -> Option<&Symbol> {
        self.mechanism.as_ref()
    }

    pub(crate) const fn request(&self) -> Option<&SaslRequest> {
        match &self.state {
            State::Asking(request) => Some(request),
            _ => None,
        }
    }

    pub(crate) fn answer(&mut self, answer: SaslAnswer) -> Result<Step, UsageError> {
        let (state, step) = match (self.request(), answer) {
            (Some(SaslRequest::Challenge { .. }), SaslAnswer::Continue(response)) => {
                let response = response.to_bytes();
                (State::Exchange(Exchange::Raw), respond(response))
            }
            (Some(SaslRequest::Admitted { .. }), SaslAnswer::Accept) => {
                (State::Over, Step::over(Ok(())))
            }
            (Some(_), SaslAnswer::Reject) => (State::Over, Step::fail(SaslFailure::Abandoned)),
            _ => return Err(WRONG_ANSWER),
        };
        self.state = state;
        Ok(step)
    }

    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        let done = match (core::mem::replace(&mut self.state, State::Over), frame) {
            (State::AwaitMechanisms, SaslFrame::Mechanisms(offer)) => self.choose(&offer),
            (State::Exchange(exchange), SaslFrame::Challenge(challenge)) => {
                self.challenged(exchange, challenge)
            }
            (State::Exchange(exchange), SaslFrame::Outcome(outcome)) => {
                self.ended(exchange, outcome)
            }
            _ => Err(out_of_place()),
        };
        done.unwrap_or_else(Step::fail)
    }

    fn choose(&mut self, offer: &SaslMechanisms) -> Result<Step, SaslFailure> {
        let choice = self.config.choose(&offer.sasl_server_mechanisms)?;
        let mechanism = choice.mechanism();
        let (exchange, initial_response) = self.begin(choice)?;
        self.mechanism = Some(mechanism.clone());
        self.state = State::Exchange(exchange);
        Ok(Step::send(SaslFrame::Init(SaslInit {
            mechanism,
            initial_response,
            hostname: self.hostname.clone(),
        })))
    }

    /// What the mechanism says first.
    fn begin(&self, choice: Choice) -> Result<(Exchange, Option<Bytes>), SaslFailure> {
        Ok(match &choice.credentials {
            Credentials::Anonymous | Credentials::Plain { .. } | Credentials::External => {
                let message = choice.message()?;
                let initial = message.to_bytes();
                let again = true;
                (Exchange::Said { message, again }, Some(initial))
            }
            #[cfg(feature = "scram")]
            Credentials::Scram(scram) => {
                let (exchange, initial) =
                    super::scram::ClientExchange::begin(scram, &choice.authorize_as)?;
                (Exchange::Scram(exchange), Some(initial))
            }
            Credentials::Bearer {
                mechanism,
                user,
                token,
            } => {
                let message = bearer::write(*mechanism, user, token, self.hostname.as_deref())?;
                let initial = message.to_bytes();
                let exchange = Exchange::Bearer {
                    mechanism: *mechanism,
                    message,
                    again: true,
                    refused: None,
                };
                (exchange, Some(initial))
            }
            Credentials::Raw { initial, .. } => {
                (Exchange::Raw, initial.as_ref().map(Secret::to_bytes))
            }
        })
    }

    fn challenged(
        &mut self,
        exchange: Exchange,
        challenge: SaslChallenge,
    ) -> Result<Step, SaslFailure> {
        let limit = self.bounds.rounds;
        self.rounds = self
            .rounds
            .checked_sub(1)
            .ok_or(SaslFailure::TooManyRounds { limit })?;
        let challenge = challenge.challenge;
        let (exchange, response) = match exchange {
            // Servers have been seen to ask again for an initial response they overlooked.
            Exchange::Said {
                message,
                again: true,
            } if challenge.is_empty() => {
                let response = message.to_bytes();
                let again = false;
                (Exchange::Said { message, again }, response)
            }
            Exchange::Bearer {
                mechanism,
                message,
                again: true,
                refused: None,
            } if challenge.is_empty() => {
                let response = message.to_bytes();
                let exchange = Exchange::Bearer {
                    mechanism,
                    message,
                    again: false,
                    refused: None,
                };
                (exchange, response)
            }
            // The server says what it has against the token, and wants to be answered before it ends (RFC 7628, 3.2.3).
            Exchange::Bearer {
                mechanism,
                message,
                refused: None,
                ..
            } => {
                let exchange = Exchange::Bearer {
                    mechanism,
                    message,
                    again: false,
                    refused: Some(challenge.into()),
                };
                (exchange, bearer::dummy(mechanism))
            }
            #[cfg(feature = "scram")]
            Exchange::Scram(mut scram) => {
                let response = scram.challenged(&challenge, self.bounds.scram_iterations)?;
                (Exchange::Scram(scram), response)
            }
            Exchange::Raw => {
                self.state = State::Asking(SaslRequest::Challenge {
                    mechanism: self.mechanism.clone().unwrap_or_default(),
                    challenge: challenge.into(),
                });
                return Ok(Step::ask());
            }
            _ => {
                return Err(SaslFailure::Protocol(
                    "the server asks what the mechanism has no answer to".into(),
                ));
            }
        };
        self.state = State::Exchange(exchange);
        Ok(respond(response))
    }

    fn ended(&mut self, exchange: Exchange, outcome: SaslOutcome) -> Result<Step, SaslFailure> {
        let detail = match &exchange {
            Exchange::Bearer {
                refused: Some(why), ..
            } => Some(readable(why.as_bytes())),
            _ => None,
        };
        match outcome.code {
            SaslCode::Ok => {}
            SaslCode::Auth => return Err(SaslFailure::Refused { detail }),
            SaslCode::SysTemp => return Err(SaslFailure::System { temporary: true }),
            SaslCode::Sys | SaslCode::SysPerm => {
                return Err(SaslFailure::System { temporary: false });
            }
        }
        match exchange {
            Exchange::Said { .. } | Exchange::Bearer { refused: None, .. } => {}
            Exchange::Bearer { .. } => {
                return Err(SaslFailure::Protocol(
                    "the server refused the token and admits the client".into(),
                ));
            }
            #[cfg(feature = "scram")]
            Exchange::Scram(scram) => scram.admitted(outcome.additional_data.as_deref())?,
            Exchange::Raw => {
                self.state = State::Asking(SaslRequest::Admitted {
                    mechanism: self.mechanism.clone().unwrap_or_default(),
                    additional_data: outcome.additional_data.map(Secret::from),
                });
                return Ok(Step::ask());
            }
        }
        Ok(Step::over(Ok(())))
    }
}

fn respond(response: Bytes) -> Step {
    Step::send(SaslFrame::Response(SaslResponse { response }))
}

fn out_of_place() -> SaslFailure {
    SaslFailure::Protocol("the server sent a SASL frame that is out of place".into())
}
