use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};

use super::*;

/// `character` and 19 others that are allowed.
fn beginning_with(character: u8) -> String {
    format!("{}lv_VI97HAXpY6yYWAAA", char::from(character))
}

#[test]
fn the_first_character_names_the_shard() {
    for (shard, &character) in ALPHABET.iter().enumerate() {
        let text = beginning_with(character);
        assert_eq!(Sid::parse(&text).map(|id| id.shard()), Some(shard), "{text}");
        assert_eq!(SocketId::parse(&text).map(|id| id.shard()), Some(shard), "{text}");
        let mut entropy = Entropy::new([7; 32]);
        assert_eq!(Sid::generate(shard as u8, &mut entropy).shard(), shard);
        assert_eq!(SocketId::generate(shard as u8, &mut entropy).shard(), shard);
    }
    assert_eq!(ALPHABET.iter().collect::<BTreeSet<_>>().len(), SHARDS_MAX);
}

#[test]
fn parses_what_it_generates_and_nothing_else() {
    let mut entropy = Entropy::new([7; 32]);
    let id = SocketId::generate(5, &mut entropy);
    assert_eq!(SocketId::parse(id.as_str()), Some(id));
    let sid = Sid::generate(5, &mut entropy);
    assert_eq!(Sid::parse(sid.as_str()), Some(sid));
    assert_ne!(sid.as_str(), id.as_str());

    for text in ["", "A", "lv_VI97HAXpY6yYWAAA", "lv_VI97HAXpY6yYWAAAAC5", "é_VI97HAXpY6yYWAAAA"] {
        assert_eq!(Sid::parse(text), None, "{text}");
        assert_eq!(SocketId::parse(text), None, "{text}");
    }
    for byte in 0..128 {
        let is_allowed = ALPHABET.contains(&byte);
        assert_eq!(Sid::parse(&beginning_with(byte)).is_some(), is_allowed, "{byte}");
    }
}

#[test]
fn a_session_id_is_not_shown() {
    let text = beginning_with(b'B');
    let shown = format!("{:?}", Sid::parse(&text).unwrap());
    assert_eq!(shown, "Sid(..)");
}

#[test]
fn a_socket_id_is_shown_and_written_as_its_characters() {
    let text = beginning_with(b'B');
    let id = SocketId::parse(&text).unwrap();
    assert_eq!(id.to_string(), text);
    assert_eq!(format!("{id:?}"), format!("SocketId({text})"));
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<SocketId>(&json).unwrap(), id);
    assert!(serde_json::from_str::<SocketId>("\"B\"").is_err());
}
