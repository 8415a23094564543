//! The program, against a server of ours.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use sansocket_tokio::{Ack, Args, Builder, ConnectError, MessagePack, Server, Socket};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

struct Cli {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Cli {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sansocket-cli"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program is there");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, input, output }
    }

    async fn line(&mut self, text: &str) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(format!("{text}\n").as_bytes()).await.expect("it reads");
    }

    async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("a line in time");
        serde_json::from_str(&line.expect("a text").expect("a line")).expect("JSON")
    }

    async fn end(mut self) -> (Vec<Value>, Option<i32>) {
        drop(self.input.take());
        let mut rest = Vec::new();
        while let Some(line) =
            timeout(PATIENCE, self.output.next_line()).await.expect("in time").expect("a text")
        {
            rest.push(serde_json::from_str(&line).expect("JSON"));
        }
        let status = timeout(PATIENCE, self.child.wait()).await.expect("an end").expect("a status");
        (rest, status.code())
    }
}

async fn serve() -> String {
    serve_as(Server::builder()).await
}

async fn serve_as(builder: Builder) -> String {
    let io = builder.build().expect("entropy");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    io.on("echo", async |socket: Socket, args: Args| {
        let values: Vec<_> = args.iter().collect();
        match &values[..] {
            [one] => socket.emit("echo", one),
            [one, two, ..] => socket.emit("echo", &(one, two)),
            [] => socket.emit("echo", &()),
        }
    })
    .on("length", async |_: Socket, data: Bytes| Ack((data.len(), "bytes")))
    .on("question", async |socket: Socket, (): ()| {
        let answer = socket.emit_with_ack::<Value>("asked", &(), PATIENCE).await;
        socket.emit("answered", &answer.ok())
    })
    .on("bye", async |socket: Socket, (): ()| socket.disconnect());
    io.of("/private").use_(async |socket: Socket| match socket.auth::<Value>() {
        Ok(auth) if auth["token"] == "secret" => Ok(()),
        _ => Err(ConnectError::new("no").with_data(json!({ "code": 1 }))),
    });
    tokio::spawn(async move { io.serve(listener).await });
    format!("http://{address}")
}

#[tokio::test]
async fn lines_become_events_and_events_lines() {
    let url = serve().await;
    for transport in ["polling", "websocket"] {
        let mut cli = Cli::start(&["--transport", transport, "--listen", &url]);
        let connect = cli.next().await;
        assert_eq!(
            (&connect["type"], &connect["transport"]),
            (&json!("connect"), &json!(transport))
        );
        cli.line(r#"["echo", {"deep": [{"$binary": "AP8="}]}, 2]"#).await;
        let echo = json!({
            "type": "event",
            "event": "echo",
            "args": [{ "deep": [{ "$binary": "AP8=" }] }, 2],
            "ack": false,
        });
        assert_eq!(cli.next().await, echo);
        cli.line("echo").await;
        assert_eq!(cli.next().await["args"], json!([]));
        cli.line("bye").await;
        let (rest, code) = cli.end().await;
        assert_eq!(rest, [json!({ "type": "disconnect", "reason": "io server disconnect" })]);
        assert_eq!(code, Some(0));
    }
}

#[tokio::test]
async fn servers_that_speak_messagepack_are_spoken_to() {
    let url = serve_as(Server::builder().parser(MessagePack)).await;
    let emit = r#"["echo", {"deep": [{"$binary": "AP8="}]}, 2.5]"#;
    let (lines, code) = Cli::start(&["--msgpack", "-e", emit, "-c1", &url]).end().await;
    assert_eq!(lines[1]["args"], json!([{ "deep": [{ "$binary": "AP8=" }] }, 2.5]));
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn acknowledgements_are_awaited() {
    let url = serve().await;
    let file = std::env::temp_dir().join(format!("sansocket-cli-{}", std::process::id()));
    std::fs::write(&file, [7; 1000]).expect("a file");
    let emit = format!("length={}", file.display());
    let (lines, code) = Cli::start(&["--ack", "60", "--file", &emit, &url]).end().await;
    std::fs::remove_file(file).expect("it is there");
    assert_eq!(lines[1], json!({ "type": "ack", "emit": 1, "args": [1000, "bytes"] }));
    assert_eq!(code, Some(0));

    let (lines, code) = Cli::start(&["--ack", "0.05", "-e", "nobody", &url]).end().await;
    assert_eq!(lines[1]["type"], "ack_error");
    assert_eq!(code, Some(3));
}

#[tokio::test]
async fn the_server_is_answered() {
    let url = serve().await;
    let arguments = ["-e", "question", "--answer", r#"{"a":1}"#, "--count", "2", &url];
    let (lines, code) = Cli::start(&arguments).end().await;
    assert_eq!((&lines[1]["event"], &lines[1]["ack"]), (&json!("asked"), &json!(true)));
    assert_eq!(lines[2]["args"], json!([{ "a": 1 }]));
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn refusals_and_absent_servers_are_failures() {
    let url = serve().await;
    let (lines, code) = Cli::start(&["-n", "private", &url]).end().await;
    let refusal =
        json!({ "type": "connect_error", "message": "no", "data": { "code": 1 }, "final": true });
    assert_eq!((&lines[..], code), (&[refusal][..], Some(2)));
    let arguments = ["-n", "/private", "--auth", r#"{"token":"secret"}"#, &url];
    let (lines, code) = Cli::start(&arguments).end().await;
    assert_eq!((&lines[0]["namespace"], code), (&json!("/private"), Some(0)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let (lines, code) = Cli::start(&["--no-reconnect", &nobody]).end().await;
    assert_eq!((&lines[0]["type"], code), (&json!("connect_error"), Some(2)));
    let (lines, code) = Cli::start(&["not a url"]).end().await;
    assert_eq!((lines.len(), code), (0, Some(1)));
}
