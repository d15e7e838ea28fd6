//! The types of transactions (4.5).

use alloc::vec::Vec;

use bytes::Bytes;

use super::state::DeliveryState;
use crate::codec::{Raw, Symbol, choice, composite};

choice! {
    /// What a coordinator can do (4.5.7). The field takes any symbol: see [`symbol`](Self::symbol).
    pub enum TxnCapability: symbol as "txn-capability" {
        /// Transactions within one container.
        LocalTransactions, "amqp:local-transactions";
        /// Transactions over several containers.
        DistributedTransactions, "amqp:distributed-transactions";
        /// Local transactions that can become distributed ones.
        PromotableTransactions, "amqp:promotable-transactions";
        /// Several transactions at a time in one session.
        MultiTxnsPerSsn, "amqp:multi-txns-per-ssn";
        /// Several sessions in one transaction.
        MultiSsnsPerTxn, "amqp:multi-ssns-per-txn";
    }
}

composite! {
    /// The target of a link that controls transactions (4.5.1).
    pub struct Coordinator: "amqp:coordinator:list" = 0x30 {
        /// What it can do, mostly [`TxnCapability`].
        capabilities: Vec<Symbol> = "capabilities" "symbol" multiple,
    }
}

composite! {
    /// Asks for a transaction (4.5.2).
    pub struct Declare: "amqp:declare:list" = 0x31 {
        /// A transaction of a global coordinator, of whichever type that has.
        global_id: Option<Raw> = "global-id" "*" optional,
    }
}

composite! {
    /// Ends a transaction (4.5.3).
    pub struct Discharge: "amqp:discharge:list" = 0x32 {
        /// The transaction.
        txn_id: Bytes = "txn-id" "*" mandatory,
        /// Whether it is undone.
        fail: Option<bool> = "fail" "boolean" optional,
    }
}

composite! {
    /// The outcome of a [`Declare`]: here is the transaction (4.5.5).
    pub struct Declared: "amqp:declared:list" = 0x33 {
        /// Its name.
        txn_id: Bytes = "txn-id" "*" mandatory,
    }
}

composite! {
    /// A delivery state that holds once the transaction is discharged (4.5.8).
    pub struct TransactionalState: "amqp:transactional-state:list" = 0x34 {
        /// The transaction.
        txn_id: Bytes = "txn-id" "*" mandatory,
        /// The outcome that is then the delivery's.
        outcome: Option<DeliveryState> = "outcome" "*" optional,
    }
}
