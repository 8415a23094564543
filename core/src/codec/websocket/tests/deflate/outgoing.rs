//! Compression.

use super::*;
use crate::codec::websocket::deflate::Outgoing;

/// JSON as servers send it.
fn ticks(count: usize) -> Vec<u8> {
    let mut json = b"42[\"ticks\",[".to_vec();
    for i in 0..count {
        let tick = std::format!("{{\"symbol\":\"S{}\",\"price\":{}.25}},", i % 7, i * 37 % 1_000);
        json.extend_from_slice(tick.as_bytes());
    }
    json.extend_from_slice(b"null]]");
    json
}

/// Whatever a byte has for the next one.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn outgoing(context: bool, threshold: usize) -> Outgoing {
    let settings = PerMessageDeflate::default().threshold(threshold);
    Outgoing::new(&settings, agreed(context), Role::Server)
}

/// What a client makes of compressed messages.
fn inflate(context: bool, payloads: &[Vec<u8>]) -> Decoded {
    let frames: Vec<_> = payloads.iter().map(|payload| frame(0xC2, payload)).collect();
    let bytes = wire(&frames, Role::Client);
    feed(decoder(Role::Client, context, CONFIG), usize::MAX, &bytes, [])
}

#[test]
fn every_level_comes_back() {
    let mut sizes = Vec::new();
    for level in 1..=9 {
        let mut deflater = Deflater::new(level);
        assert_eq!(deflater.level(), level);
        let messages = [ticks(30), ticks(1_000), ticks(30)];
        let payloads = messages.iter().map(|message| {
            let compressed = deflater.compress_alone(message).unwrap();
            assert!(compressed.len() < message.len() / 2, "{level}");
            compressed.to_vec()
        });
        let payloads: Vec<_> = payloads.collect();
        // Each on its own, so also in another order.
        let expected = messages.iter().map(binary).collect();
        assert_eq!(inflate(false, &payloads), (expected, None));
        assert_eq!(payloads[0], payloads[2]);
        sizes.push(payloads[1].len());
    }
    assert!(sizes.last() < sizes.first(), "{sizes:?}");
}

#[test]
fn what_does_not_become_shorter_stays_as_it_is() {
    let mut deflater = Deflater::new(6);
    assert_eq!(deflater.compress_alone(b""), None);
    assert_eq!(deflater.compress_alone(b"a"), None);
    assert_eq!(deflater.compress_alone(&noise(10_000)), None);
    assert_eq!(deflater.compress_next(&noise(10_000)), None);
    // The receiver has seen nothing of that.
    let message = ticks(30);
    let first = deflater.compress_next(&message).unwrap().to_vec();
    let second = deflater.compress_next(&message).unwrap().to_vec();
    assert!(second.len() < first.len() / 4);
    let whole = std::vec![binary(&message), binary(&message)];
    assert_eq!(inflate(true, &[first, second]), (whole, None));
}

#[test]
fn small_messages_become_shorter_by_those_before_them() {
    let mut deflater = Deflater::new(1);
    let messages: Vec<_> = (0..20).map(|n| std::format!("42[\"down\",{n}]")).collect();
    let mut payloads = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        assert_eq!(Deflater::new(1).compress_alone(message.as_bytes()), None);
        let payload = deflater.compress_next(message.as_bytes()).unwrap();
        assert!(n == 0 || payload.len() < message.len(), "{n}");
        payloads.push(payload.to_vec());
    }
    let expected = messages.iter().map(binary).collect();
    assert_eq!(inflate(true, &payloads), (expected, None));
}

#[test]
fn the_threshold_is_inclusive() {
    let message = ticks(30);
    let mut lent = Deflater::new(6);
    assert!(outgoing(false, message.len()).compress(&message, &mut lent).is_some());
    assert!(outgoing(false, message.len() + 1).compress(&message, &mut lent).is_none());
}

/// Its receiver keeps what it inflates, whoever compressed it.
#[test]
fn a_message_for_many_may_come_between_those_that_refer_to_one_another() {
    let mut lent = Deflater::new(6);
    let mut outgoing = outgoing(true, 0);
    let (own, shared) = (ticks(30), ticks(50));
    let mut payloads = Vec::new();
    for _ in 0..2 {
        payloads.push(outgoing.compress(&own, &mut lent).unwrap().to_vec());
        payloads.push(outgoing.compress(&own, &mut lent).unwrap().to_vec());
        outgoing.skip();
        payloads.push(lent.compress_alone(&shared).unwrap().to_vec());
    }
    assert!(payloads[1].len() < payloads[0].len() / 4);
    assert_eq!(payloads[0].len(), payloads[3].len());
    let expected = [&own, &own, &shared].into_iter().cycle().take(6).map(binary).collect();
    assert_eq!(inflate(true, &payloads), (expected, None));
}

#[test]
fn a_deflater_goes_on_past_its_counters() {
    let mut deflater = Deflater::new(1);
    let large = std::vec![0; 6 << 20];
    let message = ticks(30);
    let mut payloads = Vec::new();
    for _ in 0..4 {
        assert!(deflater.compress_next(&large).unwrap().len() < large.len() / 100);
        deflater.forget();
        payloads.push(deflater.compress_next(&message).unwrap().to_vec());
        payloads.push(deflater.compress_next(&message).unwrap().to_vec());
        deflater.forget();
    }
    let expected = std::vec![binary(&message); payloads.len()];
    assert_eq!(inflate(true, &payloads), (expected, None));
}
