//! What holds for any values, and for any bytes.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec as vector};
use proptest::prelude::*;
use serde::{Serialize, Serializer};

use super::*;

/// A value with binary data.
#[derive(Clone, Debug)]
enum Tree {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Data(Vec<u8>),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => value.serialize(serializer),
            Self::Unsigned(value) => value.serialize(serializer),
            Self::Signed(value) => value.serialize(serializer),
            Self::Float(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Data(value) => serializer.serialize_bytes(value),
            Self::List(value) => value.serialize(serializer),
            Self::Map(value) => value.serialize(serializer),
        }
    }
}

/// Floats that are no integers, which would come back as such.
fn float() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|value| if value.fract() == 0.0 { value + 0.5 } else { value })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<u64>().prop_map(Tree::Unsigned),
        (0..70_000_u64).prop_map(Tree::Unsigned),
        any::<i64>().prop_map(Tree::Signed),
        (-70_000..300_i64).prop_map(Tree::Signed),
        float().prop_filter("an integer", |value| value.fract() != 0.0).prop_map(Tree::Float),
        any::<String>().prop_map(Tree::Text),
        "[\\PC\"\\\\\0-\x1f]{0,40}".prop_map(Tree::Text),
        vector(any::<u8>(), 0..300).prop_map(Tree::Data),
    ];
    leaf.prop_recursive(5, 60, 20, |inner| {
        prop_oneof![
            vector(inner.clone(), 0..20).prop_map(Tree::List),
            btree_map(any::<String>(), inner, 0..20).prop_map(Tree::Map),
        ]
    })
}

fn limits() -> Limits {
    Limits { attachments: usize::MAX, ..Limits::default() }
}

/// Bytes that begin as packets do, more often than chance would have it.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop_oneof![any::<u8>(), 0x80..=0xa5_u8, 0xc0..=0xdf_u8, Just(0), Just(b'/')];
    prop_oneof![
        vector(any::<u8>(), 0..200),
        vector(tags.clone(), 0..200).prop_map(|value| event(&value)),
        vector(tags, 0..200).prop_map(|value| [&b"\x83\xa4type\x00\xa4data"[..], &value].concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_arrives(args in vector(tree(), 0..4), id in proptest::option::of(0_u64..1 << 53)) {
        let id = id.and_then(AckId::new);
        let message = Message::event(&mut Encoder::new(), "/chat", "e", &(&args,), id).unwrap();
        let (header, attachments) = message.frames().split_first().unwrap();
        let expected = Packet::decode(header.packet_bytes(), &limits()).unwrap();
        let expected_data: Vec<_> = attachments.iter().map(Frame::packet_bytes).collect();
        let (packet, data) = receive(encoded(&message), &limits()).unwrap();
        prop_assert_eq!(&data, &expected_data);
        prop_assert_eq!(packet.ack, expected.ack);
        prop_assert_eq!(packet.namespace(), "/chat");
        prop_assert_eq!(packet.payload(), expected.payload());
        // And once more is the same.
        let again = Message::ack(&mut Encoder::new(), "/", AckId::MAX, &packet.into_args(data));
        let (again, data) = receive(encoded(&again.unwrap()), &limits()).unwrap();
        let sent = expected.into_args(expected_data);
        prop_assert!(sent.iter().eq(again.into_args(data).iter()));
    }

    #[test]
    fn no_bytes_do_harm(bytes in likely(), depth in 0_usize..20) {
        let limits = Limits { json_depth: depth, attachments: 3, ..Limits::default() };
        if let Ok((packet, attachments)) = receive(bytes.clone(), &limits) {
            prop_assert_eq!(packet.attachments as usize, attachments.len());
            prop_assert!(attachments.len() <= 3);
            let kept: usize = attachments.iter().map(Bytes::len).sum();
            prop_assert!(kept <= bytes.len());
            prop_assert!(packet.len_bytes() <= 6 * bytes.len() + 40 * attachments.len());
            if packet.kind == PacketKind::Event {
                let args = packet.into_args(attachments);
                prop_assert_eq!(args.iter().count(), args.len());
            }
        }
    }

    #[test]
    fn any_json_can_be_sent(value in any::<String>()) {
        // Only a parser's caller can hand over what is no JSON; it must not panic either.
        let parts = PacketParts {
            kind: PacketKind::Event,
            namespace: "/".into(),
            ack: None,
            payload: value.into(),
            attachments: Vec::new(),
        };
        let _ = MessagePack.encode(&parts);
    }
}
