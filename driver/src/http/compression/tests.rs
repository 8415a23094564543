use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::*;

fn accepts(fields: &[&str]) -> Option<Coding> {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
    }
    Coding::accepted(&headers)
}

#[test]
fn the_client_chooses() {
    let (gzip, deflate) = (Some(Coding::Gzip), Some(Coding::Deflate));
    for (field, expected) in [
        ("gzip", gzip),
        ("GZip", gzip),
        ("deflate", deflate),
        ("gzip, deflate, br", gzip),
        ("deflate, gzip", deflate),
        ("br, gzip;q=0.5, deflate;q=0.6", deflate),
        ("gzip;q=0.500, deflate;q=0.5", gzip),
        ("gzip ; Q=0.1", gzip),
        ("*", gzip),
        ("gzip;q=0, *", deflate),
        ("*, gzip;q=0", deflate),
        ("*;q=0.5, deflate;q=0.4", gzip),
        // Named before covered, at the same weight.
        ("*, deflate", deflate),
        ("gzip;q=1.000", gzip),
        ("gzip;q=0.001", gzip),
        ("gzip;level=9;q=0, deflate;q=1", deflate),
        ("", None),
        (",;,", None),
        ("br", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000, deflate;q=0.", None),
        ("*;q=0", None),
        ("gzip;q=", None),
        ("gzip;q=a", None),
        ("gzip;q=-1", None),
        ("gzip;q=0.0001", None),
        ("gzipped", None),
    ] {
        assert_eq!(accepts(&[field]), expected, "{field:?}");
    }
    assert_eq!(accepts(&[]), None);
    assert_eq!(accepts(&["br", "gzip;q=0.1", "deflate;q=0.2"]), deflate);
}

#[test]
fn a_weight_is_at_most_one() {
    for (text, expected) in
        [("1", 1000), ("1.999", 1000), ("0.7", 700), ("0.75", 750), ("0.705", 705), ("2", 0)]
    {
        assert_eq!(weight(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn what_was_encoded_decodes_to_the_same() {
    let body = "sansocket ".repeat(500).into_bytes();
    for level in [1, 6, 9] {
        let mut decoded = Vec::new();
        let encoded = Coding::Gzip.encode(&body, Compression::new(level)).unwrap();
        GzDecoder::new(&*encoded).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, body);
        decoded.clear();
        let encoded = Coding::Deflate.encode(&body, Compression::new(level)).unwrap();
        ZlibDecoder::new(&*encoded).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, body);
    }
}

#[test]
fn only_what_is_worth_it_is_compressed() {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let coding = |compression: HttpCompression, bytes: usize| {
        let response = compression.apply(&headers, Bytes::from(vec![b'a'; bytes]));
        response.headers().contains_key(CONTENT_ENCODING)
    };
    assert!(!coding(HttpCompression::default(), 1023));
    assert!(coding(HttpCompression::default(), 1024));
    let all = HttpCompression::default().threshold(0).level(0);
    assert!(coding(all, 100));
    // It would become larger.
    assert!(!coding(all, 1));
    assert!(!coding(all, 0));
}
