use super::*;

fn parse(line: &str) -> Result<Option<Options>, UsageError> {
    Options::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn every_option_has_a_default() {
    assert_eq!(parse(""), Ok(Some(Options::default())));
}

#[test]
fn every_option_can_be_given() {
    let line = "--port 0 --host ::1 --client-dir some/dist --allow-origin http://localhost:8080";
    let expected = Options {
        host: "::1".parse().unwrap(),
        port: 0,
        client_dir: "some/dist".into(),
        allow_origin: Some("http://localhost:8080".to_owned()),
    };
    assert_eq!(parse(line), Ok(Some(expected)));
}

#[test]
fn help_needs_nothing_else() {
    assert_eq!(parse("--port 1 --help --nonsense"), Ok(None));
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(parse("--prot 1"), Err(UsageError::Unknown("--prot".into())));
    assert_eq!(parse("--port"), Err(UsageError::NoValue("--port")));
    assert_eq!(parse("--client-dir"), Err(UsageError::NoValue("--client-dir")));
    assert_eq!(parse("--port 65536"), Err(UsageError::BadValue("--port", "65536".into())));
    assert_eq!(parse("--host here"), Err(UsageError::BadValue("--host", "here".into())));
}
