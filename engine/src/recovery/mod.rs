//! Link recovery (2.6.1, 2.6.13, 3.4.6): what outlives a link's endpoint, and how a new one goes on with it.

mod map;
mod receiver;
mod sender;
mod state;
mod table;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::Fields;
use crate::config::LinkConfig;
use crate::delivery::Payload;
use crate::ids::DeliveryId;
use crate::protocol::{DeliveryState, Role, Tag};
pub(crate) use receiver::{Awaited, Passing};

/// All that has to outlive an endpoint of a link for another endpoint to go on with the link: a plain value, which
/// may be kept in memory, or written wherever it survives.
///
/// Take it from a link that was suspended ([`Link::state`](crate::Link::state), on
/// [`Event::LinkDetached`](crate::Event::LinkDetached)), or from all links of an engine at any time, also after its
/// connection was lost ([`Engine::link_states`](crate::Engine::link_states)). Give it to a session of the same or of
/// another engine ([`Session::resume`](crate::Session::resume)), or answer with it a peer that attaches the link again
/// ([`Link::resume`](crate::Link::resume)). Then the engine compares what both sides remember, and does for each
/// delivery what the specification says (3.4.6): resumes it where it broke off, sends it again, settles it or calls
/// it off. What comes of that is told by the usual events; [`Link::recovered`](crate::Link::recovered) counts.
///
/// Links that are to be recovered set [`LinkConfig::recoverable`]. Deliveries are transferred exactly once if the
/// receiver settles second and the sender settles what it was told the outcome of.
///
/// ```
/// # use bytes::{Buf, BytesMut};
/// use ferrion_engine::protocol::ReceiverSettleMode;
/// use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkState, SessionConfig, Time};
///
/// # type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
/// /// What a server does about its events, with the links of before.
/// fn serve(server: &mut Engine, before: &mut Vec<LinkState>, inbox: &mut Vec<String>) -> Result<()> {
///     while let Some(event) = server.poll_event() {
///         match event {
///             Event::SessionBegun(id) => server.session(id)?.accept(SessionConfig::default())?,
///             Event::LinkAttached(id) => {
///                 let mut link = server.link(id)?;
///                 let name = link.name();
///                 if let Some(at) = before.iter().position(|state| state.config.name == name) {
///                     link.resume(&before[at])?;
///                     before.swap_remove(at);
///                 } else if let Some(mut config) = link.offer() {
///                     config.recoverable = true;
///                     link.accept_with(config)?;
///                 }
///                 server.receiver(id)?.set_credit(10)?;
///             }
///             Event::Deliveries(id) => {
///                 let mut receiver = server.receiver(id)?;
///                 while let Some(delivery) = receiver.next_delivery() {
///                     inbox.push(String::from_utf8(delivery.payload.into_bytes().to_vec())?);
///                     if let Some(id) = delivery.id {
///                         receiver.accept(id)?;
///                     }
///                 }
///             }
///             _ => {}
///         }
///     }
///     Ok(())
/// }
/// # fn pass(from: &mut Engine, to: &mut Engine) {
/// #     let mut wire = BytesMut::new();
/// #     let mut output = from.transmit(Time(0));
/// #     while output.has_remaining() {
/// #         let n = output.chunk().len();
/// #         wire.extend_from_slice(output.chunk());
/// #         output.advance(n);
/// #     }
/// #     to.recv(Time(0), &mut wire);
/// # }
/// # fn run(client: &mut Engine, server: &mut Engine, before: &mut Vec<LinkState>, inbox: &mut Vec<String>) -> Result<()> {
/// #     for _ in 0..5 {
/// #         pass(client, server);
/// #         serve(server, before, inbox)?;
/// #         pass(server, client);
/// #     }
/// #     Ok(())
/// # }
/// # fn connect() -> Result<(Engine, Engine)> {
/// #     let (mut client, mut server) = (Engine::client(Config::new("c")), Engine::server(Config::new("s")));
/// #     client.connection().open()?;
/// #     server.connection().open()?;
/// #     Ok((client, server))
/// # }
///
/// # fn main() -> Result<()> {
/// # let (mut before, mut inbox) = (Vec::new(), Vec::new());
/// # let (mut client, mut server) = connect()?;
/// let session = client.connection().begin(SessionConfig::default())?;
/// let mut config = LinkConfig::sender("my-link", "some-queue");
/// config.recoverable = true;
/// config.rcv_settle_mode = ReceiverSettleMode::Second;
/// let link = client.session(session)?.attach_sender(config)?;
/// # run(&mut client, &mut server, &mut before, &mut inbox)?;
/// client.sender(link)?.send(b"tag-1", b"precious")?;
///
/// // The connection is lost, and the message with it. But the engine can still be asked:
/// client.recv_eof(Time(0));
/// let states = client.link_states();
/// assert_eq!(states[0].unsettled[0].tag.as_bytes(), b"tag-1");
/// # before = server.link_states();
/// # let (mut client, mut server) = connect()?;
///
/// // On a new connection, the same link:
/// let session = client.connection().begin(SessionConfig::default())?;
/// for state in states {
///     let link = client.session(session)?.resume(&state)?;
///     # run(&mut client, &mut server, &mut before, &mut inbox)?;
///     // ... and after Event::LinkAttached(link):
///     let recovery = client.link(link)?.recovered().ok_or("the peer refused the link")?;
///     assert_eq!((recovery.resumed, recovery.sent_again), (0, 1));
///     // The usual events tell of the outcome, and settling it ends the matter for both sides.
///     let update = client.sender(link)?.next_update().ok_or("no update")?;
///     client.sender(link)?.settle(update.delivery)?;
/// }
/// # run(&mut client, &mut server, &mut before, &mut inbox)?;
/// assert_eq!(inbox, ["precious"]);
/// # assert!(server.link_states().iter().all(|state| state.unsettled.is_empty()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// Which side of the link it is.
    pub role: Role,
    /// What the link is attached with again.
    pub config: LinkConfig,
    /// Its unsettled deliveries, in order. What is taken out here is settled: the peer will learn that when the
    /// link is resumed.
    pub unsettled: Vec<UnsettledDelivery>,
}

/// A delivery of a [`LinkState`].
#[derive(Clone, Debug, PartialEq)]
pub struct UnsettledDelivery {
    /// The sender's name for it.
    pub tag: Tag,
    /// The format of the payload; 0 is an AMQP message (2.8.11).
    pub message_format: u32,
    /// Its state at this side (3.4). `received` at a sender: what lies before that point cannot be sent again.
    pub local_state: Option<DeliveryState>,
    /// Its state at the peer, as far as the peer told.
    pub remote_state: Option<DeliveryState>,
    /// Sender: what was sent, all of it; `None` if the link did not keep it (fill it in if you can: what the peer has
    /// not got and this side has not either is lost). Receiver: what arrived and was not handed to the application;
    /// `None` if all was.
    pub payload: Option<Payload>,
    /// Receiver: octets of it that the application read before [`payload`](Self::payload), while it came. Put them
    /// back, and 0 here, and they need not be sent again.
    pub read: u64,
    /// Whether the payload has its end: no more is to be written (sender), or to come (receiver).
    pub complete: bool,
    /// Receiver: the application settled it. It is forgotten, without an update, once the sender has settled too.
    pub done: bool,
    /// The peer has settled it, and only the application has not been told.
    pub settled: bool,
}

/// A delivery that is not settled on both sides; see [`Link::unsettled`](crate::Link::unsettled).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsettled<'a> {
    /// What to call it.
    pub id: DeliveryId,
    /// The sender's name for it.
    pub tag: Tag,
    /// The format of the payload; 0 is an AMQP message (2.8.11).
    pub message_format: u32,
    /// Its state at this side.
    pub local_state: Option<&'a DeliveryState>,
    /// Its state at the peer, as far as the peer told.
    pub remote_state: Option<&'a DeliveryState>,
    /// Whether the peer has settled it.
    pub settled: bool,
}

/// What resuming a link did; see [`Link::recovered`](crate::Link::recovered).
///
/// The counts are deliveries that this side remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The peer remembers something at all: its attach had a map of unsettled deliveries, if only an empty one.
    pub peer_remembers: bool,
    /// Both sides told of all that they remember. If not (2.6.13), nothing new can be sent: once what was resumed is
    /// settled, [`detach`](crate::Link::detach) the link and resume it again with its state.
    pub complete: bool,
    /// Both sides remembered them, and they go on.
    pub resumed: u32,
    /// The receiver had nothing of them: they are sent as new ones. Sender only.
    pub sent_again: u32,
    /// They were called off: the receiver had not got what cannot be sent again. Sender only.
    pub aborted: u32,
    /// They turned out to be settled by the peer, or need nothing more than that.
    pub settled: u32,
    /// The receiver has not got them, and there is no payload to send again; their updates have no state. Sender only.
    pub lost: u32,
}

/// How far a link has come with resuming.
#[derive(Debug, Default)]
pub(crate) struct Resuming {
    /// What our attach tells of unsettled deliveries, and whether that is all.
    pub(crate) map: Option<(Fields, bool)>,
    /// Made once both attaches are known.
    pub(crate) report: Option<Recovery>,
}

impl Resuming {
    /// Whether the peer's map is still to come.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.report.is_none()
    }

    /// Whether either side told of a part only: nothing new may be sent then.
    pub(crate) fn is_in_parts(&self) -> bool {
        self.report.is_some_and(|report| !report.complete)
    }

    /// Whether this side told of a part only: then a receiver takes nothing new (2.7.3).
    pub(crate) const fn told_in_part(&self) -> bool {
        matches!(self.map, Some((_, false)))
    }

    fn new() -> Box<Self> {
        Box::default()
    }
}
