//! The `ferrion` command.
#![forbid(unsafe_code)]

mod args;
mod decode;
mod demo;
mod exit;
mod json;
#[cfg(test)]
mod manual;
mod output;
mod recv;
mod send;
mod session;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Recv(args) => recv::run(&args),
        Command::Decode(args) => decode::run(&args),
    };
    match ended {
        Ok(ending) => ending.into(),
        Err(failure) => failure.report(),
    }
}
