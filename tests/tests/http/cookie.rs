//! The cookie with the session's id.

use std::io;
use std::time::Duration;

use sansocket_tests::client::{Http, upgrade_request};
use sansocket_tokio::{Cookie, SameSite, Server};

use crate::support::TestServer;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// The heads of the answers to a first GET and to a second one, and the session's id.
async fn heads(server: &TestServer) -> io::Result<(String, String, String)> {
    let mut http = Http::connect(server.address).await?;
    http.request("GET", POLLING, "").await?;
    let opened = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let sid = opened.body.split('"').nth(3).unwrap_or_default().to_owned();
    let target = format!("{POLLING}&sid={sid}");
    http.request("POST", &target, "40").await?;
    let posted = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    http.request("POST", &target, "1").await?;
    http.response().await?;
    Ok((opened.head, posted.head, sid.to_ascii_lowercase()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_that_opens_a_session_on_polling_sets_it() -> io::Result<()> {
    let server = TestServer::start(Server::builder().cookie(&Cookie::default())).await;
    let (opened, posted, sid) = heads(&server).await?;
    let header = format!("\r\nset-cookie: io={sid}; path=/; httponly; samesite=lax\r\n");
    assert!(opened.contains(&header), "{opened}");
    assert!(!posted.contains("set-cookie"), "{posted}");
    // Each session has its own.
    assert_ne!(heads(&server).await?.2, sid);
    // As in the reference, a client that begins on a WebSocket is not told.
    let mut http = Http::connect(server.address).await?;
    http.send(upgrade_request("/socket.io/?EIO=4&transport=websocket")).await?;
    let response = http.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!(response.status, 101);
    assert!(!response.head.contains("set-cookie"), "{}", response.head);
    // Nor is one that is refused.
    let mut refused = Http::connect(server.address).await?;
    refused.request("GET", "/socket.io/?EIO=4&transport=none", "").await?;
    let response = refused.response().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    assert_eq!(response.status, 400);
    assert!(!response.head.contains("set-cookie"), "{}", response.head);
    drop(http);
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_attributes_are_the_applications() -> io::Result<()> {
    let cookie = Cookie::new("node")
        .max_age(Duration::from_secs(60))
        .path(None)
        .http_only(false)
        .secure(true)
        .same_site(Some(SameSite::None));
    let server = TestServer::start(Server::builder().cookie(&cookie)).await;
    let (opened, _, sid) = heads(&server).await?;
    let header = format!("\r\nset-cookie: node={sid}; max-age=60; secure; samesite=none\r\n");
    assert!(opened.contains(&header), "{opened}");
    server.finish().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_none_by_default_nor_where_it_cannot_be_written() -> io::Result<()> {
    let broken = Cookie::new("a\r\nx-smuggled: b");
    for builder in [Server::builder(), Server::builder().cookie(&broken)] {
        let server = TestServer::start(builder).await;
        let (opened, _, _) = heads(&server).await?;
        assert!(!opened.contains("set-cookie") && !opened.contains("smuggled"), "{opened}");
        server.finish().await;
    }
    Ok(())
}
