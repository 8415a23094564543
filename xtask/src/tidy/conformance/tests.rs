use super::*;

#[test]
fn rows_are_told_from_heads_and_rules() {
    let text = "\
# Title

| behaviour | proof |
| --- | --- |
| one | `a.rs` first; deviation: something |
| two | |
| three \\|\\| four | why | `b.mjs` second |

no row | at all
";
    let expected = [
        ("one", "`a.rs` first; deviation: something"),
        ("two", ""),
        ("three \\|\\| four", "`b.mjs` second"),
    ];
    assert_eq!(rows(text).collect::<Vec<_>>(), expected);
}

#[test]
fn tests_are_found_by_file_and_name() {
    assert_eq!(test("`a/b.rs` name"), Some(("a/b.rs", "name")));
    assert_eq!(test("a/b.rs name"), None);
    assert!(is_meant("tests/tests/http/hooks.rs", "http/hooks.rs"));
    assert!(!is_meant("tests/tests/other_hooks.rs", "hooks.rs"));
    assert!(has_test("a.rs", "async fn name() {", "name"));
    assert!(!has_test("a.rs", "async fn name_of_more() {", "name"));
    assert!(has_test("a.mjs", "test(`closes: ${name}`, () => {})", "closes: ${name}"));
    assert!(has_test("a.mjs", "`${a || b}`", "${a \\|\\| b}"));
    assert!(!has_test("a.mjs", "test(\"closes\")", "close"));
}
