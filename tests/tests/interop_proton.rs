//! The Messenger with python-qpid-proton, in every way that two programs can meet.

use ferrion_tests::interop::{
    Api::{Message, Typed},
    Library::Proton,
    Sasl::{Anonymous, None, Plain},
    exchange,
};

#[test]
fn every_case_reaches_a_server() {
    exchange::table_to_peer(Proton, Typed, Anonymous);
}

#[test]
fn every_case_reaches_a_server_that_wants_a_password() {
    exchange::table_to_peer(Proton, Typed, Plain);
}

#[test]
fn every_case_arrives_from_a_server() {
    exchange::table_from_peer(Proton, Typed, Anonymous);
}

#[test]
fn every_case_arrives_from_a_server_that_wants_a_password() {
    exchange::table_from_peer(Proton, Typed, Plain);
}

#[test]
fn every_case_arrives_from_a_client() {
    exchange::table_from_client(Proton, Typed, Anonymous);
}

#[test]
fn every_case_arrives_from_a_client_that_knows_the_password() {
    exchange::table_from_client(Proton, Typed, Plain);
}

#[test]
fn every_case_arrives_from_a_client_without_sasl() {
    exchange::table_from_client(Proton, Typed, None);
}

#[test]
fn every_case_returns_through_a_server() {
    exchange::table_through_peer(Proton, Typed, Anonymous);
}

#[test]
fn every_case_reaches_its_messages() {
    exchange::table_to_peer(Proton, Message, Anonymous);
}

#[test]
fn every_case_of_its_messages_arrives() {
    exchange::table_from_peer(Proton, Message, Anonymous);
}

#[test]
fn every_case_returns_through_its_messages() {
    exchange::table_through_peer(Proton, Message, Anonymous);
}

#[test]
fn bodies_of_every_size_return_whole() {
    exchange::sizes_through_peer(Proton);
}

#[test]
fn bodies_of_every_size_arrive_whole() {
    exchange::sizes_from_peer(Proton);
}

#[test]
fn every_outcome_reaches_the_sender() {
    exchange::outcomes_from_peer(Proton);
}

#[test]
fn every_outcome_is_given() {
    exchange::outcomes_to_peer(Proton);
}

#[test]
fn a_message_goes_down_the_connection_that_a_client_opened() {
    exchange::reply_to_client(Proton);
}

#[test]
fn a_peer_that_is_killed_is_an_error() {
    exchange::killed(Proton);
}

#[test]
fn a_wrong_password_is_an_error() {
    exchange::wrong_password(Proton);
}
