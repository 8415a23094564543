use super::*;

#[test]
fn lengths_are_counted_in_code_points() {
    let cases = [
        (is_nick as fn(&str) -> bool, 32),
        (is_room, 64),
        (is_text, 4_000),
        (is_key, 64),
        (is_file_name, 255),
    ];
    for (fits, max) in cases {
        assert!(!fits(""));
        assert!(fits("\u{1f600}"));
        assert!(fits(&"\u{1f600}".repeat(max)), "{max}");
        assert!(!fits(&"x".repeat(max + 1)), "{max}");
    }
}

#[test]
fn names_have_no_margins_and_no_control_characters() {
    for fits in [is_nick, is_room] {
        assert!(fits("Ada Lovelace"));
        assert!(!fits(" Ada"));
        assert!(!fits("Ada\u{2003}"));
        assert!(!fits("A\tda"));
        assert!(!fits("A\u{85}da"));
    }
}

#[test]
fn a_text_is_more_than_white_space() {
    assert!(is_text(" two\nlines "));
    assert!(!is_text(" \n\t\u{3000}"));
}

#[test]
fn files_have_plain_types_and_some_bytes() {
    assert!(is_file_type(""));
    assert!(is_file_type(&"x".repeat(127)));
    assert!(!is_file_type(&"x".repeat(128)));
    assert!(!is_file_type("text/\u{e4}"));
    assert!(!is_file_type("text/html\n"));
    assert!(!is_file_name("a\nb"));
    assert!(!is_file_data(&[]));
    assert!(is_file_data(&[0]));
    assert!(is_file_data(&vec![0; 900_000]));
    assert!(!is_file_data(&vec![0; 900_001]));
}
