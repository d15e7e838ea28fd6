//! Names into socket addresses, on threads of their own: the system's resolver can only be asked
//! blockingly, and a call in non-blocking mode must not wait for it.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;

/// Lookups under way, and the answers that came back. `K` says who asked.
#[derive(Debug)]
pub(crate) struct Resolver<K> {
    waker: Arc<Waker>,
    answers: Receiver<(K, io::Result<Vec<SocketAddr>>)>,
    answer: Sender<(K, io::Result<Vec<SocketAddr>>)>,
}

impl<K: Clone + Send + 'static> Resolver<K> {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        let (answer, answers) = channel();
        Self {
            waker,
            answers,
            answer,
        }
    }

    /// Looks a host up. The answer comes from [`poll`](Self::poll) after the waker woke the poll;
    /// addresses in digits are answered at once.
    pub(crate) fn lookup(&self, asker: K, host: &str, port: u16) -> Option<(K, Vec<SocketAddr>)> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some((asker, vec![SocketAddr::new(ip, port)]));
        }
        let (answer, waker, host) = (
            self.answer.clone(),
            Arc::clone(&self.waker),
            host.to_owned(),
        );
        let whose = asker.clone();
        // A thread each: a name whose server does not answer must not hold the others up.
        let work = move || {
            let found = (host.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect);
            // Nobody listens any more once the messenger is dropped.
            let _ = answer.send((whose, found));
            let _ = waker.wake();
        };
        let thread = std::thread::Builder::new().name("ferrion-resolve".to_owned());
        if let Err(error) = thread.spawn(work) {
            let _ = self.answer.send((asker, Err(error)));
            let _ = self.waker.wake();
        }
        None
    }

    /// The next answer that has come.
    pub(crate) fn poll(&self) -> Option<(K, io::Result<Vec<SocketAddr>>)> {
        self.answers.try_recv().ok()
    }
}
