use super::*;

#[test]
fn what_servers_send() {
    let packet = br#"0{"sid":"a b+","upgrades":["webtransport","websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}"#;
    let expected = Handshake {
        sid: "a+b%2B".into(),
        offers_websocket: true,
        silence_max: Duration::from_millis(45_000),
        max_payload: Some(100),
    };
    assert_eq!(Handshake::decode(packet), Some(expected));
    let packet = br#"0{"sid":"x","pingInterval":1,"pingTimeout":18446744073709551615,"more":{}}"#;
    let handshake = Handshake::decode(packet).expect("it is one");
    assert_eq!(handshake.silence_max, Duration::from_millis(u64::MAX));
    assert!(!handshake.offers_websocket && handshake.max_payload.is_none());
    let packet = br#"0{"sid":"x","pingInterval":1,"pingTimeout":1,"maxPayload":0}"#;
    assert!(Handshake::decode(packet).expect("it is one").max_payload.is_none());
}

#[test]
fn malformed_ones_are_refused() {
    let long =
        alloc::format!(r#"0{{"sid":"{}","pingInterval":1,"pingTimeout":1}}"#, "x".repeat(513));
    let packets = [
        "",
        "0",
        "0{}",
        "0{",
        "0[]",
        r#"{"sid":"x","pingInterval":1,"pingTimeout":1}"#,
        r#"0{"sid":"","pingInterval":1,"pingTimeout":1}"#,
        r#"0{"sid":1,"pingInterval":1,"pingTimeout":1}"#,
        r#"0{"sid":"x","pingInterval":-1,"pingTimeout":1}"#,
        r#"0{"sid":"x","pingInterval":1}"#,
        &long,
    ];
    for packet in packets {
        assert_eq!(Handshake::decode(packet.as_bytes()), None, "{packet}");
    }
}
