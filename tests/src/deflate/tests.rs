use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;

fn inflate(input: &[u8], bytes_max: usize) -> (Vec<u8>, Result<usize, Fault>) {
    let mut output = Vec::new();
    let mut reader = Inflate::new(input);
    loop {
        match reader.block(&mut output, bytes_max) {
            Ok(false) => {}
            Ok(true) => return (output, Ok(reader.position())),
            Err(fault) => return (output, Err(fault)),
        }
    }
}

#[test]
fn what_was_compressed_comes_back() {
    let noise = (0..3_000_u32).map(|n| (n.wrapping_mul(n) >> 3) as u8);
    let text = b"the same words, and the same words again; ".repeat(2_000);
    let content = [noise.collect(), text, b"abc".to_vec()].concat();
    for level in 0..=9 {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(&content[..5_000]).unwrap();
        encoder.flush().unwrap();
        encoder.write_all(&content[5_000..]).unwrap();
        let mut compressed = encoder.finish().unwrap();
        let end = compressed.len();
        compressed.extend_from_slice(b"what follows");
        assert_eq!(inflate(&compressed, 1_000_000), (content.clone(), Ok(end)), "level {level}");
        let (output, result) = inflate(&compressed, 4_000);
        assert_eq!((&*output, result), (&content[..4_001], Err(Fault::TooLong)));
        let (output, result) = inflate(&compressed[..end - 1], 1_000_000);
        assert!(content.starts_with(&output));
        assert_eq!(result, Err(Fault::Short));
    }
}

#[test]
fn what_is_none_is_refused() {
    for (input, what) in [
        (&[0x07][..], "a type of blocks that there is not"),
        (&[0x01, 1, 0, 0xff, 0xff], "a length with another complement"),
        (&[0x03, 0x02], "something before the beginning"),
        (&[0xfd, 0xff, 0xff], "more codes than there are symbols"),
        (&[0x05, 0x00, 0x92, 0x04], "more codes of a length than fit"),
        (&[0x05, 0x00, 0xfe, 0x1f], "codes that leave some unused"),
    ] {
        assert_eq!(inflate(input, 1_000), (Vec::new(), Err(Fault::Invalid)), "{what}");
    }
    assert_eq!(inflate(&[], 1_000).1, Err(Fault::Short));
}

#[test]
fn a_message_is_read_and_written() {
    let mut output = b"before".to_vec();
    for message in [&b""[..], b"a", b"[\"text\"]", &[0, 143, 144, 255], &[0xaa; 1_000]] {
        let start = output.len();
        assert_eq!(read_message(&write_message(message), &mut output, 1_000), Ok(()));
        assert_eq!(&output[start..], message);
    }
    // The examples of RFC 7692, 7.2.3: in one block, with what was before, stored, and the last block.
    for message in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
        &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ] {
        assert_eq!(read_message(message, &mut output, 5), Ok(()));
        assert!(output.ends_with(b"Hello"));
    }
    assert_eq!(read_message(&write_message(b"six..."), &mut output, 5), Err(Fault::TooLong));
}

#[test]
fn a_file_of_gzip_is_checked() {
    let content = b"content ".repeat(100);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&content).unwrap();
    let file = encoder.finish().unwrap();
    assert_eq!(gunzip(&file), Some(content));
    for at in [0, 4 + 6, file.len() - 8, file.len() - 1] {
        let mut other = file.clone();
        other[at] ^= 1;
        assert_eq!(gunzip(&other), None, "{at}");
    }
}
