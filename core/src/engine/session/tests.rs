use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

/// The deadline of the pong, after a ping that was due at 25 s was sent at `now`.
fn pong_deadline(now: Timestamp) -> Option<Timestamp> {
    let config = Config::default();
    let sid = Sid::parse("Aabcdefghij0123456-_").expect("20 characters of the alphabet");
    let mut session =
        Session::polling(Timestamp::ZERO, &config, Dialect::default(), sid, Message::noop());
    assert_eq!(session.deadline(), Some(at(25_000)));
    session.handle_timeout(now, &config);
    session.deadline()
}

#[test]
fn a_timer_that_is_a_little_late_does_not_move_the_deadline_of_the_pong() {
    for late in [0, 1, 10] {
        assert_eq!(pong_deadline(at(25_000 + late)), Some(at(45_000)), "{late} ms late");
    }
}

#[test]
fn a_client_has_its_whole_time_after_the_driver_was_held_up() {
    for late in [11, 60_000] {
        assert_eq!(pong_deadline(at(25_000 + late)), Some(at(45_000 + late)), "{late} ms late");
    }
}
