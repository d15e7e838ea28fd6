//! How connections begin, stay and end.

use std::time::{Duration, Instant};

use ferrion_engine::{
    Event, Failure, Origin, SaslFailure,
    protocol::{Condition, DeliveryState::Accepted, conditions},
    sasl::{SaslClient, SaslConfig},
};
use ferrion_tests::interop::{ActiveMqPlan, Conversation, Signal, password};

use crate::support::{broker, config, talk, text};

/// By how much a busy machine may be late.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn plain_and_anonymous_are_admitted() {
    let anonymous = SaslConfig::Client(SaslClient::anonymous());
    for sasl in [password("guest", "guest"), anonymous] {
        let mut config = config("admitted");
        config.sasl = sasl;
        let mut talk = Conversation::connect(broker().port(), config);
        let open = talk.open();
        assert_eq!((open.channel_max, open.max_frame_size), (32_767, 131_072));
        assert_eq!(open.idle_time_out, Some(15_000));
        talk.begin();
        assert_eq!(talk.close(), None);
    }
}

#[test]
fn a_wrong_password_is_told() {
    let mut config = config("wrong");
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
fn a_refused_open_tells_why() {
    let (first, _) = talk("twice");
    let mut second = Conversation::connect(broker().port(), config("twice"));
    let open = second.open();
    // An open has to come before the close that refuses it; this says that one will.
    let properties = open.properties.expect("properties");
    assert!(
        format!("{properties:?}").contains("amqp:connection-establishment-failed"),
        "{properties:?}"
    );
    let failure = second.disconnected();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(
        (origin, condition.condition),
        (Origin::Remote, conditions::INVALID_FIELD)
    );
    assert_eq!(first.close(), None);
}

#[test]
fn a_close_with_a_condition_is_answered() {
    let (mut talk, _) = talk("forced");
    let reason = Condition::with_description(conditions::CONNECTION_FORCED, "enough");
    let mut connection = talk.engine().connection();
    connection.close(Some(reason)).unwrap();
    // That we gave a reason is no failure of the connection's end.
    assert_eq!(talk.disconnected(), None);
}

#[test]
fn heartbeats_keep_a_connection_and_a_frozen_broker_is_given_up() {
    const LIMIT: Duration = Duration::from_millis(1500);
    let mut broker = ActiveMqPlan::new()
        .options("transport.wireFormat.idleTimeout=2000")
        .start();
    let mut config = config("silent");
    config.idle_time_out = Some(1500);
    let mut talk = Conversation::connect(broker.port(), config);
    assert_eq!(talk.open().idle_time_out, Some(1000));
    let session = talk.begin();
    // A receiver without credit: nothing is to be said by either side.
    let receiver = talk.receiver(session, "queue://quiet");
    talk.take_events();
    talk.rest(Duration::from_secs(5));
    assert_eq!(talk.take_events(), []);
    let sender = talk.sender(session, "queue://quiet");
    talk.send(sender, text("still there").to_bytes());
    talk.grant(receiver, 1);
    let message = talk.take(receiver, Accepted);
    assert_eq!(message.body_text(), Ok(Some("still there")));

    broker.signal(Signal::Stop);
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
}
