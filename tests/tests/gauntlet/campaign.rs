//! Many rounds, some at a time, and what they leave behind: nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ferrion_tests::interop::proxy::{Cut, Direction};

use crate::WATCHDOG;
use crate::far::{Far, Flow};
use crate::level::Level;
use crate::round::{Outcome, Promise, Round};
use crate::support::Wire;

/// Rounds at a time: many of them wait for a stall to be noticed.
const WORKERS: usize = 8;
/// Memory that so many rounds may leave behind, in ordinary runs and in full ones: tables keep the size of the most that was
/// ever in them. A Messenger that sends to many has larger ones, for what it gave up at once when a peer was lost.
const fn slack(flow: Flow) -> isize {
    match flow {
        Flow::FromClient => 512 << 10,
        Flow::ToClient => 2 << 20,
    }
}

/// Rounds against one listener.
pub(crate) struct Campaign {
    far: Arc<Far>,
    flow: Flow,
    wire: Wire,
    promise: Promise,
    number: Arc<AtomicU32>,
    /// What the proxy carries in a round without faults: frames and octets.
    to_server: (usize, usize),
    to_client: (usize, usize),
}

impl Campaign {
    /// Begins with rounds without faults.
    pub(crate) fn open(flow: Flow, wire: Wire, promise: Promise) -> Self {
        let mut campaign = Self {
            far: Arc::new(Far::open(flow, wire, promise)),
            flow,
            wire,
            promise,
            number: Arc::default(),
            to_server: (0, 0),
            to_client: (0, 0),
        };
        for _ in 0..3 {
            let outcome = campaign.rounds().next(None).run(&campaign.far);
            let outcome = outcome.unwrap_or_else(|what| panic!("without any fault: {what}"));
            assert!(outcome.repeated == 0 || outcome.lost);
            // How many dispositions there are depends on how fast they come: the most that were seen.
            let most = |a: (usize, usize), b: (usize, usize)| (a.0.max(b.0), a.1.max(b.1));
            campaign.to_server = most(campaign.to_server, outcome.to_server);
            campaign.to_client = most(campaign.to_client, outcome.to_client);
        }
        campaign
    }

    /// Frames and octets in this direction.
    pub(crate) fn size(&self, direction: Direction) -> (usize, usize) {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::ToClient => self.to_client,
        }
    }

    /// Runs all of it, and looks at what is left.
    pub(crate) fn run(&self, what: &str, mut plan: Vec<Cut>) {
        // Stalls are spread out, so that not all workers wait at once.
        shuffle(&mut plan);
        let begun = Instant::now();
        // Tables grow, threads start: the level is that after a part of the rounds.
        let rest = plan.split_off(plan.len() / 5);
        let mut report = Report::default();
        self.storm(plan, &mut report);
        let before = self.settled_level(None);
        self.storm(rest, &mut report);
        let after = self.settled_level(Some(before.descriptors));
        eprintln!(
            "{:?}, {:?}, {:?}, {what}: {} rounds in {:.1?}; {} met their fault, in {} of them {} messages came more than once; \
             {} came late; from {before} to {after}; the longest: {:.0?}",
            self.flow,
            self.wire,
            self.promise,
            report.rounds,
            begun.elapsed(),
            report.met,
            report.with_repeats,
            report.repeated,
            self.far.late(),
            report.longest,
        );
        assert!(
            report.wrong.is_empty(),
            "{} of {} rounds went wrong:\n{}",
            report.wrong.len(),
            report.rounds,
            report.wrong[..report.wrong.len().min(10)].join("\n")
        );
        // A connection of the rounds before may have been open still when they were counted.
        assert!(
            after.descriptors <= before.descriptors,
            "descriptors are left"
        );
        let grown = after.octets - before.octets;
        assert!(
            grown < slack(self.flow),
            "{grown} octets of memory are left"
        );
        // The places are those of other rounds: only where answers came in fewer frames there was nothing to meet.
        assert!(report.met * 10 >= report.rounds * 8, "too few met anything");
    }

    fn rounds(&self) -> Rounds {
        Rounds {
            wire: self.wire,
            promise: self.promise,
            number: Arc::clone(&self.number),
        }
    }

    /// Runs these rounds, several at a time.
    fn storm(&self, plan: Vec<Cut>, report: &mut Report) {
        let mut running = BTreeMap::new();
        let plan = Arc::new(plan);
        let next = Arc::new(AtomicU32::new(0));
        let (sender, news) = mpsc::channel();
        for _ in 0..WORKERS {
            let (plan, next, sender) = (Arc::clone(&plan), Arc::clone(&next), sender.clone());
            let (far, rounds) = (Arc::clone(&self.far), self.rounds());
            std::thread::spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(cut) = plan.get(index as usize) else {
                        return;
                    };
                    let _ = sender.send((index, None));
                    let outcome = rounds.next(Some(*cut)).run(&far);
                    let _ = sender.send((index, Some(outcome)));
                }
            });
        }
        drop(sender);
        loop {
            // The threads are not joined when one hangs: the test is to end all the same.
            match news.recv_timeout(WATCHDOG * 2) {
                Ok((index, None)) => {
                    running.insert(index, Instant::now());
                }
                Ok((index, Some(outcome))) => {
                    let begun = running.remove(&index);
                    report.take(plan[index as usize], outcome, begun);
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let hung: Vec<_> = running.keys().map(|index| plan[*index as usize]).collect();
                    panic!(
                        "no round has ended for {:?}; these run: {hung:?}",
                        WATCHDOG * 2
                    );
                }
            }
        }
    }

    /// What is held once everything that was let go of is gone: the other side takes its time to notice.
    fn settled_level(&self, descriptors: Option<usize>) -> Level {
        if self.promise == Promise::ExactlyOnce {
            // Links of rounds whose farewell was cut off are kept, for longer than anybody wants to wait.
            self.far.begin_anew();
        }
        let begun = Instant::now();
        let mut level = Level::now();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = Level::now();
            let still = now.octets == level.octets && now.descriptors == level.descriptors;
            let there = descriptors.is_none_or(|count| now.descriptors <= count);
            if still && there || begun.elapsed() > Duration::from_secs(10) {
                return now;
            }
            level = now;
        }
    }
}

struct Rounds {
    wire: Wire,
    promise: Promise,
    number: Arc<AtomicU32>,
}

impl Rounds {
    fn next(&self, cut: Option<Cut>) -> Round {
        Round {
            number: self.number.fetch_add(1, Ordering::Relaxed),
            wire: self.wire,
            promise: self.promise,
            cut,
        }
    }
}

#[derive(Default)]
struct Report {
    rounds: usize,
    met: usize,
    repeated: usize,
    with_repeats: usize,
    /// The longest round with each fault.
    longest: BTreeMap<String, Duration>,
    wrong: Vec<String>,
}

impl Report {
    fn take(&mut self, cut: Cut, outcome: Result<Outcome, String>, begun: Option<Instant>) {
        self.rounds += 1;
        let taken = begun.map(|begun| begun.elapsed()).unwrap_or_default();
        let longest = self.longest.entry(format!("{:?}", cut.fault)).or_default();
        *longest = taken.max(*longest);
        match outcome {
            Ok(outcome) => {
                self.met += usize::from(outcome.met);
                self.repeated += outcome.repeated;
                self.with_repeats += usize::from(outcome.repeated > 0);
                if cut.fault.is_harmless() && outcome.repeated > 0 && !outcome.lost {
                    self.wrong.push(format!(
                        "{cut:?}: nothing was lost, and {} came twice",
                        outcome.repeated
                    ));
                }
            }
            Err(what) => self.wrong.push(format!("{cut:?}: {what}")),
        }
    }
}

/// The same order every time.
fn shuffle(plan: &mut [Cut]) {
    let mut rng = ferrion_tests::rng::Rng::new(plan.len() as u64);
    for index in (1..plan.len()).rev() {
        plan.swap(index, rng.below(index + 1));
    }
}
