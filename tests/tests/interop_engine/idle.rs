//! Idle time-outs (2.4.5), in real time: what a peer counts is not ours to speed up.

use std::{
    thread,
    time::{Duration, Instant},
};

use ferrion_engine::{Config, Failure, Origin};
use ferrion_tests::interop::Library;
use serde_json::json;

use crate::common::{Side, everywhere, open};

everywhere!(
    heartbeats_keep_a_silent_connection,
    a_peer_that_stops_is_noticed,
    ferrion_that_stops_is_noticed,
);

/// Milliseconds.
const SHORT: u32 = 1200;

fn impatient() -> Config {
    let mut config = Config::new("ferrion");
    config.idle_time_out = Some(SHORT);
    config
}

/// Both sides are impatient, and nobody says anything for twice as long.
fn heartbeats_keep_a_silent_connection(library: Library, side: Side) {
    let theirs = json!({"idle": SHORT});
    let (mut talk, mut peer, heard) = open(library, side, impatient(), &theirs);
    assert_eq!(heard["idle"], SHORT / 2, "half of it is advertised");
    let told = talk.engine().connection().remote().unwrap().idle_time_out;
    // Proton advertises half of its own too, rhea waits for twice as long as it says.
    let theirs = if library == Library::Proton {
        SHORT / 2
    } else {
        SHORT
    };
    assert_eq!(told, Some(theirs));
    talk.rest(Duration::from_millis(2 * u64::from(SHORT)));
    assert!(peer.is_silent_about("close") && peer.is_silent_about("transport_error"));
    assert!(talk.engine().connection().is_open());
    assert_eq!(talk.close(), None);
}

fn a_peer_that_stops_is_noticed(library: Library, side: Side) {
    let (mut talk, peer, _) = open(library, side, impatient(), &json!({}));
    peer.freeze();
    let start = Instant::now();
    let failure = talk.disconnected();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(origin, Origin::Local);
    assert_eq!(condition.condition.as_str(), "amqp:resource-limit-exceeded");
    let text = condition.description.as_deref().unwrap_or_default();
    assert_eq!(text, format!("nothing was heard for {SHORT} ms"));
    // Not before its time: what was said last was said before the peer was stopped, if only just.
    let waited = start.elapsed() + Duration::from_millis(u64::from(SHORT) / 4);
    assert!(
        waited >= Duration::from_millis(u64::from(SHORT)),
        "{waited:?}"
    );
}

/// Here it is the peer that closes, and says why. It is heard once ferrion goes on.
fn ferrion_that_stops_is_noticed(library: Library, side: Side) {
    let theirs = json!({"idle": SHORT});
    let (mut talk, mut peer, _) = open(library, side, Config::new("ferrion"), &theirs);
    talk.rest(Duration::from_millis(10));
    // Proton waits for as long as it was told, rhea for twice that.
    let until = Instant::now() + Duration::from_secs(30);
    let ended = match library {
        Library::Proton => "transport_error",
        Library::Rhea => "disconnected",
    };
    while peer.is_silent_about(ended) {
        assert!(Instant::now() < until, "the peer does not mind");
        thread::sleep(Duration::from_millis(10));
    }
    let failure = talk.disconnected();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(origin, Origin::Remote);
    assert_eq!(condition.condition.as_str(), "amqp:resource-limit-exceeded");
}
