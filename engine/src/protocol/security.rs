//! The frames of the SASL exchange (5.3.3).

use alloc::vec::Vec;

use bytes::Bytes;

use crate::codec::{Str, Symbol, choice, composite};

choice! {
    /// How the SASL exchange ended (5.3.3.6).
    pub enum SaslCode: u8 as "sasl-code" {
        /// The peer is authenticated.
        Ok = 0, "ok";
        /// The credentials are wrong.
        Auth = 1, "auth";
        /// A system error.
        Sys = 2, "sys";
        /// A system error that stays until somebody acts.
        SysPerm = 3, "sys-perm";
        /// A system error that may pass.
        SysTemp = 4, "sys-temp";
    }
}

composite! {
    /// The mechanisms a server offers (5.3.3.1).
    pub struct SaslMechanisms: "amqp:sasl-mechanisms:list" = 0x40 {
        /// At least one, the server's favourite first.
        sasl_server_mechanisms: Vec<Symbol> = "sasl-server-mechanisms" "symbol" mandatory_multiple,
    }
}

composite! {
    /// The client's choice (5.3.3.2).
    pub struct SaslInit: "amqp:sasl-init:list" = 0x41 {
        /// The mechanism.
        mechanism: Symbol = "mechanism" "symbol" mandatory,
        /// What the mechanism says first. Not shown in traces.
        initial_response: Option<Bytes> = "initial-response" "binary" optional_secret,
        /// The host the client wants to reach.
        hostname: Option<Str> = "hostname" "string" optional,
    }
}

composite! {
    /// A question of the server's mechanism (5.3.3.3).
    pub struct SaslChallenge: "amqp:sasl-challenge:list" = 0x42 {
        /// The question. Not shown in traces.
        challenge: Bytes = "challenge" "binary" secret,
    }
}

composite! {
    /// The answer of the client's mechanism (5.3.3.4).
    pub struct SaslResponse: "amqp:sasl-response:list" = 0x43 {
        /// The answer. Not shown in traces.
        response: Bytes = "response" "binary" secret,
    }
}

composite! {
    /// The end of the exchange (5.3.3.5).
    pub struct SaslOutcome: "amqp:sasl-outcome:list" = 0x44 {
        /// How it ended.
        code: SaslCode = "code" "sasl-code" mandatory,
        /// What the mechanism says last. Not shown in traces.
        additional_data: Option<Bytes> = "additional-data" "binary" optional_secret,
    }
}
