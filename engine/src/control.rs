//! Control frames that are due, and how many of them the peer asked for.

use alloc::collections::VecDeque;

use crate::ids::{LinkId, SessionId};

/// A control frame that is due. They are written in the order of their causes, each object's flow and
/// dispositions at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Open,
    Begin(SessionId),
    Attach(LinkId),
    LinkFlow(LinkId),
    SessionFlow(SessionId),
    Dispositions(SessionId),
    Detach(LinkId),
    End(SessionId),
    Close,
}

/// What is due, in order.
///
/// Replies are told apart from what the program wants: only of them the peer decides how many there are, and of flows and
/// dispositions there is one for each object, whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Due {
    queue: VecDeque<(Control, bool)>,
    replies: usize,
}

impl Due {
    /// What the program asked for, or of what there is one for each object.
    pub(crate) fn push_back(&mut self, control: Control) {
        self.queue.push_back((control, false));
    }

    /// What answers the peer, or ends something with an error, as what it did wrong.
    pub(crate) fn reply(&mut self, control: Control) {
        self.push(control, true);
    }

    /// Either of the two.
    pub(crate) fn push(&mut self, control: Control, is_reply: bool) {
        self.replies += usize::from(is_reply);
        self.queue.push_back((control, is_reply));
    }

    /// What comes before all else.
    pub(crate) fn push_front(&mut self, control: Control) {
        self.queue.push_front((control, false));
    }

    /// The next one, and whether it is a reply.
    pub(crate) fn pop_front(&mut self) -> Option<(Control, bool)> {
        let next = self.queue.pop_front();
        self.replies -= usize::from(next.is_some_and(|(_, is_reply)| is_reply));
        next
    }

    /// One that has to wait after all.
    pub(crate) fn put_back(&mut self, next: (Control, bool)) {
        self.replies += usize::from(next.1);
        self.queue.push_front(next);
    }

    /// Forgets all but the open.
    pub(crate) fn keep_open(&mut self) {
        self.queue.retain(|(control, _)| *control == Control::Open);
        self.replies = 0;
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.replies = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many answer the peer.
    pub(crate) const fn replies(&self) -> usize {
        self.replies
    }
}
