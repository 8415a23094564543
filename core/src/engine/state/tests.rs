//! Every cell of the table, read from a drawing of it.

use super::*;

const CLASSES: [PacketClass; 9] = [
    PacketClass::Open,
    PacketClass::Close,
    PacketClass::Ping,
    PacketClass::ProbePing,
    PacketClass::Pong,
    PacketClass::Message,
    PacketClass::Upgrade,
    PacketClass::Noop,
    PacketClass::Malformed,
];

const UNPROBED: Channel = Channel::Probe { probed: false };
const PROBED: Channel = Channel::Probe { probed: true };

/// One row for each state and channel, one character for each class, in the order of `CLASSES`:
/// `.` ignore, `d` deliver, `h` heartbeat, `c` close by the client, `e` close as an error, `p` close
/// as unreadable, `a` answer the probe, `t` take over, `x` abort the probe. Of Engine.IO 4.
const TABLE: [(Lifecycle, Channel, &str); 12] = [
    (Lifecycle::Open, Channel::Current, ".ceehd..p"),
    (Lifecycle::Open, UNPROBED, "xxxaxxxxx"),
    (Lifecycle::Open, PROBED, "xxxaxxtxx"),
    (Lifecycle::Open, Channel::Stale, "........."),
    (Lifecycle::Closing, Channel::Current, "........."),
    (Lifecycle::Closing, UNPROBED, "xxxaxxxxx"),
    (Lifecycle::Closing, PROBED, "xxxaxxtxx"),
    (Lifecycle::Closing, Channel::Stale, "........."),
    (Lifecycle::Closed, Channel::Current, "........."),
    (Lifecycle::Closed, UNPROBED, "........."),
    (Lifecycle::Closed, PROBED, "........."),
    (Lifecycle::Closed, Channel::Stale, "........."),
];

fn reaction(symbol: char) -> Reaction {
    match symbol {
        '.' => Reaction::Ignore,
        'd' => Reaction::Deliver,
        'h' => Reaction::Heartbeat,
        'c' => Reaction::Close(DisconnectReason::TransportClose),
        'e' => Reaction::Close(DisconnectReason::TransportError),
        'p' => Reaction::Close(DisconnectReason::ParseError),
        'a' => Reaction::AnswerProbe,
        't' => Reaction::TakeOver,
        'x' => Reaction::AbortProbe,
        other => panic!("{other}"),
    }
}

#[test]
fn every_cell_of_the_table() {
    for (state, channel, row) in TABLE {
        assert_eq!(row.len(), CLASSES.len());
        for (class, symbol) in CLASSES.into_iter().zip(row.chars()) {
            assert_eq!(
                react(Revision::V4, state, channel, class),
                reaction(symbol),
                "{state:?} {channel:?} {class:?}",
            );
        }
    }
}

#[test]
fn in_engine_io_3_the_heartbeat_goes_the_other_way() {
    for (state, channel, _) in TABLE {
        for class in CLASSES {
            let expected = match (state, channel, class) {
                (Lifecycle::Open, Channel::Current, PacketClass::Ping | PacketClass::ProbePing) => {
                    Reaction::AnswerPing
                }
                (Lifecycle::Open, Channel::Current, PacketClass::Pong) => {
                    Reaction::Close(DisconnectReason::TransportError)
                }
                _ => react(Revision::V4, state, channel, class),
            };
            assert_eq!(react(Revision::V3, state, channel, class), expected, "{state:?} {class:?}");
        }
    }
}
