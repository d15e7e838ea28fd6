//! Starting, hurting and ending ActiveMQ Classic.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Instant,
};

use super::broker::{Folder, START, Signal, free_port, installed};

/// The connector that every broker has.
const AMQP: &str = "amqp";

/// What an ActiveMQ is started with: data, so that a test says only what is special about its own.
///
/// ```no_run
/// use ferrion_tests::interop::ActiveMqPlan;
///
/// let broker = ActiveMqPlan::new()
///     .connector("ws", "ws://127.0.0.1:0")
///     .start();
/// let port = broker.named_port("ws");
/// ```
#[derive(Clone, Debug)]
pub struct ActiveMqPlan {
    connectors: Vec<(String, String)>,
    options: String,
    users: Vec<(String, String)>,
    anonymous: bool,
    persistent: bool,
    heap_mib: u32,
    plugins: String,
    elements: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Default for ActiveMqPlan {
    fn default() -> Self {
        Self::new()
    }
}

impl ActiveMqPlan {
    /// A broker that keeps messages in memory, listens on the loopback interface, and lets in ANONYMOUS and the user `guest`,
    /// password `guest`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connectors: Vec::new(),
            options: String::new(),
            users: vec![(String::from("guest"), String::from("guest"))],
            anonymous: true,
            persistent: false,
            heap_mib: 512,
            plugins: String::new(),
            elements: String::new(),
            files: Vec::new(),
        }
    }

    /// Options of the URI of the AMQP connector, such as `transport.wireFormat.idleTimeout=2000`.
    #[must_use]
    pub fn options(mut self, options: &str) -> Self {
        self.options = options.to_owned();
        self
    }

    /// Another transport connector, such as `amqp+ssl://127.0.0.1:0` or `ws://127.0.0.1:0`. [`ActiveMq::named_port`] tells
    /// which port it has in place of 0, also after a restart.
    #[must_use]
    pub fn connector(mut self, name: &str, uri: &str) -> Self {
        self.connectors.push((name.to_owned(), uri.to_owned()));
        self
    }

    /// Another user.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Lets in nobody who has no password.
    #[must_use]
    pub fn without_anonymous(mut self) -> Self {
        self.anonymous = false;
        self
    }

    /// Keeps durable messages on disk, where a broker that is started again finds them.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// How much memory Java takes at most, in MiB; 512 without this.
    #[must_use]
    pub fn heap(mut self, mib: u32) -> Self {
        self.heap_mib = mib;
        self
    }

    /// Elements among the broker's plugins, such as `<authorizationPlugin>`.
    #[must_use]
    pub fn plugin(mut self, xml: &str) -> Self {
        self.plugins.push_str(xml);
        self
    }

    /// Elements of the broker's XML, such as `<sslContext>`. In them, `{files}` is the folder of the [files](Self::file).
    #[must_use]
    pub fn element(mut self, xml: &str) -> Self {
        self.elements.push_str(xml);
        self
    }

    /// A file for the [elements](Self::element) to speak of, such as a certificate.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Starts it and waits until it can be talked to.
    ///
    /// # Panics
    ///
    /// When ActiveMQ is not installed or does not come up.
    pub fn start(&self) -> ActiveMq {
        let folder = Folder::new("activemq");
        let data = folder.make("data").display().to_string();
        folder.make("files");
        for (name, content) in &self.files {
            folder.write(&format!("files/{name}"), content);
        }
        let files = folder.path().join("files").display().to_string();
        let xml = self.xml(&data).replace("{files}", &files);
        folder.write("broker.xml", xml);
        let mut broker = ActiveMq {
            child: None,
            ports: BTreeMap::new(),
            folder,
            heap_mib: self.heap_mib,
        };
        broker.launch();
        broker
    }

    fn xml(&self, data: &str) -> String {
        let users: String = self
            .users
            .iter()
            .map(|(name, password)| {
                format!(r#"<authenticationUser username="{name}" password="{password}" groups="users"/>"#)
            })
            .collect();
        let amqp = (
            String::from(AMQP),
            format!("amqp+nio://127.0.0.1:0?{}", self.options),
        );
        let connectors: String = std::iter::once(&amqp)
            .chain(&self.connectors)
            .map(|(name, uri)| {
                let uri = uri.replace('&', "&amp;");
                // Chosen here, so that a broker that is started again is found where it was.
                let uri = uri.replace("127.0.0.1:0", &format!("127.0.0.1:{}", free_port()));
                format!(r#"<transportConnector name="{name}" uri="{uri}"/>"#)
            })
            .collect();
        let (anonymous, persistent) = (self.anonymous, self.persistent);
        let (plugins, elements) = (&self.plugins, &self.elements);
        format!(
            r#"<beans xmlns="http://www.springframework.org/schema/beans"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.springframework.org/schema/beans
  http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
 <broker xmlns="http://activemq.apache.org/schema/core" brokerName="test" useJmx="false" schedulerSupport="false"
  persistent="{persistent}" dataDirectory="{data}">
  <plugins><simpleAuthenticationPlugin anonymousAccessAllowed="{anonymous}"><users>{users}</users>
  </simpleAuthenticationPlugin>{plugins}</plugins>
  {elements}
  <transportConnectors>{connectors}</transportConnectors>
 </broker>
</beans>
"#
        )
    }
}

/// An ActiveMQ that runs. It ends with the value, or with the process that has it.
#[derive(Debug)]
pub struct ActiveMq {
    /// `None` while it is being started.
    child: Option<Child>,
    ports: BTreeMap<String, u16>,
    folder: Folder,
    heap_mib: u32,
}

impl ActiveMq {
    /// The port on which it speaks AMQP.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.named_port(AMQP)
    }

    /// The port of a connector.
    ///
    /// # Panics
    ///
    /// When there is no such connector.
    #[must_use]
    pub fn named_port(&self, connector: &str) -> u16 {
        self.ports[connector]
    }

    /// Sends a signal to its process.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn signal(&mut self, signal: Signal) {
        let child = self.child.as_mut().expect("a process");
        let done = Command::new("kill")
            .args(["-s", signal.name(), &child.id().to_string()])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{signal:?}");
        if signal == Signal::Kill {
            drop(child.wait());
        }
    }

    /// Starts it again after it was killed, on the data that it left, and waits until it can be talked to.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.end();
        self.launch();
    }

    fn launch(&mut self) {
        let peers = installed("FERRION_TEST_ACTIVEMQ", "activemq");
        let path = fs::read_to_string(peers.join("classpath")).expect("a class path");
        let log = fs::File::create(self.folder.path().join("log")).expect("a log");
        let mut child = Command::new("java")
            .args([&*format!("-Xmx{}m", self.heap_mib), "-XX:+UseSerialGC"])
            .args(["-cp", &path, "ActiveMqPeer"])
            .arg(self.folder.path().join("broker.xml"))
            .arg(self.folder.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("can not start java: {error}"));
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        self.child = Some(child);
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let until = Instant::now() + START;
        loop {
            let line = match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => self.lament("it is not ready in time"),
                Err(RecvTimeoutError::Disconnected) => self.lament("it has ended"),
            };
            match *line.split(' ').collect::<Vec<_>>() {
                ["port", name, port] => {
                    self.ports
                        .insert(name.to_owned(), port.parse().expect("a port"));
                }
                ["ready"] => return,
                _ => {}
            }
        }
    }

    fn lament(&self, why: &str) -> ! {
        panic!("ActiveMQ does not come up: {why}.\n{}", self.logs())
    }

    /// What it logged last.
    #[must_use]
    pub fn logs(&self) -> String {
        self.folder.last_lines("log")
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that it has ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for ActiveMq {
    fn drop(&mut self) {
        self.end();
        drop(fs::remove_dir_all(self.folder.path().join("data")));
        if thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}
