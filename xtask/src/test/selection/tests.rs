use super::{Request, parse};

const STEPS: [&str; 3] = ["format", "clippy", "test"];

fn selected(arguments: &[&str]) -> Result<Vec<&'static str>, String> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    match parse(&arguments, &STEPS) {
        Ok(Request::List) => Err("a list".to_owned()),
        Ok(Request::Run(selection)) => {
            Ok(STEPS.into_iter().filter(|step| selection.includes(step)).collect())
        }
        Err(failure) => Err(failure.to_string()),
    }
}

#[test]
fn without_options_every_step_runs() {
    assert_eq!(selected(&[]), Ok(STEPS.to_vec()));
}

#[test]
fn only_and_skip_may_be_repeated_and_combined() {
    assert_eq!(selected(&["--only", "test,format"]), Ok(vec!["format", "test"]));
    assert_eq!(selected(&["--only=test", "--only", "format"]), Ok(vec!["format", "test"]));
    assert_eq!(selected(&["--skip=clippy"]), Ok(vec!["format", "test"]));
    assert_eq!(selected(&["--only", "format,test", "--skip", "test"]), Ok(vec!["format"]));
}

#[test]
fn what_would_run_nothing_by_mistake_is_refused() {
    for arguments in [
        &["--only", "tests"][..],
        &["--only", ""],
        &["--only"],
        &["--skip", "format,clippy,test"],
        &["--verbose"],
        &["test"],
    ] {
        assert!(selected(arguments).is_err(), "{arguments:?}");
    }
}

#[test]
fn list_runs_nothing() {
    assert_eq!(selected(&["--list"]), Err("a list".to_owned()));
}
