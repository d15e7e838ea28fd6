//! What is measured, row by row: the work, who is beside ferrion in it, and how far ahead ferrion wants to be.

/// A piece of work that ferrion and another do.
pub(crate) struct Row {
    /// The key in the machine-readable output; never changes its meaning.
    pub(crate) name: &'static str,
    /// What the table says.
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) against: Against,
    /// How many times as fast as the other ferrion wants to be.
    pub(crate) goal: f64,
    pub(crate) shape: Shape,
    /// Command and options, the same for both.
    pub(crate) work: &'static [&'static str],
    pub(crate) count: u64,
    pub(crate) warmup: u64,
}

/// Who is beside ferrion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// Proton C as Debian ships it.
    Proton,
    /// fe2o3-amqp, in Rust with tokio.
    Fe2o3,
    /// rhea, in JavaScript with Node.js.
    Rhea,
    /// What nothing can be quicker than: this program, which does only that part of the work that has to be done, by a
    /// command of this name in the place of the row's own. The label says what it is.
    Limit {
        command: &'static str,
        label: &'static str,
    },
}

impl Against {
    /// The key in the machine-readable output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proton => "proton-c",
            Self::Fe2o3 => "fe2o3-amqp",
            Self::Rhea => "rhea",
            Self::Limit { .. } => "limit",
        }
    }
}

/// What a sample is turned into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    NanosPerMessage,
    MessagesPerSecond,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One process does it all.
    Alone,
    /// As `Alone`, on the corpus of encoded messages.
    Corpus,
    /// A receiver that says where it listens, and a sender: `-recv` and `-send` are added to the command.
    Together,
}

// Works that stand beside more than one other: they are the same in each row.
const PAIR_100_ACCEPTED: &[&str] = &[
    "pair",
    "--body",
    "100",
    "--mode",
    "unsettled",
    "--credit",
    "1000",
    "--batch",
    "100",
];
const PAIR_1M_SETTLED: &[&str] = &[
    "pair", "--body", "1048576", "--mode", "settled", "--credit", "100", "--batch", "1",
];
const MESSENGER_100: &[&str] = &[
    "messenger",
    "--body",
    "100",
    "--window",
    "2000",
    "--batch",
    "500",
    "--advance",
    "50",
];

/// The batches and windows are those with which Proton C is fastest.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "pair-100-settled",
        title: "engine pair, 100 octets, settled",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 10.0,
        shape: Shape::Alone,
        work: &[
            "pair", "--body", "100", "--mode", "settled", "--credit", "1000", "--batch", "100",
        ],
        count: 500_000,
        warmup: 50_000,
    },
    Row {
        name: "pair-100-accepted",
        title: "engine pair, 100 octets, accepted and settled",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 9.0,
        shape: Shape::Alone,
        work: PAIR_100_ACCEPTED,
        count: 400_000,
        warmup: 50_000,
    },
    Row {
        name: "pair-10k-accepted",
        title: "engine pair, 10 KiB, accepted and settled",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 6.0,
        shape: Shape::Alone,
        work: &[
            "pair",
            "--body",
            "10240",
            "--mode",
            "unsettled",
            "--credit",
            "1000",
            "--batch",
            "20",
        ],
        count: 150_000,
        warmup: 10_000,
    },
    Row {
        name: "pair-1m-settled",
        title: "engine pair, 1 MiB, settled",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 5.0,
        shape: Shape::Alone,
        work: PAIR_1M_SETTLED,
        count: 3000,
        warmup: 100,
    },
    Row {
        name: "message-encode",
        title: "message encode, typical",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 7.0,
        shape: Shape::Alone,
        work: &["encode"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "message-decode-all",
        title: "message decode, every section read",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 4.0,
        shape: Shape::Corpus,
        work: &["decode", "--read", "all"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "message-decode-routing",
        title: "message decode, routing fields only",
        unit: Unit::NanosPerMessage,
        against: Against::Proton,
        goal: 12.0,
        shape: Shape::Corpus,
        work: &["decode", "--read", "routing"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "messenger-100-accepted",
        title: "Messenger over loopback, 100 octets, accepted",
        unit: Unit::MessagesPerSecond,
        against: Against::Proton,
        goal: 8.0,
        shape: Shape::Together,
        work: MESSENGER_100,
        count: 400_000,
        warmup: 20_000,
    },
    Row {
        name: "fe2o3-pair-100-accepted",
        title: "engine pair, 100 octets, accepted and settled",
        unit: Unit::NanosPerMessage,
        against: Against::Fe2o3,
        goal: 30.0,
        shape: Shape::Alone,
        work: PAIR_100_ACCEPTED,
        count: 100_000,
        warmup: 10_000,
    },
    Row {
        name: "rhea-messenger-100-accepted",
        title: "Messenger over loopback, 100 octets, accepted",
        unit: Unit::MessagesPerSecond,
        against: Against::Rhea,
        goal: 20.0,
        shape: Shape::Together,
        work: MESSENGER_100,
        count: 80_000,
        warmup: 8000,
    },
    Row {
        name: "limit-socket-4k",
        title: "engine over loopback, 4 KiB, settled",
        unit: Unit::NanosPerMessage,
        against: Against::Limit {
            command: "bare-socket",
            label: "the same octets",
        },
        goal: 0.7,
        shape: Shape::Together,
        work: &[
            "socket",
            "--body",
            "4096",
            "--mode",
            "confirmed",
            "--credit",
            "1000",
            "--batch",
            "64",
        ],
        count: 204_800,
        warmup: 12_800,
    },
    Row {
        name: "limit-socket-64k",
        title: "engine over loopback, 64 KiB, settled",
        unit: Unit::NanosPerMessage,
        against: Against::Limit {
            command: "bare-socket",
            label: "the same octets",
        },
        goal: 0.9,
        shape: Shape::Together,
        work: &[
            "socket",
            "--body",
            "65536",
            "--mode",
            "confirmed",
            "--take",
            "parts",
            "--credit",
            "1000",
            "--batch",
            "8",
        ],
        count: 16_000,
        warmup: 800,
    },
    Row {
        name: "limit-socket-1m",
        title: "engine over loopback, 1 MiB, settled",
        unit: Unit::NanosPerMessage,
        against: Against::Limit {
            command: "bare-socket",
            label: "the same octets",
        },
        goal: 0.9,
        shape: Shape::Together,
        work: &[
            "socket",
            "--body",
            "1048576",
            "--mode",
            "confirmed",
            "--take",
            "parts",
            "--credit",
            "100",
            "--batch",
            "1",
        ],
        count: 1600,
        warmup: 100,
    },
    Row {
        name: "limit-copy-1m",
        title: "engine pair, 1 MiB, settled: half a copy an end",
        unit: Unit::NanosPerMessage,
        against: Against::Limit {
            command: "copy",
            label: "one memcpy",
        },
        goal: 0.5,
        shape: Shape::Alone,
        work: PAIR_1M_SETTLED,
        count: 3000,
        warmup: 100,
    },
    Row {
        name: "limit-ping-100",
        title: "request and reply over loopback, 100 octets",
        unit: Unit::NanosPerMessage,
        against: Against::Limit {
            command: "bare-ping",
            label: "bare TCP",
        },
        goal: 0.8,
        shape: Shape::Together,
        work: &["ping", "--body", "100", "--credit", "1000"],
        count: 50_000,
        warmup: 5000,
    },
];
