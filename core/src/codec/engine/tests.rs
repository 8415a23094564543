use std::format;
use std::string::String;

use proptest::prelude::*;

use super::*;
use crate::codec::socket::PacketKind;

fn decode(text: &str) -> Result<Inbound, EngineError> {
    decode_text(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

#[test]
fn decodes_every_type() {
    let decoded = |text| format!("{:?}", decode(text));
    assert_eq!(decoded("0{}"), "Ok(Open)");
    assert_eq!(decoded("1"), "Ok(Close)");
    assert_eq!(decoded("2"), "Ok(Ping { probe: false })");
    assert_eq!(decoded("2probe"), "Ok(Ping { probe: true })");
    assert_eq!(decoded("2probes"), "Ok(Ping { probe: false })");
    assert_eq!(decoded("3"), "Ok(Pong { probe: false })");
    assert_eq!(decoded("3probe"), "Ok(Pong { probe: true })");
    assert_eq!(decoded("5"), "Ok(Upgrade)");
    assert_eq!(decoded("5anything"), "Ok(Upgrade)");
    assert_eq!(decoded("6"), "Ok(Noop)");
    assert_eq!(decoded("bAQID"), r#"Ok(Binary(b"\x01\x02\x03"))"#);
    assert_eq!(decoded("b!!!"), r#"Ok(Binary(b""))"#);
    assert_eq!(decoded("b"), r#"Ok(Binary(b""))"#);
    assert_eq!(decoded("4"), "Ok(Message(Err(Empty)))");
    assert_eq!(decoded("42["), "Ok(Message(Err(InvalidPayload)))");
    assert!(
        matches!(decode("40"), Ok(Inbound::Message(Ok(packet))) if packet.kind == PacketKind::Connect)
    );
    assert_eq!(format!("{:?}", decode_binary(Bytes::from_static(b"4"))), r#"Binary(b"4")"#);
}

#[test]
fn refuses_other_types() {
    assert_eq!(decode("").unwrap_err(), EngineError::Empty);
    for (text, byte) in [("7", b'7'), ("a", b'a'), (" 2", b' '), ("\u{1e}", 0x1e), ("\u{e9}", 0xc3)]
    {
        assert_eq!(decode(text).unwrap_err(), EngineError::UnknownType { byte });
    }
}

#[test]
fn encodes_the_handshake() {
    let handshake = Handshake {
        sid: "lv_VI97HAXpY6yYWAAAC",
        upgrades: &["websocket", "webtransport"],
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_millis(20_000),
        max_payload: 1_000_000,
    };
    let message = handshake.encode();
    assert_eq!(
        core::str::from_utf8(message.frames()[0].packet()),
        Ok(concat!(
            r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket","webtransport"],"#,
            r#""pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
        ))
    );
    let message = Handshake { upgrades: &[], ..handshake }.encode();
    let text = String::from_utf8_lossy(message.frames()[0].packet()).into_owned();
    assert!(text.contains(r#""upgrades":[],"#));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = decode_text(Bytes::from(bytes), &Limits::default());
    }
}
