//! Who sends to whom: by the name of a container, through a relay, from many to one, to nodes that are made.

#[macro_use]
mod support;

use std::thread;

use ferrion_messenger::{Credit, Error, Flags, Interrupter, Message, Status};
use support::way::{Echo, Party, Trio, Way};
use support::{message_to, text};

in_every_way! {
    a_dynamic_node_has_an_address_to_send_to,
    a_relay_passes_on_what_comes_to_whom_it_knows_by_name,
    many_send_to_one_and_each_gets_its_answers,
    one_sends_to_many,
    links_have_names_of_their_own_and_share_a_session,
    what_is_put_to_a_name_goes_to_its_newest_connection,
}

fn a_dynamic_node_has_an_address_to_send_to(way: Way) {
    let mut trio = Trio::new(way);
    let dynamic = format!("{}/#", trio.address);
    let subscription = trio.client.subscribe(&dynamic).unwrap();
    assert_eq!(trio.client.subscription_address(subscription), None);
    trio.client.ask(1);
    trio.until("attached", |trio| {
        trio.client.subscription_address(subscription).is_some()
    });
    let address = trio.client.subscription_address(subscription).unwrap();
    assert!(address.starts_with(&trio.address), "{address}");
    let node = address.rsplit('/').next().unwrap();
    let to = format!("amqp://{}/{node}", trio.client.name());
    trio.server.put(&message_to(&to, "dynamic")).unwrap();
    trio.until("there", |trio| trio.client.incoming() == 1);
    let mut message = Message::new();
    trio.client.get(&mut message).unwrap();
    assert_eq!(text(&message), "dynamic");
    assert_eq!(trio.client.incoming_subscription(), Some(subscription));
}

/// Serves until it is interrupted.
fn serve(
    mut party: Party,
    serve: impl FnMut(&mut Party, Message) + Send + 'static,
) -> (Interrupter, thread::JoinHandle<()>) {
    let interrupter = party.interrupter();
    let mut serve = serve;
    let thread = thread::spawn(move || {
        party.set_timeout(None);
        loop {
            match party.recv(Credit::All) {
                Ok(()) => {}
                Err(Error::Interrupted) => break,
                Err(error) => panic!("{error}"),
            }
            while party.incoming() > 0 {
                let mut message = Message::new();
                party.get(&mut message).unwrap();
                serve(&mut party, message);
            }
        }
        party.set_timeout(Some(support::PATIENCE));
        let _ = party.stop();
    });
    (interrupter, thread)
}

/// A sends to the relay, the relay by name to B, which it never connected to, and B to A's name through the relay.
fn a_relay_passes_on_what_comes_to_whom_it_knows_by_name(way: Way) {
    let mut relay = way.party_named("Relay");
    let address = way.listen(&mut relay);
    // What is for a node goes to the container of that name.
    relay
        .route(&format!("{address}/%"), "amqp://$1/inbox")
        .unwrap();
    let relaying = serve(relay, |relay, message| {
        relay.put(&message).unwrap();
    });

    // They are known by name once they are connected.
    let connected = |name| {
        let mut party = way.party_named(name);
        let subscription = party.subscribe(&format!("{address}/inbox")).unwrap();
        party.work_until("connected", |messenger| {
            messenger.subscription_address(subscription).is_some()
        });
        party
    };
    let (far, mut near) = (connected("Far"), connected("Near"));
    let answers = address.clone();
    let farther = serve(far, move |far, mut message| {
        let answer = format!("{} back", text(&message));
        message.set_body(answer.as_str());
        message.set_address(format!("{answers}/Near"));
        far.put(&message).unwrap();
    });
    let mut message = Message::new();
    for n in 0..20 {
        let body = n.to_string();
        near.put(&message_to(&format!("{address}/Far"), &body))
            .unwrap();
        near.send().unwrap();
        near.recv(1).unwrap();
        near.get(&mut message).unwrap();
        assert_eq!(text(&message), format!("{n} back"));
    }
    near.stop().unwrap();
    for (interrupter, thread) in [farther, relaying] {
        interrupter.interrupt();
        thread.join().unwrap();
    }
}

fn many_send_to_one_and_each_gets_its_answers(way: Way) {
    const CLIENTS: usize = 8;
    const MESSAGES: usize = 25;
    let echo = Echo::start(way);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let address = echo.address.clone();
            thread::spawn(move || {
                let mut party = way.party();
                party.set_outgoing_window(MESSAGES);
                let mut trackers = Vec::new();
                for n in 0..MESSAGES {
                    let mut message = message_to(&address, &format!("{client} {n}"));
                    message.set_reply_to("~");
                    trackers.push(party.put(&message).unwrap());
                }
                party.send().unwrap();
                assert!(
                    trackers
                        .iter()
                        .all(|tracker| party.status(*tracker) == Status::Accepted)
                );
                let mut message = Message::new();
                for n in 0..MESSAGES {
                    party.recv(Credit::All).unwrap();
                    party.get(&mut message).unwrap();
                    assert_eq!(text(&message), format!("{client} {n}"));
                }
                party.stop().unwrap();
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    echo.has_taken(CLIENTS * MESSAGES);
}

fn one_sends_to_many(way: Way) {
    let echoes: Vec<_> = (0..6).map(|_| Echo::start(way)).collect();
    let mut party = way.party();
    party.set_outgoing_window(usize::MAX);
    party.set_incoming_window(usize::MAX);
    for n in 0..60 {
        let echo = &echoes[n % echoes.len()];
        let mut message = message_to(&echo.address, &n.to_string());
        message.set_reply_to("~");
        party.put(&message).unwrap();
    }
    party.send().unwrap();
    let mut bodies = Vec::new();
    let mut message = Message::new();
    while bodies.len() < 60 {
        party.recv(Credit::All).unwrap();
        while party.incoming() > 0 {
            let tracker = party.get(&mut message).unwrap();
            party.accept(tracker, Flags::NONE).unwrap();
            bodies.push(text(&message).parse::<usize>().unwrap());
        }
    }
    bodies.sort_unstable();
    assert!(bodies.into_iter().eq(0..60));
    party.stop().unwrap();
    for echo in echoes {
        echo.has_taken(10);
    }
}

fn links_have_names_of_their_own_and_share_a_session(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party_named("container");
    party.set_tracing(true);
    for node in ["a", "b"] {
        let address = format!("{}/{node}", echo.address);
        party.put(&message_to(&address, "x")).unwrap();
        party.subscribe(&address).unwrap();
    }
    party.send().unwrap();
    party.ask(1);
    let mut begins = 0;
    let mut names = Vec::new();
    while let Some(line) = party.poll_trace() {
        if let Some((_, begun)) = line.split_once("-> @") {
            begins += usize::from(begun.starts_with("begin"));
            if begun.starts_with("attach")
                && let Some((_, named)) = begun.split_once("name=\"")
            {
                names.extend(named.split('"').next().map(str::to_owned));
            }
        }
    }
    assert_eq!(begins, 1);
    names.sort();
    // Whose, in which direction, and which of them.
    let of = |direction: &str| {
        let prefix = format!("container-{direction}-");
        let names = names.iter().filter(|name| name.starts_with(&prefix));
        names.count()
    };
    assert_eq!(
        (of("sender"), of("receiver"), names.len()),
        (2, 2, 4),
        "{names:?}"
    );
    names.dedup();
    assert_eq!(names.len(), 4, "{names:?}");
    party.stop().unwrap();
}

/// As after a loss that only one side has noticed: the older connection still stands.
fn what_is_put_to_a_name_goes_to_its_newest_connection(way: Way) {
    // No host can have this name.
    let name = "t..win";
    let mut trio = Trio::new(way);
    (trio.client, trio.client2) = (way.party_named(name), way.party_named(name));
    let node = format!("{}/news", trio.address);
    let to = format!("amqp://{name}/news");
    let subscription = trio.client.subscribe(&node).unwrap();
    trio.client.ask(10);
    trio.until("attached", |trio| {
        trio.client.subscription_address(subscription).is_some()
    });
    trio.server.put(&message_to(&to, "one")).unwrap();
    trio.until("there", |trio| trio.client.incoming() == 1);
    let subscription = trio.client2.subscribe(&node).unwrap();
    trio.client2.ask(10);
    trio.until("attached", |trio| {
        trio.client2.subscription_address(subscription).is_some()
    });
    trio.server.put(&message_to(&to, "two")).unwrap();
    trio.until("there", |trio| trio.client2.incoming() == 1);
    assert_eq!(trio.client.incoming(), 1);
}
