use super::{Runner, TestCounts};

fn count(runner: Runner, output: &str) -> TestCounts {
    let mut counts = TestCounts::default();
    for line in output.split_inclusive('\n') {
        counts.add_line(runner, line);
    }
    counts
}

#[test]
fn the_result_lines_of_several_test_programs_are_added_up() {
    let output = "\
running 3 tests
test codec::tests::round_trip ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s

test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.5s
";
    let counts = count(Runner::Cargo, output);
    assert_eq!(counts, TestCounts { passed: 7, failed: 2, skipped: 1 });
    assert_eq!(counts.to_string(), "7 passed, 2 failed, 1 skipped");
}

#[test]
fn both_of_nodes_reporters_are_understood() {
    let spec = "\
\u{2714} connects (5.1ms)
\u{2139} tests 6
\u{2139} suites 1
\u{2139} pass 3
\u{2139} fail 1
\u{2139} cancelled 1
\u{2139} skipped 1
\u{2139} todo 0
\u{2139} duration_ms 44.1
";
    let expected = TestCounts { passed: 3, failed: 2, skipped: 1 };
    assert_eq!(count(Runner::Node, spec), expected);
    assert_eq!(count(Runner::Node, &spec.replace('\u{2139}', "#")), expected);
}

#[test]
fn colours_do_not_hide_a_result() {
    let cargo = "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 5 passed; 0 failed; 0 ignored\n";
    assert_eq!(count(Runner::Cargo, cargo).passed(), 5);
    assert_eq!(count(Runner::Node, "\u{1b}[34m\u{2139} pass 2\u{1b}[39m\n").passed(), 2);
}

#[test]
fn a_line_that_only_looks_like_a_result_counts_nothing() {
    for line in ["test result: ok", "test result: ", "# pass", "# pass x", "    # pass 3", ""] {
        for runner in [Runner::Cargo, Runner::Node] {
            assert_eq!(count(runner, line), TestCounts::default(), "{runner:?} {line:?}");
        }
    }
}

#[test]
fn the_closing_line_names_skipped_tests_only_when_there_are_some() {
    assert_eq!(TestCounts { passed: 12, failed: 0, skipped: 0 }.to_string(), "12 passed, 0 failed");
}
