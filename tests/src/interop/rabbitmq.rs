//! Starting, hurting and ending RabbitMQ 4.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write as _},
    os::unix::fs::PermissionsExt,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use ferrion_engine::Config;
use serde_json::json;

use super::{
    Conversation,
    broker::{Folder, Signal, answers, free_port, installed, listens},
    conversation::password,
    management::{Management, Queue},
    project,
};

/// What a RabbitMQ is started with: data, so that a test says only what is special about its own.
///
/// ```no_run
/// use ferrion_tests::interop::{RabbitMqPlan, Signal};
///
/// let mut cluster = RabbitMqPlan::new()
///     .nodes(3)
///     .setting("max_message_size = 1000000")
///     .start();
/// cluster.signal(0, Signal::Kill);
/// cluster.restart(0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct RabbitMqPlan {
    nodes: usize,
    settings: Vec<String>,
    plugins: Vec<String>,
    users: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

impl RabbitMqPlan {
    /// One node that listens on the loopback interface, with the user `guest`, password `guest`, whom ANONYMOUS stands
    /// for too.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: 1,
            ..Self::default()
        }
    }

    /// A cluster of so many nodes.
    #[must_use]
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// A line of `rabbitmq.conf`. In it, `{files}` is the folder of the [files](Self::file), and `{port NAME}` a free port
    /// that [`RabbitMq::named_port`] tells, another one for each node.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// How long a quorum queue keeps what it gave to receivers at another node after that node was lost. A broker of its
    /// own accord waits for a minute, in case the node is only out of reach (RabbitMQ 4.3).
    #[must_use]
    pub fn returns_after(self, time: Duration) -> Self {
        self.setting(&format!(
            "consumer_disconnected_timeout = {}",
            time.as_millis()
        ))
    }

    /// A plugin to be enabled.
    #[must_use]
    pub fn plugin(mut self, name: &str) -> Self {
        self.plugins.push(name.to_owned());
        self
    }

    /// Another user, who may do everything.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// A file for the [settings](Self::setting) to speak of, such as a certificate.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Starts all nodes and waits until each can be talked to.
    ///
    /// # Panics
    ///
    /// When RabbitMQ is not installed or does not come up.
    pub fn start(&self) -> RabbitMq {
        RabbitMq::start(self)
    }
}

/// A RabbitMQ that runs. All of its processes end with the value, or with the process that has it.
#[derive(Debug)]
pub struct RabbitMq {
    child: Child,
    /// `None` when it is to end.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    nodes: Vec<Node>,
    folder: Folder,
}

#[derive(Debug)]
struct Node {
    name: String,
    port: u16,
    ports: BTreeMap<String, u16>,
}

impl RabbitMq {
    fn start(plan: &RabbitMqPlan) -> Self {
        let root = installed("FERRION_TEST_RABBITMQ", "rabbitmq4");
        let folder = Folder::new("rabbitmq");
        let nodes: Vec<Node> = (0..plan.nodes)
            .map(|number| Node {
                name: format!("node{number}"),
                port: free_port(),
                ports: BTreeMap::new(),
            })
            .collect();
        let mut broker = Self::supervise(&root, folder, nodes);
        broker.write_shared(plan);
        for number in 0..plan.nodes {
            broker.write_node(plan, number);
        }
        // It may have begun before the files were there.
        assert_eq!(broker.command("prepare"), 0, "{}", broker.logs(0));
        for number in 0..plan.nodes {
            broker.launch(number);
        }
        for number in 0..plan.nodes {
            broker.wait(number);
        }
        broker
    }

    /// The port on which the only, or the first, node speaks AMQP.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.node_port(0)
    }

    /// The port on which a node speaks AMQP.
    ///
    /// # Panics
    ///
    /// When there is no such node.
    #[must_use]
    pub fn node_port(&self, node: usize) -> u16 {
        self.nodes[node].port
    }

    /// The port that `{port NAME}` in a setting stands for.
    ///
    /// # Panics
    ///
    /// When no setting has it.
    #[must_use]
    pub fn named_port(&self, node: usize, name: &str) -> u16 {
        self.nodes[node].ports[name]
    }

    /// Sends a signal to the process of a node.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn signal(&mut self, node: usize, signal: Signal) {
        let line = format!("signal {} {}", self.nodes[node].name, signal.name());
        assert_eq!(self.command(&line), 0, "{line}: {}", self.logs(node));
    }

    /// Starts a node that was killed, on the data that it left, and waits until it can be talked to.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn restart(&mut self, node: usize) {
        self.launch(node);
        self.wait(node);
    }

    /// Starts a node without waiting for it.
    ///
    /// # Panics
    ///
    /// When the command can not be given.
    pub fn launch(&mut self, node: usize) {
        let line = format!("start {}", self.nodes[node].name);
        assert_eq!(self.command(&line), 0, "{line}");
    }

    /// Waits until a node can be talked to.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn wait(&mut self, node: usize) {
        let child = &mut self.child;
        let mut is_lost = || !matches!(child.try_wait(), Ok(None));
        let ready = answers(self.nodes[node].port, &mut is_lost);
        // Whatever listens elsewhere does so a moment later.
        let mut others = self.nodes[node].ports.values();
        let ready = ready.and_then(|()| others.try_for_each(|port| listens(*port, &mut is_lost)));
        if let Err(why) = ready {
            panic!("RabbitMQ does not come up: {why}.\n{}", self.logs(node));
        }
    }

    /// Runs `rabbitmqctl` at a node, which takes seconds: what it says.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn ctl(&mut self, node: usize, arguments: &[&str]) -> String {
        let name = self.nodes[node].name.clone();
        let mut line = format!("ctl {name}");
        for argument in arguments {
            let quoted = argument.replace('\'', r"'\''");
            write!(line, " '{quoted}'").expect("a string takes everything");
        }
        let code = self.command(&line);
        let said = fs::read_to_string(self.folder.path().join(name).join("ctl"));
        let said = said.unwrap_or_default();
        assert_eq!(code, 0, "{line}: {said}");
        said
    }

    /// Has every node write down which quorum queues it has, which takes a second. By itself a node does so minutes after
    /// they were declared: killed before, it does not know their names any more, and starts them empty.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn save_queues(&mut self) {
        const SAVE: &str = "[[ok = rpc:call(Node, dets, sync, [Table]) || Table <- rpc:call(Node, dets, all, [])] \
                            || Node <- [node() | nodes()]].";
        self.ctl(0, &["eval", SAVE]);
    }

    /// Declares a queue, through the management node of the first node.
    ///
    /// # Panics
    ///
    /// When the broker refuses.
    pub fn declare(&self, queue: &Queue) {
        let mut config = Config::new("management");
        config.sasl = password("guest", "guest");
        let mut talk = Conversation::connect(self.port(), config);
        talk.open();
        let session = talk.begin();
        let management = Management::attach(&mut talk, session);
        management.declare(&mut talk, queue);
        assert_eq!(talk.close(), None);
    }

    /// What a node logged last.
    #[must_use]
    pub fn logs(&self, node: usize) -> String {
        let name = &self.nodes[node].name;
        format!(
            "{}\n{}",
            self.folder.last_lines(&format!("{name}/out")),
            self.folder
                .last_lines(&format!("{name}/log/{name}@localhost.log"))
        )
    }

    // ---- inside --------------------------------------------------------------------------------------------------

    fn supervise(root: &std::path::Path, folder: Folder, nodes: Vec<Node>) -> Self {
        let errors = fs::File::create(folder.path().join("supervisor.log")).expect("a log");
        let mut command = Command::new("unshare");
        if fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0)
        {
            // Whoever is not root may change its root folder in a user namespace.
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh"])
            .arg(project().join("tests/interop/rabbitmq.sh"))
            .args([root, folder.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("can not start unshare: {error}"));
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Self {
            child,
            commands,
            answers,
            nodes,
            folder,
        }
    }

    /// Gives a command to the supervisor: its exit code.
    fn command(&mut self, line: &str) -> i32 {
        let commands = self.commands.as_mut().expect("open until it is dropped");
        let mut answer = String::new();
        let done = writeln!(commands, "{line}").and_then(|()| self.answers.read_line(&mut answer));
        let code = answer.strip_prefix("done ").map(str::trim_end);
        code.and_then(|code| code.parse().ok()).unwrap_or_else(|| {
            panic!(
                "the supervisor of RabbitMQ is gone ({done:?}). {}",
                self.folder.last_lines("supervisor.log")
            )
        })
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        drop(self.commands.take());
        drop(self.child.wait());
        if thread::panicking() {
            for node in 0..self.nodes.len() {
                eprintln!("{}", self.logs(node));
            }
        }
    }
}

// ---- the files of a broker ---------------------------------------------------------------------------------------

impl RabbitMq {
    fn write_shared(&self, plan: &RabbitMqPlan) {
        self.folder.write(
            "env",
            format!(
                "export HOME=/mnt LANG=C.UTF-8 ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT={}\n",
                free_port()
            ),
        );
        // Erlang takes a cookie only if nobody else can read it.
        self.folder.write(".erlang.cookie", "FERRION");
        let cookie = self.folder.path().join(".erlang.cookie");
        fs::set_permissions(cookie, fs::Permissions::from_mode(0o400)).expect("our own file");
        self.folder.make("files");
        for (name, content) in &plan.files {
            self.folder.write(&format!("files/{name}"), content);
        }
        if !plan.users.is_empty() {
            self.folder
                .write("definitions.json", definitions(&plan.users));
        }
    }

    fn write_node(&mut self, plan: &RabbitMqPlan, number: usize) {
        let names: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        let node = &mut self.nodes[number];
        let name = node.name.clone();
        self.folder.make(&name);
        let mut conf = format!("listeners.tcp.1 = 127.0.0.1:{}\n", node.port);
        if names.len() > 1 {
            conf.push_str("cluster_formation.peer_discovery_backend = classic_config\n");
            for (index, name) in names.iter().enumerate() {
                let line = format!("nodes.{} = {name}@localhost", index + 1);
                conf.push_str(&format!("cluster_formation.classic_config.{line}\n"));
            }
            let size = names.len();
            conf.push_str(&format!(
                "cluster_formation.target_cluster_size_hint = {size}\n"
            ));
        }
        if !plan.users.is_empty() {
            conf.push_str("load_definitions = /mnt/definitions.json\n");
        }
        for line in &plan.settings {
            conf.push_str(&fill(line, &mut node.ports));
            conf.push('\n');
        }
        self.folder.write(&format!("{name}/rabbitmq.conf"), conf);
        self.folder.write(
            &format!("{name}/enabled_plugins"),
            format!("[{}].\n", plan.plugins.join(",")),
        );
        let own = format!("/mnt/{name}");
        let env = [
            ("NODENAME", format!("{name}@localhost")),
            ("CONFIG_FILE", format!("{own}/rabbitmq")),
            ("CONF_ENV_FILE", String::from("/dev/null")),
            ("ENABLED_PLUGINS_FILE", format!("{own}/enabled_plugins")),
            ("MNESIA_BASE", format!("{own}/data")),
            ("LOG_BASE", format!("{own}/log")),
            ("PID_FILE", format!("{own}/pid")),
            ("DIST_PORT", free_port().to_string()),
            (
                "SERVER_ADDITIONAL_ERL_ARGS",
                String::from("'-kernel inet_dist_use_interface {127,0,0,1}'"),
            ),
        ];
        let env: String = env
            .iter()
            .map(|(name, value)| format!("export RABBITMQ_{name}={value}\n"))
            .collect();
        self.folder.write(&format!("{name}/env"), env);
    }
}

/// A line of the settings with its places filled in.
fn fill(line: &str, ports: &mut BTreeMap<String, u16>) -> String {
    let mut line = line.replace("{files}", "/mnt/files");
    while let Some((before, rest)) = line.split_once("{port ") {
        let (name, after) = rest.split_once('}').expect("a closed brace");
        let port = *ports.entry(name.to_owned()).or_insert_with(free_port);
        line = format!("{before}{port}{after}");
    }
    line
}

/// The users of a broker, as it reads them when it starts. It makes no `guest` then, so that is among them.
fn definitions(users: &[(String, String)]) -> String {
    let guest = (String::from("guest"), String::from("guest"));
    let all = || std::iter::once(&guest).chain(users);
    let accounts: Vec<_> = all()
        .map(|(name, password)| json!({"name": name, "password": password, "tags": ["administrator"]}))
        .collect();
    let permissions: Vec<_> = all()
        .map(|(name, _)| {
            json!({"user": name, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"})
        })
        .collect();
    json!({"users": accounts, "vhosts": [{"name": "/"}], "permissions": permissions}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_setting_are_filled_in() {
        let mut ports = BTreeMap::from([(String::from("tls"), 7)]);
        assert_eq!(
            fill("listeners.ssl.1 = 127.0.0.1:{port tls}", &mut ports),
            "listeners.ssl.1 = 127.0.0.1:7"
        );
        assert_eq!(
            fill("ssl_options.certfile = {files}/a.pem", &mut ports),
            "ssl_options.certfile = /mnt/files/a.pem"
        );
        fill("x = {port other}", &mut ports);
        assert!(ports["other"] > 1024);
    }
}
