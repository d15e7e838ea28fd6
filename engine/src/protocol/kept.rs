//! What a link was attached with, as octets.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::transport::{Attach, Role};
use crate::codec::{Decode, Encode, Reader, Str, code, length, writer};

// The fields of an attach, in runs: the name; handle and role; settle modes and termini, which an answer repeats; what is
// unsettled; the initial-delivery-count; and the others.
const NAME: usize = 1;
const HANDLE_AND_ROLE: usize = 2;
const TERMINI: usize = 4;
const UNSETTLED: usize = 2;
const COUNT: usize = 1;
const OTHERS: usize = 4;

/// What comes before the fields.
const DESCRIPTOR: [u8; 3] = [
    code::DESCRIBED,
    code::ULONG_SMALL,
    Attach::DESCRIPTOR.to_be_bytes()[7],
];

/// What an attach (2.7.3) says, but for what each side has of its own: handle, role, initial-delivery-count. Of most links
/// both sides say the same.
///
/// These are the other fields, one behind the other, without the nulls at the end. They are kept for as long as the link lives,
/// and the attach is written from them: termini that are decoded take ten times the memory, and few ask for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptAttach(Box<[u8]>);

/// The same, where it lies in the attach that says it: name, settle modes to what is unsettled, and the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a>([&'a [u8]; 3]);

impl<'a> Said<'a> {
    /// What an attach says whose fields are this list, constructor and all. It was decoded before.
    pub(crate) fn all(list: &'a [u8]) -> Self {
        let mut fields = Fields::of_list(list);
        let name = fields.run(NAME);
        fields.run(HANDLE_AND_ROLE);
        let termini = fields.run(TERMINI + UNSETTLED);
        fields.run(COUNT);
        let others = fields.run(OTHERS);
        if others.kept.is_empty() {
            Self([name.kept, termini.kept, &[]])
        } else {
            Self([name.kept, termini.whole, others.kept])
        }
    }

    /// What an answer to that attach repeats.
    pub(crate) fn to_repeat(list: &'a [u8]) -> Self {
        let mut fields = Fields::of_list(list);
        let name = fields.run(NAME);
        fields.run(HANDLE_AND_ROLE);
        Self([name.kept, fields.run(TERMINI).kept, &[]])
    }

    /// How many octets that has.
    pub(crate) fn octets(self) -> usize {
        self.0.map(<[u8]>::len).iter().sum()
    }
}

impl PartialEq<Said<'_>> for KeptAttach {
    fn eq(&self, said: &Said<'_>) -> bool {
        let mut left = Some(&*self.0);
        for piece in said.0 {
            left = left.and_then(|left| left.strip_prefix(piece));
        }
        left.is_some_and(<[u8]>::is_empty)
    }
}

impl From<Said<'_>> for KeptAttach {
    fn from(said: Said<'_>) -> Self {
        Self(said.0.concat().into_boxed_slice())
    }
}

impl KeptAttach {
    pub(crate) fn new(attach: &Attach) -> Self {
        // Few are longer.
        let mut octets = Vec::with_capacity(256);
        attach.encode(&mut octets);
        let list = octets.strip_prefix(&DESCRIPTOR).unwrap_or_default();
        Said::all(list).into()
    }

    /// The attach with what is a side's own.
    pub(crate) fn attach(&self, role: Role, handle: u32, count: Option<u32>) -> Attach {
        let mut octets = Vec::new();
        self.with(role, handle, count).encode(&mut octets);
        // What it says was encoded or decoded here, so that it can be decoded.
        Attach::decode(&mut Reader::trusted(&octets.into()))
            .unwrap_or_else(|_| Attach::new(Str::default(), handle, role))
    }

    /// The same, to be written.
    pub(crate) const fn with(&self, role: Role, handle: u32, count: Option<u32>) -> OwnAttach<'_> {
        OwnAttach {
            kept: self,
            role,
            handle,
            count,
        }
    }

    /// The name of the link, without what else is said of it.
    pub(crate) fn name(&self) -> Str {
        let name = Bytes::copy_from_slice(Fields::new(&self.0).run(NAME).whole);
        Str::decode(&mut Reader::trusted(&name)).unwrap_or_default()
    }
}

/// What both sides say of a link, and what one of them says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnAttach<'a> {
    kept: &'a KeptAttach,
    role: Role,
    handle: u32,
    count: Option<u32>,
}

impl Encode for OwnAttach<'_> {
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "of a list that has been kept, field by field"
    )]
    fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = Fields::new(&self.kept.0);
        let name = fields.run(NAME);
        let termini = fields.run(TERMINI + UNSETTLED);
        let others = fields.run(OTHERS);
        out.extend_from_slice(&DESCRIPTOR);
        let list = writer::begin(out);
        out.extend_from_slice(name.whole);
        self.handle.encode(out);
        self.role.encode(out);
        out.extend_from_slice(termini.whole);
        let mut count = NAME + HANDLE_AND_ROLE + termini.count;
        if self.count.is_some() || others.count > 0 {
            let absent = TERMINI + UNSETTLED - termini.count;
            out.resize(out.len() + absent, code::NULL);
            match self.count {
                Some(count) => count.encode(out),
                None => out.push(code::NULL),
            }
            out.extend_from_slice(others.whole);
            count += absent + COUNT + others.count;
        }
        if list.list(out, count).is_err() {
            // Over 4 GiB: the descriptor stands already, so something must follow.
            out.push(code::NULL);
        }
    }
}

/// Encoded values, one behind the other.
struct Fields<'a> {
    octets: &'a [u8],
    left: usize,
}

/// Some of them.
struct Run<'a> {
    whole: &'a [u8],
    /// Without the nulls at the end.
    kept: &'a [u8],
    count: usize,
}

impl<'a> Fields<'a> {
    /// As many as there are.
    const fn new(octets: &'a [u8]) -> Self {
        let left = octets.len();
        Self { octets, left }
    }

    /// Those of a list.
    fn of_list(list: &'a [u8]) -> Self {
        match *list {
            [code::LIST8, _, count, ref octets @ ..] => Self {
                octets,
                left: count.into(),
            },
            [code::LIST32, _, _, _, _, c0, c1, c2, c3, ref octets @ ..] => Self {
                octets,
                left: u32::from_be_bytes([c0, c1, c2, c3]) as usize,
            },
            _ => Self::new(&[]),
        }
    }

    /// The next ones, at most so many.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no more than there are, in octets that are there"
    )]
    fn run(&mut self, most: usize) -> Run<'a> {
        let (mut whole, mut kept, mut count) = (0, 0, 0);
        while count < most.min(self.left)
            && let Some(rest) = self.octets.get(whole..)
            && let Some(length) = length(rest)
        {
            whole += length;
            count += 1;
            if !rest.starts_with(&[code::NULL]) {
                kept = whole;
            }
        }
        let (whole, rest) = self.octets.split_at_checked(whole).unwrap_or_default();
        self.octets = rest;
        self.left -= count;
        Run {
            whole,
            kept: whole.get(..kept).unwrap_or_default(),
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTOR, KeptAttach, Said};
    use crate::codec::{Encode, Fields, Raw, Str, Symbol, Value};
    use crate::protocol::{
        Attach, Coordinator, DeliveryState, ReceiverSettleMode, Role, SenderSettleMode, Source,
        Target, TargetArchetype,
    };
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;

    fn comes_back(attach: &Attach) {
        let kept = KeptAttach::new(attach);
        let (role, handle) = (attach.role, attach.handle);
        let count = attach.initial_delivery_count;
        assert_eq!(&kept.attach(role, handle, count), attach);
        assert_eq!(kept.name(), attach.name);
        let (octets, mut from_kept) = (octets_of(attach), Vec::new());
        kept.with(role, handle, count).encode(&mut from_kept);
        assert_eq!(octets, from_kept);
        assert_eq!(kept, Said::all(&octets[DESCRIPTOR.len()..]));
        // The other side's, with what is its own.
        let mut theirs = attach.clone();
        theirs.role = role.peer();
        theirs.handle = 300;
        theirs.initial_delivery_count = (role == Role::Receiver).then_some(7);
        let octets = octets_of(&theirs);
        assert_eq!(kept, Said::all(&octets[DESCRIPTOR.len()..]));
    }

    fn octets_of(attach: &Attach) -> Vec<u8> {
        let mut octets = Vec::new();
        attach.encode(&mut octets);
        octets
    }

    #[test]
    fn an_answer_repeats_termini_and_settle_modes_and_nothing_else() {
        let mut attach = Attach::new("a link".into(), 7, Role::Sender);
        attach.rcv_settle_mode = ReceiverSettleMode::Second;
        attach.target = Some(Box::new(TargetArchetype::Target(Target::default())));
        let mut asked = attach.clone();
        asked.unsettled = Some(Fields::default());
        asked.incomplete_unsettled = true;
        asked.initial_delivery_count = Some(1);
        asked.max_message_size = Some(1);
        asked.desired_capabilities = vec![Symbol::from_static("one")];
        let octets = octets_of(&asked);
        let answer = KeptAttach::from(Said::to_repeat(&octets[DESCRIPTOR.len()..]));
        assert_eq!(answer, KeptAttach::new(&attach));
        assert_eq!(answer.attach(Role::Sender, 7, None), attach);
        assert_ne!(answer, Said::all(&octets[DESCRIPTOR.len()..]));
    }

    #[test]
    fn what_a_peer_wrote_in_other_encodings_is_kept_as_it_is() {
        // A list with a size of four octets; the name as well, the handle in full, nulls at the end.
        let list = [
            &[0xd0, 0, 0, 0, 24, 0, 0, 0, 8][..],
            &[0xb1, 0, 0, 0, 2, b'i', b't'],
            &[0x70, 0, 0, 0, 9],
            &[0x56, 1, 0x50, 1, 0x40, 0x40, 0x40, 0x40],
        ]
        .concat();
        let kept = KeptAttach::from(Said::all(&list));
        let mut attach = Attach::new("it".into(), 9, Role::Receiver);
        attach.snd_settle_mode = SenderSettleMode::Settled;
        assert_eq!(kept.attach(Role::Receiver, 9, None), attach);
        assert_eq!(kept.name(), attach.name);
        assert_eq!(kept, Said::all(&list));
        assert_ne!(kept, Said::all(&[0x45]));
    }

    #[test]
    fn an_attach_comes_back_as_it_was() {
        comes_back(&Attach::new(Str::default(), 0, Role::Receiver));
        let mut attach = Attach::new("a link".into(), u32::MAX, Role::Sender);
        attach.snd_settle_mode = SenderSettleMode::Settled;
        attach.rcv_settle_mode = ReceiverSettleMode::Second;
        let fields = || {
            Fields::from_entries([(
                Value::Symbol(Symbol::from_static("key")),
                Raw::from(&Value::Uint(7)),
            )])
        };
        attach.source = Some(Box::new(Source {
            address: Some(String::from("an address of more octets than are kept in place").into()),
            dynamic: true,
            dynamic_node_properties: Some(fields()),
            filter: Some(fields()),
            default_outcome: Some(DeliveryState::Released),
            outcomes: vec![
                Symbol::from_static("amqp:accepted:list"),
                Symbol::from_static("amqp:rejected:list"),
            ],
            capabilities: vec![Symbol::from_static("queue")],
            ..Source::default()
        }));
        attach.target = Some(Box::new(TargetArchetype::Target(Target {
            address: Some("queue".into()),
            timeout: 300,
            ..Target::default()
        })));
        attach.unsettled = Some(fields());
        attach.incomplete_unsettled = true;
        attach.initial_delivery_count = Some(0);
        attach.max_message_size = Some(0);
        attach.offered_capabilities = vec![Symbol::from_static("one")];
        attach.properties = Some(fields());
        comes_back(&attach);
        attach.target = Some(Box::new(TargetArchetype::Coordinator(
            Coordinator::default(),
        )));
        attach.name = String::from("a name that has more octets than are kept in place").into();
        comes_back(&attach);
    }
}
