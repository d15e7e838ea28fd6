//! What only the embedder can know, as a question and its answer. Both are plain data.

use crate::codec::{Str, Symbol};

use super::{Mechanism, Secret};

/// What the SASL exchange waits for, after [`Event::Authenticate`](crate::Event::Authenticate). Answer with
/// [`Engine::sasl_answer`](crate::Engine::sasl_answer), now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaslRequest {
    /// Server, PLAIN: check that this password is this user's, and that the user may act as who is asked for.
    Plain {
        /// Whose rights are asked for; empty for the user's own.
        authorize_as: Str,
        /// Who is asking.
        user: Str,
        /// The proof.
        password: Secret,
    },
    /// Server, EXTERNAL: check that the transport has proved an identity that may act as this one.
    External {
        /// Whose rights are asked for; empty for the one the transport has proved.
        authorize_as: Str,
    },
    /// Server, SCRAM: give what is stored of this user with [`SaslAnswer::Scram`], or [`SaslAnswer::Reject`] if there is no
    /// such user or it may not act as who is asked for. The client learns of a refusal no sooner, and no more, than with
    /// a wrong password.
    #[cfg(feature = "scram")]
    Scram {
        /// The hash that the stored keys must have been made with.
        hash: super::ScramHash,
        /// Whose rights are asked for; empty for the user's own.
        authorize_as: Str,
        /// Who is asking, prepared by SASLprep (RFC 4013).
        user: Str,
    },
    /// Server, OAUTHBEARER or XOAUTH2: check that this token is valid, here, and for this user.
    Bearer {
        /// Which of the two.
        mechanism: Mechanism,
        /// Who is asking; may be empty in OAUTHBEARER, where the token says it.
        user: Str,
        /// The proof.
        token: Secret,
        /// The host that the client means to talk to, if it says so.
        host: Option<Str>,
        /// The port that the client means to talk to, if it says so.
        port: Option<u16>,
    },
    /// Server, a mechanism of the embedder's: what the client said. Answer [`SaslAnswer::Continue`] with a challenge, or
    /// an end.
    Raw {
        /// Which of the mechanisms.
        mechanism: Symbol,
        /// The initial response, or the answer to the last challenge. `None`: the client began without one.
        response: Option<Secret>,
    },
    /// Client, a mechanism of the embedder's: answer [`SaslAnswer::Continue`] with a response, or [`SaslAnswer::Reject`].
    Challenge {
        /// The mechanism that was chosen.
        mechanism: Symbol,
        /// What the server asks.
        challenge: Secret,
    },
    /// Client, a mechanism of the embedder's: the server admits this client. Answer [`SaslAnswer::Accept`] if the
    /// mechanism has nothing against the server, or [`SaslAnswer::Reject`].
    Admitted {
        /// The mechanism that was chosen.
        mechanism: Symbol,
        /// What the server's mechanism says last.
        additional_data: Option<Secret>,
    },
}

/// The answer to a [`SaslRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaslAnswer {
    /// Server: the client is admitted. Client: the server is trusted.
    Accept,
    /// Server, a mechanism of the embedder's: the client is admitted, and is told this (5.3.3.6, additional-data).
    AcceptWith(Secret),
    /// Server: the client is turned away (outcome `auth`). Client: gives up.
    Reject,
    /// Server, OAUTHBEARER or XOAUTH2: the client is turned away and told why, as a JSON object (RFC 7628, 3.2.2). It must
    /// not hold what the client is not to know.
    RejectWith(Str),
    /// Server: who the client is cannot be found out now; it may try again later (outcome `sys-temp`).
    Unavailable,
    /// A mechanism of the embedder's: the server's next challenge, or the client's next response.
    Continue(Secret),
    /// Server, SCRAM: what is stored of the user.
    #[cfg(feature = "scram")]
    Scram(super::ScramCredentials),
}
