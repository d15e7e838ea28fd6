//! RabbitMQ's management node: requests and replies on a pair of links.

use ferrion_engine::{
    LinkConfig, LinkId, Message, SessionId,
    codec::{Fields, Map, Symbol, Value},
    message::{Body, MessageId, Properties},
    protocol::{DeliveryState, Role, SenderSettleMode, Source, Target},
};

use super::Conversation;

/// The node that requests go to and replies come from.
const NODE: &str = "/management";

/// A queue to be declared.
#[derive(Clone, Debug)]
pub struct Queue {
    name: String,
    arguments: Map,
}

impl Queue {
    /// A queue of one node, held in memory and on disk.
    #[must_use]
    pub fn classic(name: &str) -> Self {
        Self::of_type(name, "classic")
    }

    /// A queue that a majority of nodes has to agree on.
    #[must_use]
    pub fn quorum(name: &str) -> Self {
        Self::of_type(name, "quorum")
    }

    /// A log, which is read without being emptied.
    #[must_use]
    pub fn stream(name: &str) -> Self {
        Self::of_type(name, "stream")
    }

    fn of_type(name: &str, kind: &str) -> Self {
        Self {
            name: name.to_owned(),
            arguments: Map::from_iter([("x-queue-type", kind)]),
        }
    }

    /// Adds an argument, such as `x-dead-letter-exchange`.
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name, value);
        self
    }

    /// The address of the queue, for senders and receivers.
    #[must_use]
    pub fn address(&self) -> String {
        format!("/queues/{}", self.name)
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Reply {
    /// As in HTTP.
    pub status: String,
    /// Its body, if it is a map.
    pub body: Map,
}

/// The pair of links to the management node, on a session of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Management {
    requests: LinkId,
    replies: LinkId,
}

impl Management {
    /// Attaches both links.
    ///
    /// # Panics
    ///
    /// When the broker refuses them.
    pub fn attach(talk: &mut Conversation, session: SessionId) -> Self {
        let mut link = |role| {
            let source = Source::with_address(NODE);
            let mut config = LinkConfig::new("management", source, Target::with_address(NODE));
            config.snd_settle_mode = SenderSettleMode::Settled;
            config.properties = Some(Fields::from_entries([(
                Symbol::from_static("paired"),
                true,
            )]));
            talk.attach(session, role, config)
                .unwrap_or_else(|end| panic!("no management: {end:?}"))
        };
        let management = Self {
            requests: link(Role::Sender),
            replies: link(Role::Receiver),
        };
        talk.grant(management.replies, 100);
        management
    }

    /// Declares a durable queue.
    ///
    /// # Panics
    ///
    /// When the broker does not.
    pub fn declare(self, talk: &mut Conversation, queue: &Queue) {
        let mut body = Map::new();
        body.insert("durable", true);
        body.insert("arguments", Value::Map(queue.arguments.clone()));
        let reply = self.request(talk, "PUT", &queue.address(), Value::Map(body));
        assert!(
            ["200", "201"].contains(&&*reply.status),
            "{queue:?}: {reply:?}"
        );
    }

    /// What the broker knows of a queue.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn look(self, talk: &mut Conversation, queue: &Queue) -> Map {
        let reply = self.request(talk, "GET", &queue.address(), Value::Null);
        assert_eq!(reply.status, "200", "{queue:?}: {reply:?}");
        reply.body
    }

    /// Makes a request and waits for the reply.
    pub fn request(self, talk: &mut Conversation, verb: &str, path: &str, body: Value) -> Reply {
        let mut request = Message::with_body(Body::Value(body));
        request.set_properties(Some(Properties {
            message_id: Some(MessageId::Ulong(1)),
            to: Some(path.into()),
            subject: Some(verb.into()),
            reply_to: Some("$me".into()),
            ..Properties::default()
        }));
        talk.send_settled(self.requests, request.to_bytes());
        let reply = talk.take(self.replies, DeliveryState::Accepted);
        let properties = reply.properties().expect("properties").cloned();
        let body = match reply.body() {
            Ok(Body::Value(Value::Map(map))) => map.clone(),
            _ => Map::new(),
        };
        Reply {
            status: properties
                .and_then(|properties| properties.subject)
                .map_or_else(String::new, |subject| subject.to_string()),
            body,
        }
    }
}
