use std::string::String;

use super::*;
use crate::codec::message::Frame;

fn message(bytes: usize) -> Message {
    // The header of the WebSocket frame takes two bytes.
    Message::from(Frame::text(&String::from_utf8(std::vec![b'x'; bytes - 2]).unwrap()))
}

#[test]
fn counts_the_bytes_that_wait() {
    let mut outbox = Outbox::default();
    assert!(outbox.is_empty() && outbox.pop().is_none());
    for (bytes, total) in [(10, 10), (20, 30), (5, 35)] {
        outbox.push(message(bytes));
        assert_eq!(outbox.bytes(), total);
    }
    for (bytes, total) in [(10, 25), (20, 5), (5, 0)] {
        assert!(!outbox.is_empty());
        assert_eq!(outbox.pop().unwrap().websocket_bytes(), bytes);
        assert_eq!(outbox.bytes(), total);
    }
    assert!(outbox.is_empty());
    outbox.push(message(10));
    assert_eq!(outbox.take().len(), 1);
    assert!(outbox.is_empty() && outbox.bytes() == 0);
    outbox.push(message(10));
    outbox.discard();
    assert!(outbox.is_empty() && outbox.bytes() == 0 && outbox.pop().is_none());
    assert!(outbox.take().is_empty());
}

#[test]
fn gives_the_memory_of_a_burst_back_and_keeps_that_of_a_few() {
    let mut outbox = Outbox::default();
    for _ in 0..10 * KEPT_CAPACITY {
        outbox.push(message(10));
    }
    let capacity = outbox.queue.capacity();
    while !outbox.is_empty() {
        assert_eq!(outbox.queue.capacity(), capacity, "while something waits");
        outbox.pop();
    }
    assert_eq!(outbox.queue.capacity(), 0);

    outbox.push(message(10));
    let capacity = outbox.queue.capacity();
    outbox.pop();
    assert_eq!(outbox.queue.capacity(), capacity);
    outbox.queue.reserve_exact(KEPT_CAPACITY);
    let capacity = outbox.queue.capacity();
    outbox.push(message(10));
    outbox.pop();
    assert_eq!(outbox.queue.capacity(), capacity);
}
