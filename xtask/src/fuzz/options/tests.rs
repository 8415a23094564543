use super::{Request, parse};

fn request(arguments: &[&str]) -> Result<Request, String> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    parse(&arguments, &["canary", "packet"]).map_err(|failure| failure.to_string())
}

fn run(seconds: u64, jobs: u32) -> Result<Request, String> {
    Ok(Request::Run { target: "packet".to_owned(), seconds, jobs })
}

#[test]
fn a_target_is_run_for_a_minute_unless_told_otherwise() {
    assert_eq!(request(&["packet"]), run(60, 1));
    assert_eq!(request(&["packet", "--seconds", "5", "--jobs", "2"]), run(5, 2));
    assert_eq!(request(&["--seconds", "5", "packet"]), run(5, 1));
    assert_eq!(request(&["--list"]), Ok(Request::List));
    let minimise = Request::Minimise { target: "packet".to_owned() };
    assert_eq!(request(&["packet", "--minimise"]), Ok(minimise));
}

#[test]
fn what_would_run_something_else_is_refused() {
    for arguments in [
        &[][..],
        &["unknown"],
        &["packet", "canary"],
        &["packet", "--second", "5"],
        &["packet", "--seconds"],
        &["packet", "--seconds", "0"],
        &["packet", "--seconds", "-1"],
        &["packet", "--jobs", "x"],
        &["packet", "--jobs", "5000000000"],
        &["packet", "--minimise", "--seconds", "5"],
    ] {
        assert!(request(arguments).is_err(), "{arguments:?}");
    }
}
