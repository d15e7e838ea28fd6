//! The tables of the protocol types against the facts of the specification.

use std::collections::BTreeMap;

use ferrion_engine::codec::FieldSpec;
use ferrion_engine::message::{Header, Properties, Section};
use ferrion_engine::protocol::*;

const FACTS: &str = include_str!("spec_facts.tsv");

#[derive(Debug, Default, PartialEq)]
struct Composite {
    code: u64,
    name: String,
    /// name, type, mandatory, default, multiple
    fields: Vec<(String, String, bool, Option<String>, bool)>,
}

fn rows(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = FACTS
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(move |row| row[0] == kind)
}

fn specified() -> BTreeMap<String, Composite> {
    let mut types = BTreeMap::<String, Composite>::new();
    for row in rows("type") {
        let [_, name, code, symbol] = row[..] else {
            panic!("{row:?}")
        };
        let entry = types.entry(name.to_owned()).or_default();
        entry.code = u64::from_str_radix(code.trim_start_matches("0x"), 16).unwrap();
        entry.name = symbol.to_owned();
    }
    for row in rows("field") {
        let [_, name, field, ty, mandatory, default, multiple] = row[..] else {
            panic!("{row:?}")
        };
        let default = (default != "-").then(|| default.to_owned());
        let field = (
            field.to_owned(),
            ty.to_owned(),
            mandatory == "true",
            default,
            multiple == "true",
        );
        types.entry(name.to_owned()).or_default().fields.push(field);
    }
    types
}

fn ours(code: u64, name: &str, fields: &[FieldSpec]) -> Composite {
    let field = |f: &FieldSpec| {
        (
            f.name.to_owned(),
            f.ty.to_owned(),
            f.mandatory,
            f.default.map(str::to_owned),
            f.multiple,
        )
    };
    Composite {
        code,
        name: name.to_owned(),
        fields: fields.iter().map(field).collect(),
    }
}

macro_rules! composites {
    ($($Type:ident)*) => {
        vec![$(ours($Type::DESCRIPTOR, $Type::NAME, $Type::FIELDS)),*]
    };
}

#[test]
fn every_composite_type_is_as_specified() {
    let mut specified = specified();
    for ours in composites![
        Open Begin Attach Flow Transfer Disposition Detach End Close Condition Source Target Received Accepted
        Rejected Released Modified DeleteOnClose DeleteOnNoLinks DeleteOnNoMessages DeleteOnNoLinksOrMessages
        Coordinator Declare Discharge Declared TransactionalState SaslMechanisms SaslInit SaslChallenge
        SaslResponse SaslOutcome Header Properties
    ] {
        let name = ours.name.split(':').nth(1).unwrap().to_owned();
        assert_eq!(Some(ours), specified.remove(&name), "{name}");
    }
    // What is left are the sections that are no composite types.
    for section in Section::ALL {
        let name = section.name().split(':').nth(1).unwrap();
        if let Some(left) = specified.remove(name) {
            let code = section.code().into();
            assert_eq!(left, ours(code, section.name(), &[]), "{name}");
        }
    }
    assert!(specified.is_empty(), "{specified:?}");
}

#[test]
fn descriptors_are_known_in_both_forms() {
    for (_, composite) in specified() {
        assert_eq!(code_of(composite.name.as_bytes()), Some(composite.code));
        assert_eq!(name_of(composite.code), Some(composite.name.as_str()));
    }
    assert_eq!(code_of(b"amqp:opened:list"), None);
    assert_eq!(name_of(0), None);
}

#[test]
fn every_choice_is_as_specified() {
    let mut choices = BTreeMap::<&str, Vec<(String, String)>>::new();
    for row in rows("choice") {
        let [_, ty, _, choice, value] = row[..] else {
            panic!("{row:?}")
        };
        choices
            .entry(ty)
            .or_default()
            .push((choice.to_owned(), value.to_owned()));
    }
    macro_rules! same {
        ($($Type:ident $method:ident)*) => {$(
            let ours = $Type::ALL.iter().map(|c| (c.as_str().to_owned(), c.$method().to_string()));
            assert_eq!(ours.collect::<Vec<_>>(), choices.remove($Type::NAME).unwrap());
        )*};
    }
    same! {
        Role code SenderSettleMode code ReceiverSettleMode code TerminusDurability code SaslCode code
        TerminusExpiryPolicy symbol StdDistMode symbol
    }
    let capabilities = TxnCapability::ALL.iter().map(|c| c.symbol().to_string());
    let specified = choices.remove(TxnCapability::NAME).unwrap();
    assert!(capabilities.eq(specified.into_iter().map(|(_, value)| value)));

    for kind in [
        "amqp-error",
        "connection-error",
        "session-error",
        "link-error",
        "transaction-error",
    ] {
        let ours = conditions::ALL.iter().filter(|(of, _)| *of == kind);
        let specified = choices.remove(kind).unwrap();
        assert!(
            ours.map(|(_, c)| *c)
                .eq(specified.iter().map(|(_, value)| value.as_str())),
            "{kind}"
        );
    }
    assert!(choices.is_empty(), "{choices:?}");
}

/// The text of a default in a table is what the field has when nothing is said.
#[test]
fn defaults_are_what_the_tables_say() {
    let open = Open::new("x".into());
    let begin = Begin::new(0, 0, 0);
    let attach = Attach::new("x".into(), 0, Role::Sender);
    let (source, target) = (Source::default(), Target::default());
    let header = Header::default();
    let actual: BTreeMap<(&str, &str), String> = [
        (("open", "max-frame-size"), open.max_frame_size.to_string()),
        (("open", "channel-max"), open.channel_max.to_string()),
        (("begin", "handle-max"), begin.handle_max.to_string()),
        (
            ("attach", "snd-settle-mode"),
            attach.snd_settle_mode.to_string(),
        ),
        (
            ("attach", "rcv-settle-mode"),
            attach.rcv_settle_mode.to_string(),
        ),
        (
            ("attach", "incomplete-unsettled"),
            attach.incomplete_unsettled.to_string(),
        ),
        (("source", "durable"), source.durable.to_string()),
        (
            ("source", "expiry-policy"),
            source.expiry_policy.to_string(),
        ),
        (("source", "timeout"), source.timeout.to_string()),
        (("source", "dynamic"), source.dynamic.to_string()),
        (("target", "durable"), target.durable.to_string()),
        (
            ("target", "expiry-policy"),
            target.expiry_policy.to_string(),
        ),
        (("target", "timeout"), target.timeout.to_string()),
        (("target", "dynamic"), target.dynamic.to_string()),
        (("flow", "drain"), Flow::new(0, 0, 0).drain.to_string()),
        (("flow", "echo"), Flow::new(0, 0, 0).echo.to_string()),
        (("transfer", "more"), Transfer::new(0).more.to_string()),
        (("transfer", "resume"), Transfer::new(0).resume.to_string()),
        (
            ("transfer", "aborted"),
            Transfer::new(0).aborted.to_string(),
        ),
        (
            ("transfer", "batchable"),
            Transfer::new(0).batchable.to_string(),
        ),
        (
            ("disposition", "settled"),
            Disposition::new(Role::Sender, 0).settled.to_string(),
        ),
        (
            ("disposition", "batchable"),
            Disposition::new(Role::Sender, 0).batchable.to_string(),
        ),
        (("detach", "closed"), Detach::new(0).closed.to_string()),
        (("header", "durable"), header.durable.to_string()),
        (("header", "priority"), header.priority.to_string()),
        (
            ("header", "first-acquirer"),
            header.first_acquirer.to_string(),
        ),
        (
            ("header", "delivery-count"),
            header.delivery_count.to_string(),
        ),
    ]
    .into();
    for row in rows("field") {
        let [_, ty, field, _, _, default, _] = row[..] else {
            panic!("{row:?}")
        };
        if default != "-" {
            assert_eq!(
                actual.get(&(ty, field)).map(String::as_str),
                Some(default),
                "{ty} {field}"
            );
        }
    }
}
