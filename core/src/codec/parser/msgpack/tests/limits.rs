//! Every limit, at it and past it; and what a hostile message can cost.

use alloc::vec;

use super::*;

#[test]
fn depth_is_limited() {
    let nested = |depth: usize, inner: &[u8]| {
        // The array of the event is one level.
        event(&[&vec![0x91; depth - 1][..], inner].concat())
    };
    let limits = Limits { json_depth: 5, ..Limits::default() };
    assert!(receive(nested(5, b"\xc0"), &limits).is_ok());
    assert_eq!(receive(nested(6, b"\xc0"), &limits).map(drop), Err(PacketError::TooLong));
    // Binary data become an object, as with the default parser, and an extension an array of it.
    assert!(receive(nested(4, b"\xc4\x00"), &limits).is_ok());
    assert_eq!(receive(nested(5, b"\xc4\x00"), &limits).map(drop), Err(PacketError::TooLong));
    assert!(receive(nested(3, b"\xd4\x01\x00"), &limits).is_ok());
    assert_eq!(receive(nested(4, b"\xd4\x01\x00"), &limits).map(drop), Err(PacketError::TooLong));
    let limits = Limits { json_depth: usize::MAX, ..Limits::default() };
    assert!(receive(nested(127, b"\xc0"), &limits).is_ok());
    assert_eq!(receive(nested(128, b"\xc0"), &limits).map(drop), Err(PacketError::TooLong));
    let deep = receive(nested(1_000_000, b"\xc0"), &limits);
    assert_eq!(deep.map(drop), Err(PacketError::TooLong));
}

#[test]
fn what_is_passed_over_may_have_any_depth() {
    let options = [&vec![0x91; 100_000][..], b"\xc0"].concat();
    let packet =
        [&b"\x84\xa4type\x02\xa7options"[..], &options, b"\xa4data\x91\xa1e\xa3nsp\xa1/"].concat();
    assert!(receive(packet, &Limits::default()).is_ok());
    let mut maps = Vec::new();
    (0..100_000).for_each(|_| maps.extend_from_slice(b"\x81\xa0"));
    let packet =
        [&b"\x84\xa4type\x02\xa7options"[..], &maps, b"\xc0\xa4data\x91\xa1e\xa3nsp\xa1/"].concat();
    assert!(receive(packet, &Limits::default()).is_ok());
}

#[test]
fn attachments_are_limited() {
    let limits = Limits { attachments: 3, ..Limits::default() };
    let with =
        |count: u8| event(&[&[0x90 | count][..], &[0xc4, 1, 9].repeat(count.into())].concat());
    assert!(receive(with(3), &limits).is_ok());
    let error = receive(with(4), &limits).map(drop);
    assert_eq!(error, Err(PacketError::TooManyAttachments { limit: 3 }));
}

#[test]
fn names_are_limited() {
    let limits = Limits { namespace_bytes: 5, event_name_bytes: 3, ..Limits::default() };
    let packet = |namespace: &str, name: &str| {
        let parts = PacketParts {
            kind: PacketKind::Event,
            namespace: namespace.into(),
            ack: None,
            payload: alloc::format!("[\"{name}\"]").into(),
            attachments: Vec::new(),
        };
        match MessagePack.encode(&parts).expect("it has a form") {
            Wire::Binary(data) => receive(data, &limits).map(drop),
            Wire::Text(text) => panic!("{text}"),
        }
    };
    assert_eq!(packet("/1234", "abc"), Ok(()));
    assert_eq!(packet("/12345", "abc"), Err(PacketError::TooLong));
    assert_eq!(packet("/1234", "abcd"), Err(PacketError::TooLong));
}

#[test]
fn lengths_that_are_announced_cost_nothing() {
    // Arrays, maps, strings and binary data of four thousand million, and nothing of them.
    for tag in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
        let length = [tag, 0xff, 0xff, 0xff, 0xff];
        for value in [event(&length), event(&[&[0x91; 40][..], &length].concat()), length.to_vec()]
        {
            assert_eq!(
                receive(value, &Limits::default()).map(drop),
                Err(PacketError::InvalidPayload)
            );
        }
    }
    // In what is passed over too, and many of them.
    let options = b"\x82\xa7options".iter().chain([0xdd, 0xff, 0xff, 0xff, 0xff].iter().cycle());
    let packet: Vec<u8> = options.take(1_000_000).copied().collect();
    assert_eq!(receive(packet, &Limits::default()).map(drop), Err(PacketError::InvalidPayload));
}

#[test]
fn what_is_kept_is_six_times_the_message_at_most() {
    let len = 60_000_u16;
    let array = |value: &[u8]| {
        event(&[&[0xdc][..], &len.to_be_bytes(), &value.repeat(len.into())].concat())
    };
    let string = [&[0xda][..], &len.to_be_bytes(), &vec![1; len.into()]].concat();
    let values: [&[u8]; 7] =
        [b"\xc2", b"\xe0", b"\xa0", b"\x80", b"\xd0\x80", b"\xd4\0\0", b"\xa1\0"];
    let mut largest = 0;
    for message in values.iter().map(|value| array(value)).chain([event(&string)]) {
        let (packet, _) = receive(message.clone(), &Limits::default()).expect("a packet");
        largest = largest.max(packet.len_bytes() * 100 / message.len());
        assert!(packet.len_bytes() <= 6 * message.len(), "{:x?}", &message[20..30]);
    }
    // That is what a control character costs.
    assert!(largest > 590, "{largest}");
}

#[test]
fn a_small_attachment_does_not_keep_a_large_message() {
    let string = [&b"\xdb\x00\x01\x86\xa0"[..], &vec![b'x'; 100_000]].concat();
    let message = Bytes::from(event(&[&b"\x92\xc4\x04data"[..], &string].concat()));
    let (_, attachments) = receive(message.clone(), &Limits::default()).expect("a packet");
    assert!(!message.as_ptr_range().contains(&attachments[0].as_ptr()));

    let data = [&b"\xc6\x00\x01\x86\xa0"[..], &vec![7; 100_000]].concat();
    let message = Bytes::from(event(&data));
    let (_, attachments) = receive(message.clone(), &Limits::default()).expect("a packet");
    assert!(message.as_ptr_range().contains(&attachments[0].as_ptr()));
}
