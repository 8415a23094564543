//! WebSockets whose clients break the rules, or use them to the full.

use std::io;
use std::time::Duration;

use sansocket_core::codec::websocket::{Message, Opcode};
use sansocket_tests::client::{
    Http, Polling, WebSocket, eventually, fragment, frame, upgrade_request,
};
use sansocket_tests::noise::Noise;
use sansocket_tokio::{Builder, Limits, PerMessageDeflate, Server};

use crate::support::{SHORT, TestServer};

const TARGET: &str = "/socket.io/?EIO=4&transport=websocket";

/// Bytes that break the protocol, and the close code that tells so.
fn violations() -> Vec<(&'static str, Vec<u8>, u16)> {
    let text = |payload: &[u8]| frame(Opcode::Text, payload);
    let part = |opcode, payload: &[u8]| fragment(opcode, false, payload);
    vec![
        ("reserved bit 1", vec![0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("reserved bit 2", vec![0xa1, 0x80, 0, 0, 0, 0], 1002),
        ("reserved bit 3", vec![0x91, 0x80, 0, 0, 0, 0], 1002),
        ("reserved data opcode", vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        ("reserved control opcode", vec![0x8b, 0x80, 0, 0, 0, 0], 1002),
        ("no mask", b"\x81\x011".to_vec(), 1002),
        ("fragmented ping", part(Opcode::Ping, b""), 1002),
        ("long ping", frame(Opcode::Ping, &[0; 126]), 1002),
        ("long close", frame(Opcode::Close, &[3, 232].repeat(63)), 1002),
        ("64 bits of length", [&[0x82, 0xff][..], &[0xff; 8], &[0; 4]].concat(), 1002),
        ("length not minimal", vec![0x81, 0xfe, 0, 1, 0, 0, 0, 0, b'6'], 1002),
        ("nothing to continue", fragment(Opcode::Continuation, true, b"a"), 1002),
        ("message in a message", [part(Opcode::Text, b"6"), text(b"6")].concat(), 1002),
        ("close of one byte", frame(Opcode::Close, &[3]), 1002),
        ("close code 1005", frame(Opcode::Close, &1005_u16.to_be_bytes()), 1002),
        ("close code 999", frame(Opcode::Close, &999_u16.to_be_bytes()), 1002),
        ("close reason", frame(Opcode::Close, b"\x03\xe8\xff"), 1007),
        ("text", text(b"6\xff"), 1007),
        ("text that ends early", text(b"6\xe2\x82"), 1007),
        ("text, before its end", part(Opcode::Text, b"6\xed\xa0\x80"), 1007),
        (
            "a surrogate over fragments",
            [part(Opcode::Text, b"6\xed"), fragment(Opcode::Continuation, true, b"\xa0\x80")]
                .concat(),
            1007,
        ),
        ("too large", [&[0x82, 0xff][..], &1_000_001_u64.to_be_bytes(), &[0; 4]].concat(), 1009),
        (
            "too large with fragments",
            [part(Opcode::Binary, &[0; 600_000]), part(Opcode::Continuation, &[0; 400_001])]
                .concat(),
            1009,
        ),
        (
            "2000 tiny fragments",
            [part(Opcode::Text, b"6"), part(Opcode::Continuation, b"a").repeat(2_000)].concat(),
            1008,
        ),
        (
            "2000 empty fragments",
            [part(Opcode::Binary, b""), part(Opcode::Continuation, b"").repeat(2_000)].concat(),
            1008,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_are_told_by_their_codes() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    for (name, bytes, code) in violations() {
        let mut websocket = WebSocket::join(server.address).await?;
        websocket.echo().await?;
        // The server may have closed before it has read everything.
        let _ = websocket.http.send(&bytes).await;
        assert_eq!(websocket.close_code().await, code, "{name}");
        // What comes behind is not looked at.
        let _ = websocket.send_text(r#"42["echo","a"]"#).await;
        drop(websocket);
        server.rests().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_right_behind_the_handshake() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    for (name, bytes, code) in violations() {
        // The request and what follows it are in one segment as long as it has room for them.
        let mut websocket = WebSocket::connect_with(server.address, TARGET, &bytes).await?;
        assert_eq!(websocket.close_code().await, code, "{name}");
    }
    let mut noise = Noise(2);
    for _ in 0..100 {
        let bytes = noise.bytes(300);
        let mut websocket = WebSocket::connect_with(server.address, TARGET, &bytes).await?;
        let _ = websocket.http.shut_down_write().await;
        websocket.close_code().await;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_right_behind_an_upgrade_leaves_the_session_on_polling() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let target = polling.target("websocket");
    for (name, bytes, code) in violations() {
        let mut websocket = WebSocket::connect_with(server.address, &target, &bytes).await?;
        assert_eq!(websocket.close_code().await, code, "{name}");
        drop(websocket);
        polling.echo().await?;
    }
    // Packets that do not belong on a probe, and a probe that says no more.
    for packets in ["1", "2", "40", "5", "x", "4", ""] {
        let bytes = frame(Opcode::Text, packets.as_bytes());
        let mut websocket = WebSocket::connect_with(server.address, &target, &bytes).await?;
        assert_eq!(websocket.close_code().await, 1005, "{packets}");
        polling.echo().await?;
    }
    // While one probes, another is turned away.
    let probe = WebSocket::connect_with(server.address, &target, b"").await?;
    let mut second = WebSocket::connect_with(server.address, &target, b"").await?;
    let mut probe_or_second = probe;
    second.http.shut_down_write().await?;
    second.close_code().await;
    probe_or_second.http.shut_down_write().await?;
    probe_or_second.close_code().await;
    polling.echo().await?;
    drop((second, probe_or_second));
    polling.upgrade().await?.echo().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_the_packets_behind_it_in_one_segment() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let bytes: Vec<u8> = ["2probe", "5", r#"420["echo","a"]"#]
        .iter()
        .flat_map(|packet| frame(Opcode::Text, packet.as_bytes()))
        .collect();
    let target = polling.target("websocket");
    let mut websocket = WebSocket::connect_with(server.address, &target, &bytes).await?;
    websocket.expect(r#"430["a"]"#).await?;
    websocket.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_no_handshake() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let good = upgrade_request(TARGET);
    let changes = [
        ("GET", "POST"),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short"),
        ("Sec-WebSocket-Key", "X"),
        ("Connection: Upgrade", "Connection: close"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("EIO=4", "EIO=3"),
        ("transport=websocket", "transport=polling"),
        ("transport=websocket", "transport=__proto__"),
    ];
    for (from, to) in changes {
        let mut http = Http::connect(server.address).await?;
        http.send(good.replace(from, to)).await?;
        let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        assert!((400..500).contains(&response.status), "{to}: {}", response.head);
    }
    assert!(server.is_at_rest(), "{:?}", server.io.stats());
    server.finish().await;
    Ok(())
}

/// Lists that cost a parser much that looks for every way to read them.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_extensions_and_protocols_are_passed_over() -> io::Result<()> {
    passes_over_lists(Server::builder()).await?;
    // One that looks for an offer in them.
    passes_over_lists(Server::builder().per_message_deflate(PerMessageDeflate::default())).await
}

async fn passes_over_lists(builder: Builder) -> io::Result<()> {
    let server = TestServer::start(builder).await;
    let lists = [
        ",".repeat(8_000),
        "a;b=\"".repeat(1_600),
        format!("permessage-deflate{}", "; server_max_window_bits=99".repeat(300)),
        format!("a{}b", " ".repeat(8_000)),
    ];
    for header in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"] {
        for list in &lists {
            let mut http = Http::connect(server.address).await?;
            let request = upgrade_request(TARGET);
            let head = request.strip_suffix("\r\n").expect("the end of a head");
            http.send(format!("{head}{header}: {list}\r\n\r\n")).await?;
            let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            assert_eq!(response.status, 101, "{header}: {}", response.head);
            assert!(!response.head.contains("sec-websocket-extensions"), "{}", response.head);
            assert!(!response.head.contains("sec-websocket-protocol"), "{}", response.head);
        }
    }
    server.rests().await;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_probes_have_few_answers() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let probes = frame(Opcode::Text, b"2probe").repeat(100);
    let target = polling.target("websocket");
    let mut websocket = WebSocket::connect_with(server.address, &target, &probes).await?;
    assert_eq!(websocket.next_text().await?, "3probe");
    assert_eq!(polling.poll().await?, "6");
    // What is sent now waits for the upgrade, and nothing else is in front of it.
    polling.post(r#"420["echo","a"]"#).await?;
    websocket.send_text("5").await?;
    // Those that are handled together have one answer, so there are a few.
    let mut answers = 1;
    let mut next = websocket.next_text().await?;
    while next == "3probe" {
        answers += 1;
        next = websocket.next_text().await?;
    }
    assert!(answers <= 10, "{answers} answers");
    assert_eq!(next, r#"430["a"]"#);
    websocket.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_fragments_are_a_message() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let text = format!(r#"420["echo","{}"]"#, "é".repeat(500));
    let mut bytes = fragment(Opcode::Text, false, b"");
    for byte in text.as_bytes() {
        if bytes.len().is_multiple_of(3) {
            bytes.extend(frame(Opcode::Ping, b"between"));
        }
        bytes.extend(fragment(Opcode::Continuation, false, &[*byte]));
    }
    bytes.extend(fragment(Opcode::Continuation, true, b""));
    websocket.http.send(&bytes).await?;
    let answer = websocket.expect("430[").await?;
    assert_eq!(answer.len(), text.len() - r#""echo","#.len());
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_that_nobody_waits_for() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::join(server.address).await?;
    let pings = frame(Opcode::Ping, &[b'a'; 125]).repeat(1_000);
    for _ in 0..400 {
        websocket.http.send(&pings).await?;
    }
    assert_eq!(server.io.stats().outbox_bytes, 0);
    // Whoever looks up again finds at least the answer to the last of them.
    websocket.send_frame(Opcode::Ping, b"last").await?;
    while websocket.next().await? != Some(Message::Pong("last".into())) {}
    websocket.echo().await?;
    websocket.close().await?;
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_that_never_come() -> io::Result<()> {
    let mut limits = Limits::default();
    limits.attachments_timeout = SHORT;
    let server = TestServer::start(Server::builder().limits(limits)).await;
    for parts in [0, 1] {
        let mut websocket = WebSocket::join(server.address).await?;
        let header = r#"452-["wait",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
        websocket.send_text(header).await?;
        for _ in 0..parts {
            websocket.send_frame(Opcode::Binary, &[0; 100]).await?;
        }
        assert_eq!(websocket.close_code().await, 1005);
    }
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.post(r#"451-["wait",{"_placeholder":true,"num":0}]"#).await?;
    polling.expect("1").await?;
    drop(polling);
    server.finish().await;
    Ok(())
}

/// Faults in what WebSockets carry: each closes the connection, without a status code.
#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_none() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let deep = |depth: usize| format!(r#"42["echo",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
    let objects = format!(r#"42["echo",{}1{}]"#, r#"{"a":"#.repeat(9_999), "}".repeat(9_999));
    let attachments = format!("45999999-[{}]", r#"{"_placeholder":true,"num":0},"#.repeat(30_000));
    let packets = [
        "",
        "x",
        "4",
        "7",
        "2",
        "1",
        "49",
        "42",
        "42{}",
        "42[]",
        "42[1.5]x",
        r#"42["connect"]"#,
        r#"42["disconnect"]"#,
        "42[\"a\"",
        r#"42["a",]"#,
        r#"42/none,["a"]"#,
        "40",
        "41/none,",
        "44{}",
        "43/none,1[]",
        "429007199254740993[\"a\"]",
        "45-[\"a\"]",
        "451[\"a\"]",
        r#"4511-["a",{"_placeholder":true,"num":0}]"#,
        r#"451-["a",{"_placeholder":true,"num":1}]"#,
        r#"451-["a",{"_placeholder":true,"num":-1}]"#,
        r#"4599999999999999999999-["a"]"#,
        &deep(200),
        &deep(400_000),
        &objects,
        &attachments,
        &format!("42[\"{}\"]", "a".repeat(600)),
        &format!("40/{},", "a".repeat(600)),
        "42[\"a\",\"\u{1}\"]",
        "42[\"a\",\"\\ud800x\\u\"]",
        "42[\"a\",01]",
        "42[\"a\",1e]",
    ];
    for packet in packets {
        let mut websocket = WebSocket::join(server.address).await?;
        websocket.send_text(packet).await?;
        let name = &packet[..packet.len().min(40)];
        assert_eq!(websocket.close_code().await, 1005, "{name}");
    }
    for packets in [["451-[\"a\",{\"_placeholder\":true,\"num\":0}]", "42[\"a\"]"]] {
        let mut websocket = WebSocket::join(server.address).await?;
        for packet in packets {
            websocket.send_text(packet).await?;
        }
        assert_eq!(websocket.close_code().await, 1005);
    }
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_frame(Opcode::Binary, b"which no packet announced").await?;
    assert_eq!(websocket.close_code().await, 1005);
    drop(websocket);
    // The same by POST; the client is told by its next GET.
    for packet in packets.into_iter().filter(|packet| *packet != "1") {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        assert_eq!(polling.post(packet).await?, 200);
        let told = polling.poll().await;
        assert!(told.as_ref().map_or(true, |packets| packets.ends_with('1')), "{told:?}");
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_one_byte_at_a_time() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let mut websocket = WebSocket::connect(server.address).await?;
    for (packet, answer) in [("40", "40{"), (r#"420["echo","a"]"#, r#"430["a"]"#)] {
        for byte in frame(Opcode::Text, packet.as_bytes()) {
            websocket.http.send([byte]).await?;
        }
        websocket.expect(answer).await?;
    }
    // The last byte of this one does not come.
    let bytes = frame(Opcode::Binary, &[0; 50_000]);
    websocket.http.send(&bytes[..bytes.len() - 1]).await?;
    drop(websocket);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_joins_nothing_is_disconnected() -> io::Result<()> {
    let server = TestServer::start(Server::builder().connect_timeout(SHORT)).await;
    let mut websocket = WebSocket::connect(server.address).await?;
    assert_eq!(websocket.close_code().await, 1005);
    let mut polling = Polling::open(server.address).await?;
    assert_eq!(polling.poll().await?, "1");
    drop(polling);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_says_nothing_is_given_up() -> io::Result<()> {
    let server = TestServer::start(Server::builder().upgrade_timeout(SHORT)).await;
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    let target = polling.target("websocket");
    let mut probe = WebSocket::connect_with(server.address, &target, b"").await?;
    assert_eq!(probe.close_code().await, 1005);
    polling.echo().await?;
    polling.post("1").await?;
    eventually("the session has ended", || server.is_at_rest()).await;
    drop((probe, polling));
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_disconnected() -> io::Result<()> {
    let builder = Server::builder().ping_interval(SHORT).ping_timeout(Duration::from_secs(1));
    let server = TestServer::start(builder).await;
    let mut websocket = WebSocket::join(server.address).await?;
    assert_eq!(websocket.close_code().await, 1005);
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    server.rests().await;
    drop((websocket, polling));
    server.finish().await;
    Ok(())
}
