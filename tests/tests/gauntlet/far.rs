//! The side that listens in all rounds of a campaign.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ferrion_messenger::{Interrupter, Messenger};

use crate::WATCHDOG;
use crate::fountain::Fountain;
use crate::hall::Hall;
use crate::round::Promise;
use crate::support::Wire;

/// Which way the thousand messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The client, which meets the fault and connects again, sends them.
    FromClient,
    /// The client receives them.
    ToClient,
}

pub(crate) enum Far {
    Hall(Hall),
    Fountain(Fountain),
}

impl Far {
    pub(crate) fn open(flow: Flow, wire: Wire, promise: Promise) -> Self {
        match flow {
            Flow::FromClient => Self::Hall(Hall::open(wire, promise)),
            Flow::ToClient => Self::Fountain(Fountain::open(wire, promise)),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.post().port()
    }

    /// Stops, so that nothing is kept of anybody, and listens again.
    pub(crate) fn begin_anew(&self) {
        self.post().begin_anew();
    }

    fn post(&self) -> &Post {
        match self {
            Self::Hall(hall) => &hall.post,
            Self::Fountain(fountain) => &fountain.post,
        }
    }

    /// How many messages came when their round was over.
    pub(crate) fn late(&self) -> usize {
        match self {
            Self::Hall(hall) => hall.late(),
            Self::Fountain(_) => 0,
        }
    }
}

/// A listening Messenger in a thread of its own, and what the others may ask of it.
pub(crate) struct Post {
    port: Arc<AtomicU16>,
    interrupter: Interrupter,
    /// Asks to begin anew, and hears that it has.
    anew: Mutex<(SyncSender<()>, Receiver<()>)>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's side of a [`Post`].
pub(crate) struct Desk {
    wire: Wire,
    port: Arc<AtomicU16>,
    asked: Receiver<()>,
    done: SyncSender<()>,
}

impl Post {
    /// Listens. `serve` works until it is interrupted, as often as [`Desk::goes_on`] says.
    pub(crate) fn open(
        wire: Wire,
        mut messenger: Messenger,
        serve: impl FnOnce(&mut Messenger, &Desk) + Send + 'static,
    ) -> Self {
        let (ask, asked) = sync_channel(1);
        let (done, heard) = sync_channel(1);
        let port = Arc::default();
        let desk = Desk {
            wire,
            port: Arc::clone(&port),
            asked,
            done,
        };
        desk.listen(&mut messenger);
        let interrupter = messenger.interrupter();
        let thread = std::thread::spawn(move || serve(&mut messenger, &desk));
        Self {
            port,
            interrupter,
            anew: Mutex::new((ask, heard)),
            thread: Some(thread),
        }
    }

    fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }

    fn begin_anew(&self) {
        let anew = self.anew.lock().unwrap_or_else(PoisonError::into_inner);
        anew.0.send(()).unwrap();
        self.interrupter.interrupt();
        anew.1.recv_timeout(WATCHDOG).unwrap();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.interrupter.interrupt();
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(joined, Some(Ok(()))));
    }
}

impl Desk {
    fn listen(&self, messenger: &mut Messenger) {
        let address = self.wire.listen(messenger);
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        self.port.store(port, Ordering::Relaxed);
    }

    /// After an interrupt: whether it was to begin anew, which is done then, or to end.
    pub(crate) fn goes_on(&self, messenger: &mut Messenger) -> bool {
        if self.asked.try_recv().is_err() {
            return false;
        }
        // What those who left without a word did not take is given up by that.
        let _ = messenger.stop();
        self.listen(messenger);
        self.done.send(()).is_ok()
    }
}
