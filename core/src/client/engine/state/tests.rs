use alloc::format;
use alloc::string::String;

use super::*;

const CLASSES: [PacketClass; 9] = [
    PacketClass::Open,
    PacketClass::Close,
    PacketClass::Ping,
    PacketClass::Pong,
    PacketClass::ProbePong,
    PacketClass::Message,
    PacketClass::Upgrade,
    PacketClass::Noop,
    PacketClass::Malformed,
];

/// The table as the documentation shows it, a letter for each reaction.
#[test]
fn table() {
    let columns = [
        (Lifecycle::Opening, Channel::Current),
        (Lifecycle::Leaving, Channel::Current),
        (Lifecycle::Open, Channel::Current),
        (Lifecycle::Closing, Channel::Current),
        (Lifecycle::Open, Channel::Probe { waiting: true }),
        (Lifecycle::Open, Channel::Probe { waiting: false }),
        (Lifecycle::Open, Channel::Stale),
        (Lifecycle::Closed, Channel::Current),
    ];
    let mut table = String::new();
    for class in CLASSES {
        let row: String =
            columns.iter().map(|(state, channel)| letter(react(*state, *channel, class))).collect();
        table.push_str(&format!("{class:?} {row}\n"));
    }
    let expected = "\
Open hhffaa..
Close ccccaa..
Ping ffp.aa..
Pong ff..aa..
ProbePong ff..Pa..
Message ffd.aa..
Upgrade ff..aa..
Noop ff..aa..
Malformed ffffaa..
";
    assert_eq!(table, expected);
}

fn letter(reaction: Reaction) -> char {
    match reaction {
        Reaction::Ignore => '.',
        Reaction::Handshake => 'h',
        Reaction::Deliver => 'd',
        Reaction::AnswerPing => 'p',
        Reaction::Close => 'c',
        Reaction::Fail => 'f',
        Reaction::Pause => 'P',
        Reaction::AbortProbe => 'a',
    }
}
