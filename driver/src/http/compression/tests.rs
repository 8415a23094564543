use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::*;

fn accepts(fields: &[&str]) -> Option<Coding> {
    chosen(fields, None)
}

fn chosen(fields: &[&str], preferred: Option<Coding>) -> Option<Coding> {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
    }
    Coding::accepted(&headers, preferred)
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

#[cfg(feature = "brotli")]
#[test]
fn brotli_is_the_first_of_equals() {
    let brotli = HttpCompression::default().brotli(5).preferred;
    let (gzip, deflate) = (Some(Coding::Gzip), Some(Coding::Deflate));
    for (field, expected) in [
        ("br", brotli),
        ("BR;q=0.001", brotli),
        ("gzip, deflate, br", brotli),
        ("br, deflate", brotli),
        ("deflate;q=0.5, gzip;q=0.5, br;q=0.5", brotli),
        ("gzip;q=0.9, br", brotli),
        // What weighs more comes before it, and among others their order counts.
        ("gzip, br;q=0.9", gzip),
        ("deflate, gzip, br;q=0.9", deflate),
        ("gzip;q=0.5, deflate;q=0.6, br;q=0.4", deflate),
        // Named before covered, at the same weight.
        ("gzip, *", gzip),
        ("*, br", brotli),
        ("*;q=0.5, br;q=0.4", gzip),
        ("*", gzip),
        ("gzip;q=0, *", deflate),
        ("gzip;q=0, deflate;q=0, *", brotli),
        ("gzip;q=0.5, *", deflate),
        ("br;q=0, *", gzip),
        ("br;q=0, deflate, gzip", deflate),
        ("br;q=0", None),
        ("br;q=a", None),
        ("*;q=0", None),
        ("brotli", None),
        ("", None),
    ] {
        assert_eq!(chosen(&[field], brotli), expected, "{field:?}");
    }
    assert_eq!(chosen(&[], brotli), None);
    assert_eq!(chosen(&["gzip, deflate", "br"], brotli), brotli);
}

#[cfg(feature = "brotli")]
#[test]
fn brotli_is_what_was_asked_for_or_the_nearest() {
    for (quality, expected) in [(0, 0), (5, 5), (11, 11), (12, 11), (u32::MAX, 11)] {
        let compression = HttpCompression::default().brotli(quality);
        assert_eq!(compression.preferred, Some(Coding::Brotli(expected)));
    }
}

#[cfg(feature = "brotli")]
#[test]
fn the_window_is_as_small_as_the_body_allows() {
    for (bytes, quality, expected) in [
        (0, 4, 10),
        (1_008, 4, 10),
        (1_009, 4, 11),
        (16_368, 11, 14),
        (16_369, 11, 15),
        (1_000, 5, 17),
        (1_000, 8, 17),
        (1_000, 9, 10),
        (200_000, 5, 18),
        (1 << 30, 4, 19),
        (usize::MAX, 8, 19),
    ] {
        assert_eq!(brotli_window(bytes, quality), expected, "{bytes} at {quality}");
    }
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

#[cfg(feature = "brotli")]
#[test]
fn what_was_encoded_in_brotli_decodes_to_the_same() {
    let numbered: String = (0..60_000).map(|number| format!("[{number},\"sansocket\"],")).collect();
    for bytes in [0, 1, 1_008, 1_009, 70_000, numbered.len()] {
        let body = &numbered.as_bytes()[..bytes];
        for quality in [0, 1, 4, 5, 8, 9, 11] {
            // The best takes seconds for much, where it is not optimised.
            if quality > 9 && bytes > 10_000 {
                continue;
            }
            let encoded = Coding::Brotli(quality).encode(body, Compression::default()).unwrap();
            let is_smaller = encoded.len() < bytes / 2;
            assert_eq!(is_smaller, bytes > 1, "{bytes} at {quality}: {}", encoded.len());
            let mut decoded = Vec::new();
            brotli::Decompressor::new(&*encoded, 4096).read_to_end(&mut decoded).unwrap();
            assert!(decoded == body, "{bytes} at {quality}");
        }
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
