//! What a server tells `tracing`, and above all what it does not. In a program of its own, because
//! there is one subscriber for all of it.

mod support;

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sansocket_tests::client::{Polling, WebSocket};
use sansocket_tokio::{Ack, Server, Socket};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use support::TestServer;

/// Writes down what this library says, and in which spans.
#[derive(Clone, Default)]
struct Log(Arc<Written>);

#[derive(Default)]
struct Written {
    next: AtomicU64,
    /// The spans, as text.
    spans: Mutex<Vec<(u64, String)>>,
    lines: Mutex<Vec<String>>,
}

thread_local! {
    /// The spans that this thread is in.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("a string takes it");
    }
}

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn text_of(&self, id: u64) -> String {
        let spans = self.0.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sansocket") || metadata.target() == "application"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = 1 + self.0.next.fetch_add(1, Ordering::SeqCst);
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        assert_eq!(*attributes.metadata().level(), Level::DEBUG);
        self.0.spans.lock().unwrap_or_else(PoisonError::into_inner).push((id, fields.0));
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(format!("{}", event.metadata().level()));
        event.record(&mut fields);
        let entered = ENTERED.with_borrow(Clone::clone);
        let spans: Vec<_> = entered.iter().map(|id| self.text_of(*id)).collect();
        let line = format!("{} in {spans:?}", fields.0);
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        let left = ENTERED.with_borrow_mut(Vec::pop);
        assert_eq!(left, Some(span.into_u64()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_name_sessions_and_events_and_keep_secrets() -> io::Result<()> {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).map_err(io::Error::other)?;
    let server = TestServer::start(Server::builder()).await;
    server.io.on("speak", async |_: Socket, text: String| {
        tokio::task::yield_now().await;
        tracing::info!(target: "application", length = text.len(), "spoken");
        Ack(())
    });
    let mut polling = Polling::open(server.address).await?;
    polling.post(r#"40{"token":"SECRET"}"#).await?;
    polling.expect("40").await?;
    polling.post(r#"420["speak","PRIVATE"]"#).await?;
    polling.expect("430").await?;
    polling.post(r#"42["UNKNOWN","PRIVATE"]"#).await?;
    polling.echo().await?;
    let sid = polling.sid.clone();
    polling.post("1").await?;
    let mut websocket = WebSocket::join(server.address).await?;
    websocket.send_text(r#"420["speak",{"not":"PRIVATE"}]"#).await?;
    websocket.echo().await?;
    websocket.close().await?;
    server.finish().await;

    let lines = log.lines();
    let of_session = format!("session sid=\\\"{}\\\" transport=\\\"polling\\\"", &sid[..8]);
    let has =
        |parts: &[&str]| lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(has(&["DEBUG session opened", &of_session]), "{lines:#?}");
    assert!(has(&["DEBUG session closed", "reason=transport close", &of_session]), "{lines:#?}");
    let of_event = "event namespace=\\\"/\\\" socket=";
    let speaks = "event=\\\"speak\\\"";
    assert!(has(&["INFO spoken length=7", &of_session, of_event, speaks]), "{lines:#?}");
    assert!(has(&["DEBUG arguments do not fit", "websocket", of_event, speaks]), "{lines:#?}");
    // Neither the whole id nor what clients have sent; its names only at the lowest level.
    for line in &lines {
        assert!(!line.contains(&sid), "{line}");
        assert!(!line.contains("SECRET") && !line.contains("PRIVATE"), "{line}");
        assert!(!line.contains("UNKNOWN") || line.starts_with("TRACE"), "{line}");
    }
    assert!(has(&["TRACE no handler", "UNKNOWN"]), "{lines:#?}");
    Ok(())
}
