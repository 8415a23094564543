use super::*;

#[test]
fn names_the_programs() {
    let messages = "\
{\"reason\":\"compiler-artifact\",\"executable\":null,\"fresh\":true}
{\"reason\":\"compiler-artifact\",\"executable\":\"/target/debug/deps/core-1\",\"fresh\":true}
{\"reason\":\"build-finished\",\"success\":true}
";
    assert_eq!(
        executables(messages).into_iter().collect::<Vec<_>>(),
        ["/target/debug/deps/core-1"]
    );
}

#[test]
fn names_the_lines_that_were_not_reached() {
    let report = "SF:/project/core/src/a.rs\nDA:1,5\nDA:2,0\nDA:30,0\nend_of_record\n\
                  SF:/project/core/src/b.rs\nDA:7,10\nDA:8,0\nend_of_record\n";
    assert_eq!(
        missed_lines(report, Path::new("/project")),
        ["core/src/a.rs:2", "core/src/a.rs:30", "core/src/b.rs:8"]
    );
}
