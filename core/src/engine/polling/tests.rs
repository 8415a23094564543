use super::*;
use crate::engine::{PacketClass, Push, Volatile};
use crate::{Config, Dialect, Sid, Timestamp};

/// A session on polling whose client has taken the open packet and waits with another GET.
fn waiting(config: &Config) -> (Session, PollKey) {
    let sid = Sid::parse("Aabcdefghij0123456-_").expect("20 characters of the alphabet");
    let mut session =
        Session::polling(Timestamp::ZERO, config, Dialect::default(), sid, Message::noop());
    let opening = begin(&mut session);
    assert!(session.take_poll_response(opening).is_some());
    let poll = begin(&mut session);
    assert!(session.take_poll_response(poll).is_none());
    (session, poll)
}

fn begin(session: &mut Session) -> PollKey {
    session.begin_poll().ok().expect("no other GET waits")
}

fn body(session: &mut Session, poll: PollKey) -> Bytes {
    session.take_poll_response(poll).expect("an answer is due").into_body()
}

#[test]
fn a_close_comes_behind_what_is_queued_in_a_payload_of_its_own() {
    let config = Config::default();
    let (mut session, poll) = waiting(&config);
    let message = Message::disconnect("/");
    assert_eq!(session.push(message, Volatile::No, 1_000), Push::Queued);
    session.close(Timestamp::ZERO, &config, DisconnectReason::ForcedClose);
    assert_eq!(body(&mut session, poll), "41");
    assert!(!session.is_closed());
    let poll = begin(&mut session);
    assert_eq!(body(&mut session, poll), "6\x1e1");
    assert!(session.is_at_rest());
}

#[test]
fn a_close_with_nothing_queued_answers_the_waiting_get() {
    let config = Config::default();
    let (mut session, poll) = waiting(&config);
    session.close(Timestamp::ZERO, &config, DisconnectReason::ForcedClose);
    assert_eq!(body(&mut session, poll), "1");
    assert!(session.is_at_rest());
}

#[test]
fn a_close_at_once_leaves_nothing_but_the_farewell() {
    let config = Config::default();
    let (mut session, poll) = waiting(&config);
    assert_eq!(session.push(Message::disconnect("/"), Volatile::No, 1_000), Push::Queued);
    session.close_now(DisconnectReason::TransportError);
    assert_eq!(body(&mut session, poll), "1");
}

#[test]
fn what_a_websocket_is_to_send_is_not_given_to_a_get_that_it_left_behind() {
    let config = Config::default();
    let (mut session, poll) = waiting(&config);
    let websocket = session.begin_upgrade(Timestamp::ZERO, &config);
    assert!(websocket.is_some());
    for class in [PacketClass::ProbePing, PacketClass::Upgrade] {
        session.handle_packet(Timestamp::ZERO, &config, websocket, class);
    }
    assert_eq!(session.push(Message::disconnect("/"), Volatile::No, 1_000), Push::Queued);
    assert_eq!(body(&mut session, poll), "1");
    assert!(session.has_websocket_output());
}
