//! The command line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, ValueExt};
use sansocket_tokio::Transport;
use serde_json::Value;

pub(crate) const HELP: &str = r#"sansocket-cli: a client for Socket.IO, for the command line

Usage: sansocket-cli [OPTIONS] URL

The URL begins with http://, https://, ws:// or wss://; its path is the namespace. Each line of the
standard input is an event to emit: a JSON array of its name and arguments, as ["chat", "hello", 1], or
the bare name. Each thing that happens is a line of JSON on the standard output, with a "type":
connect, connect_error, disconnect, event, ack, ack_error, reconnect_attempt, reconnect_failed. Binary
data are {"$binary": "<base64>"}, both ways.

At the end of the standard input it waits for acknowledgements that are owed, and leaves.

  -n, --namespace NAME     the namespace, in place of the path of the URL
  -a, --auth JSON          what the server is told at each connect; @FILE reads it from a file
  -t, --transport NAME     polling or websocket; twice for an order. Both by default
      --msgpack            speaks MessagePack, as servers with socket.io-msgpack-parser do
  -p, --path PATH          the path of the server's endpoint. /socket.io/ by default
  -q, --query NAME=VALUE   adds to the query
  -H, --header NAME:VALUE  adds a header
  -e, --emit JSON          emits this first; may be repeated
  -f, --file EVENT=FILE    emits an event with what is in a file, as binary data; may be repeated
      --ack SECONDS        asks for an acknowledgement of each event
      --answer JSON        answers events that ask for it with this. Nothing by default
  -l, --listen             does not leave at the end of the standard input
  -c, --count N            leaves after so many events
      --no-reconnect       does not connect again
      --ca FILE            trusts the certificates of this PEM file alone
      --help, --version

Exit status: 0; 1 for a wrong command; 2 if the server cannot be reached or refuses; 3 if an
acknowledgement did not come, or an event was not sent.
"#;

/// What was asked for.
pub(crate) enum Request {
    Help,
    Version,
    Run(Box<Options>),
}

#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) namespace: Option<String>,
    pub(crate) auth: Option<Value>,
    pub(crate) transports: Vec<Transport>,
    pub(crate) msgpack: bool,
    pub(crate) path: Option<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) emits: Vec<Emit>,
    pub(crate) ack: Option<Duration>,
    pub(crate) answer: Option<Value>,
    pub(crate) listens: bool,
    pub(crate) count: Option<u64>,
    pub(crate) no_reconnect: bool,
    pub(crate) ca: Option<PathBuf>,
}

/// An event to emit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Emit {
    pub(crate) event: String,
    pub(crate) args: Vec<Value>,
}

type Failure = Box<dyn Error + Send + Sync>;

impl Options {
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, Failure> {
        let mut options = Self::default();
        let mut url = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("help") => return Ok(Request::Help),
                Arg::Long("version") => return Ok(Request::Version),
                Arg::Short('n') | Arg::Long("namespace") => {
                    options.namespace = Some(parser.value()?.string()?);
                }
                Arg::Short('a') | Arg::Long("auth") => {
                    options.auth = Some(json_or_file(&parser.value()?.string()?)?);
                }
                Arg::Short('t') | Arg::Long("transport") => {
                    options.transports.push(transport(&parser.value()?.string()?)?);
                }
                Arg::Long("msgpack") => options.msgpack = true,
                Arg::Short('p') | Arg::Long("path") => {
                    options.path = Some(parser.value()?.string()?);
                }
                Arg::Short('q') | Arg::Long("query") => {
                    options.query.push(pair(&parser.value()?.string()?, '=')?);
                }
                Arg::Short('H') | Arg::Long("header") => {
                    options.headers.push(pair(&parser.value()?.string()?, ':')?);
                }
                Arg::Short('e') | Arg::Long("emit") => {
                    options.emits.push(Emit::parse(&parser.value()?.string()?)?);
                }
                Arg::Short('f') | Arg::Long("file") => {
                    let (event, file) = pair(&parser.value()?.string()?, '=')?;
                    let data = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
                    options.emits.push(Emit { event, args: vec![crate::value::binary(&data)] });
                }
                Arg::Long("ack") => {
                    let seconds: f64 = parser.value()?.parse()?;
                    options.ack = Some(Duration::try_from_secs_f64(seconds)?);
                }
                Arg::Long("answer") => {
                    options.answer = Some(serde_json::from_str(&parser.value()?.string()?)?);
                }
                Arg::Short('l') | Arg::Long("listen") => options.listens = true,
                Arg::Short('c') | Arg::Long("count") => {
                    options.count = Some(parser.value()?.parse()?);
                }
                Arg::Long("no-reconnect") => options.no_reconnect = true,
                Arg::Long("ca") => options.ca = Some(parser.value()?.into()),
                Arg::Value(value) if url.is_none() => url = Some(value.string()?),
                Arg::Value(_) | Arg::Short(_) | Arg::Long(_) => {
                    return Err(argument.unexpected().into());
                }
            }
        }
        options.url = url.ok_or("which URL?")?;
        Ok(Request::Run(Box::new(options)))
    }
}

impl Emit {
    /// A JSON array of name and arguments, or a bare name.
    pub(crate) fn parse(line: &str) -> Result<Self, Failure> {
        let line = line.trim();
        if !line.starts_with('[') {
            return Ok(Self { event: line.to_owned(), args: Vec::new() });
        }
        let mut parts: Vec<Value> = serde_json::from_str(line)?;
        match parts.first() {
            Some(Value::String(_)) => {}
            Some(_) | None => return Err("an event begins with its name, a text".into()),
        }
        let args = parts.split_off(1);
        let event = parts.pop().and_then(|name| Some(name.as_str()?.to_owned()));
        Ok(Self { event: event.unwrap_or_default(), args })
    }
}

fn transport(name: &str) -> Result<Transport, Failure> {
    let all = [Transport::Polling, Transport::WebSocket];
    let transport = all.into_iter().find(|transport| transport.as_str() == name);
    transport.ok_or_else(|| format!("{name:?} is no transport").into())
}

fn pair(text: &str, separator: char) -> Result<(String, String), Failure> {
    let (name, value) =
        text.split_once(separator).ok_or_else(|| format!("{text:?} has no {separator:?}"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn json_or_file(text: &str) -> Result<Value, Failure> {
    let json = match text.strip_prefix('@') {
        Some(file) => &std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
        None => text,
    };
    Ok(serde_json::from_str(json)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, Failure> {
        Options::parse(lexopt::Parser::from_args(arguments.iter().copied()))
    }

    #[test]
    fn a_line_is_an_event() -> Result<(), Failure> {
        let emit = Emit::parse(r#" ["a b", 1, {"c": null}] "#)?;
        assert_eq!(emit, Emit { event: "a b".into(), args: vec![json!(1), json!({ "c": null })] });
        assert_eq!(Emit::parse("ping")?, Emit { event: "ping".into(), args: Vec::new() });
        for line in ["[", "[]", "[1]", r#"["a"] x"#] {
            assert!(Emit::parse(line).is_err(), "{line}");
        }
        Ok(())
    }

    #[test]
    fn options_and_their_values() -> Result<(), Failure> {
        let arguments = [
            "--transport=websocket",
            "-q",
            "a=b=c",
            "-H",
            "X: y",
            "--ack",
            "0.5",
            "-l",
            "--msgpack",
            "-c3",
            "--auth",
            r#"{"token":1}"#,
            "-e",
            "hello",
            "http://localhost",
        ];
        let Request::Run(options) = parse(&arguments)? else { panic!("it is to run") };
        assert_eq!(options.url, "http://localhost");
        assert_eq!(options.transports, [Transport::WebSocket]);
        assert_eq!(options.query, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(options.headers, [("X".to_owned(), "y".to_owned())]);
        assert_eq!(options.ack, Some(Duration::from_millis(500)));
        assert_eq!((options.listens, options.msgpack, options.count), (true, true, Some(3)));
        assert_eq!(options.auth, Some(json!({ "token": 1 })));
        assert_eq!(options.emits.len(), 1);
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong: [&[&str]; 7] = [
            &[],
            &["a", "b"],
            &["--transport", "tcp", "a"],
            &["--query", "a", "b"],
            &["--auth", "{", "a"],
            &["--ack", "-1", "a"],
            &["--what", "a"],
        ];
        for arguments in wrong {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
