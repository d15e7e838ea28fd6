//! fe2o3-amqp doing the same work as `ferrion-bench pair` where messages are accepted, with the same options: a client and a
//! listener in one process and thread, an in-memory stream between them.

#[allow(dead_code, reason = "the other works of ferrion-bench use the rest of it")]
#[path = "../../src/work.rs"]
mod work;

use std::collections::VecDeque;
use std::process::ExitCode;

use fe2o3_amqp::acceptor::{ConnectionAcceptor, LinkAcceptor, LinkEndpoint, SessionAcceptor};
use fe2o3_amqp::link::delivery::{DeliveryFut, DeliveryInfo};
use fe2o3_amqp::link::{SendError, receiver::CreditMode};
use fe2o3_amqp::types::definitions::SenderSettleMode;
use fe2o3_amqp::types::messaging::{Data, Outcome as Settlement};
use fe2o3_amqp::types::primitives::Binary;
use fe2o3_amqp::{Connection, Receiver, Sender, Session};

use work::{Clock, Options, Outcome, Ring, ensure, fold_payload, report};

/// Octets that the stream holds.
const STREAM: usize = 256 * 1024;
/// Frames that a session may have under way.
const WINDOW: u32 = 5000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fe2o3-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    match arguments.split_first() {
        Some((command, [])) if command == "version" => {
            println!("{}", env!("FE2O3_VERSION"));
            Ok(())
        }
        Some((command, rest)) if command == "pair" => {
            let options = Options::parse(rest)?;
            ensure!(!options.settled, "only what is accepted is measured here");
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(pair(&options))
        }
        _ => Err("usage: fe2o3-bench version|pair [--name value ...]".into()),
    }
}

async fn pair(options: &Options) -> Outcome<()> {
    let (near, far) = tokio::io::duplex(STREAM);
    let listener = ConnectionAcceptor::builder().container_id("server").build();
    let client = Connection::builder().container_id("client");
    let (client, server) = tokio::join!(client.open_with_stream(near), listener.accept(far));
    let (mut client, mut server) = (client?, server?);

    let listener = SessionAcceptor::builder().incoming_window(WINDOW).build();
    let session = Session::builder().incoming_window(WINDOW);
    let (session, answer) = tokio::join!(session.begin(&mut client), listener.accept(&mut server));
    let (mut session, mut answer) = (session?, answer?);

    let listener = LinkAcceptor::builder().build();
    let sender = Sender::builder()
        .name("bench")
        .target("queue")
        .sender_settle_mode(SenderSettleMode::Unsettled);
    let (sender, receiver) =
        tokio::join!(sender.attach(&mut session), listener.accept(&mut answer));
    let LinkEndpoint::Receiver(mut receiver) = receiver? else {
        return Err("the listener is to receive".into());
    };
    let mut sender = sender?;
    receiver.set_credit_mode(CreditMode::Auto(options.credit));
    receiver.set_credit(options.credit).await?;

    let ring = Ring::new(options.body);
    let mut check = 0;
    exchange(
        options,
        &ring,
        &mut sender,
        &mut receiver,
        0..options.warmup,
        &mut check,
    )
    .await?;
    check = 0;
    let clock = Clock::start();
    let timed = options.warmup..options.total();
    exchange(
        options,
        &ring,
        &mut sender,
        &mut receiver,
        timed,
        &mut check,
    )
    .await?;
    report(options.count, clock.elapsed(), ring.octets as u64, check);
    Ok(())
}

/// Sends so many messages and receives them, until the last is accepted.
async fn exchange(
    options: &Options,
    ring: &Ring,
    sender: &mut Sender,
    receiver: &mut Receiver,
    range: std::ops::Range<u64>,
    check: &mut u64,
) -> Outcome<()> {
    let (sent, received) = tokio::join!(
        send(options, ring, sender, range.clone()),
        receive(options, ring, receiver, range, check)
    );
    sent?;
    received
}

async fn send(
    options: &Options,
    ring: &Ring,
    sender: &mut Sender,
    range: std::ops::Range<u64>,
) -> Outcome<()> {
    let mut under_way: VecDeque<DeliveryFut<Result<Settlement, SendError>>> = VecDeque::new();
    for index in range {
        let body = Data(Binary::from(ring.body(index).to_vec()));
        let outcome = sender.send_batchable(body).await?;
        under_way.push_back(outcome);
        if under_way.len() >= options.credit as usize {
            // As many as fit a batch, so that the rest stays under way.
            for outcome in under_way.drain(..options.batch as usize) {
                confirm(outcome).await?;
            }
        }
    }
    for outcome in under_way {
        confirm(outcome).await?;
    }
    Ok(())
}

async fn confirm(outcome: DeliveryFut<Result<Settlement, SendError>>) -> Outcome<()> {
    let accepted = matches!(outcome.await?, Settlement::Accepted(_));
    ensure!(accepted, "a delivery was not accepted");
    Ok(())
}

async fn receive(
    options: &Options,
    ring: &Ring,
    receiver: &mut Receiver,
    range: std::ops::Range<u64>,
    check: &mut u64,
) -> Outcome<()> {
    let end = range.end;
    let mut batch: Vec<DeliveryInfo> = Vec::with_capacity(options.batch as usize);
    for index in range {
        let delivery = receiver.recv::<Data>().await?;
        let body = &delivery.body().0;
        ensure!(body.len() == options.body, "a payload did not arrive whole");
        if index < options.warmup {
            ensure!(
                body[..] == ring.body(index)[..],
                "a payload did not arrive unchanged"
            );
        }
        *check = fold_payload(*check, ring.overhead + body.len(), body, body);
        batch.push((&delivery).into());
        if batch.len() as u64 == options.batch || index + 1 == end {
            receiver.accept_all(batch.drain(..)).await?;
        }
    }
    Ok(())
}
