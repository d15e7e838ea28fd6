//! The steps that nearly every script begins with.

use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{
    Delivery, DeliveryId, Event, LinkConfig, LinkId, LinkState, SessionConfig, SessionId, Update,
    UsageError,
};

use super::{CHANNEL_OFFSET, Peer, Side};
use crate::build::{self, Build, Role};
use crate::oracle::{AMQP_HEADER, V};

/// A link between engine and script.
#[derive(Clone, Copy, Debug)]
pub struct Wired {
    /// The engine's name of it.
    pub id: LinkId,
    /// The engine's handle.
    pub ours: u32,
    /// The script's handle.
    pub theirs: u32,
}

impl Peer {
    /// Exchanges headers and `open`; takes the events of it.
    pub fn opened(&mut self) {
        self.opened_with(|open| open);
    }

    /// [`opened`](Self::opened) with changes to the script's `open`.
    pub fn opened_with(&mut self, change: impl FnOnce(Build) -> Build) {
        match self.side {
            Side::Client => {
                self.engine()
                    .connection()
                    .open()
                    .expect("a fresh engine opens");
                self.expect_header(AMQP_HEADER).respond();
                self.expect_open().respond_with(change);
            }
            Side::Server => {
                self.inject_raw(&AMQP_HEADER);
                self.inject(change(build::open().container_id("script")));
                self.engine()
                    .connection()
                    .open()
                    .expect("a fresh engine opens");
                self.expect_header(AMQP_HEADER);
                self.expect_open();
            }
        }
        self.event_where("RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
        self.expect_nothing();
    }

    /// The engine begins a session, the script answers.
    pub fn begun(&mut self) -> SessionId {
        self.begun_with(SessionConfig::default(), |begin| begin)
    }

    /// [`begun`](Self::begun) with changes on both sides.
    pub fn begun_with(
        &mut self,
        config: SessionConfig,
        change: impl FnOnce(Build) -> Build,
    ) -> SessionId {
        let id = self
            .begin(config)
            .expect("an open connection begins sessions");
        self.expect_begin()
            .null("remote-channel")
            .respond_with(change);
        self.event_where("SessionBegun", |e| {
            (e == Event::SessionBegun(id)).then_some(())
        });
        id
    }

    /// The script begins a session, the engine accepts.
    pub fn begun_by_script(
        &mut self,
        config: SessionConfig,
        change: impl FnOnce(Build) -> Build,
    ) -> SessionId {
        self.use_channel(CHANNEL_OFFSET);
        let begin = build::begin()
            .next_outgoing_id(0)
            .incoming_window(2048)
            .outgoing_window(2048);
        self.inject(change(begin));
        let id = self.event_where("SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        self.accept_session(id, config)
            .expect("a session to accept");
        self.expect_begin().remote_channel(CHANNEL_OFFSET);
        id
    }

    /// The engine attaches a sender to `name`, the script answers.
    pub fn sender(&mut self, session: SessionId, name: &str) -> Wired {
        self.sender_with(session, LinkConfig::sender(name, name), |attach| attach)
    }

    /// [`sender`](Self::sender) with changes on both sides.
    pub fn sender_with(
        &mut self,
        session: SessionId,
        config: LinkConfig,
        change: impl FnOnce(Build) -> Build,
    ) -> Wired {
        let id = self.attach_sender(session, config).expect("attaches");
        self.answered(id, Role::Sender, change)
    }

    /// The engine attaches a receiver to `name`, the script answers.
    pub fn receiver(&mut self, session: SessionId, name: &str) -> Wired {
        self.receiver_with(session, LinkConfig::receiver(name, name), |attach| attach)
    }

    /// [`receiver`](Self::receiver) with changes on both sides.
    pub fn receiver_with(
        &mut self,
        session: SessionId,
        config: LinkConfig,
        change: impl FnOnce(Build) -> Build,
    ) -> Wired {
        let id = self.attach_receiver(session, config).expect("attaches");
        self.answered(id, Role::Receiver, change)
    }

    /// The engine attaches a link with what an earlier endpoint left, the script answers.
    pub fn resumed_with(
        &mut self,
        session: SessionId,
        state: LinkState,
        change: impl FnOnce(Build) -> Build,
    ) -> Wired {
        let role = match state.role {
            ferrion_engine::protocol::Role::Sender => Role::Sender,
            ferrion_engine::protocol::Role::Receiver => Role::Receiver,
        };
        let id = self.resume(session, state).expect("resumes");
        self.answered(id, role, change)
    }

    fn answered(&mut self, id: LinkId, role: Role, change: impl FnOnce(Build) -> Build) -> Wired {
        let got = self.expect_attach().role(role);
        let ours = got.uint("handle");
        let mut theirs = ours + super::HANDLE_OFFSET;
        got.respond_with(|attach| {
            let attach = change(attach);
            if let V::Uint(handle) = attach.field("handle") {
                theirs = handle;
            }
            attach
        });
        self.event_where("LinkAttached", |e| {
            (e == Event::LinkAttached(id)).then_some(())
        });
        Wired { id, ours, theirs }
    }

    /// The script attaches (in its own role), the engine accepts as it is.
    pub fn attached_by_script(&mut self, attach: Build) -> Wired {
        let V::Uint(theirs) = attach.field("handle") else {
            panic!("the script names its handle")
        };
        self.inject(attach);
        let id = self.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        self.accept_link(id).expect("a link to accept");
        let ours = self.expect_attach().uint("handle");
        Wired { id, ours, theirs }
    }

    /// A `flow` of the session with the numbers that are true at the script's side.
    pub fn flow(&self) -> Build {
        let session = self
            .end
            .monitor
            .session_of_partner(self.channel)
            .expect("a session on this channel");
        build::flow()
            .next_incoming_id(self.unwire(session.next_outgoing_id))
            .incoming_window(2048)
            .next_outgoing_id(self.unwire(session.next_incoming_id.expect("the script began")))
            .outgoing_window(2048)
    }

    /// A `flow` for the link, with the delivery-count that is true at the script's side.
    pub fn link_flow(&self, link: &Wired) -> Build {
        let session = self
            .end
            .monitor
            .session_of_partner(self.channel)
            .expect("a session on this channel");
        let count = session
            .link(link.ours)
            .and_then(|l| l.delivery_count)
            .expect("an attached link");
        self.flow()
            .handle(link.theirs)
            .delivery_count(self.unwire(count))
    }

    fn unwire(&self, number: u32) -> u32 {
        number.wrapping_sub(self.wire(0))
    }

    /// Gives the engine's sender credit.
    pub fn grant(&mut self, link: &Wired, credit: u32) {
        let flow = self.link_flow(link).link_credit(credit);
        self.inject(flow);
    }

    /// Credit for the script's sender from the engine's receiver; takes the `flow`.
    pub fn take_credit(&mut self, link: &Wired, credit: u32) {
        self.engine()
            .receiver(link.id)
            .expect("a live receiver")
            .set_credit(credit)
            .expect("credit can be given");
        self.expect_flow().handle(link.ours).link_credit(credit);
    }

    /// A whole delivery from the script's sender, in one transfer.
    pub fn delivery(&self, link: &Wired, id: u32, payload: &[u8]) -> Build {
        build::transfer()
            .handle(link.theirs)
            .delivery_id(id)
            .delivery_tag(&id.to_be_bytes())
            .message_format(0)
            .payload(payload)
    }

    // ----- commands of the application that start serial numbers

    /// The engine begins a session, its ids moved.
    pub fn begin(&mut self, mut config: SessionConfig) -> Result<SessionId, UsageError> {
        config.next_outgoing_id = self.wire(config.next_outgoing_id);
        self.engine().connection().begin(config)
    }

    /// The engine accepts a session, its ids moved.
    pub fn accept_session(
        &mut self,
        id: SessionId,
        mut config: SessionConfig,
    ) -> Result<(), UsageError> {
        config.next_outgoing_id = self.wire(config.next_outgoing_id);
        self.engine().session(id)?.accept(config)
    }

    /// The engine attaches a sender, its delivery-count moved.
    pub fn attach_sender(
        &mut self,
        session: SessionId,
        mut config: LinkConfig,
    ) -> Result<LinkId, UsageError> {
        config.initial_delivery_count = self.wire(config.initial_delivery_count);
        self.engine().session(session)?.attach_sender(config)
    }

    /// The engine attaches a receiver.
    pub fn attach_receiver(
        &mut self,
        session: SessionId,
        config: LinkConfig,
    ) -> Result<LinkId, UsageError> {
        self.engine().session(session)?.attach_receiver(config)
    }

    /// The engine attaches a link with what an earlier endpoint left, its delivery-count moved.
    pub fn resume(
        &mut self,
        session: SessionId,
        mut state: LinkState,
    ) -> Result<LinkId, UsageError> {
        state.config.initial_delivery_count = self.wire(0);
        self.engine().session(session)?.resume(&state)
    }

    /// The engine accepts a link as it was offered, its delivery-count moved.
    pub fn accept_link(&mut self, id: LinkId) -> Result<(), UsageError> {
        let start = self.wire(0);
        let mut link = self.engine().link(id)?;
        let Some(mut config) = link.offer() else {
            return link.accept();
        };
        config.initial_delivery_count = start;
        link.accept_with(config)
    }

    // ----- commands of the application, which must succeed

    /// The engine sends a delivery, unsettled.
    pub fn send(&mut self, link: &Wired, tag: &[u8], payload: &[u8]) -> DeliveryId {
        match self
            .engine()
            .sender(link.id)
            .expect("a live sender")
            .send(tag, payload)
        {
            Ok(id) => id,
            Err(e) => self.fail(&format!("send: {e}")),
        }
    }

    /// The engine sends a delivery, settled.
    pub fn send_settled(&mut self, link: &Wired, tag: &[u8], payload: &[u8]) {
        if let Err(e) = self
            .engine()
            .sender(link.id)
            .expect("a live sender")
            .send_settled(tag, payload)
        {
            self.fail(&format!("send_settled: {e}"));
        }
    }

    /// The next complete delivery at the engine's receiver. There must be one.
    pub fn take(&mut self, link: &Wired) -> Delivery {
        match self
            .engine()
            .receiver(link.id)
            .expect("a live receiver")
            .next_delivery()
        {
            Some(delivery) => delivery,
            None => self.fail("no delivery waits"),
        }
    }

    /// No complete delivery may wait at the engine's receiver.
    pub fn expect_no_delivery(&mut self, link: &Wired) {
        if self
            .engine()
            .receiver(link.id)
            .expect("a live receiver")
            .next_delivery()
            .is_some()
        {
            self.fail("a delivery waits where none was expected");
        }
    }

    /// The updates that the peer's dispositions brought.
    pub fn updates(&mut self, link: &Wired) -> Vec<Update> {
        let mut view = self.engine().link(link.id).expect("a live link");
        std::iter::from_fn(|| view.next_update()).collect()
    }

    /// The engine's receiver settles a delivery.
    pub fn settle(&mut self, link: &Wired, id: DeliveryId, state: Option<DeliveryState>) {
        let mut view = self.engine().receiver(link.id).expect("a live receiver");
        let settled = match state {
            Some(state) => view.settle(id, state),
            None => view.forget(id),
        };
        if let Err(e) = settled {
            self.fail(&format!("settle: {e}"));
        }
    }

    /// The engine's receiver tells a state without settling.
    pub fn update(&mut self, link: &Wired, id: DeliveryId, state: DeliveryState) {
        if let Err(e) = self
            .engine()
            .receiver(link.id)
            .expect("a live receiver")
            .update(id, state)
        {
            self.fail(&format!("update: {e}"));
        }
    }
}
