//! The command line: what `ferrion` understands, and the help texts.
#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "in help texts brackets mark what may be left out"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// AMQP 1.0 from the command line: send, receive, look at bytes, and a demonstration.
#[derive(Debug, Parser)]
#[command(name = "ferrion", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send messages to oneself over TCP, acknowledged, and report rate and latency
    #[command(after_help = EXIT_CODES)]
    Demo(Demo),
    /// Send a message per line of standard input or of files, and report each outcome
    #[command(after_help = SEND_HELP)]
    Send(Send),
    /// Receive messages and print them
    #[command(after_help = RECV_HELP)]
    Recv(Recv),
    /// Print the bytes of an AMQP 1.0 stream or message as a readable trace
    #[command(after_help = DECODE_HELP)]
    Decode(Decode),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many messages to send
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: u64,
    /// Octets in the body of each message
    #[arg(long, value_name = "OCTETS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=MAX_BODY))]
    pub(crate) size: u32,
    /// How many messages may be without an outcome at a time; latency grows with it
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) window: u32,
    /// Give up when no outcome has come for this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Print one JSON object: sent, accepted, rejected, released, modified, rate (messages a second), latency_us
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Where to: SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/NAME with the scheme amqp (or none), amqps, ws or wss
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// Files to read instead of standard input; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One message per file, its octets as they are, instead of one per line
    #[arg(long)]
    pub(crate) file: bool,
    /// Each line (with --file: each file) is a message as a JSON object; outcomes are printed as JSON too
    #[arg(long)]
    pub(crate) json: bool,
    /// Send lines as octets (a data section) rather than as text (a string value)
    #[arg(long, conflicts_with_all = ["file", "json"])]
    pub(crate) data: bool,
    /// How many messages may be without an outcome at a time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) window: u32,
    /// Give up when a message waits and nothing has come for this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Print nothing about accepted messages
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Recv {
    /// Where from: SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/NAME with the scheme amqp (or none), amqps, ws or wss; or
    /// SCHEME://~HOST[:PORT] to listen (port 0: any free one)
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// Stop after this many messages; without it, go on until --timeout or a signal
    #[arg(short = 'n', long = "count", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Stop when no message has come for this many seconds; without it, wait for ever
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Print whole messages, one JSON object a line, without loss of any AMQP type
    #[arg(long)]
    pub(crate) json: bool,
    /// Only messages for which this JMS selector is true, as "colour = 'red' AND price > 10"; a peer that does not filter by
    /// it is an error
    #[arg(long, value_name = "FILTER")]
    pub(crate) selector: Option<String>,
    /// What to answer for each message, after it was printed
    #[arg(long, value_enum, value_name = "OUTCOME", default_value_t = Outcome::Accept)]
    pub(crate) outcome: Outcome,
    /// Where listening: only clients with a line USER:PASSWORD in this file may connect
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Option<PathBuf>,
    /// Where listening with TLS: what to do about certificates of clients; --ca says who may issue them
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = ClientCertificates::Ignore)]
    pub(crate) client_certificates: ClientCertificates,
    /// Where listening with TLS: let clients also begin without it, on the same port
    #[arg(long)]
    pub(crate) allow_plain_clients: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What `send` and `recv` share.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Log in with this name where the address has none; the password is taken from the environment (FERRION_PASSWORD)
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Allow a password to cross the network unencrypted
    #[arg(long)]
    pub(crate) allow_plain_without_tls: bool,
    /// With TLS: trust the authorities in this file (PEM) instead of those that the system trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// With TLS: show this certificate (PEM); it is also what to log in by where there is no user
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of --cert (PEM); without it, it is in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// DANGEROUS: take whatever certificate the peer shows, so that anybody on the way can read and change everything
    #[arg(long)]
    pub(crate) dangerous_accept_any_certificate: bool,
    /// With ws:// and wss://: the path to ask for, or where listening the only one to answer
    #[arg(long, value_name = "PATH")]
    pub(crate) websocket_path: Option<String>,
    /// Where else ADDRESS may be found, if it cannot be reached or is lost; may be given several times
    #[arg(long = "alternative", value_name = "HOST[:PORT]")]
    pub(crate) alternatives: Vec<String>,
    /// Give up a connection that was lost and could not be made again for this many seconds; 0: at once
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) give_up_after: Duration,
    /// Try again also where nobody was ever reached, until --give-up-after
    #[arg(long)]
    pub(crate) wait_for_peer: bool,
    /// Print every frame, both ways, on standard error
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// The file to read; standard input without one
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The input is hexadecimal digits; white space, colons and 0x are ignored
    #[arg(long)]
    pub(crate) hex: bool,
    /// The input is one encoded message, not a stream of frames
    #[arg(long)]
    pub(crate) message: bool,
    /// Print a message as a JSON object, the form of `recv --json`
    #[arg(long, requires = "message")]
    pub(crate) json: bool,
}

/// What a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    /// The message was processed
    Accept,
    /// The message is invalid
    Reject,
    /// Give the message back, untouched
    Release,
    /// Give the message back, its delivery count raised
    Modify,
}

/// What a listener does about certificates of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientCertificates {
    /// Ask for none
    Ignore,
    /// Ask for one, and let in who has none too
    Accept,
    /// Let nobody in without a good one
    Require,
}

/// A body larger than this is a mistake: each message in flight is held whole.
const MAX_BODY: i64 = 1 << 30;

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well; every message was accepted
  1  a failure at run time: no connection, refused, malformed input
  2  the command line is wrong
  3  some message was not accepted: rejected, released, modified, or its fate is unknown
  4  nothing came within the timeout";

const SEND_HELP: &str = "\
Examples:
  echo 'Hello World!' | ferrion send 127.0.0.1/greetings
  FERRION_PASSWORD=secret ferrion send --user joe amqps://broker.example/queue letters.txt
  ferrion send --wait-for-peer 127.0.0.1/greetings notes.txt     also to who does not listen yet

Each message is reported on standard output: its number, the outcome, and the reason if the receiver gave one.

Messages as JSON:
With --json the input is one object a line, shown on several here, and `ferrion recv --json` prints the same form. The message's `to` becomes ADDRESS.
  {\"header\": {\"durable\": true, \"priority\": 4, \"ttl\": 60000, \"first_acquirer\": false, \"delivery_count\": 0},
   \"delivery_annotations\": {\"x-opt-key\": {\"symbol\": \"value\"}}, \"message_annotations\": {\"x-opt-key\": 1.5},
   \"properties\": {\"message_id\": {\"ulong\": 7}, \"to\": \"queue\", \"subject\": \"text\", \"creation_time\": 1700000000000},
   \"application_properties\": {\"answer\": {\"int\": 42}, \"price\": {\"decimal64\": \"2238000000000001\"}},
   \"body\": {\"value\": [null, true, \"text\", {\"binary\": \"AP8=\"}, {\"map\": [[{\"symbol\": \"key\"}, {\"double\": 1.5}]]}]},
   \"footer\": {}}
Strings, booleans, null and arrays are strings, booleans, null and lists. Anything else is an object with the name of its type: ubyte,
ushort, uint, ulong, byte, short, int, long, float, double, decimal32, decimal64, decimal128, char, timestamp, uuid, binary, symbol,
map, array, described. Binary is base64; decimals are their octets in hexadecimal; whole numbers beyond 2^53 are strings, as are NaN,
Infinity and -Infinity; a map is an array of pairs; {\"array\": [], \"of\": \"uint\"} is an array without elements;
{\"described\": [DESCRIPTOR, VALUE]}. A body is {\"value\": ...}, {\"data\": [BASE64, ...]} or {\"sequence\": [[...], ...]}.
On input sections and fields may be left out, \"body\": \"text\" is short for a string, and a bare number is a long or a double.

Exit codes:
  0  every message was accepted
  1  a failure at run time: no connection, refused, malformed input
  2  the command line is wrong
  3  some message was not accepted: rejected, released, modified, or its fate is unknown
  4  messages waited, and nothing came within the timeout";

const RECV_HELP: &str = "\
Examples:
  ferrion recv -n 1 127.0.0.1/greetings          the next message of a node
  ferrion recv '~127.0.0.1'                      whatever is sent to this machine, without a broker
  ferrion recv --json --timeout 5 127.0.0.1/greetings

The body is printed: text as text, octets as octets, other values in a readable form; a line break follows.
With --json each message is one object a line, in the form that `ferrion send --help` and ferrion-send(1) describe.
When listening, the address that was bound is printed on standard error.

Exit codes:
  0  the messages that -n asks for were received; without -n, at least one before the timeout
  1  a failure at run time: no connection, refused, a message that cannot be read
  2  the command line is wrong
  4  the timeout ended it before that";

const DECODE_HELP: &str = "\
Examples:
  echo '414d5150 00010000  00000008 02000000' | ferrion decode --hex
  echo '00 53 77 a1 02 68 69' | ferrion decode --hex --message

Exit codes:
  0  all of the input was understood
  1  it cannot be read, or is malformed from some octet on: what came before is printed
  2  the command line is wrong";

/// A duration in seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "give a number of seconds, such as 10 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "give a number of seconds from 0 up".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Cli, seconds};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn seconds_may_have_a_fraction_but_no_sign() {
        assert_eq!(seconds("0.25").unwrap().as_millis(), 250);
        assert!(seconds("-1").is_err());
        assert!(seconds("soon").is_err());
        assert!(seconds("1e300").is_err());
    }
}
