//! `ferrion.asyncio` with a broker and with other libraries, over real sockets, in the clear and over TLS.
//!
//! What is said and expected is in `bindings/python/tests/peers`; this starts it, and whom it talks to.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use ferrion_tests::interop::{
    Authority, Identity, Library, Program, Queue, RabbitMq, RabbitMqPlan, Role, Sasl,
};
use serde_json::{Value, json};

use crate::python;
use crate::support::{bounded, run, tree};

/// A program of `bindings/python/tests/peers`, which is told whom it meets.
fn program(name: &str, peers: &Value) -> Command {
    let mut command = bounded(python::installed());
    command
        .args(["-X", "dev", "-X", "utf8", "-W", "error", "-m"])
        .arg(format!("peers.{name}"))
        .current_dir(tree().join("bindings/python/tests"))
        .env("FERRION_PEERS", peers.to_string())
        .env_remove("PYTHONPATH")
        .env_remove("SSL_CERT_FILE");
    command
}

/// Runs tests of `clients`, all of which have to pass.
fn clients(class: &str, peers: &Value) {
    let output = run(program("clients", peers).arg(class));
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(report.contains("\nOK\n"), "{report}");
}

fn files(identity: &Identity) -> Value {
    json!({"certificate": identity.certificate, "key": identity.key})
}

/// A broker with TLS, which takes the name in a client's certificate for a login.
fn broker(authority: &Authority) -> RabbitMq {
    let (certificate, key) = authority.issue("broker").pem();
    let mut plan = RabbitMqPlan::new()
        .plugin("rabbitmq_auth_mechanism_ssl")
        .user("alice", "another way in")
        .file("ca.pem", fs::read(authority.file()).expect("a file"))
        .file("own.pem", certificate)
        .file("own.key", key);
    for line in [
        "listeners.ssl.1 = 127.0.0.1:{port tls}",
        "ssl_options.cacertfile = {files}/ca.pem",
        "ssl_options.certfile = {files}/own.pem",
        "ssl_options.keyfile = {files}/own.key",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = false",
        "ssl_cert_login_from = common_name",
        "auth_mechanisms.1 = PLAIN",
        "auth_mechanisms.2 = EXTERNAL",
    ] {
        plan = plan.setting(line);
    }
    plan.start()
}

#[test]
fn a_client_works_with_rabbitmq_by_password_by_certificate_and_over_tls() {
    let authority = Authority::new("the broker's authority");
    let broker = broker(&authority);
    let dead = Queue::classic("work")
        .argument("x-dead-letter-exchange", "")
        .argument("x-dead-letter-routing-key", "dead");
    let small = Queue::classic("small")
        .argument("x-max-length", 1_i64)
        .argument("x-overflow", "reject-publish");
    let plain = ["dead", "many", "large", "secret"].map(Queue::classic);
    for queue in [dead, small].iter().chain(&plain) {
        broker.declare(queue);
    }
    clients(
        "Broker",
        &json!({
            "broker": broker.port(),
            "tls": broker.named_port(0, "tls"),
            "authority": authority.file(),
            "alice": files(&authority.issue("alice")),
        }),
    );
}

#[test]
fn a_client_sends_to_proton_and_rhea_and_receives_from_them() {
    let outcomes = ["--outcomes", "accept,reject,release,modify"];
    let source = ["--size", "20", "--count", "5"];
    let serve = |library| {
        [
            Program::serve(library, Role::Sink, Sasl::Plain, &outcomes, &[]),
            Program::serve(library, Role::Source, Sasl::Anonymous, &source, &[]),
        ]
    };
    let mut proton = serve(Library::Proton);
    let mut rhea = serve(Library::Rhea);
    let ports =
        |[sink, source]: &[Program; 2]| json!({"sink": sink.port(), "source": source.port()});
    clients(
        "Peers",
        &json!({
            "proton": ports(&proton),
            "rhea": ports(&rhea),
            "login": {"user": Sasl::user(), "password": Sasl::password()},
        }),
    );
    for [sink, source] in [&mut proton, &mut rhea] {
        assert_eq!(sink.expect("open")["mechanism"], "PLAIN");
        let states: Vec<Value> = source
            .collect("outcome", "done")
            .into_iter()
            .map(|mut outcome| outcome["state"].take())
            .collect();
        let expected = ["accepted", "rejected", "released", "modified", "accepted"];
        assert_eq!(states, expected);
    }
}

/// A server of asyncio's.
struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it with the names of its certificate's files, if it is to have one; its port, too.
    fn start(tls: &Value) -> (Self, u16) {
        let login = json!({"user": Sasl::user(), "password": Sasl::password()});
        let mut child = program("server", tls)
            .arg(login.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut server = Self { child, lines };
        let port = server.said()["port"].as_u64().expect("a port");
        (server, u16::try_from(port).expect("a port"))
    }

    /// The next thing that it says.
    fn said(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Ends it, in order.
    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("a child").success());
    }
}

/// Has a client of this library send to the server, and another one receive from it.
fn meet(server: &mut Server, port: u16, library: Library, sasl: Sasl, tls: &[&str]) {
    let at = format!("{library:?} by {}", sasl.mechanism());
    let certificate = if tls.is_empty() {
        Value::Null
    } else {
        "client".into()
    };
    let greet = |said: Value, address: &str| {
        assert_eq!(said["address"], address, "{at}");
        assert_eq!(said["user"], Sasl::user(), "{at}");
        assert_eq!(said["mechanism"], sasl.mechanism(), "{at}");
        assert_eq!(said["certificate"], certificate, "{at}");
    };
    let source = ["--size", "3", "--count", "4", "--address", "inbox"];
    let source = [&source, tls].concat();
    let mut source = Program::connect(library, port, Role::Source, sasl, &source, &[]);
    greet(server.said(), "inbox");
    for _ in 0..4 {
        assert_eq!(server.said(), json!({"body": "000102"}), "{at}");
    }
    let mut outcomes = source.collect("outcome", "done");
    outcomes.sort_by_key(|outcome| outcome["index"].as_u64());
    let states: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["state"]).collect();
    assert_eq!(
        states,
        ["accepted", "rejected", "released", "modified"],
        "{at}"
    );
    assert_eq!(outcomes[1]["condition"], "test:refused", "{at}");
    assert_eq!(outcomes[3]["undeliverable"], true, "{at}");

    let outcomes = "accept,reject,release,modify";
    let sink = [
        "--count",
        "4",
        "--address",
        "outbox",
        "--outcomes",
        outcomes,
    ];
    let sink = [&sink, tls].concat();
    let mut sink = Program::connect(library, port, Role::Sink, sasl, &sink, &[]);
    greet(server.said(), "outbox");
    let mut outcomes: Vec<String> = (0..4)
        .map(|_| server.said()["outcome"].to_string())
        .collect();
    outcomes.sort();
    let all = ["Accepted", "Modified", "Rejected", "Released"].map(|name| format!("{name:?}"));
    assert_eq!(outcomes, all, "{at}");
    let bodies = sink.collect("message", "done");
    assert_eq!(bodies.len(), 4, "{at}");
}

#[test]
fn a_server_lets_proton_and_rhea_in_by_their_passwords_and_serves_them() {
    let (mut server, port) = Server::start(&Value::Null);
    let scram = Sasl::With("SCRAM-SHA-256");
    for (library, sasl) in [
        (Library::Proton, Sasl::Plain),
        (Library::Proton, scram),
        (Library::Rhea, Sasl::Plain),
    ] {
        meet(&mut server, port, library, sasl, &[]);
    }
    server.end();
}

#[test]
fn a_server_and_clients_of_other_libraries_show_each_other_certificates() {
    let authority = Authority::new("everybody's authority");
    // Proton looks for the host among names, not among addresses.
    let (server, client) = (authority.issue("127.0.0.1"), authority.issue("client"));
    let ca = authority.file();
    let [ca, certificate, key] = [&ca, &client.certificate, &client.key]
        .map(|path| path.to_str().expect("a path of this test's"));
    let tls = ["--ca", ca, "--certificate", certificate, "--key", key];
    let (mut server, port) =
        Server::start(&json!({"authority": authority.file(), "server": files(&server)}));
    for library in [Library::Proton, Library::Rhea] {
        meet(&mut server, port, library, Sasl::Plain, &tls);
    }
    server.end();
}
