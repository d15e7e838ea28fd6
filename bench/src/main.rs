//! Benchmarks of ferrion beside its peers.
//!
//! `ferrion-bench run` measures: every row of [`rows`] is one piece of work that each contestant does in a process
//! of its own, round after round in turn. `ferrion-bench instructions` counts what the same work of ferrion's costs,
//! `ferrion-bench scale` measures how costs grow with what an engine holds, and `ferrion-bench border` what the C header costs.
//! The other commands do one such piece of work with ferrion; the programs under `bench/proton`, `bench/fe2o3` and `bench/rhea` do
//! the same with Proton C, fe2o3-amqp and rhea, and those under `bench/abi` with ferrion by its C header, with the same options and the same line of output.
#![forbid(unsafe_code)]

mod border;
mod calls;
mod ends;
mod instructions;
mod message;
mod messenger;
mod pair;
mod ping;
mod plot;
mod process;
mod readme;
mod report;
mod rows;
mod scale;
mod socket;
mod stats;
mod suite;
mod wire;
mod work;
mod worst;

use std::process::ExitCode;

use work::{Options, Outcome};

const USAGE: &str = "usage: ferrion-bench run [--quick] [--rounds N] [--only TEXT] [--out FOLDER]
       ferrion-bench scale [--quick] [--out FOLDER]
       ferrion-bench plot [--out FOLDER] [--to FILE]
       ferrion-bench readme [--out FOLDER] --date DATE
       ferrion-bench border [--quick] [--rounds N] [--out FOLDER]
       ferrion-bench instructions [--bless] [--only TEXT]
       ferrion-bench pair|calls|encode|decode|corpus|messenger-send|messenger-recv|messenger-pair|worst [--name value ...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ferrion-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(USAGE.into());
    };
    match command.as_str() {
        "run" => return suite::run(rest),
        "instructions" => return instructions::run(rest),
        "scale" => return scale::run(rest),
        "plot" => return plot::run(rest),
        "readme" => return readme::run(rest),
        "border" => return border::run(rest),
        _ => {}
    }
    let work = match command.as_str() {
        "pair" => pair::run,
        "calls" => calls::run,
        "copy" => pair::copy,
        "socket-send" => socket::send,
        "socket-recv" => socket::recv,
        "bare-socket-send" => socket::bare_send,
        "bare-socket-recv" => socket::bare_recv,
        "ping-send" => ping::send,
        "ping-recv" => ping::recv,
        "bare-ping-send" => ping::bare_send,
        "bare-ping-recv" => ping::bare_recv,
        "encode" => message::encode,
        "decode" => message::decode,
        "corpus" => message::corpus,
        "messenger-send" => messenger::send,
        "messenger-recv" => messenger::recv,
        "messenger-pair" => messenger::pair,
        "worst" => worst::run,
        _ => return Err(USAGE.into()),
    };
    work(&Options::parse(rest)?)?;
    Ok(ExitCode::SUCCESS)
}
