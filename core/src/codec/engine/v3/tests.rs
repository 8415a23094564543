use std::format;

use super::*;

fn text(packet: &'static str) -> Result<Inbound, EngineError> {
    decode_text(Bytes::from_static(packet.as_bytes()), &Limits::default())
}

#[test]
fn text_packets_are_those_of_engine_io_4_but_for_binary_data() {
    for packet in ["0", "1", "2", "2probe", "3probe", "5", "6", "9", "", "42[\"a\"]", "4"] {
        let v4 = engine::decode_text(Bytes::from_static(packet.as_bytes()), &Limits::default());
        assert_eq!(format!("{:?}", text(packet)), format!("{v4:?}"), "{packet}");
    }
    assert!(matches!(text("b4AQI="), Ok(Inbound::Binary(data)) if *data == [1, 2]));
    assert!(matches!(text("b4"), Ok(Inbound::Binary(data)) if data.is_empty()));
    assert_eq!(text("bAQI=").unwrap_err(), EngineError::UnknownType { byte: b'A' });
    assert_eq!(text("b2AQI=").unwrap_err(), EngineError::UnknownType { byte: b'2' });
    assert_eq!(text("b").unwrap_err(), EngineError::Empty);
}

#[test]
fn binary_packets_begin_with_the_value_of_their_type() {
    let binary = |packet: &'static [u8]| decode_binary(Bytes::from_static(packet));
    assert!(matches!(binary(&[4, 1, 2]), Ok(Inbound::Binary(data)) if *data == [1, 2]));
    assert!(matches!(binary(&[4]), Ok(Inbound::Binary(data)) if data.is_empty()));
    assert_eq!(binary(b"4\x01").unwrap_err(), EngineError::UnknownType { byte: b'4' });
    assert_eq!(binary(&[2]).unwrap_err(), EngineError::UnknownType { byte: 2 });
    assert_eq!(binary(&[]).unwrap_err(), EngineError::Empty);
}
