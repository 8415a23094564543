use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

fn tagged(tag: &'static [u8], bytes: &[u8]) -> Vec<u8> {
    [tag, bytes].concat()
}

/// Whatever is a value of its own.
fn leaf() -> impl Strategy<Value = Vec<u8>> {
    let one_of = |values: &'static [&'static [u8]]| {
        proptest::sample::select(values).prop_map(<[u8]>::to_vec)
    };
    prop_oneof![
        one_of(&[b"\xc0", b"\xc2", b"\xc3", b"\x00", b"\x7f", b"\xe0", b"\xff"]),
        one_of(&[
            b"\xd4\x00\x00",
            b"\xd4\x00\x07",
            b"\xd4\x01\x00",
            b"\xd5\x00ab",
            b"\xc7\x00\x05"
        ]),
        one_of(&[b"\xa0", b"\xa1\"", b"\xa2\xff\x0a", b"\xd9\x01x", b"\xda\x00\x01y", b"\xa1,"]),
        one_of(&[b"\xc4\x00", b"\xc4\x01\x05", b"\xc5\x00\x02\x00\xff", b"\xc7\x01\x00\x09"]),
        any::<u64>().prop_map(|value| tagged(b"\xcf", &value.to_be_bytes())),
        any::<i64>().prop_map(|value| tagged(b"\xd3", &value.to_be_bytes())),
        any::<u16>().prop_map(|value| tagged(b"\xcd", &value.to_be_bytes())),
        any::<i32>().prop_map(|value| tagged(b"\xd2", &value.to_be_bytes())),
        any::<f64>().prop_map(|value| tagged(b"\xcb", &value.to_be_bytes())),
        any::<f32>().prop_map(|value| tagged(b"\xca", &value.to_be_bytes())),
        any::<i64>().prop_map(|date| tagged(b"\xd7\x00", &date.to_be_bytes())),
        (-9_000_000_000_000_000..9_000_000_000_000_000_i64)
            .prop_map(|date| tagged(b"\xd7\x00", &date.to_be_bytes())),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    leaf().prop_recursive(4, 30, 6, |inner| {
        let text = b"\xa1a\xa1b\xa3num\xac_placeholder";
        let keys = [&text[0..2], &text[2..4], &text[4..8], &text[8..], b"\x05", b"\xff", b"\xc0"];
        let key = proptest::sample::select(keys.map(<[u8]>::to_vec).to_vec());
        let entry = (key, inner.clone()).prop_map(|(key, value)| [key, value].concat());
        let container = |tag: u8, values: Vec<Vec<u8>>| {
            [&[tag | values.len() as u8][..], &values.concat()].concat()
        };
        prop_oneof![
            vec(inner, 0..6).prop_map(move |values| container(0x90, values)),
            vec(entry, 0..6).prop_map(move |values| container(0x80, values)),
            Just(b"\x82\xac_placeholder\xc3\xa3num\x00".to_vec()),
        ]
    })
}

/// A change of one byte.
fn mutation() -> impl Strategy<Value = Option<(usize, u8)>> {
    weighted(0.3, (any::<usize>(), any::<u8>()))
}

fn mutated(mut bytes: Vec<u8>, mutation: Option<(usize, u8)>) -> Vec<u8> {
    if let Some((at, byte)) = mutation
        && !bytes.is_empty()
    {
        let at = at % bytes.len();
        bytes[at] = byte;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_agree(settings in any::<u8>(), value in value(), mutation in mutation()) {
        super::run(&[&[settings & 0xfc | 2][..], &mutated(value, mutation)].concat());
    }

    #[test]
    fn both_readers_agree_about_packets(
        settings in any::<u8>(),
        kind in 0..6_u8,
        namespace in "/?[a-c,?]{0,9}",
        args in vec(value(), 0..3),
        data in weighted(0.2, value()),
        id in weighted(0.4, leaf()),
        other in weighted(0.2, value()),
        mutation in mutation(),
    ) {
        let name = &[0xa0 | namespace.len() as u8];
        let args = || [&[0x91 + args.len() as u8][..], b"\xa1e", &args.concat()].concat();
        let mut fields = vec![
            [&b"\xa4type"[..], &[kind]].concat(),
            [&b"\xa4data"[..], &data.unwrap_or_else(args)].concat(),
            [&b"\xa3nsp"[..], name, namespace.as_bytes()].concat(),
        ];
        fields.extend(id.map(|id| tagged(b"\xa2id", &id)));
        fields.extend(other.map(|other| tagged(b"\xa7options", &other)));
        let packet = [&[0x80 | fields.len() as u8][..], &fields.concat()].concat();
        super::run(&[&[settings & 0xfc][..], &mutated(packet, mutation)].concat());
    }

    #[test]
    fn what_is_sent_arrives(count in 0..4_u8, json in "[\\[\\]{}\",:0-9a-e.\\\\unl_-]{0,40}") {
        super::run(&[b"\x03", &[count][..], b"[\"e\",", json.as_bytes(), b"]"].concat());
    }
}
