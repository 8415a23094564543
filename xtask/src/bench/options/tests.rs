use super::*;

fn parsed(line: &str) -> Result<Task, Failure> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    parse(&words)
}

#[test]
fn options_are_passed_on() {
    let task = parsed("--suite folder --rounds 3 --servers raw-tokio").expect("it is valid");
    let options = ["--rounds", "3", "--servers", "raw-tokio"].map(str::to_owned).to_vec();
    let suite = Task::Suite { folder: "folder".into(), threads: false, is_complete: true, options };
    assert_eq!(task, suite);
}

#[test]
fn a_part_of_the_cases_is_not_complete() {
    for line in ["--suite folder --quick", "--suite folder --threads --cases echo-1"] {
        let task = parsed(line).expect("it is valid");
        assert!(matches!(task, Task::Suite { is_complete: false, .. }), "{line}");
    }
}

#[test]
fn what_is_measured_must_be_said() {
    for line in ["", "--threads", "--suite", "--suite folder --pin none", "--render a b"] {
        assert!(parsed(line).is_err(), "{line}");
    }
}
