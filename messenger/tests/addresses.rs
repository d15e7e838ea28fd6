//! What is known of addresses, and routes that are tried before anything goes by them.

#[macro_use]
mod support;

#[path = "support/puppet.rs"]
mod puppet;

use std::net::TcpListener;
use std::time::Duration;

use ferrion_messenger::{ConnectionEvent, ErrorKind, Messenger, Scope};
use puppet::refuser;
use support::way::{Mode, Way};
use support::{Serving, message_to, nobody};

in_every_mode! {
    what_went_wrong_last_is_known_by_address,
    what_peers_ask_as_to_silence_is_known_by_address,
    start_tries_the_routes_that_lead_to_one_place,
    a_route_is_tried_at_every_alternative,
    a_route_that_nobody_answers_on_is_told_of,
}

/// Who listens, asks not to be left without a word for longer than this, and works until this is dropped.
fn listening(way: Way, silence: Option<Duration>) -> Serving {
    let mut messenger = way.wire.client();
    messenger.set_idle_time_out(silence);
    let address = way.wire.listen(&mut messenger);
    messenger.set_timeout(Some(Duration::from_secs(1)));
    Serving::start(messenger, address, |messenger| {
        while messenger.work(None).is_ok() {
            // Whatever comes is let in.
            messenger.set_blocking(false);
            let _ = messenger.recv(10);
        }
    })
}

fn what_went_wrong_last_is_known_by_address(way: Way) {
    let mut party = way.party();
    party.set_reconnect(None);
    party.set_outgoing_window(10);
    let gone = format!("amqp://{}", nobody());
    let orders = format!("{gone}/orders");
    assert_eq!(party.address_reason(&orders), Ok(None));
    party.put(&message_to(&orders, "x")).unwrap();
    let error = party.send().unwrap_err();
    // The connection is what failed, so that no name makes a difference, nor who logs in.
    let others = [
        orders.clone(),
        gone.clone(),
        format!("{gone}/bills"),
        gone.replace("://", "://joe:secret@"),
    ];
    for address in &others {
        assert_eq!(party.address_reason(address), Ok(Some(&error)), "{address}");
    }
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        party.address_reason(&format!("amqp://{}", nobody())),
        Ok(None)
    );
    party.route("orders", &orders).unwrap();
    assert_eq!(party.address_reason("orders"), Ok(Some(&error)));

    // What a peer refuses concerns one name, and says why.
    let (peer, thread) = refuser(Scope::Link);
    let queue = format!("{peer}/q");
    party.subscribe(&queue).unwrap();
    let error = party.recv(1).unwrap_err();
    assert_eq!(party.address_reason(&queue), Ok(Some(&error)));
    let condition = error.condition().unwrap().condition.as_str();
    assert_eq!(condition, "test:refused");
    for elsewhere in [peer.clone(), format!("{peer}/r")] {
        assert_eq!(party.address_reason(&elsewhere), Ok(None), "{elsewhere}");
    }
    assert_eq!(
        party.address_reason(&orders).unwrap().unwrap().kind(),
        ErrorKind::Connect
    );

    // Where nobody can listen.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listening = format!("amqp://~{}", taken.local_addr().unwrap());
    let _ = party.subscribe(&listening);
    party.work_for(Duration::from_millis(5));
    let error = party.address_reason(&listening).unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::Listen);

    let error = party.address_reason("http://x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    // It is remembered, whatever else is forgotten.
    party.stop().unwrap();
    assert!(party.address_reason(&orders).unwrap().is_some());
    drop(party);
    thread.join().unwrap();
}

fn what_peers_ask_as_to_silence_is_known_by_address(way: Way) {
    let silence = Duration::from_secs(7);
    let (one, other) = (listening(way, Some(silence)), listening(way, None));
    let mut party = way.party();
    party.route("one", &one.address).unwrap();
    assert_eq!(party.remote_idle_time_out(&one.address), Ok(None));
    for address in [&one.address, &other.address] {
        party
            .put(&message_to(&format!("{address}/q"), "x"))
            .unwrap();
    }
    party.send().unwrap();
    let asked = party.remote_idle_time_out(&one.address).unwrap().unwrap();
    // A peer may ask for less than what it bears, so that nothing is late by a little (2.4.5).
    assert!(asked <= silence && asked >= silence / 2, "{asked:?}");
    let others = [
        "one".to_owned(),
        format!("{}/r", one.address),
        one.address.replace("://", "://joe@"),
    ];
    for address in &others {
        assert_eq!(
            party.remote_idle_time_out(address),
            Ok(Some(asked)),
            "{address}"
        );
    }
    assert_eq!(party.remote_idle_time_out(&other.address), Ok(None));
    assert_eq!(party.remote_idle_time_out("127.0.0.1:1"), Ok(None));
    let error = party.remote_idle_time_out("http://x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    party.stop().unwrap();
    assert_eq!(party.remote_idle_time_out(&one.address), Ok(None));
}

fn start_tries_the_routes_that_lead_to_one_place(way: Way) {
    let server = listening(way, None);
    let mut party = way.party();
    party
        .route("a/*", &format!("{}/$1", server.address))
        .unwrap();
    // These depend on what matches, or are for listening.
    party.route("b/*", "amqp://$1").unwrap();
    party.route("c/%", "amqp://127.0.0.1:$1/q").unwrap();
    party.route("d", "amqp://~127.0.0.1:0").unwrap();
    party.finish(Messenger::start).unwrap();
    assert!(party.stopped(), "nothing is tried unless that is asked for");

    party.set_check_routes(true);
    party.finish(Messenger::start).unwrap();
    assert!(!party.stopped());
    let address = server.address.clone();
    assert_eq!(
        party.poll_connection_event(),
        Some(ConnectionEvent::Connected { address })
    );
    // What is there already needs no other.
    party.finish(Messenger::start).unwrap();
    assert_eq!(party.poll_connection_event(), None);

    let gone = format!("amqp://{}", nobody());
    party.route("e/*", &format!("{gone}/$1")).unwrap();
    for _ in 0..2 {
        let error = party.finish(Messenger::start).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains(&gone), "{error}");
        assert_eq!(party.address_reason("e/x"), Ok(Some(&error)));
    }
    assert_eq!(party.address_reason("a/x"), Ok(None));
    assert!(party.remove_route("e/*"));
    party.finish(Messenger::start).unwrap();

    party.route("f", "amqp://x:99999/q").unwrap();
    let error = party.finish(Messenger::start).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    party.stop().unwrap();
    assert!(party.stopped());
}

fn a_route_is_tried_at_every_alternative(way: Way) {
    let server = listening(way, None);
    let mut party = way.party();
    let gone = format!("{}://{}", way.wire.scheme(), nobody());
    let place = server.address.rsplit('/').next().unwrap();
    party.set_alternatives(&gone, [place]).unwrap();
    party.route("*", &format!("{gone}/$1")).unwrap();
    party.set_check_routes(true);
    party.finish(Messenger::start).unwrap();
    party.stop().unwrap();
}

fn a_route_that_nobody_answers_on_is_told_of(way: Way) {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut party = way.party();
    party.set_timeout(Some(Duration::from_millis(30)));
    let place = format!("amqp://{}", mute.local_addr().unwrap());
    party.route("*", &format!("{place}/$1")).unwrap();
    party.set_check_routes(true);
    let error = party.finish(Messenger::start).unwrap_err();
    assert!(party.is_unfinished(&error), "{error}");
    if way.mode == Mode::Blocking {
        assert!(error.to_string().contains(&place), "{error}");
    }
    // It goes on where it was.
    drop(mute);
    party.set_timeout(Some(support::PATIENCE));
    let error = party.finish(Messenger::start).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    party.stop().unwrap();
}
