//! Every class of fault that AMQP libraries have had, tried on an engine in each state of a connection where it makes sense.
//!
//! An [`Attack`] says what is sent and what must come of it. The engine is measured: what it holds at most, by a counting
//! allocator, and how long the processor works. What came of all of them is `docs/attacks.md`, written by
//! `FERRION_BLESS=1 cargo test -p ferrion-tests --test attacks`.

mod again;
mod decoding;
mod deliveries;
mod framing;
mod leaps;
mod login;
mod nowhere;
mod replies;
mod rest;
mod victim;

use std::fmt::Write as _;

use ferrion_engine::{Config, SessionConfig};
use victim::State::{ClientOpen, ClientSasl, Header, Open, Sasl};
use victim::{EARLY, Program, READ, STATES, Side, State, Victim, WINDOW, budget, config};

/// One way to attack.
pub(crate) struct Attack {
    /// The class of fault, by its letter.
    pub(crate) class: char,
    /// What is sent, in words for the table.
    pub(crate) what: &'static str,
    /// The limit that bounds it, or the rule that it breaks.
    pub(crate) bound: &'static str,
    pub(crate) program: Program,
    /// Where it is tried, and what must come of it.
    pub(crate) outcomes: &'static [(State, &'static str)],
    /// The octets that are sent.
    pub(crate) octets: fn(State) -> Vec<u8>,
    /// What the engine is told beside the usual.
    pub(crate) config: fn(&mut Config),
    /// What the engine says of why something ended, one of these: so that it was this bound that held, and not another.
    pub(crate) because: &'static [&'static str],
    /// Whether it is answered by no more than a frame in each write.
    pub(crate) answered_once: bool,
    /// What is different where every limit has its default.
    pub(crate) by_default: Option<ByDefault>,
}

/// An attack where every limit has its default.
#[derive(Clone, Copy)]
pub(crate) struct ByDefault {
    pub(crate) outcome: &'static str,
    pub(crate) octets: fn(State) -> Vec<u8>,
    /// Octets that may be held.
    pub(crate) held: u64,
}

/// Which limits the engine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Such as attacks reach soon.
    Low,
    /// None but what it has by default.
    Default,
}

impl Attack {
    /// An attack on an engine whose program does what it should.
    pub(crate) const fn new(
        class: char,
        what: &'static str,
        bound: &'static str,
        outcomes: &'static [(State, &'static str)],
        octets: fn(State) -> Vec<u8>,
    ) -> Self {
        Self {
            class,
            what,
            bound,
            program: Program::Brisk,
            outcomes,
            octets,
            config: |_| (),
            because: &[],
            answered_once: false,
            by_default: None,
        }
    }

    pub(crate) const fn with(mut self, program: Program) -> Self {
        self.program = program;
        self
    }

    pub(crate) const fn because(mut self, reasons: &'static [&'static str]) -> Self {
        self.because = reasons;
        self
    }

    pub(crate) const fn answered_once(mut self) -> Self {
        self.answered_once = true;
        self
    }

    /// By default other octets reach the limit, or these reach none.
    pub(crate) const fn by_default(
        mut self,
        outcome: &'static str,
        octets: fn(State) -> Vec<u8>,
        held: u64,
    ) -> Self {
        self.by_default = Some(ByDefault {
            outcome,
            octets,
            held,
        });
        self
    }

    /// By default the same octets reach no limit.
    pub(crate) const fn harmless_by_default(self, held: u64) -> Self {
        let octets = self.octets;
        self.by_default(NOTHING, octets, held)
    }

    pub(crate) const fn configured(mut self, config: fn(&mut Config)) -> Self {
        self.config = config;
        self
    }
}

pub(crate) const NOTHING: &str = "nothing comes of it";
/// What was the peer's own end of something is answered.
pub(crate) const DETACHED: &str = "detach without error";
pub(crate) const ENDED: &str = "end without error";
pub(crate) const LOGIN_FAILS: &str = "disconnected: the login fails";
pub(crate) const OTHER_HEADER: &str = "disconnected: another header is named";
pub(crate) const UNHEARD: &str = "not heard until it reads";

/// The classes, as the table calls them.
const CLASSES: &[(char, &str)] = &[
    ('A', "memory taken by what a size or a count says"),
    ('N', "nested values"),
    ('C', "names that are kept for ever"),
    ('F', "frames larger than allowed, or more than allowed"),
    ('W', "windows and credit that are not kept to"),
    ('D', "dispositions of ranges"),
    ('M', "deliveries without end"),
    ('E', "answers without end"),
    ('S', "logins out of step"),
    ('T', "TLS that is not there"),
    ('P', "octets that are not AMQP"),
    ('U', "use of what has ended"),
    ('I', "numbers at their ends"),
    ('J', "messages that look like something"),
];

fn attacks() -> Vec<Attack> {
    let mut all = Vec::new();
    all.extend(again::attacks());
    all.extend(decoding::attacks());
    all.extend(framing::attacks());
    all.extend(deliveries::attacks());
    all.extend(replies::attacks());
    all.extend(login::attacks());
    all.extend(nowhere::attacks());
    all.extend(rest::attacks());
    all.sort_by_key(|attack| CLASSES.iter().position(|(class, _)| *class == attack.class));
    all
}

/// What is not tried in some states, and why.
const NOT_TRIED: &[(&str, &[State], &str)] = &[
    (
        "ANCWDMESUIJ",
        &[Header],
        "before the header eight octets are compared with those that a header has; what follows is tried in the next state",
    ),
    (
        "C",
        &[Sasl, Open, ClientSasl, ClientOpen],
        "before open there is nothing that comes and goes: what was said is kept once, within `octets_before_open`",
    ),
    (
        "I",
        &[Sasl],
        "a client says no number there but sizes, which are A and F",
    ),
];

fn is_tried(class: char, state: State) -> usize {
    let of_class = attacks().into_iter().filter(|it| it.class == class);
    of_class
        .filter(|attack| attack.outcomes.iter().any(|(at, _)| *at == state))
        .count()
}

/// Octets that an engine may hold for what reaches no limit where each has its default.
const HELD_BY_DEFAULT: u64 = 2 << 20;

/// Tries one of them in one state, after open on a server and on a client; answers what is wrong.
fn attempt(attack: &Attack, state: State, expected: &str, pass: Pass) -> Vec<String> {
    let mut wrong = attempt_on(Side::Server, attack, state, expected, pass);
    if !state.is_early() {
        let on_client = attempt_on(Side::Client, attack, state, expected, pass);
        wrong.extend(on_client.iter().map(|wrong| format!("on a client {wrong}")));
    }
    wrong
}

fn attempt_on(
    side: Side,
    attack: &Attack,
    state: State,
    expected: &str,
    pass: Pass,
) -> Vec<String> {
    let (mut config, window) = match pass {
        Pass::Low => (config(), WINDOW),
        Pass::Default => {
            let window = SessionConfig::default().incoming_window;
            (Config::new("victim"), window)
        }
    };
    (attack.config)(&mut config);
    let special = attack.by_default.filter(|_| pass == Pass::Default);
    let (octets, expected) = match special {
        Some(special) => ((special.octets)(state), special.outcome),
        None => ((attack.octets)(state), expected),
    };
    let mut costs = Victim::attack(side, state, &config, window, attack.program, &octets);
    let mut wrong = Vec::new();
    let most = match (state.is_early(), pass) {
        (true, _) => EARLY,
        (false, Pass::Low) => budget(&config),
        (false, Pass::Default) => special.map_or(HELD_BY_DEFAULT, |special| special.held),
    };
    if costs.held > most {
        wrong.push(format!(
            "{} octets were held; {most} is the most",
            costs.held
        ));
    }
    // Some ten times what it takes as the tests are built, on a machine that does other things as well; and the clock of the
    // processor moves in steps of some milliseconds. What a frame may take as the code is built for users is counted by `make instructions`.
    let time = 40_000_000 + 400 * octets.len() as u64;
    if costs.time > time {
        wrong.push(format!("{} ns of work; {time} is the most", costs.time));
    }
    if costs.outcome != expected {
        wrong.push(format!("{}, where it should be {expected}", costs.outcome));
    }
    let (wrote, frames) = (costs.victim.wrote, costs.victim.frames.len());
    if wrote > 4 * octets.len() + 512 {
        wrong.push(format!("{} octets are answered by {wrote}", octets.len()));
    }
    if attack.answered_once && frames > octets.len() / READ + 2 {
        wrong.push(format!("{frames} frames are written"));
    }
    let reasons = &costs.victim.reasons;
    let has_reason = |reason: &&str| reasons.first().is_some_and(|said| said.contains(*reason));
    let ends = ![NOTHING, UNHEARD, DETACHED, ENDED].contains(&expected);
    if ends && !attack.because.is_empty() && !attack.because.iter().any(has_reason) {
        wrong.push(format!("it ends for another reason: {reasons:?}"));
    }
    let is_link = expected.starts_with("detach") || expected == NOTHING;
    let closes = expected.contains("close") || expected.starts_with("disconnected");
    if !state.is_early() && state != State::Opened && !closes && !costs.victim.carries(is_link) {
        wrong.push("links that were not attacked carry nothing any more".to_owned());
    }
    wrong
}

/// Plays all of them.
fn play(pass: Pass) {
    let mut wrong = String::new();
    let mut count = 0;
    for attack in attacks() {
        for (state, expected) in attack.outcomes {
            count += 1;
            for fault in attempt(&attack, *state, expected, pass) {
                let (class, what) = (attack.class, attack.what);
                let _ = writeln!(wrong, "{class} {what}, {}: {fault}", state.name());
            }
        }
    }
    println!("{count} attacks");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_attack_costs_what_was_set_and_ends_what_it_was_about() {
    play(Pass::Low);
}

#[test]
fn every_attack_ends_what_it_was_about_by_default_too() {
    play(Pass::Default);
}

/// How many attacks of each class are tried in each state, and why there are none.
fn write_grid(text: &mut String) {
    text.push_str("\n## What is tried where\n\n| Class |");
    for state in STATES {
        let _ = write!(text, " {} |", state.name());
    }
    let _ = write!(text, "\n|---|{}\n", "---|".repeat(STATES.len()));
    for (class, name) in CLASSES {
        let _ = write!(text, "| {class}: {name} |");
        for state in STATES {
            match is_tried(*class, state) {
                0 => text.push_str(" none |"),
                count => {
                    let _ = write!(text, " {count} |");
                }
            }
        }
        text.push('\n');
    }
    text.push_str("\nWhere there is none:\n\n");
    for (classes, states, why) in NOT_TRIED {
        let classes: Vec<String> = classes.chars().map(String::from).collect();
        let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
        let (classes, states) = (classes.join(", "), states.join("; "));
        let _ = writeln!(text, "- {classes} ({states}): {why}.");
    }
}

/// The page that the attacks make.
fn page() -> String {
    let mut text = String::from(
        "# Attacks\n\n\
         <!-- Written by `FERRION_BLESS=1 cargo test -p ferrion-tests --test attacks`; do not edit. -->\n\n\
         What is tried on an engine, in which state of its connection, what bounds it, and what comes of it. Each row is played by `make test`, with limits\n\
         so low that each is reached (that is what the table tells of) and again with each at its default, as far as it is in reach. That also holds the\n\
         memory to its bound (before open 16 KiB and a frame; after it what the low limits say and 10 % more), the work and the answers to what the octets\n\
         are worth, the reason that is given to the bound that the row names, and the links that are not attacked to going on; after open all of that on\n\
         a server and on a client.\n\
         [SECURITY.md](../SECURITY.md) has the limits.\n",
    );
    write_grid(&mut text);
    let all = attacks();
    for (class, name) in CLASSES {
        let _ = write!(
            text,
            "\n## {class}: {name}\n\n| State | Attack | Bound | Outcome |\n|---|---|---|---|\n"
        );
        for attack in all.iter().filter(|attack| attack.class == *class) {
            for (state, outcome) in attack.outcomes {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {outcome} |",
                    state.name(),
                    attack.what,
                    attack.bound
                );
            }
        }
    }
    text
}

#[test]
fn every_class_is_tried_and_the_page_says_what_comes_of_it() {
    for (class, name) in CLASSES {
        let tried = attacks().iter().filter(|a| a.class == *class).count();
        assert!(tried > 0, "{class}: {name} is not tried");
        for state in STATES {
            let has_reason = NOT_TRIED
                .iter()
                .any(|(classes, states, _)| classes.contains(*class) && states.contains(&state));
            let count = is_tried(*class, state);
            assert!(
                has_reason == (count == 0),
                "{class}, {}: {count} attacks, and a reason for none: {has_reason}",
                state.name()
            );
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/attacks.md");
    if std::env::var_os("FERRION_BLESS").is_some() {
        std::fs::write(path, page()).expect("the page can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == page(),
        "docs/attacks.md is not what the attacks say: run `FERRION_BLESS=1 cargo test -p ferrion-tests --test attacks` and commit it"
    );
}
