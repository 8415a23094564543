use super::*;
use crate::{DisconnectReason, Event};

#[test]
fn one_event_takes_room_for_one() {
    let mut inbox = Inbox::default();
    inbox.push(Event::Closed(DisconnectReason::TransportClose));
    inbox.pop();
    assert_eq!(inbox.events.capacity(), 1);
}

#[test]
fn an_inbox_gives_the_memory_of_a_burst_back_and_keeps_that_of_a_few() {
    let mut inbox = Inbox::default();
    let event = || Event::Closed(DisconnectReason::TransportClose);
    for _ in 0..10 * KEPT_CAPACITY {
        inbox.push(event());
    }
    let capacity = inbox.events.capacity();
    while !inbox.is_empty() {
        assert_eq!(inbox.events.capacity(), capacity, "while something waits");
        inbox.pop();
    }
    assert_eq!(inbox.events.capacity(), 0);

    inbox.events.reserve_exact(KEPT_CAPACITY);
    let capacity = inbox.events.capacity();
    inbox.push(event());
    inbox.pop();
    assert_eq!(inbox.events.capacity(), capacity);
}
