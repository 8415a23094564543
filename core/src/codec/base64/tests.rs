use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// What `Buffer.from(text, "base64")` gives in Node.js.
const NODE: &[(&str, &[u8])] = &[
    ("", &[]),
    ("AQID", &[1, 2, 3]),
    ("AQI=", &[1, 2]),
    ("AQI", &[1, 2]),
    ("AQ==", &[1]),
    ("AQ", &[1]),
    ("A", &[]),
    ("-_-_", &[251, 255, 191]),
    ("+/+/", &[251, 255, 191]),
    ("A Q\nI D", &[1, 2, 3]),
    ("b!!!", &[]),
    ("!!!", &[]),
    ("AA", &[0]),
    ("AQ==AQID", &[1]),
    ("AQ=ID", &[1]),
    ("=AQID", &[]),
    ("AQI=x", &[1, 2]),
    ("AQID\u{e9}", &[1, 2, 3]),
    ("AQIDA", &[1, 2, 3]),
    ("AQIDBA", &[1, 2, 3, 4]),
    ("AQIDBAU", &[1, 2, 3, 4, 5]),
    ("AQIDBAU=", &[1, 2, 3, 4, 5]),
    ("AQIDBAUGB", &[1, 2, 3, 4, 5, 6]),
    ("*A*Q*I*D", &[1, 2, 3]),
    ("\u{ff}AQ", &[1]),
    ("AB", &[0]),
    ("/x", &[255]),
    ("_x==", &[255]),
    ("AQI,=D", &[1, 2]),
    ("AQ I=", &[1, 2]),
    ("AQID\u{1}BA", &[1, 2, 3, 4]),
];

#[test]
fn decodes_what_node_decodes() {
    for (text, data) in NODE {
        assert_eq!(decode(text.as_bytes()), *data, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decodes_what_it_encodes(data: Vec<u8>) {
        let mut text = Vec::from(*b"b");
        encode_into(&data, &mut text);
        prop_assert_eq!(text.len(), 1 + encoded_len(data.len()));
        prop_assert_eq!(&decode(&text[1..]), &data);
        prop_assert_eq!(decode_leniently(&text[1..]), data);
    }

    #[test]
    fn never_panics(text: Vec<u8>) {
        prop_assert!(decode(&text).len() <= text.len());
    }
}
