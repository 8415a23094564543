use alloc::string::String;

use super::*;

fn batches(packets: &[Frame], bytes_max: usize) -> Vec<String> {
    let mut outbox = Outbox::default();
    for packet in packets {
        outbox.push(&Message::from(packet.clone()));
    }
    let mut bodies = Vec::new();
    while !outbox.is_empty() {
        let mut batch = Vec::new();
        outbox.fill(&mut batch, bytes_max);
        let body = payload::encode(batch.iter());
        assert!(batch.len() == 1 || body.len() <= bytes_max);
        bodies.push(String::from_utf8(body.to_vec()).expect("text").replace('\u{1e}', "|"));
    }
    assert_eq!(outbox.bytes(), 0);
    bodies
}

#[test]
fn a_body_holds_what_fits_exactly() {
    let packets = ["4aa", "4bb", "4cc", "4dd"].map(Frame::text);
    assert_eq!(batches(&packets, 7), ["4aa|4bb", "4cc|4dd"]);
    assert_eq!(batches(&packets, 6), ["4aa", "4bb", "4cc", "4dd"]);
    assert_eq!(batches(&packets, 11), ["4aa|4bb|4cc", "4dd"]);
    assert_eq!(batches(&packets, usize::MAX), ["4aa|4bb|4cc|4dd"]);
}

#[test]
fn a_packet_that_is_too_large_goes_alone() {
    let packets = ["4a", "4bbbbbbbbbb", "4c"].map(Frame::text);
    assert_eq!(batches(&packets, 5), ["4a", "4bbbbbbbbbb", "4c"]);
}

#[test]
fn binary_data_count_as_base64() {
    let packets = [Frame::text("4a"), Frame::binary(&[0; 3]), Frame::text("4b")];
    assert_eq!(batches(&packets, 8), ["4a|bAAAA", "4b"]);
    assert_eq!(batches(&packets, 7), ["4a", "bAAAA", "4b"]);
}

#[test]
fn a_body_holds_so_many_packets_at_most() {
    let packets = alloc::vec![Frame::text("4"); BATCH_PACKETS_MAX + 1];
    assert_eq!(batches(&packets, usize::MAX).len(), 2);
}
