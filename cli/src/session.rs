//! A connection, from the command line's point of view.

use std::io::{self, BufRead as _};
use std::process::ExitCode;
use std::sync::Arc;

use sansocket_tokio::client::{Client, Event, Events, Lifecycle, Tcp};
use sansocket_tokio::rustls::pki_types::CertificateDer;
use sansocket_tokio::rustls::pki_types::pem::PemObject as _;
use sansocket_tokio::rustls::{ClientConfig, RootCertStore};
use sansocket_tokio::{AckError, Args, MessagePack, Transport};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::USAGE;
use crate::options::{Emit, Options};
use crate::output::{complain, connect_error, print};
use crate::value::{Arguments, Outgoing, all};

/// The server cannot be reached, or refuses.
const UNREACHABLE: u8 = 2;
/// An acknowledgement did not come, or an event was not sent.
const UNANSWERED: u8 = 3;

/// Lines of the standard input that were read and not yet emitted.
const LINES: usize = 64;

pub(crate) async fn run(options: Options) -> ExitCode {
    let (client, events) = match connect(&options) {
        Ok(connected) => connected,
        Err(error) => {
            complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let mut session =
        Session { client, options, acks: JoinSet::new(), emitted: 0, received: 0, failed: false };
    let code = match session.run(events).await {
        Ok(code) => code,
        // Nobody reads any more.
        Err(_) => ExitCode::SUCCESS,
    };
    session.client.close().await;
    code
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn connect(options: &Options) -> Result<(Client, Events), Failure> {
    let mut builder = Client::builder(&options.url).reconnection(!options.no_reconnect);
    if options.msgpack {
        builder = builder.parser(MessagePack);
    }
    if !options.transports.is_empty() {
        builder = builder.transports(options.transports.iter().copied());
    }
    if let Some(path) = &options.path {
        builder = builder.path(path);
    }
    for (name, value) in &options.query {
        builder = builder.query(name, value);
    }
    for (name, value) in &options.headers {
        builder = builder.header(name, value);
    }
    if let Some(file) = &options.ca {
        builder = builder.connector(Tcp::with_tls(trusting(file)?));
    }
    if let Some(namespace) = &options.namespace {
        builder = builder.namespace(namespace);
    }
    if let Some(auth) = &options.auth {
        builder = builder.auth(auth);
    }
    Ok(builder.start_with_events()?)
}

fn trusting(file: &std::path::Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(sansocket_tokio::rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

struct Session {
    client: Client,
    options: Options,
    /// Acknowledgements that are owed, by the number of the event.
    acks: JoinSet<(u64, Result<Args, AckError>)>,
    emitted: u64,
    received: u64,
    /// Whether an event was not sent, or not acknowledged.
    failed: bool,
}

impl Session {
    /// # Errors
    ///
    /// If nobody reads the output any more.
    async fn run(&mut self, mut events: Events) -> io::Result<ExitCode> {
        for emit in std::mem::take(&mut self.options.emits) {
            self.emit(&emit)?;
        }
        let mut lines = read_lines();
        let mut has_ended = false;
        let mut is_up = false;
        loop {
            // What was emitted without a connection waits for it.
            let is_done = has_ended && is_up && self.acks.is_empty() && !self.options.listens;
            if is_done && self.options.count.is_none() {
                return Ok(self.code());
            }
            tokio::select! {
                event = events.next() => match event {
                    None => return Ok(self.code()),
                    Some(event) => {
                        is_up |= matches!(event, Event::Connected { .. });
                        if let Some(code) = self.handle(event)? {
                            return Ok(code);
                        }
                    }
                },
                line = lines.recv(), if !has_ended => match line {
                    None => has_ended = true,
                    Some(line) if line.trim().is_empty() => {}
                    Some(line) => match Emit::parse(&line) {
                        Ok(emit) => self.emit(&emit)?,
                        Err(error) => {
                            complain(&error);
                            self.failed = true;
                        }
                    },
                },
                Some(ack) = self.acks.join_next() => {
                    if let Ok((number, ack)) = ack {
                        self.acknowledged(number, ack)?;
                    }
                }
                _ = tokio::signal::ctrl_c() => return Ok(self.code()),
            }
        }
    }

    fn code(&self) -> ExitCode {
        if self.failed { ExitCode::from(UNANSWERED) } else { ExitCode::SUCCESS }
    }

    fn emit(&mut self, emit: &Emit) -> io::Result<()> {
        self.emitted += 1;
        let number = self.emitted;
        let args = Arguments(&emit.args);
        let error = match self.options.ack {
            Some(timeout) => {
                let ack = self.client.emit_with_ack::<()>(&emit.event, &args, timeout).undecoded();
                self.acks.spawn(async move { (number, ack.await) });
                return Ok(());
            }
            None => match self.client.emit(&emit.event, &args) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
        };
        self.failed = true;
        print(&json!({ "type": "emit_error", "emit": number, "message": error.to_string() }))
    }

    fn acknowledged(&mut self, number: u64, ack: Result<Args, AckError>) -> io::Result<()> {
        print(&match ack {
            Ok(args) => json!({ "type": "ack", "emit": number, "args": all(&args) }),
            Err(error) => {
                self.failed = true;
                json!({ "type": "ack_error", "emit": number, "message": error.to_string() })
            }
        })
    }

    /// Gives the exit status where the session is over.
    fn handle(&mut self, event: Event) -> io::Result<Option<ExitCode>> {
        match event {
            Event::Connected { recovered } => {
                let transport = self.client.transport().map(Transport::as_str);
                let id = self.client.id();
                let line = json!({
                    "type": "connect",
                    "namespace": self.client.namespace(),
                    "id": id.as_deref(),
                    "transport": transport,
                    "recovered": recovered,
                });
                print(&line)?;
            }
            Event::ConnectError(error) => {
                print(&connect_error(&error))?;
                if error.is_final() || self.options.no_reconnect {
                    return Ok(Some(ExitCode::from(UNREACHABLE)));
                }
            }
            Event::Disconnected(reason) => {
                print(&json!({ "type": "disconnect", "reason": reason.as_str() }))?;
                if !reason.reconnects() || self.options.no_reconnect {
                    return Ok(Some(self.code()));
                }
            }
            Event::Received { event, args, reply } => {
                let is_asked = reply.is_wanted();
                if let Some(answer) = self.options.answer.as_ref().filter(|_| is_asked)
                    && let Err(error) = reply.send(&Outgoing(answer))
                {
                    complain(&error);
                }
                let args: Vec<Value> = all(&args);
                print(&json!({ "type": "event", "event": event, "args": args, "ack": is_asked }))?;
                self.received += 1;
                if self.options.count.is_some_and(|count| self.received >= count) {
                    return Ok(Some(self.code()));
                }
            }
            Event::Lifecycle(Lifecycle::ReconnectAttempt { attempt }) => {
                print(&json!({ "type": "reconnect_attempt", "attempt": attempt }))?;
            }
            Event::Lifecycle(Lifecycle::ReconnectFailed) => {
                print(&json!({ "type": "reconnect_failed" }))?;
                return Ok(Some(ExitCode::from(UNREACHABLE)));
            }
            // What else happens to the connection is of no interest, or told by one of the others.
            Event::Lifecycle(_) | _ => {}
        }
        Ok(None)
    }
}

/// The lines of the standard input, which is read by a thread of its own: it cannot be waited for
/// otherwise on every system.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let line = match line {
                Ok(line) => line,
                Err(error) => return complain(&error),
            };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
