//! The error conditions of the specification (2.8.15 to 2.8.18, 4.5.9), so that no text of one is spelled elsewhere.

use crate::codec::Symbol;

macro_rules! conditions {
    ($($kind:literal { $($(#[$meta:meta])* $NAME:ident = $text:literal;)* })*) => {
        $($($(#[$meta])* pub const $NAME: Symbol = Symbol::from_static($text);)*)*

        /// All conditions: the name of their type in the specification, and their text.
        pub const ALL: &[(&str, &str)] = &[$($(($kind, $text),)*)*];
    };
}

conditions! {
    "amqp-error" {
        /// Something went wrong inside; the peer is not at fault.
        INTERNAL_ERROR = "amqp:internal-error";
        /// What the peer wants to use is not there.
        NOT_FOUND = "amqp:not-found";
        /// The peer may not use what it wants to use.
        UNAUTHORIZED_ACCESS = "amqp:unauthorized-access";
        /// Octets that could not be decoded.
        DECODE_ERROR = "amqp:decode-error";
        /// The peer wants more than it is allowed to have.
        RESOURCE_LIMIT_EXCEEDED = "amqp:resource-limit-exceeded";
        /// The peer used a frame in a way that does not fit what was before.
        NOT_ALLOWED = "amqp:not-allowed";
        /// A field with a value that may not be.
        INVALID_FIELD = "amqp:invalid-field";
        /// The peer wants what is not implemented.
        NOT_IMPLEMENTED = "amqp:not-implemented";
        /// Somebody else uses it.
        RESOURCE_LOCKED = "amqp:resource-locked";
        /// A condition of the request does not hold.
        PRECONDITION_FAILED = "amqp:precondition-failed";
        /// What the peer uses was deleted.
        RESOURCE_DELETED = "amqp:resource-deleted";
        /// The peer sent a frame that its state does not permit.
        ILLEGAL_STATE = "amqp:illegal-state";
        /// A frame cannot be sent as the peer's largest frame is too small for it.
        FRAME_SIZE_TOO_SMALL = "amqp:frame-size-too-small";
    }
    "connection-error" {
        /// An operator closed the connection.
        CONNECTION_FORCED = "amqp:connection:forced";
        /// Octets that are not a valid frame.
        CONNECTION_FRAMING_ERROR = "amqp:connection:framing-error";
        /// The container is to be reached elsewhere.
        CONNECTION_REDIRECT = "amqp:connection:redirect";
    }
    "session-error" {
        /// More transfers than the incoming window has room for.
        SESSION_WINDOW_VIOLATION = "amqp:session:window-violation";
        /// A frame for a link that has detached with an error.
        SESSION_ERRANT_LINK = "amqp:session:errant-link";
        /// An attach with a handle that another link has.
        SESSION_HANDLE_IN_USE = "amqp:session:handle-in-use";
        /// A frame with a handle that no link has.
        SESSION_UNATTACHED_HANDLE = "amqp:session:unattached-handle";
    }
    "link-error" {
        /// An operator detached the link.
        LINK_DETACH_FORCED = "amqp:link:detach-forced";
        /// More messages than there is credit for.
        LINK_TRANSFER_LIMIT_EXCEEDED = "amqp:link:transfer-limit-exceeded";
        /// A message larger than the link permits.
        LINK_MESSAGE_SIZE_EXCEEDED = "amqp:link:message-size-exceeded";
        /// The address is to be reached elsewhere.
        LINK_REDIRECT = "amqp:link:redirect";
        /// The link was attached again elsewhere.
        LINK_STOLEN = "amqp:link:stolen";
    }
    "transaction-error" {
        /// No transaction has this id.
        TRANSACTION_UNKNOWN_ID = "amqp:transaction:unknown-id";
        /// The transaction was undone.
        TRANSACTION_ROLLBACK = "amqp:transaction:rollback";
        /// The transaction took too long.
        TRANSACTION_TIMEOUT = "amqp:transaction:timeout";
    }
}
