//! `ferrion decode`: the bytes of a stream or a message as readable text.

mod hex;
mod stream;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use ferrion_engine::codec::DecodeError;
use ferrion_engine::message::Message;

use crate::args;
use crate::exit::{Ending, Failure};
use crate::json::message_to_json;
use crate::output::Output;

/// Runs the command.
///
/// A stream is printed up to the fault, if there is one.
pub(crate) fn run(args: &args::Decode) -> Result<Ending, Failure> {
    let octets = read(args.file.as_deref(), args.hex)?;
    let mut output = Output::standard();
    let done = if args.message || looks_like_a_message(&octets) {
        print_message(octets, args.json, &mut output)
    } else {
        print_stream(octets, &mut output)
    };
    output.flush()?;
    done.map(|()| Ending::Good)
}

fn print_stream(octets: Bytes, output: &mut Output) -> Result<(), Failure> {
    for item in stream::Items::new(octets) {
        let item = item.map_err(Failure::new)?;
        output.line(&format!("{:>8}  {item}", item.at))?;
    }
    Ok(())
}

fn print_message(octets: Bytes, as_json: bool, output: &mut Output) -> Result<(), Failure> {
    let malformed = |error: DecodeError| Failure::new(format!("malformed message: {error}"));
    let message = Message::decode(octets).map_err(malformed)?;
    let json = message_to_json(&message).map_err(malformed)?;
    if as_json {
        return output.line(&json.to_string());
    }
    for (section, content) in json.as_object().into_iter().flatten() {
        output.line(&format!("{section:<22}  {content}"))?;
    }
    Ok(())
}

fn read(file: Option<&Path>, is_hex: bool) -> Result<Bytes, Failure> {
    let (name, octets) = match file.filter(|path| *path != Path::new("-")) {
        Some(path) => (path.display().to_string(), fs::read(path)),
        None => {
            let mut octets = Vec::new();
            (
                "standard input".to_owned(),
                io::stdin().lock().read_to_end(&mut octets).map(|_| octets),
            )
        }
    };
    let octets = octets.map_err(|e| Failure::new(format!("cannot read {name}: {e}")))?;
    if !is_hex {
        return Ok(octets.into());
    }
    let text = String::from_utf8_lossy(&octets);
    let octets = hex::octets_from_hex(&text).map_err(|e| Failure::new(format!("{name}: {e}")))?;
    Ok(octets.into())
}

/// Whether these octets begin with a section of a message. As a frame they would have more than 5 million octets, so what
/// is shorter is certainly none.
fn looks_like_a_message(octets: &[u8]) -> bool {
    match octets {
        [0x00, 0x53, code @ 0x70..=0x78, next, ..] => {
            octets.len() < u32::from_be_bytes([0x00, 0x53, *code, *next]) as usize
        }
        _ => false,
    }
}
