//! A blocking socket between an engine and its peer, over loopback.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use bytes::{Buf, Bytes, BytesMut};
use ferrion_engine::Engine;
use rustix::buffer::spare_capacity;

use crate::ends::NOW;
use crate::work::{Outcome, ensure};

/// Octets that are read at a time.
const READ: usize = 256 * 1024;
/// Pieces of output in one write.
const SLICES: usize = 64;

/// See the module's description.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) buffer: Vec<u8>,
    /// The beginning of a frame whose rest has not come.
    input: BytesMut,
}

impl Wire {
    /// The first connection that comes to a port of the system's choice, of which the runner is told.
    pub(crate) fn accepted() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        println!("{{\"port\":{}}}", listener.local_addr()?.port());
        Self::new(listener.accept()?.0)
    }

    pub(crate) fn connected(port: u16) -> Outcome<Self> {
        Self::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?)
    }

    fn new(stream: TcpStream) -> Outcome<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; READ],
            input: BytesMut::new(),
        })
    }

    /// Waits for octets and takes them.
    pub(crate) fn feed(&mut self, engine: &mut Engine) -> Outcome<()> {
        // Without a copy, or zeroes that are written over: the vector is that of the last time, unless somebody still
        // holds a slice of it.
        let mut octets = Vec::from(std::mem::take(&mut self.input));
        octets.reserve(READ);
        let count = rustix::io::read(&self.stream, spare_capacity(&mut octets))?;
        ensure!(count > 0, "the peer left early");
        self.input = Bytes::from(octets).into();
        engine.recv(NOW, &mut self.input);
        Ok(())
    }

    /// Writes all there is to write.
    pub(crate) fn pull(&mut self, engine: &mut Engine) -> Outcome<()> {
        pull_with(engine, |pieces| self.stream.write_vectored(pieces))
    }

    /// Waits until the peer leaves.
    pub(crate) fn wait_for_end(&mut self) -> Outcome<()> {
        while self.stream.read(&mut self.buffer)? > 0 {}
        Ok(())
    }
}

/// Gives all there is to write to `write`, in the pieces of one write at a time.
pub(crate) fn pull_with(
    engine: &mut Engine,
    mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
) -> Outcome<()> {
    loop {
        let mut output = engine.transmit(NOW);
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slot, piece) in slices.iter_mut().zip(output.pieces()) {
            *slot = IoSlice::new(piece);
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        let written = write(&slices[..count])?;
        output.advance(written);
    }
}
