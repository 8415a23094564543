use sansocket_core::PacketError;
use sansocket_core::codec::json::{MAX_DEPTH, validate};

use super::{Tree, compare, depth, is_json};

#[test]
fn serde_json_passes_over_any_depth_and_we_do_not() {
    for depth in [MAX_DEPTH, MAX_DEPTH + 1] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(text.as_bytes()));
        let expected = if depth > MAX_DEPTH { Err(PacketError::TooLong) } else { Ok(()) };
        assert_eq!(validate(text.as_bytes(), usize::MAX), expected);
        compare(text.as_bytes(), usize::MAX);
        compare(text.as_bytes(), 5);
    }
}

#[test]
fn values_that_are_json_and_cannot_be_built_in_rust() {
    let deep = "[".repeat(128) + &"]".repeat(128);
    for text in [r#""\ud800""#, "1e999", &deep] {
        assert!(is_json(text.as_bytes()));
        compare(text.as_bytes(), MAX_DEPTH);
        assert_eq!(Tree::parse(text), None);
    }
}

#[test]
fn brackets_in_strings_do_not_nest() {
    assert_eq!(depth(br#"[{"[\"[":"]]"},[]]"#), 2);
    assert_eq!(depth(b"1"), 0);
}

#[test]
fn the_last_duplicate_decides_about_a_placeholder() {
    let placeholder = |text| Tree::parse(text).expect("JSON").placeholder();
    assert_eq!(placeholder(r#"{"_placeholder":true,"num":1}"#), Some(Some(1)));
    assert_eq!(placeholder(r#"{"num":2,"_placeholder":false,"_placeholder":true}"#), Some(Some(2)));
    assert_eq!(placeholder(r#"{"_placeholder":true,"num":-1}"#), Some(None));
    assert_eq!(placeholder(r#"{"_placeholder":true,"num":10e-1}"#), Some(Some(1)));
    assert_eq!(placeholder(r#"{"_placeholder":1,"num":1}"#), None);
    assert_eq!(placeholder("[]"), None);
}
