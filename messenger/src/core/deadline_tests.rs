//! When a core wants to be called, in virtual time: no later than it has anything to do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use ferrion_engine::Time;
use ferrion_engine::message::Message;

use super::login::Seeds;
use super::{Action, ConnKey, Core};
use crate::error::ErrorKind;
use crate::reconnect::Reconnect;

const NOW: Time = Time(1000);

fn core() -> Core {
    Core::new("client".into(), Seeds::new([1; 32], [2; 32]))
}

fn question() -> Message {
    let mut message = Message::with_body("?");
    message.set_address("amqp://nobody/q");
    message
}

/// What a driver does at this time. Answers what is to be connected.
fn turn(core: &mut Core, now: Time) -> Option<ConnKey> {
    core.handle_timeout(now);
    core.pump(now);
    while let Some(conn) = core.next_output() {
        core.output(conn, now);
        core.flushed(conn, now);
    }
    let mut connected = None;
    while let Some(action) = core.next_action() {
        if let Action::Connect { conn, .. } = action {
            connected = Some(conn);
        }
    }
    connected
}

#[test]
fn the_time_of_a_request_is_in_the_deadline_and_that_it_is_over_is_told_once() {
    let mut core = core();
    let long = core.send_request(&question(), Some(400)).unwrap();
    let short = core.send_request(&question(), Some(250)).unwrap();
    let forever = core.send_request(&question(), None).unwrap();
    assert!(core.has_work());
    turn(&mut core, NOW);
    for (request, at) in [(short, 1250), (long, 1400)] {
        assert_eq!(core.deadline(), Some(Time(at)));
        turn(&mut core, Time(at - 1));
        assert!(!core.is_answered(request) && !core.take_ended());
        turn(&mut core, Time(at));
        assert!(core.take_ended() && !core.take_ended());
        let error = core.take_reply(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    assert_eq!(core.deadline(), None);
    assert!(!core.is_answered(forever));
}

#[test]
fn the_delay_before_a_connection_is_made_again_is_in_the_deadline() {
    let mut core = core();
    core.set_reconnect(Some(Reconnect {
        initial: true,
        max_delay: Duration::from_secs(1),
        ..Reconnect::default()
    }));
    core.set_outgoing_window(1);
    core.put(&question()).unwrap();
    let mut now = NOW;
    let mut conn = turn(&mut core, now).unwrap();
    for _ in 0..20 {
        core.connect_failed(conn, now, "nobody listens".to_owned());
        assert_eq!(turn(&mut core, now), None);
        let due = core.deadline().unwrap();
        assert!(now < due && due.since(now) <= 1250, "{now:?} {due:?}");
        assert_eq!(turn(&mut core, Time(due.0 - 1)), None);
        now = due;
        conn = turn(&mut core, now).unwrap();
    }
}
