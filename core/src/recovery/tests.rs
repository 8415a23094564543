use alloc::format;
use alloc::string::String;
use alloc::vec;

use super::*;
use crate::codec::message::Encoder;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + SECOND * seconds as u32
}

fn pid(character: char) -> Sid {
    Sid::parse(&String::from(character).repeat(20)).unwrap()
}

fn id() -> SocketId {
    SocketId::parse("IIIIIIIIIIIIIIIIIIII").unwrap()
}

fn limits() -> RecoveryLimits {
    RecoveryLimits { max_disconnection_duration: SECOND * 10, ..RecoveryLimits::default() }
}

fn session(rooms: &[&str], since: u64) -> LostSession<u8> {
    let rooms = rooms.iter().map(|room| Arc::from(*room)).collect();
    LostSession { id: id(), namespace: "/".into(), rooms, since, data: 7 }
}

fn append(log: &mut RecoveryLog<u8>, now: Timestamp, offset: u64, target: Target) {
    let mut encoder = Encoder::new();
    let event = Message::event_with_offset(&mut encoder, "/", "e", &(), offset).unwrap();
    log.append(now, offset, "/".into(), target, event);
}

/// The offsets of what was missed.
fn missed(log: &RecoveryLog<u8>, recovering: &Recovering<u8>) -> Option<Vec<String>> {
    let messages = log.missed(recovering)?;
    let text = |message: &Message| {
        let packet = String::from_utf8(message.frames()[0].packet().to_vec()).unwrap();
        let offset = packet.strip_prefix(r#"42["e",""#).unwrap();
        String::from(offset.strip_suffix(r#""]"#).unwrap())
    };
    Some(messages.iter().map(text).collect())
}

#[test]
fn what_came_after_the_offset_and_was_meant_is_missed() {
    let mut log = RecoveryLog::new(limits());
    let everybody = Target::everybody;
    append(&mut log, at(0), 0, everybody());
    append(&mut log, at(0), 1, everybody());
    append(&mut log, at(0), 2, Target::room("a"));
    append(&mut log, at(0), 3, Target::room("b"));
    append(&mut log, at(0), 4, Target::room("b").to("a"));
    append(&mut log, at(0), 5, everybody().except("a"));
    append(&mut log, at(0), 6, Target::room(id().as_str()));
    append(&mut log, at(0), 7, everybody().except(id().as_str()));
    append(&mut log, at(0), 8, Target { except_socket: Some(id()), ..Target::default() });
    let encoder = &mut Encoder::new();
    let other = Message::event_with_offset(encoder, "/other", "e", &(), 9).unwrap();
    log.append(at(0), 9, "/other".into(), everybody(), other);
    log.save(at(1), pid('p'), session(&["a"], 0));
    let recovering = log.take(at(2), "/", &pid('p'), Some("0")).unwrap();
    assert_eq!(recovering.session.data, 7);
    append(&mut log, at(2), 10, everybody());
    assert_eq!(missed(&log, &recovering).unwrap(), ["1", "2", "4", "6", "10"]);
}

#[test]
fn the_order_is_that_of_sending_and_not_of_offsets() {
    let mut log = RecoveryLog::new(limits());
    for offset in [0, 2, 1, 3] {
        append(&mut log, at(0), offset, Target::everybody());
    }
    log.save(at(0), pid('p'), session(&[], 0));
    let recovering = log.take(at(0), "/", &pid('p'), Some("2")).unwrap();
    assert_eq!(missed(&log, &recovering).unwrap(), ["1", "3"]);
}

#[test]
fn a_client_without_an_offset_has_missed_everything_since_it_was_connected() {
    let mut log = RecoveryLog::new(limits());
    append(&mut log, at(0), 0, Target::everybody());
    let since = log.position();
    append(&mut log, at(0), 1, Target::everybody());
    log.save(at(0), pid('p'), session(&[], since));
    let recovering = log.take(at(0), "/", &pid('p'), None).unwrap();
    assert_eq!(missed(&log, &recovering).unwrap(), ["1"]);
}

#[test]
fn a_session_is_taken_once() {
    let mut log = RecoveryLog::new(limits());
    log.save(at(0), pid('p'), session(&[], 0));
    assert_eq!(log.take(at(0), "/", &pid('q'), None), None);
    assert_eq!(log.take(at(0), "/other", &pid('p'), None), None);
    assert!(log.take(at(0), "/", &pid('p'), None).is_some());
    assert_eq!(log.take(at(0), "/", &pid('p'), None), None);
    assert!(log.is_empty());
}

#[test]
fn an_offset_that_no_event_has_recovers_nothing() {
    let mut log = RecoveryLog::new(limits());
    append(&mut log, at(0), 1, Target::everybody());
    log.save(at(0), pid('p'), session(&[], 0));
    let long = format!("{}1", "0".repeat(10_000));
    for offset in ["", "0", "2", "01", "+1", " 1", "1.0", "x", "18446744073709551616", &long] {
        assert_eq!(log.take(at(0), "/", &pid('p'), Some(offset)), None, "{offset}");
    }
    assert!(log.take(at(0), "/", &pid('p'), Some("1")).is_some());
}

#[test]
fn time_ends_sessions_and_events() {
    let mut log = RecoveryLog::new(limits());
    append(&mut log, at(0), 0, Target::everybody());
    append(&mut log, at(5), 1, Target::everybody());
    log.save(at(5), pid('p'), session(&[], 0));
    log.save(at(6), pid('q'), session(&[], 0));
    assert_eq!(log.purge(at(10)), [0; 0]);
    assert_eq!(log.len(), 2);
    assert!(log.next_expiry().unwrap() > at(10));
    log.purge(at(11));
    assert_eq!((log.len(), log.session_count()), (1, 2));
    assert_eq!(log.take(at(11), "/", &pid('p'), Some("0")), None, "the event is gone");
    assert_eq!(log.take(at(11), "/", &pid('p'), None), None, "so is the beginning");
    assert!(log.take(at(15), "/", &pid('p'), Some("1")).is_some(), "the last moment");
    assert_eq!(log.take(at(17), "/", &pid('q'), Some("1")), None);
    assert_eq!(log.purge(at(17)), [7]);
    assert!(log.is_empty());
    assert_eq!((log.bytes(), log.next_expiry()), (0, None));
}

#[test]
fn an_event_may_go_while_a_session_is_being_recovered() {
    let mut log = RecoveryLog::new(RecoveryLimits { messages: 2, ..limits() });
    append(&mut log, at(0), 0, Target::everybody());
    log.save(at(0), pid('p'), session(&[], 0));
    let recovering = log.take(at(0), "/", &pid('p'), Some("0")).unwrap();
    for offset in 1..=2 {
        append(&mut log, at(0), offset, Target::everybody());
    }
    assert_eq!(missed(&log, &recovering).unwrap(), ["1", "2"]);
    append(&mut log, at(0), 3, Target::everybody());
    assert_eq!(missed(&log, &recovering), None);
}

#[test]
fn nothing_grows_beyond_the_limits() {
    let limits = RecoveryLimits { messages: 10, bytes: 2_000, sessions: 3, ..limits() };
    let mut log = RecoveryLog::new(limits);
    let mut dropped = 0;
    for offset in 0..1_000 {
        append(&mut log, at(0), offset, Target::everybody());
        let character = char::from(b'a' + (offset % 26) as u8);
        dropped += log.save(at(0), pid(character), session(&[], 0)).len();
        assert!(log.len() <= 10 && log.bytes() <= 2_000 && log.session_count() <= 3);
        assert_eq!(log.positions.len(), log.len());
        assert_eq!(log.expiries.len(), log.session_count());
    }
    assert_eq!(dropped, 997);
    assert_eq!(log.len(), 10);
    let big = "x".repeat(5_000);
    let big = Message::event_with_offset(&mut Encoder::new(), "/", "e", &big, 5_000).unwrap();
    log.append(at(0), 5_000, "/".into(), Target::everybody(), big);
    assert_eq!((log.len(), log.bytes()), (0, 0), "it alone is too much");
    assert_eq!(vec![0; 0], log.positions.into_keys().collect::<Vec<_>>());
}
