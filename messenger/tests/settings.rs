//! Whatever is set is what is answered, and no value is wrong that can be said.

use std::time::Duration;

use ferrion_messenger::{Messenger, Reconnect};

#[test]
fn what_is_set_is_what_is_answered() {
    let mut messenger = Messenger::with_name("named").unwrap();
    assert_eq!(messenger.name(), "named");

    assert_eq!(messenger.timeout(), None);
    for timeout in [Some(Duration::ZERO), Some(Duration::MAX), None] {
        messenger.set_timeout(timeout);
        assert_eq!(messenger.timeout(), timeout);
    }
    assert!(messenger.is_blocking());
    messenger.set_blocking(false);
    assert!(!messenger.is_blocking());
    assert!(!messenger.is_passive());
    messenger.set_passive(true);
    assert!(messenger.is_passive());

    assert_eq!(
        (messenger.outgoing_window(), messenger.incoming_window()),
        (0, 0)
    );
    for window in [1, 1 << 20, usize::MAX, 0] {
        messenger.set_outgoing_window(window);
        messenger.set_incoming_window(window);
        assert_eq!(messenger.outgoing_window(), window);
        assert_eq!(messenger.incoming_window(), window);
    }
    assert_eq!(messenger.high_water(), (65_536, 64 << 20));
    messenger.set_high_water(0, usize::MAX);
    assert_eq!(messenger.high_water(), (0, usize::MAX));

    assert!(messenger.reconnect().is_some());
    messenger.set_reconnect(None);
    assert!(messenger.reconnect().is_none());
    messenger.set_reconnect(Some(Reconnect::default()));
    assert!(messenger.reconnect().is_some());

    assert_eq!(messenger.max_frame_size(), 64 << 10);
    // The least that may be said (2.7.1) is taken in any case.
    for (set, size) in [(Some(1 << 20), 1 << 20), (Some(100), 512), (None, 64 << 10)] {
        messenger.set_max_frame_size(set);
        assert_eq!(messenger.max_frame_size(), size);
    }

    // What can be taken back.
    messenger.set_credentials(Some("joe"), Some("secret"));
    messenger.set_credentials(None, None);
    messenger.set_token(Some("token"));
    messenger.set_token(None);
    messenger.set_idle_time_out(Some(Duration::MAX));
    messenger.set_idle_time_out(None);
}

#[test]
fn a_new_messenger_has_nothing_and_does_nothing() {
    let mut messenger = Messenger::new().unwrap();
    assert!(messenger.stopped());
    assert_eq!(
        (
            messenger.outgoing(),
            messenger.incoming(),
            messenger.receiving()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (messenger.outgoing_tracker(), messenger.incoming_tracker()),
        (None, None)
    );
    assert_eq!(messenger.incoming_subscription(), None);
    assert_eq!(messenger.poll_connection_event(), None);
    assert_eq!(messenger.poll_warning(), None);
    assert_eq!(messenger.send(), Ok(()));
    assert_eq!(messenger.stop(), Ok(()));
    assert_eq!(messenger.start(), Ok(()));
    assert_eq!(messenger.stop(), Ok(()));
    assert_ne!(Messenger::new().unwrap().name(), messenger.name());
}
