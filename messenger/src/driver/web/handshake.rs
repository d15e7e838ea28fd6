//! How a WebSocket begins: a request of HTTP and its answer (RFC 6455, 4), for the subprotocol `amqp`.

use tungstenite::Error as WebError;
use tungstenite::error::ProtocolError;
use tungstenite::handshake::client::{self, Response};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::{self, Request};
use tungstenite::http::header::{
    AsHeaderName, CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use tungstenite::http::{StatusCode, Uri};

use crate::fault::Cause;

/// What AMQP over WebSocket calls itself (AMQP WebSocket Binding 1.0, 2.1).
const SUBPROTOCOL: &str = "amqp";
/// The most octets of a request or an answer.
const HEAD: usize = 16 << 10;
/// As far as this each octet is looked at when it comes, so that what is no HTTP is told at once; behind it each line.
const BEGINNING: usize = 64;

/// What came of a request or of its answer.
pub(super) enum Answer {
    /// Both sides agree; what is to be answered, if anything.
    Agreed(Vec<u8>),
    /// They do not; what is to be answered, and why.
    Refused(Vec<u8>, String),
}

/// A request of ours that waits for its answer.
#[derive(Debug)]
pub(super) struct Offer {
    /// What the answer must prove to have been given to this request.
    accept: String,
    head: Vec<u8>,
}

/// A request to a host, for a path.
pub(super) fn ask(host: &str, path: &str) -> Result<(Offer, Vec<u8>), Cause> {
    let path: Uri = path
        .parse()
        .ok()
        .filter(|_| path.starts_with('/'))
        .ok_or_else(|| {
            Cause::Web(format!(
                "{path:?} is not a path; set one that begins with / with set_websocket_path()"
            ))
        })?;
    let key = client::generate_key();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    let offer = Offer {
        accept: derive_accept_key(key.as_bytes()),
        head: Vec::new(),
    };
    Ok((offer, request.into_bytes()))
}

impl Offer {
    /// Takes octets of the answer; leaves those that follow it.
    pub(super) fn hear(&mut self, octets: &mut &[u8]) -> Result<Option<Answer>, Cause> {
        let Some(parsed) = collect::<Response>(&mut self.head, octets) else {
            return Ok(None);
        };
        let response = parsed.map_err(|why| {
            let hint = "check the port and the scheme (amqp and amqps are without WebSocket)";
            Cause::Web(format!("the peer does not speak WebSocket: {why}; {hint}"))
        })?;
        if response.status().is_server_error() {
            // Somebody stands in for a peer that is not there now.
            let words = format!(
                "the answer to the WebSocket request is {}",
                response.status()
            );
            return Err(Cause::Words(words));
        }
        self.check(&response).map_err(Cause::Web)?;
        Ok(Some(Answer::Agreed(Vec::new())))
    }

    /// Whether the answer is what was hoped for.
    fn check(&self, response: &Response) -> Result<(), String> {
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(format!(
                "the peer answered {status} to the WebSocket request; check the path (set_websocket_path()) and the \
                 peer's log"
            ));
        }
        let headers = response.headers();
        let accept = headers.get(SEC_WEBSOCKET_ACCEPT);
        if !has(headers, UPGRADE, "websocket")
            || !has(headers, CONNECTION, "upgrade")
            || accept.is_none_or(|accept| accept != self.accept.as_str())
        {
            return Err("the peer's answer is not one to our WebSocket request".to_owned());
        }
        if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            return Err("the peer uses an extension of WebSocket that was not offered".to_owned());
        }
        match headers.get(SEC_WEBSOCKET_PROTOCOL) {
            Some(name) if name == SUBPROTOCOL => Ok(()),
            Some(other) => Err(format!(
                "the peer speaks WebSocket, but {other:?} over it instead of amqp"
            )),
            None => Err(
                "the peer speaks WebSocket, but not AMQP over it: it did not agree on the subprotocol amqp"
                    .to_owned(),
            ),
        }
    }
}

/// Takes octets of a request, collected in `head`, for `path` if that matters; leaves those that follow.
pub(super) fn answer(head: &mut Vec<u8>, path: Option<&str>, octets: &mut &[u8]) -> Option<Answer> {
    let refuse = |status: StatusCode, why: &str| {
        let response = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\n\r\n{why}\n",
            why.len() + 1
        );
        Answer::Refused(response.into_bytes(), why.to_owned())
    };
    let request: Request = match collect(head, octets)? {
        Ok(request) => request,
        Err(why) => {
            let why =
                format!("this is a WebSocket for AMQP, and that was no request for one: {why}");
            return Some(refuse(StatusCode::BAD_REQUEST, &why));
        }
    };
    if path.is_some_and(|path| path != request.uri().path()) {
        return Some(refuse(
            StatusCode::NOT_FOUND,
            "there is nothing at this path",
        ));
    }
    let response = server::create_response(&request);
    let mut response = match response {
        Ok(response) => response,
        Err(error) => {
            let why =
                format!("this is a WebSocket for AMQP, and that was no request for one: {error}");
            return Some(refuse(StatusCode::UPGRADE_REQUIRED, &why));
        }
    };
    if !has(request.headers(), SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Some(refuse(
            StatusCode::BAD_REQUEST,
            "AMQP is spoken here: offer the subprotocol amqp (Sec-WebSocket-Protocol)",
        ));
    }
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    response
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let mut written = Vec::new();
    match server::write_response(&mut written, &response) {
        Ok(()) => Some(Answer::Agreed(written)),
        Err(error) => Some(refuse(StatusCode::BAD_REQUEST, &error.to_string())),
    }
}

/// Collects a head of HTTP. `None` while it is not complete; octets beyond it are left.
fn collect<T: TryParse>(head: &mut Vec<u8>, octets: &mut &[u8]) -> Option<Result<T, String>> {
    let known = head.len();
    head.extend_from_slice(octets);
    // A head is read from its beginning each time: not for each octet that comes by itself.
    if known >= BEGINNING && head.len() <= HEAD && !octets.contains(&b'\n') {
        *octets = &[];
        return None;
    }
    // Empty lines in front would be gone over again with each one more.
    if known >= BEGINNING && matches!(head.first(), Some(b'\r' | b'\n')) {
        *head = Vec::new();
        return Some(Err("what came is no HTTP, or broken".to_owned()));
    }
    let parsed = match T::try_parse(head) {
        Ok(Some((used, parsed))) => {
            *octets = octets.get(used.saturating_sub(known)..).unwrap_or_default();
            Ok(parsed)
        }
        Ok(None) if head.len() <= HEAD => {
            *octets = &[];
            return None;
        }
        Ok(None) => Err(format!("its head has more than {HEAD} octets")),
        Err(error) => Err(broken(head, &error)),
    };
    *head = Vec::new();
    Some(parsed)
}

/// What came instead of a head, as far as its beginning tells.
fn broken(head: &[u8], error: &WebError) -> String {
    match (head, error) {
        ([b'A', b'M', b'Q', b'P', ..], _) => "what came is AMQP without WebSocket".to_owned(),
        ([20..=24, 3, ..], _) => "what came is TLS".to_owned(),
        (
            [b'H', b'T', b'T', b'P', b'/', ..],
            WebError::Protocol(ProtocolError::HttparseError(why)),
        ) => {
            format!("what came is broken HTTP ({why})")
        }
        (_, WebError::Protocol(ProtocolError::HttparseError(_))) => {
            "what came is no HTTP, or broken".to_owned()
        }
        (_, error) => error.to_string(),
    }
}

/// Whether a header has this word among its words, in any letters.
fn has(headers: &HeaderMap, name: impl AsHeaderName, word: &str) -> bool {
    let values = headers.get_all(name);
    let mut words = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Answer, Cause, HEAD, WebError, answer, ask, collect};
    use tungstenite::handshake::machine::TryParse;

    const REQUEST: &str = "GET /amqp HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: mqtt, amqp\r\n\r\n";

    fn answered(request: &str, path: Option<&str>) -> (bool, String) {
        let mut octets = request.as_bytes();
        match answer(&mut Vec::new(), path, &mut octets) {
            Some(Answer::Agreed(response)) => (true, String::from_utf8(response).unwrap()),
            Some(Answer::Refused(response, _)) => (false, String::from_utf8(response).unwrap()),
            None => panic!("{request} is not complete"),
        }
    }

    #[test]
    fn a_request_in_any_pieces_is_answered_and_what_follows_is_left() {
        let octets = [REQUEST.as_bytes(), b"AMQP"].concat();
        for size in [1, 7, octets.len()] {
            let mut head = Vec::new();
            let mut found = None;
            let mut left = Vec::new();
            for mut piece in octets.chunks(size) {
                if found.is_none() {
                    found = answer(&mut head, None, &mut piece);
                }
                if found.is_some() {
                    left.extend_from_slice(piece);
                }
            }
            let Some(Answer::Agreed(response)) = found else {
                panic!("refused");
            };
            let response = String::from_utf8(response).unwrap().to_lowercase();
            assert!(response.starts_with("http/1.1 101"), "{response}");
            assert!(
                response.contains("sec-websocket-protocol: amqp\r\n"),
                "{response}"
            );
            // The example of RFC 6455, 1.3.
            assert!(
                response.contains("s3pplmbitxaq9kygzzhzrbk+xoo="),
                "{response}"
            );
            assert_eq!(left, b"AMQP");
        }
    }

    thread_local! {
        /// Octets that were read to find a head.
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    /// A head that counts what finding it costs.
    struct Counted;

    impl TryParse for Counted {
        fn try_parse(octets: &[u8]) -> Result<Option<(usize, Self)>, WebError> {
            READ.set(READ.get() + octets.len());
            let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
            Ok(end.map(|at| (at + 4, Self)))
        }
    }

    #[test]
    fn a_head_that_comes_octet_by_octet_is_not_read_again_for_each() {
        let lines = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
        let empty = "\n".repeat(HEAD);
        for (octets, most) in [
            ("x".repeat(HEAD + 1), 2 * HEAD),
            (lines, 3 * HEAD),
            (empty, HEAD),
        ] {
            READ.set(0);
            let mut head = Vec::new();
            let mut found = None;
            for octet in octets.as_bytes().chunks(1) {
                found = collect::<Counted>(&mut head, &mut { octet });
                if found.is_some() {
                    break;
                }
            }
            assert!(found.is_some());
            assert!(READ.get() < most, "{} octets were read", READ.get());
        }
    }

    #[test]
    fn what_is_no_request_for_amqp_is_told_why() {
        for (request, path, status, why) in [
            (
                REQUEST.replace("mqtt, amqp", "mqtt"),
                None,
                "400",
                "subprotocol amqp",
            ),
            (
                REQUEST.replace("Sec-WebSocket-Protocol", "X"),
                None,
                "400",
                "subprotocol amqp",
            ),
            (
                REQUEST.replace("WebSocket\r", "h2c\r"),
                None,
                "426",
                "no request",
            ),
            (REQUEST.replace(": 13", ": 12"), None, "426", "no request"),
            (REQUEST.replace("GET", "POST"), None, "400", "no request"),
            (
                REQUEST.to_owned(),
                Some("/other"),
                "404",
                "nothing at this path",
            ),
            (
                "AMQP\x03\x01\x00\x00".to_owned(),
                None,
                "400",
                "what came is AMQP without WebSocket",
            ),
            (
                "\x16\x03\x01\x00\x05".to_owned(),
                None,
                "400",
                "what came is TLS",
            ),
            (
                "EHLO\x01mail".to_owned(),
                None,
                "400",
                "what came is no HTTP",
            ),
            ("x".repeat(17 << 10), None, "400", "octets"),
        ] {
            let (agreed, response) = answered(&request, path);
            assert!(!agreed, "{request}");
            assert!(
                response.contains(status) && response.contains(why),
                "{response}"
            );
        }
        assert!(answered(REQUEST, Some("/amqp")).0);
    }

    #[test]
    fn an_answer_must_be_the_one_to_our_request() {
        let (_, request) = ask("h:80", "/amqp?x=1").unwrap();
        let request = String::from_utf8(request).unwrap();
        assert!(
            request.starts_with("GET /amqp?x=1 HTTP/1.1\r\nHost: h:80\r\n"),
            "{request}"
        );
        assert!(answered(&request, None).0);
        for (from, to, why) in [
            ("HTTP/1.1 101", "HTTP/1.1 404", "404"),
            ("HTTP/1.1 101", "HTTP/1.1 503", "503"),
            (
                "HTTP/1.1 101",
                "AMQP\x03",
                "does not speak WebSocket: what came is AMQP without WebSocket",
            ),
            ("HTTP/1.1 101", "\x15\x03\x03", "what came is TLS"),
            ("HTTP/1.1 101", "HTTP/1.1 abc", "what came is broken HTTP ("),
            ("HTTP/1.1 101", "220 mail", "what came is no HTTP"),
            ("websocket\r", "h2c\r", "not one to our"),
            ("connection: Upgrade", "connection: close", "not one to our"),
            ("accept: ", "accept: x", "not one to our"),
            ("protocol: amqp", "protocol: mqtt", "instead of amqp"),
            ("protocol: amqp", "x: amqp", "did not agree"),
            (
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: x\r\n\r\n",
                "extension",
            ),
        ] {
            let (mut offer, request) = ask("h", "/").unwrap();
            let (_, response) = answered(&String::from_utf8(request).unwrap(), None);
            let changed = response.replacen(from, to, 1);
            assert_ne!(changed, response, "{from}");
            let error = offer.hear(&mut changed.as_bytes()).err();
            let error = error.unwrap_or_else(|| panic!("{changed} was taken"));
            assert!(error.to_string().contains(why), "{changed}: {error}");
            let passing = matches!(error, Cause::Words(_));
            assert_eq!(passing, to.ends_with("503"), "{error:?}");
        }
        assert!(ask("h", "no-slash").is_err());
        assert!(ask("h", "/white space").is_err());
    }
}
