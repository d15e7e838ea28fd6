//! Instructions per message, counted by callgrind, compared with what is committed in `bench/instructions.json`.
//!
//! Time on a shared machine says little about a change of a few percent. Instructions do not depend on who else uses the
//! machine, so a regression is seen when it is made. Each work runs twice, with fewer and with more messages: the
//! difference, divided by how many more there were, leaves out start and warm-up. Of the frames that cost most to hear
//! (`worst-*`, where a message is a frame) none may take more than about a millisecond,
//! whatever was committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::calls::KINDS;
use crate::process::output_of;
use crate::work::{Outcome, ensure};

/// Which compiler built this, and for what: counts of different ones do not compare.
const COMPILER: &str = env!("FERRION_BENCH_COMPILER");

/// How much more a message may cost than it did, in percent.
const TOLERANCE: f64 = 5.0;
/// The same where there are only counts of another compiler to compare with.
const OTHER_TOLERANCE: f64 = 25.0;

/// No frame of a peer's may cost more: about what a processor of today does in a millisecond.
const MOST_OF_A_FRAME: f64 = 8_000_000.0;
/// How the works are called of which that is asked.
const WORST: &str = "worst";

/// What the C library's `memcpy` is depends on the processor, unless it is told to use what all of them have.
const TUNABLES: &str =
    "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM";

/// What does a piece of work.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    /// This program, which calls ferrion from Rust.
    Rust,
    /// `abi-bench`, which does the same by the C header.
    C,
}

/// A piece of work that is counted.
struct Work {
    /// The key in the committed counts.
    name: &'static str,
    side: Side,
    /// Command and options, as on the command line.
    command: &'static [&'static str],
    /// Messages of the longer run; the shorter one has a third of it.
    count: u64,
}

const WORKS: &[Work] = &[
    Work {
        name: "pair-100-settled",
        side: Side::Rust,
        command: &["pair", "--body", "100", "--mode", "settled"],
        count: 6000,
    },
    Work {
        name: "pair-100-accepted",
        side: Side::Rust,
        command: &["pair", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "pair-10k-accepted",
        side: Side::Rust,
        command: &["pair", "--body", "10240", "--batch", "20"],
        count: 3000,
    },
    Work {
        name: "pair-10k-copied",
        side: Side::Rust,
        command: &[
            "pair",
            "--body",
            "10240",
            "--batch",
            "20",
            "--payload",
            "copied",
        ],
        count: 3000,
    },
    Work {
        name: "pair-1m-settled",
        side: Side::Rust,
        command: &[
            "pair", "--body", "1048576", "--mode", "settled", "--credit", "100", "--batch", "1",
        ],
        count: 60,
    },
    Work {
        name: "message-encode",
        side: Side::Rust,
        command: &["encode", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "message-encode-copied",
        side: Side::Rust,
        command: &["encode", "--body", "100", "--payload", "copied"],
        count: 6000,
    },
    Work {
        name: "message-decode-all",
        side: Side::Rust,
        command: &["decode", "--read", "all"],
        count: 6000,
    },
    Work {
        name: "message-decode-routing",
        side: Side::Rust,
        command: &["decode", "--read", "routing"],
        count: 6000,
    },
    Work {
        name: "messenger-100-accepted",
        side: Side::Rust,
        command: &["messenger-pair", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "worst-range",
        side: Side::Rust,
        command: &["worst", "--frame", "range"],
        count: 30,
    },
    Work {
        name: "worst-nest",
        side: Side::Rust,
        command: &["worst", "--frame", "nest"],
        count: 30,
    },
    Work {
        name: "worst-nests",
        side: Side::Rust,
        command: &["worst", "--frame", "nests"],
        count: 30,
    },
    Work {
        name: "worst-zero-width",
        side: Side::Rust,
        command: &["worst", "--frame", "zero-width"],
        count: 30,
    },
    Work {
        name: "worst-zero-width-allowed",
        side: Side::Rust,
        command: &["worst", "--frame", "zero-width-allowed"],
        count: 30,
    },
    Work {
        name: "worst-keys",
        side: Side::Rust,
        command: &["worst", "--frame", "keys"],
        count: 30,
    },
    Work {
        name: "worst-unsettled",
        side: Side::Rust,
        command: &["worst", "--frame", "unsettled"],
        count: 30,
    },
    Work {
        name: "worst-capabilities",
        side: Side::Rust,
        command: &["worst", "--frame", "capabilities"],
        count: 30,
    },
    Work {
        name: "c-pair-100-settled",
        side: Side::C,
        command: &["pair", "--body", "100", "--mode", "settled"],
        count: 6000,
    },
    Work {
        name: "c-pair-100-accepted",
        side: Side::C,
        command: &["pair", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "c-pair-10k-accepted",
        side: Side::C,
        command: &["pair", "--body", "10240", "--batch", "20"],
        count: 3000,
    },
    Work {
        name: "c-pair-10k-copied",
        side: Side::C,
        command: &[
            "pair",
            "--body",
            "10240",
            "--batch",
            "20",
            "--payload",
            "copied",
        ],
        count: 3000,
    },
    Work {
        name: "c-message-encode",
        side: Side::C,
        command: &["encode", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "c-message-decode-all",
        side: Side::C,
        command: &["decode", "--read", "all"],
        count: 6000,
    },
    Work {
        name: "c-message-decode-routing",
        side: Side::C,
        command: &["decode", "--read", "routing"],
        count: 6000,
    },
    Work {
        name: "c-messenger-100-accepted",
        side: Side::C,
        command: &["messenger-pair", "--body", "100"],
        count: 6000,
    },
];

/// The works in which each kind of call stands in a function of its own: what they count is told by kind, under the name of
/// the work with that of the kind.
const CALLS: [Work; 2] = [
    Work {
        name: "call",
        side: Side::Rust,
        command: &["calls", "--body", "100"],
        count: 6000,
    },
    Work {
        name: "c-call",
        side: Side::C,
        command: &["calls", "--body", "100"],
        count: 6000,
    },
];

struct Arguments {
    bless: bool,
    only: String,
    baseline: PathBuf,
    out: PathBuf,
}

/// Counts for each compiler: instructions per message by name of the work.
type Baselines = BTreeMap<String, BTreeMap<String, f64>>;

pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let arguments = Arguments::parse(arguments)?;
    ensure!(
        Command::new("valgrind").arg("--version").output().is_ok(),
        "valgrind is not installed: run scripts/install-test-deps.sh bench"
    );
    std::fs::create_dir_all(&arguments.out)?;
    let program = std::env::current_exe()?;
    let by_c = arguments.out.join("abi-bench");
    ensure!(
        by_c.exists(),
        format!(
            "{} is missing: bench/abi/build.sh builds it",
            by_c.display()
        )
    );
    let corpus = arguments.out.join("callgrind-corpus.bin");
    let corpus = corpus.to_str().ok_or("the folder's name is not text")?;
    output_of(
        &program,
        &["corpus".into(), "--corpus".into(), corpus.into()],
    )?;

    let mut baselines = load(&arguments.baseline)?;
    let known = Known::find(&baselines);
    known.announce();
    let mut counted = BTreeMap::new();
    let mut regressions = Vec::new();
    let mut too_long = Vec::new();
    println!("{:<26}{:>12}{:>12}", "instructions a message", "was", "is");
    let mut tell = |name: String, is: f64, is_held: bool| {
        let was = known.count(&name);
        let change = was.map_or(0.0, |was| (is / was - 1.0) * 100.0);
        let was_text = was.map_or_else(|| "-".into(), |was| format!("{was:.0}"));
        println!("{name:<26}{was_text:>12}{is:>12.0}  {change:+.1} %");
        if is_held && change > known.tolerance {
            regressions.push(name.clone());
        }
        if name.starts_with(WORST) && is > MOST_OF_A_FRAME {
            too_long.push(name.clone());
        }
        counted.insert(name, (is * 10.0).round() / 10.0);
    };
    let program_of = |work: &Work| match work.side {
        Side::Rust => &program,
        Side::C => &by_c,
    };
    for work in WORKS {
        if work.name.contains(&arguments.only) {
            let is = work.measure(program_of(work), corpus, &arguments.out)?;
            tell(work.name.into(), is, true);
        }
    }
    for work in CALLS {
        if work.name.contains(&arguments.only) {
            let counts = work.measure_calls(program_of(&work), corpus, &arguments.out)?;
            for (kind, is) in KINDS.iter().zip(counts) {
                // Of so few instructions a handful is many percent; the works above are made of them, and are held.
                tell(format!("{}-{kind}", work.name), is, false);
            }
        }
    }
    ensure!(
        too_long.is_empty(),
        format!("{} took more than a frame may", too_long.join(", "))
    );
    if arguments.bless {
        baselines
            .entry(COMPILER.into())
            .or_default()
            .extend(counted);
        let text = serde_json::to_string_pretty(&baselines)?;
        std::fs::write(&arguments.baseline, text + "\n")?;
        println!("written to {}", arguments.baseline.display());
        return Ok(ExitCode::SUCCESS);
    }
    if regressions.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "\n{} took over {} % more instructions than {} says.\n\
         Where they go: callgrind_annotate {}/callgrind.NAME.out (or kcachegrind).\n\
         If the new cost is worth it, say why in the commit and run `make instructions-bless`.",
        regressions.join(", "),
        known.tolerance,
        arguments.baseline.display(),
        arguments.out.display(),
    );
    Ok(ExitCode::FAILURE)
}

/// The committed counts that there are to compare with.
struct Known<'a> {
    compiler: Option<&'a str>,
    counts: Option<&'a BTreeMap<String, f64>>,
    tolerance: f64,
}

impl<'a> Known<'a> {
    /// Those of this compiler, else of the last one in the file.
    fn find(baselines: &'a Baselines) -> Self {
        if let Some(counts) = baselines.get(COMPILER) {
            return Self {
                compiler: None,
                counts: Some(counts),
                tolerance: TOLERANCE,
            };
        }
        let last = baselines.last_key_value();
        Self {
            compiler: last.map(|(compiler, _)| compiler.as_str()),
            counts: last.map(|(_, counts)| counts),
            tolerance: OTHER_TOLERANCE,
        }
    }

    fn announce(&self) {
        if let Some(compiler) = self.compiler {
            println!(
                "There are no counts of {COMPILER}: compared with those of {compiler}, and over {OTHER_TOLERANCE} % more \
                 fails.\n`make instructions-bless` adds counts of this compiler."
            );
        }
    }

    fn count(&self, name: &str) -> Option<f64> {
        self.counts?.get(name).copied()
    }
}

impl Work {
    /// Instructions per message.
    fn measure(&self, program: &Path, corpus: &str, out: &Path) -> Outcome<f64> {
        let fewer = self.count / 3;
        let profile = out.join(format!("callgrind.{}.out", self.name));
        let short = self.collect(program, corpus, fewer, Path::new("/dev/null"))?;
        let long = self.collect(program, corpus, self.count, &profile)?;
        ensure!(long > short, "more messages took fewer instructions");
        Ok((long - short) as f64 / (self.count - fewer) as f64)
    }

    /// Instructions of a call of each kind.
    fn measure_calls(&self, program: &Path, corpus: &str, out: &Path) -> Outcome<Vec<f64>> {
        let fewer = self.count / 3;
        let profile = |count: u64| -> Outcome<String> {
            let file = out.join(format!("callgrind.{}.{count}.out", self.name));
            self.collect(program, corpus, count, &file)?;
            Ok(std::fs::read_to_string(file)?)
        };
        let (short, long) = (profile(fewer)?, profile(self.count)?);
        let each = |kind: &&str| {
            let function = format!("phase_{kind}");
            let (short, long) = (inclusive(&short, &function), inclusive(&long, &function));
            ensure!(
                long > short,
                format!("the profile does not tell of {function}")
            );
            Ok((long - short) as f64 / (self.count - fewer) as f64)
        };
        KINDS.iter().map(each).collect()
    }

    /// Instructions of a whole run with `count` messages.
    fn collect(&self, program: &Path, corpus: &str, count: u64, profile: &Path) -> Outcome<u64> {
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(program)
            .args(self.command)
            // What grows to its size in the first messages has grown when the count begins.
            .args(["--warmup", &(self.count / 3).to_string()])
            .args(["--count", &count.to_string()])
            .args(["--corpus", corpus])
            .env("GLIBC_TUNABLES", TUNABLES)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("{} failed under valgrind:\n{said}", self.name).into());
        }
        let collected = said
            .lines()
            .find_map(|line| line.split_once("Collected :"))
            .and_then(|(_, number)| number.trim().parse().ok());
        Ok(collected.ok_or("callgrind did not say how much it collected")?)
    }
}

/// Instructions of a function, whatever module it is in, and of all that it calls, from a profile of callgrind's.
fn inclusive(profile: &str, function: &str) -> u64 {
    // A function's name is written once, where it is met first, and then stands for itself by a number.
    let mut numbers = BTreeSet::new();
    let (mut inside, mut sum) = (false, 0);
    for line in profile.lines() {
        if let Some((kind @ ("fn" | "cfn"), name)) = line.split_once('=') {
            let number = name.split(' ').next().unwrap_or_default();
            if name.rsplit([' ', ':']).next() == Some(function) {
                numbers.insert(number);
            }
            if kind == "fn" {
                inside = numbers.contains(number);
            }
        } else if inside
            && line.starts_with(|first: char| "+-*".contains(first) || first.is_ascii_digit())
        {
            // What is called follows its own line in the same form, with all that it costs.
            sum += line
                .rsplit(' ')
                .next()
                .and_then(|cost| cost.parse::<u64>().ok())
                .unwrap_or(0);
        }
    }
    sum
}

impl Arguments {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut parsed = Self {
            bless: false,
            only: String::new(),
            baseline: PathBuf::from("bench/instructions.json"),
            out: PathBuf::from("target/bench"),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--bless" => parsed.bless = true,
                "--only" => parsed.only.clone_from(rest.next().ok_or("--only what?")?),
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        Ok(parsed)
    }
}

fn load(path: &Path) -> Outcome<Baselines> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Baselines::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::inclusive;

    #[test]
    fn a_function_costs_what_it_does_and_what_it_calls() {
        let profile = "events: Ir\n\nfn=(1) main\n1 5\ncfn=(2) a::b::phase_send\ncalls=1 7\n+1 40\n\n\
                       fn=(2)\n7 10\nfi=(3) other.rs\n* 3\nfe=(1)\ncfn=(4) deeper\ncalls=2 9\n-1 27\n\n\
                       fn=(4)\n9 27\ntotals: 45\n";
        assert_eq!(inclusive(profile, "phase_send"), 40);
        assert_eq!(inclusive(profile, "phase_accept"), 0);
    }
}
