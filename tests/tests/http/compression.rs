//! Responses to polling in gzip, deflate and br.

use std::io::{self, Read};
use std::net::SocketAddr;

use flate2::read::{GzDecoder, ZlibDecoder};
use sansocket_tests::client::{Polling, eventually, in_time};
use sansocket_tokio::{HttpCompression, Server, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::TestServer;

const CHARACTERS: usize = 2_000;

/// The head, in lower case, and the body of what one GET is answered.
async fn get(
    address: SocketAddr,
    target: &str,
    accept_encoding: &str,
) -> io::Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{accept_encoding}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    in_time("the response", stream.read_to_end(&mut response)).await?;
    let end = response.windows(4).position(|window| window == b"\r\n\r\n");
    let body = response.split_off(end.ok_or(io::ErrorKind::UnexpectedEof)? + 4);
    Ok((String::from_utf8_lossy(&response).to_ascii_lowercase(), body))
}

/// What a client is sent that has asked for an echo of so many characters.
async fn echo(
    server: &TestServer,
    accept_encoding: &str,
    characters: usize,
) -> io::Result<(String, Vec<u8>)> {
    let mut polling = Polling::open(server.address).await?;
    polling.join().await?;
    polling.post(&format!(r#"420["echo","{}"]"#, "a".repeat(characters))).await?;
    let answer = get(server.address, &polling.target("polling"), accept_encoding).await?;
    polling.post("1").await?;
    Ok(answer)
}

fn expected(characters: usize) -> Vec<u8> {
    format!(r#"430["{}"]"#, "a".repeat(characters)).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_responses_are_compressed_as_the_client_accepts() -> io::Result<()> {
    let compression = HttpCompression::default();
    let server = TestServer::start(Server::builder().http_compression(compression)).await;
    for (accepted, coding) in [
        ("Accept-Encoding: gzip, deflate, br\r\n", Some("gzip")),
        ("Accept-Encoding: deflate, gzip\r\n", Some("deflate")),
        ("Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: deflate\r\n", Some("deflate")),
        ("Accept-Encoding: *\r\n", Some("gzip")),
        ("Accept-Encoding: br, identity, gzip;q=0\r\n", None),
        ("", None),
    ] {
        let (head, body) = echo(&server, accepted, CHARACTERS).await?;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("cache-control: no-store") && !head.contains("vary"), "{head}");
        assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
        let header = coding.map(|coding| format!("content-encoding: {coding}\r\n"));
        match &header {
            Some(header) => assert!(head.contains(header), "{head}"),
            None => assert!(!head.contains("content-encoding"), "{head}"),
        }
        let mut decoder: Box<dyn Read> = match coding {
            Some("gzip") => Box::new(GzDecoder::new(&*body)),
            Some(_) => Box::new(ZlibDecoder::new(&*body)),
            None => Box::new(&*body),
        };
        let mut decoded = Vec::new();
        decoder.read_to_end(&mut decoded)?;
        assert_eq!(decoded, expected(CHARACTERS), "{accepted}");
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brotli_is_used_where_the_server_is_told_to_and_the_client_accepts_it() -> io::Result<()> {
    let compression = HttpCompression::default();
    let accepted = "gzip, deflate, br";
    for (compression, accepted, bytes, coding) in [
        (compression.brotli(5), accepted, CHARACTERS, Some("br")),
        (compression.brotli(11), accepted, CHARACTERS, Some("br")),
        (compression.brotli(5), "gzip;q=0.5, br;q=0.6", CHARACTERS, Some("br")),
        (compression.brotli(5), "gzip, deflate, br;q=0", CHARACTERS, Some("gzip")),
        (compression.brotli(5), "br;q=0", CHARACTERS, None),
        (compression.brotli(5), accepted, 1024, Some("br")),
        (compression.brotli(5), accepted, 1023, None),
        (compression, accepted, CHARACTERS, Some("gzip")),
        (compression, "br", CHARACTERS, None),
    ] {
        let server = TestServer::start(Server::builder().http_compression(compression)).await;
        let header = format!("Accept-Encoding: {accepted}\r\n");
        let characters = bytes - expected(0).len();
        let (head, body) = echo(&server, &header, characters).await?;
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.starts_with("http/1.1 200") && head.contains(&length), "{head}");
        let mut fields = head.lines();
        let found = fields.find_map(|field| field.strip_prefix("content-encoding: "));
        assert_eq!(found, coding, "{accepted}, {bytes} bytes");
        let mut decoder: Box<dyn Read> = match coding {
            Some("br") => Box::new(brotli::Decompressor::new(&*body, 4096)),
            Some(_) => Box::new(GzDecoder::new(&*body)),
            None => Box::new(&*body),
        };
        let mut decoded = Vec::new();
        decoder.read_to_end(&mut decoded)?;
        assert_eq!(decoded, expected(characters), "{accepted}, {bytes} bytes");
        server.finish().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn small_responses_are_not_compressed() -> io::Result<()> {
    let compression = HttpCompression::default();
    let server = TestServer::start(Server::builder().http_compression(compression)).await;
    let around = expected(0).len();
    for (bytes, compressed) in [(1023, false), (1024, true)] {
        let (head, body) = echo(&server, "Accept-Encoding: gzip\r\n", bytes - around).await?;
        assert_eq!(head.contains("content-encoding: gzip"), compressed, "{head}");
        assert_eq!(body.len() < bytes, compressed);
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_compressed_is_not_unless_there_is_something_beside_it() -> io::Result<()>
{
    let compression = HttpCompression::default();
    let server = TestServer::start(Server::builder().http_compression(compression)).await;
    server.io.on("plain", async |socket: Socket, (text, both): (String, bool)| {
        if both {
            socket.emit("beside", &())?;
        }
        socket.compress(false).emit("text", &text)
    });
    for both in [false, true] {
        let mut polling = Polling::open(server.address).await?;
        polling.join().await?;
        polling.post(&format!(r#"42["plain","{}",{both}]"#, "a".repeat(CHARACTERS))).await?;
        let is_queued = || server.io.stats().outbox_bytes > CHARACTERS;
        eventually("all of it waits", is_queued).await;
        let target = polling.target("polling");
        let (head, body) = get(server.address, &target, "Accept-Encoding: gzip\r\n").await?;
        // As in the reference, what is sent together is compressed together.
        assert_eq!(head.contains("content-encoding: gzip"), both, "{head}");
        assert_eq!(body.len() < CHARACTERS, both, "{head}");
        polling.post("1").await?;
    }
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_compressed_unless_the_server_is_told_to() -> io::Result<()> {
    let server = TestServer::start(Server::builder()).await;
    let (head, body) = echo(&server, "Accept-Encoding: gzip, deflate\r\n", CHARACTERS).await?;
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(body, expected(CHARACTERS));
    server.finish().await;
    Ok(())
}
