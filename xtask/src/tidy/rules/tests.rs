use super::{UNFINISHED, broken_links, check, is_text};

#[test]
fn a_tidy_file_has_no_findings() {
    let text = "//! Words.\n\nfn main() {}\n";
    assert_eq!(check("core/src/lib.rs", text), [""; 0]);
    assert_eq!(check("core/src/empty.rs", ""), [""; 0]);
}

#[test]
fn only_tests_may_be_long() {
    let long = "// A line.\n".repeat(501);
    assert_eq!(check("core/src/a.rs", &long), ["core/src/a.rs: 501 lines, and 500 are the limit"]);
    for path in ["core/src/a/tests.rs", "tests/src/world.rs", "README.md"] {
        assert_eq!(check(path, &long), [""; 0], "{path}");
    }
    assert_eq!(check("core/src/a.rs", &long["// A line.\n".len()..]), [""; 0]);
}

#[test]
fn whitespace_at_an_end_is_found() {
    assert_eq!(check("a.md", "a \nb\t\nc\r\nd\n").len(), 3);
    assert_eq!(check("a.md", "a"), ["a.md: must end with exactly one line feed"]);
    assert_eq!(check("a.md", "a\n\n"), ["a.md: must end with exactly one line feed"]);
}

#[test]
fn unfinished_work_is_found_with_its_line() {
    for word in UNFINISHED {
        let findings = check("a.rs", &format!("\n    {word}\n"));
        assert_eq!(findings, [format!("a.rs:2: `{word}` must not be committed")]);
    }
}

#[test]
fn only_absolute_paths_of_one_machine_are_found() {
    let finds = |before: &str| !check("a.md", &format!("{before}/{}/x\n", "home")).is_empty();
    for before in ["", "see ", "\"", "`", "=", "(", "file="] {
        assert!(finds(before), "{before:?}");
    }
    for before in ["https://example.org", "docs", "..", "$HOME", "{folder}"] {
        assert!(!finds(before), "{before:?}");
    }
}

#[test]
fn a_lock_file_names_no_download_address() {
    let line = "      \"resolved\": \"https://example.org/a.tgz\",\n";
    assert_eq!(check("examples/chat/package-lock.json", line).len(), 1);
    assert_eq!(check("vectors.json", line), [""; 0]);
}

#[test]
fn links_are_followed_from_the_folder_of_the_document() {
    let text = "\
[a](b.md) [c](../README.md#part) [d](https://example.org) [e](#here) `[f](gone.md)`
```
[g](gone.md)
```
[h](gone.md \"title\") [i](../../outside.md) [j](mailto:a@example.org)
";
    let exists = |path: &std::path::Path| {
        ["docs/b.md", "README.md"].iter().any(|known| path == std::path::Path::new(known))
    };
    assert_eq!(broken_links("docs/a.md", text, exists), ["gone.md", "../../outside.md"]);
    assert_eq!(broken_links("docs/a.rs", text, exists), [""; 0]);
}

#[test]
fn recorded_bytes_are_not_text() {
    for path in ["core/src/lib.rs", ".ci/run", "tests/interop/.npmrc", "docs/a.md"] {
        assert!(is_text(path), "{path}");
    }
    for path in ["fuzz/corpus/frame/0001", "tests/vectors/a.bin", "logo.png", "LICENSE-MIT"] {
        assert!(!is_text(path), "{path}");
    }
}
