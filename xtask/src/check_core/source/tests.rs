use super::{blank_comments_and_literals, is_test, lines_naming_std};

#[test]
fn code_that_names_std_is_found_with_its_line() {
    let source = "\
#![no_std]
use std::net::TcpStream;
fn clock() -> std::time::Instant { std::time::Instant::now() }
extern crate std;
use {core::fmt, std as other};
";
    assert_eq!(lines_naming_std(source), [2, 3, 4, 5]);
}

#[test]
fn comments_literals_and_longer_words_are_not_code() {
    let source = r##"
//! std::time is not for us.
/* std /* std::net */ std */
const A: &str = "std::net \" std";
const B: &str = r#"std "quoted" std"#;
const C: &[u8] = br"std\";
const D: [char; 2] = ['"', '\''];
fn lifetimes<'a>(stdin: &'a str, my_std: &'a str) {}
#![no_std]
"##;
    assert_eq!(lines_naming_std(source), [0; 0]);
}

#[test]
fn code_after_a_literal_is_still_code() {
    for literal in ["'\"'", "'\\''", r##"r#"""#"##, "/* \" */", "b'\\\\'", "\"\\\\\""] {
        let source = format!("let x = {literal}; std::process::abort();");
        assert_eq!(lines_naming_std(&source), [1], "{source}");
    }
}

#[test]
fn test_items_may_name_std() {
    let source = "\
#[cfg(test)]
extern crate std;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod helpers {
    fn array(_: [u8; 3]) { std::thread::yield_now(); }
}
#[cfg(test)]
fn array(_: [u8; 3]) { std::thread::yield_now(); }
fn after() { std::process::abort(); }
";
    assert_eq!(lines_naming_std(source), [11]);
}

#[test]
fn what_never_ends_is_read_to_the_end() {
    for source in ["/* std", "\"std", "r#\"std\"", "'\\", "#[cfg(test)] mod tests { std", "'"] {
        assert_eq!(lines_naming_std(source), [0; 0], "{source}");
        assert!(blank_comments_and_literals(source).len() <= source.len());
    }
}

#[test]
fn test_files_are_told_by_their_name() {
    assert!(is_test("core/src/codec/tests.rs"));
    assert!(is_test("core/src/codec/tests/vectors.rs"));
    assert!(!is_test("core/src/contests.rs"));
}
