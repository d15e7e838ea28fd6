//! The fuzz targets whose bodies are in the engine, in the Messenger and here; their corpus; and inputs made from it, for
//! everybody who has no fuzzer at hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chaos::{Op, Setting, run, run_octet_by_octet, run_with_noise};
use crate::rng::Rng;

/// What a target runs: any octets, at which it must not panic.
pub type Body = fn(&[u8]);

/// Every target by its name, but `abi`, whose body is in `ffi`.
pub fn targets() -> Vec<(&'static str, Body)> {
    let mut targets = ferrion_engine::testing::TARGETS.to_vec();
    targets.extend(ferrion_messenger::testing::TARGETS);
    targets.push(("pair", pair));
    targets
}

/// Where corpus and targets are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a target's corpus, in the order of their names.
///
/// # Panics
/// If there are none.
pub fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<(PathBuf, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("a readable entry").path();
            let octets = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, octets)
        })
        .collect();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    files.sort();
    files
}

/// Makes inputs out of those that are there: the same seed makes the same ones.
#[derive(Debug)]
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    rng: Rng,
}

impl Mutator {
    /// Inputs grow no longer.
    const LONGEST: usize = 4096;

    /// From a target's corpus.
    pub fn new(target: &str, seed: u64) -> Self {
        let files = corpus(target).into_iter();
        Self {
            seeds: files.map(|(_, octets)| octets).collect(),
            rng: Rng::new(seed),
        }
    }

    /// The next input: mostly one of the corpus with some changes, now and then nothing but chance.
    pub fn input(&mut self) -> Vec<u8> {
        if self.rng.one_in(16) {
            let length = self.rng.below(64);
            return self.noise(length);
        }
        let mut input = self.seed();
        for _ in 0..=self.rng.below(6) {
            self.change(&mut input);
        }
        input.truncate(Self::LONGEST);
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        let which = self.rng.below(self.seeds.len());
        self.seeds[which].clone()
    }

    fn noise(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.rng.next_u64() as u8).collect()
    }

    /// A range of `length` octets, which are not none.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.rng.below(length);
        from..from + 1 + self.rng.below(length - from)
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        if input.is_empty() {
            let length = 1 + self.rng.below(8);
            *input = self.noise(length);
            return;
        }
        let at = self.rng.below(input.len());
        match self.rng.below(9) {
            0 => input[at] = self.rng.next_u64() as u8,
            1 => input[at] ^= 1 << self.rng.below(8),
            // Sizes, counts and constructors like to be one more or one less.
            2 => input[at] = input[at].wrapping_add([1, 255][self.rng.below(2)]),
            3 => input[at] = [0, 1, 0x40, 0x7f, 0x80, 0xc0, 0xd0, 0xf0, 0xff][self.rng.below(9)],
            4 => drop(input.drain(self.range(input.len()))),
            5 => {
                let length = 1 + self.rng.below(8);
                let noise = self.noise(length);
                input.splice(at..at, noise);
            }
            6 => {
                let again = input[self.range(input.len())].to_vec();
                input.splice(at..at, again);
            }
            7 => {
                let other = self.seed();
                if !other.is_empty() {
                    let part = other[self.range(other.len())].to_vec();
                    let end = (at + self.rng.below(part.len() + 1)).min(input.len());
                    input.splice(at..end, part);
                }
            }
            _ => input.truncate(at),
        }
    }
}

/// Commands of one plan: more tell no more, and take their time.
const MOST_COMMANDS: usize = 400;

/// Two engines. Six octets are what the plan is run under, then four make a command. Whatever the plan: neither engine finds
/// fault with the other, both agree when they rest, and nothing is left at the end. On a noisy line, both end.
pub fn pair(data: &[u8]) {
    let Some(([mode, seed, limits, noise, s0, s1], rest)) = data.split_first_chunk() else {
        return;
    };
    let two_bits = |at: u8| usize::from(limits >> at & 3);
    let setting = Setting {
        seed: u64::from(*seed),
        max_frame_size: [512, 700, 4096, 65_536][two_bits(0)],
        window: [1, 3, 100, 2048][two_bits(2)],
        // Serial numbers wrap on the way, or jump over the middle.
        start: u32::from_be_bytes([*s0, *s1, *s0, *s1]),
        output: [1, 2_000, 65_536, usize::MAX][two_bits(4)],
        idle: [None, Some(900), Some(60_000), None][two_bits(6)],
    };
    let commands = rest.as_chunks().0.iter().take(MOST_COMMANDS);
    let plan: Vec<Op> = commands
        .map(|[kind, pick, a0, a1]| Op {
            kind: *kind,
            pick: *pick,
            amount: u16::from_be_bytes([*a0, *a1]),
        })
        .collect();
    match mode % 4 {
        0 | 1 => drop(run(setting, &plan)),
        2 => drop(run_octet_by_octet(setting, &plan)),
        _ => run_with_noise(setting, 50 + 11 * usize::from(*noise), &plan),
    }
}
