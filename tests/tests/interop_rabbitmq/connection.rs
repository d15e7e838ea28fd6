//! How connections begin, stay and end.

use std::time::{Duration, Instant};

use ferrion_engine::{
    Event, Failure, Origin, SaslFailure,
    protocol::{Condition, DeliveryState::Accepted, conditions},
    sasl::{SaslClient, SaslConfig},
};
use ferrion_tests::interop::{Conversation, Queue, RabbitMqPlan, Signal, password};

use crate::support::{broker, config, declare, talk, text};

/// By how much a busy machine may be late.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn plain_and_anonymous_are_admitted() {
    let anonymous = SaslConfig::Client(SaslClient::anonymous());
    for sasl in [password("guest", "guest"), anonymous] {
        let mut config = config();
        config.sasl = sasl;
        let mut talk = Conversation::connect(broker().port(), config);
        let open = talk.open();
        assert_eq!((open.channel_max, open.max_frame_size), (63, 131_072));
        talk.begin();
        assert_eq!(talk.close(), None);
    }
}

#[test]
fn a_wrong_password_is_told() {
    let mut config = config();
    config.sasl = password("guest", "wrong");
    let mut talk = Conversation::connect(broker().port(), config);
    talk.engine().connection().open().unwrap();
    let failure = talk.disconnected();
    assert!(
        matches!(failure, Some(Failure::Sasl(SaslFailure::Refused { .. }))),
        "{failure:?}"
    );
}

#[test]
fn an_unknown_virtual_host_is_an_end_without_a_reason() {
    let mut config = config();
    config.hostname = Some("vhost:nowhere".into());
    let mut talk = Conversation::connect(broker().port(), config);
    talk.engine().connection().open().unwrap();
    // It waits for three seconds, so as not to be asked too often, and says nothing.
    assert_eq!(talk.disconnected(), Some(Failure::TransportClosed));
}

#[test]
fn a_close_with_a_condition_is_answered() {
    let (mut talk, _) = talk();
    let reason = Condition::with_description(conditions::CONNECTION_FORCED, "enough");
    let mut connection = talk.engine().connection();
    connection.close(Some(reason)).unwrap();
    // That we gave a reason is no failure of the connection's end.
    assert_eq!(talk.disconnected(), None);
}

#[test]
fn more_sessions_than_the_broker_takes_are_refused_here() {
    let (mut talk, _) = talk();
    for _ in 1..64 {
        talk.begin();
    }
    let refused = talk.engine().connection().begin(Default::default());
    assert!(
        refused.unwrap_err().to_string().contains("64"),
        "the broker's channel-max"
    );
    assert_eq!(talk.close(), None);
}

#[test]
fn heartbeats_keep_a_connection_that_says_nothing() {
    // The broker gives up who says nothing for twice its advertised half.
    let broker = RabbitMqPlan::new().setting("heartbeat = 2").start();
    broker.declare(&Queue::classic("quiet"));
    let mut talk = Conversation::connect(broker.port(), config());
    assert_eq!(talk.open().idle_time_out, Some(1000));
    let session = talk.begin();
    // A receiver without credit: nothing is to be said by either side.
    let receiver = talk.receiver(session, "/queues/quiet");
    talk.take_events();
    talk.rest(Duration::from_secs(5));
    assert_eq!(talk.take_events(), []);
    let sender = talk.sender(session, "/queues/quiet");
    talk.send(sender, text("still there").to_bytes());
    talk.grant(receiver, 1);
    assert_eq!(
        talk.take(receiver, Accepted).body_text(),
        Ok(Some("still there"))
    );
    assert_eq!(talk.close(), None);
}

#[test]
fn a_broker_that_is_frozen_is_given_up_and_one_that_closes_tells_why() {
    // RabbitMQ closes on whoever asks for more than a sign of life a second, and half of this is what is asked for.
    const LIMIT: Duration = Duration::from_millis(2000);
    let mut broker = RabbitMqPlan::new().start();
    let mut config = config();
    config.idle_time_out = Some(2000);
    let mut talk = Conversation::connect(broker.port(), config.clone());
    talk.open();
    talk.begin();
    // Its own heartbeats keep this side content.
    talk.rest(2 * LIMIT);
    broker.signal(0, Signal::Stop);
    let since = Instant::now();
    talk.expect(Event::Failed);
    let took = since.elapsed();
    assert!(
        took >= LIMIT / 2 && took < LIMIT + SLACK,
        "{took:?} after it was frozen"
    );
    let failure = talk.engine().failure().cloned();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(
        (origin, condition.condition),
        (Origin::Local, conditions::RESOURCE_LIMIT_EXCEEDED)
    );
    broker.signal(0, Signal::Continue);

    let mut talk = Conversation::connect(broker.port(), config);
    talk.open();
    broker.ctl(0, &["close_all_connections", "the cellar is flooded"]);
    let failure = talk.disconnected();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(
        (origin, condition.condition),
        (Origin::Remote, conditions::INTERNAL_ERROR)
    );
    let text = condition.description.unwrap_or_default();
    assert!(text.contains("the cellar is flooded"), "{text}");
}

#[test]
fn a_session_that_is_ended_leaves_the_others() {
    let address = declare(&Queue::classic("others"));
    let (mut talk, first) = talk();
    let second = talk.begin();
    talk.engine().session(first).unwrap().end(None).unwrap();
    assert_eq!(talk.ended(first), None);
    let sender = talk.sender(second, &address);
    let delivery = talk.send(sender, text("x").to_bytes());
    assert_eq!(talk.outcome(sender, delivery), Some(Accepted));
    assert_eq!(talk.close(), None);
}
