//! Running the `ferrion` command, as it was built.

use super::{PATIENCE, project};
use serde_json::Value;
use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command as Process, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// A `ferrion` that runs. It ends with the value.
#[derive(Debug)]
pub struct Command {
    child: Child,
    output: Receiver<Vec<u8>>,
    errors: Receiver<String>,
    heard: Vec<String>,
    writer: Option<JoinHandle<()>>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Command {
    /// Starts `ferrion` with these arguments, and gives it this standard input.
    ///
    /// # Panics
    ///
    /// When it can not be built or started.
    pub fn start(arguments: &[&str], input: impl Into<Vec<u8>>) -> Self {
        let input = input.into();
        let mut child = Process::new(executable())
            .args(arguments)
            .env_remove("FERRION_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("can not start ferrion: {error}"));
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let mut stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let (sender, errors) = channel();
        thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        // A command that ends early does not read all its input; what it says tells why.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let (end, output) = channel();
        thread::spawn(move || {
            let mut octets = Vec::new();
            drop(stdout.read_to_end(&mut octets));
            end.send(octets)
        });
        Self {
            child,
            output,
            errors,
            heard: Vec::new(),
            writer: Some(writer),
        }
    }

    /// Where the command is, for shells to find it.
    ///
    /// # Panics
    ///
    /// When it can not be built.
    #[must_use]
    pub fn folder() -> &'static Path {
        executable().parent().expect("a file in a folder")
    }

    /// Waits for the port in the line that a listening `ferrion recv` writes to standard error.
    ///
    /// # Panics
    ///
    /// When there is no such line within [`PATIENCE`].
    pub fn port(&mut self) -> u16 {
        loop {
            let line = self.errors.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| {
                panic!("ferrion tells no port ({error}): {:?}", self.heard)
            });
            let digits = line.rsplit(':').next().unwrap_or_default();
            let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
            self.heard.push(line);
            if let Ok(port) = digits.parse() {
                return port;
            }
        }
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// When it does not end within the time.
    pub fn finish(mut self, patience: Duration) -> Outcome {
        // Standard output ends with the process, and can be waited for with a limit.
        let output = self.output.recv_timeout(patience);
        if output.is_err() {
            drop(self.child.kill());
        }
        let status = self
            .child
            .wait()
            .unwrap_or_else(|error| panic!("ferrion is lost: {error}"));
        drop(self.writer.take().map(JoinHandle::join));
        self.heard.extend(self.errors.iter());
        let errors = self.heard.join("\n");
        let Ok(output) = output else {
            panic!("ferrion still runs after {patience:?}; it said:\n{errors}")
        };
        Outcome {
            code: status.code(),
            output,
            errors,
        }
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Outcome {
    /// Standard output as lines of text.
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.output)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Standard output as a JSON value a line.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: String| {
            serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("{error} in {line:?}; errors: {}", self.errors))
        };
        self.lines().into_iter().map(parse).collect()
    }
}

/// The command to test: `FERRION_TEST_COMMAND`, or what Cargo makes of this very source.
/// Has a process run as if it had been typed in a terminal: without what cargo tells a test of its package. A cargo that
/// is run from there would take it for its own settings, by which `ring`, for one, is built anew each time they change.
pub fn as_typed(process: &mut Process) -> &mut Process {
    let names = env::vars_os().map(|(name, _)| name);
    let told = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for name in names.filter(told) {
        process.env_remove(name);
    }
    process
}

fn executable() -> &'static PathBuf {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| env::var_os("FERRION_TEST_COMMAND").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = as_typed(&mut Process::new(cargo))
        .args([
            "build",
            "--package",
            "ferrion",
            "--bin",
            "ferrion",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(project())
        .stderr(Stdio::piped())
        .output()
        .unwrap_or_else(|error| panic!("can not run cargo: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let artifacts = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = artifacts
        .filter_map(|line| line["executable"].as_str().map(PathBuf::from))
        .next_back();
    let executable = executable.filter(|path| fs::metadata(path).is_ok());
    executable.unwrap_or_else(|| {
        panic!(
            "can not build ferrion:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
