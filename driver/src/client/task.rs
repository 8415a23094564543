//! The task of a connection: it carries out what the core asks for, and tells it what came of it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use sansocket_core::client::{self, AckFailure, AckOutcome, AuthRequest, RequestKey, WebSocketKey};
use sansocket_core::codec::websocket::{DecoderConfig, Message};
use sansocket_core::http::Method;
use sansocket_core::{Limits, SocketKey, Timestamp};

use crate::app::{AckError, EmitError, HandlerErrorKind, Work};
use crate::runtime::Sleep;
use crate::websocket::Buffers;

use super::builder::OnLifecycle;
use super::error::ConnectError;
use super::events::Lifecycle;
use super::http::{Answer, Http};
use super::lane::{self, Item, Lanes};
use super::link::{Link, News};
use super::namespace::NamespaceShared;
use super::shared::{Entry, Shared, State};
use super::socket::Socket;

/// Rounds before others have a turn.
const ROUNDS_MAX: usize = 16;

/// Runs until nobody wants the connection any more.
///
/// Each round goes: network, core, handlers, core, network. Nothing of the application runs with the
/// state locked, and nothing that waits is waited for: it wakes the task.
pub(super) struct Task {
    shared: Arc<Shared>,
    http: Arc<Http>,
    decoder: DecoderConfig,
    on_lifecycle: Option<Box<OnLifecycle>>,
    links: Vec<Link>,
    requests: Vec<(RequestKey, Requesting)>,
    lanes: Lanes,
    /// Answers of the application to what the server is to be told. Beside the lanes: a handler may
    /// wait for what comes only after the namespace is connected.
    asking: Vec<Work>,
    inputs: Vec<Input>,
    happened: Vec<Happened>,
    outcomes: Vec<AckOutcome>,
    /// Whether the core had nothing more to tell.
    is_drained: bool,
    /// Whether the core takes more.
    reads: bool,
    /// What the network said last about a request or a WebSocket that failed.
    cause: Option<Arc<io::Error>>,
    sleep: Option<(Timestamp, Pin<Box<dyn Sleep>>)>,
}

type Requesting = Pin<Box<dyn Future<Output = io::Result<Answer>> + Send>>;

/// What the core is to be told.
enum Input {
    Answer(RequestKey, Answer),
    NoAnswer(RequestKey),
    Opened(WebSocketKey),
    Received(WebSocketKey, Message),
    Closed(WebSocketKey),
    Failed(WebSocketKey),
}

/// What the core tells.
enum Happened {
    Lifecycle(Lifecycle, Vec<Arc<NamespaceShared>>),
    Asked(Arc<NamespaceShared>, AuthRequest),
    /// With those who wait for that.
    Settled(Vec<Waiting>, Result<(), ConnectError>),
    Item(Arc<NamespaceShared>, Item),
}

type Waiting = oneshot::Sender<Result<(), ConnectError>>;

/// What a look at the state brings.
struct Look {
    is_over: bool,
    next: Option<Timestamp>,
    /// Something new is to be polled.
    is_busy: bool,
    /// Who waited for the connection to be closed.
    closed: Vec<oneshot::Sender<()>>,
    /// Namespaces that were left, and of which all was told.
    left: Vec<Entry>,
}

impl Task {
    pub(super) fn new(
        shared: &Arc<Shared>,
        http: Http,
        on_lifecycle: Option<Box<OnLifecycle>>,
    ) -> Self {
        let message_bytes_max = shared.with(|state| state.manager.config().limits.message_bytes);
        let message_fragments_max = Limits::default().message_fragments;
        Self {
            shared: shared.clone(),
            http: Arc::new(http),
            decoder: DecoderConfig { message_bytes_max, message_fragments_max },
            on_lifecycle,
            links: Vec::new(),
            requests: Vec::new(),
            lanes: Lanes::default(),
            asking: Vec::new(),
            inputs: Vec::new(),
            happened: Vec::new(),
            outcomes: Vec::new(),
            is_drained: true,
            reads: true,
            cause: None,
            sleep: None,
        }
    }

    /// Collects what came from the network. `true` if there may be more: also a part of a message
    /// is progress, after which the network has to be asked again.
    fn read(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let mut has_read = false;
        let Self { requests, inputs, links, shared, cause, .. } = self;
        requests.retain_mut(|(key, request)| match request.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(answer) => {
                inputs.push(match answer {
                    Ok(answer) => Input::Answer(*key, answer),
                    Err(error) => {
                        *cause = Some(Arc::new(error));
                        Input::NoAnswer(*key)
                    }
                });
                false
            }
        });
        for link in links {
            let deadline = || {
                let timeout = shared.with(|state| state.manager.config().close_timeout);
                shared.runtime.sleep_until(shared.now() + timeout)
            };
            let news = link.poll(cx, buffers, self.decoder, self.reads, deadline);
            has_read |= news.is_some();
            // What came before an end is told before it.
            let messages = buffers.messages.drain(..);
            inputs.extend(messages.map(|message| Input::Received(link.key, message)));
            inputs.extend(news.and_then(|news| match news {
                News::Opened => Some(Input::Opened(link.key)),
                News::Refused(error) => {
                    *cause = Some(Arc::new(error));
                    Some(Input::Failed(link.key))
                }
                News::Read => None,
                News::Closed => Some(Input::Closed(link.key)),
                News::Failed => Some(Input::Failed(link.key)),
            }));
        }
        has_read || !inputs.is_empty()
    }

    /// Tells the core what came, and takes what it tells.
    fn exchange(&mut self) {
        let now = self.shared.now();
        let Self { shared, inputs, happened, outcomes, cause, .. } = self;
        let mut backlog = self.lanes.backlog();
        self.is_drained = shared.with(|state| {
            // Whoever changes the state from here on is seen by the next look at it.
            state.waker = None;
            state.is_changed = false;
            for input in inputs.drain(..) {
                tell(&mut state.manager, now, input);
            }
            if state.manager.poll_timeout().is_some_and(|due| due <= now) {
                state.manager.handle_timeout(now);
            }
            outcomes.extend(std::iter::from_fn(|| state.manager.poll_ack()));
            while backlog.has_room() {
                let Some(event) = state.manager.poll_event() else { return true };
                backlog.add(lane::weight(&event));
                take(state, event, cause.as_ref(), happened);
            }
            false
        });
    }

    /// Tells the application, and runs what it does. `true` if there was anything.
    fn handle(&mut self, cx: &mut Context<'_>) -> bool {
        let mut is_busy = !self.outcomes.is_empty() || !self.happened.is_empty();
        for AckOutcome { id, result, .. } in self.outcomes.drain(..) {
            self.shared.acks.resolve_one(id, result.map_err(failed));
        }
        for happened in std::mem::take(&mut self.happened) {
            match happened {
                Happened::Lifecycle(lifecycle, namespaces) => self.tell(&lifecycle, &namespaces),
                Happened::Asked(namespace, request) => self.ask(&namespace, request),
                Happened::Settled(waiting, result) => {
                    for waiting in waiting {
                        // Whoever does not wait any more is not told.
                        let _ = waiting.send(result.clone());
                    }
                }
                Happened::Item(namespace, item) => self.lanes.push(&namespace, item),
            }
        }
        is_busy |= self.lanes.run(cx, &self.shared);
        self.asking.retain_mut(|asking| asking.as_mut().poll(cx).is_pending());
        is_busy
    }

    fn tell(&mut self, lifecycle: &Lifecycle, namespaces: &[Arc<NamespaceShared>]) {
        if matches!(lifecycle, Lifecycle::Upgraded | Lifecycle::Closed(_)) {
            self.http.close_idle();
        }
        if let Some(hook) = &self.on_lifecycle {
            hook(lifecycle);
        }
        for namespace in namespaces.iter().filter(|namespace| namespace.events().is_some()) {
            self.lanes.push(namespace, Item::Lifecycle(lifecycle.clone()));
        }
    }

    fn ask(&mut self, namespace: &Arc<NamespaceShared>, request: AuthRequest) {
        // What nobody answers ends by its deadline.
        let Some(ask) = namespace.auth() else { return };
        let shared = self.shared.clone();
        let namespace = namespace.clone();
        self.asking.push(Box::pin(async move {
            match ask().await {
                Ok(auth) => shared.change(|state| {
                    if let Some(mut socket) = state.manager.socket(request.socket) {
                        // The connection may be gone; the next one asks again.
                        let _ = socket.authenticate(&request, &auth);
                    }
                }),
                Err(error) => Socket::new(&shared, &namespace)
                    .report(&"connect".into(), HandlerErrorKind::Auth(error)),
            }
        }));
    }

    /// Takes what the core asks for, and makes sure to be woken by what comes next.
    fn look(&mut self, cx: &Context<'_>) -> Look {
        let Self { shared, http, links, requests, inputs, lanes, .. } = self;
        let runtime = &*shared.runtime;
        let mut is_busy = false;
        shared.with(|state| {
            let State { manager, waker, closing, .. } = state;
            while let Some(request) = manager.poll_request() {
                let is_first = !request.target.contains("&sid=");
                if is_first {
                    http.forget_cookies();
                }
                let (key, target) = (request.key, request.target.clone());
                let is_post = request.method == Method::Post;
                let body = is_post.then(|| request.into_body());
                requests.push((key, Box::pin(http.clone().request(target, body))));
                is_busy = true;
            }
            requests.retain(|(key, _)| manager.awaits(*key));
            while let Some(request) = manager.poll_websocket() {
                if !request.target.contains("&sid=") {
                    http.forget_cookies();
                }
                links.push(Link::new(request.key, http, request.target));
                is_busy = true;
            }
            for link in &mut *links {
                match link.take_output(manager, runtime) {
                    Ok(is_closed) => is_busy |= is_closed,
                    Err(_) => {
                        link.give_up();
                        inputs.push(Input::Failed(link.key));
                    }
                }
            }
            links.retain(|link| !link.is_over());
            self.reads = manager.wants_input();
            *waker = Some(cx.waker().clone());
            let next = manager.poll_timeout();
            let is_at_rest = manager.is_at_rest() && links.is_empty() && requests.is_empty();
            let closed = if is_at_rest { std::mem::take(closing) } else { Vec::new() };
            is_busy |= state.is_changed || !inputs.is_empty();
            let is_settled = self.is_drained && !state.is_changed;
            let left = state.take_settled(|place| is_settled && lanes.forget_idle(place));
            let is_over = is_at_rest && state.entries.is_empty();
            Look { is_over, next, is_busy, closed, left }
        })
    }

    /// Writes what was taken. `true` if there is more to do.
    fn write(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> bool {
        let mut is_busy = false;
        for link in &mut self.links {
            match link.write(cx, buffers) {
                Ok(takes_more) => is_busy |= takes_more,
                Err(error) => {
                    self.cause = Some(Arc::new(error));
                    self.inputs.push(Input::Failed(link.key));
                    is_busy = true;
                }
            }
        }
        is_busy
    }

    /// Whether the core's next deadline is still to come.
    fn is_asleep(&mut self, cx: &mut Context<'_>, next: Option<Timestamp>) -> bool {
        let Some(next) = next else {
            self.sleep = None;
            return true;
        };
        match &mut self.sleep {
            Some((at, _)) if *at == next => {}
            sleep => *sleep = Some((next, self.shared.runtime.sleep_until(next))),
        }
        let is_pending =
            self.sleep.as_mut().is_some_and(|(_, sleep)| sleep.as_mut().poll(cx).is_pending());
        if !is_pending {
            self.sleep = None;
        }
        is_pending
    }

    fn round(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> Poll<bool> {
        let mut is_busy = self.read(cx, buffers) || !self.inputs.is_empty();
        self.exchange();
        is_busy |= self.handle(cx);
        let Look { is_over, next, is_busy: has_new, closed, left } = self.look(cx);
        for entry in left {
            entry.shared.clear();
        }
        for waiting in closed {
            // Whoever does not wait any more is not told.
            let _ = waiting.send(());
        }
        is_busy |= has_new | self.write(cx, buffers);
        if is_over {
            return Poll::Ready(true);
        }
        if !is_busy && self.is_asleep(cx, next) { Poll::Pending } else { Poll::Ready(false) }
    }
}

fn tell(manager: &mut client::Manager, now: Timestamp, input: Input) {
    match input {
        Input::Answer(key, Answer { status, body }) => {
            manager.handle_response(now, key, status, body);
        }
        Input::NoAnswer(key) => manager.handle_request_failed(now, key),
        Input::Opened(key) => manager.handle_websocket_open(now, key),
        Input::Received(key, Message::Text(text)) => manager.handle_websocket_text(now, key, text),
        Input::Received(key, Message::Binary(data)) => {
            manager.handle_websocket_binary(now, key, data);
        }
        // Control frames are answered where they are read.
        Input::Received(_, Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
        Input::Closed(key) => manager.handle_websocket_closed(now, key),
        Input::Failed(key) => manager.handle_websocket_failed(now, key),
    }
}

/// Sorts what the core tells by who is to learn of it.
fn take(
    state: &mut State,
    event: client::Event,
    cause: Option<&Arc<io::Error>>,
    happened: &mut Vec<Happened>,
) {
    let lifecycle = match event {
        client::Event::Opened => Lifecycle::Opened,
        client::Event::Upgraded => Lifecycle::Upgraded,
        client::Event::Closed(reason) => {
            // Another connection may never come.
            let error = ConnectError::lost(reason);
            happened.push(Happened::Settled(state.fail_all(&error), Err(error)));
            Lifecycle::Closed(reason)
        }
        client::Event::ReconnectAttempt { attempt } => Lifecycle::ReconnectAttempt { attempt },
        client::Event::ReconnectError(error) => {
            Lifecycle::ReconnectError(ConnectError::new(error, cause))
        }
        client::Event::ReconnectFailed => Lifecycle::ReconnectFailed,
        client::Event::Reconnected { attempts } => Lifecycle::Reconnected { attempts },
        client::Event::AuthRequested(request) => {
            let namespace = namespace(state, request.socket);
            happened.extend(namespace.map(|namespace| Happened::Asked(namespace, request)));
            return;
        }
        client::Event::Connected(client::Connected { socket, recovered, .. }) => {
            settle(state, socket, Ok(()), happened);
            if let Some(place) = state.place_of(socket)
                && let Some(entry) = state.entry(place)
            {
                entry.recovered = recovered;
            }
            push(state, socket, Item::Connected { recovered }, happened);
            return;
        }
        client::Event::ConnectError { socket, error } => {
            let error = ConnectError::new(error, cause);
            settle(state, socket, Err(error.clone()), happened);
            push(state, socket, Item::ConnectError(error), happened);
            return;
        }
        client::Event::Disconnected { socket, reason } => {
            push(state, socket, Item::Disconnected(reason), happened);
            return;
        }
        client::Event::Received(received) => {
            push(state, received.socket, Item::Received(received), happened);
            return;
        }
        client::Event::Discarded { socket, limit } => {
            let namespace = namespace(state, socket);
            let namespace = namespace.as_ref().map(|namespace| &*namespace.name);
            tracing::warn!(namespace, limit, "a message is larger than the server takes");
            return;
        }
        // The core may tell more in a later version.
        _ => return,
    };
    let namespaces = state.entries.values().map(|entry| entry.shared.clone()).collect();
    happened.push(Happened::Lifecycle(lifecycle, namespaces));
}

fn namespace(state: &State, key: SocketKey) -> Option<Arc<NamespaceShared>> {
    let entry = state.entries.get(state.place_of(key)?)?;
    Some(entry.shared.clone())
}

fn push(state: &State, key: SocketKey, item: Item, happened: &mut Vec<Happened>) {
    happened.extend(namespace(state, key).map(|namespace| Happened::Item(namespace, item)));
}

fn settle(
    state: &mut State,
    key: SocketKey,
    result: Result<(), ConnectError>,
    happened: &mut Vec<Happened>,
) {
    let Some(entry) = state.place_of(key).and_then(|place| state.entry(place)) else { return };
    entry.failure = result.as_ref().err().cloned();
    let waiting = std::mem::take(&mut entry.waiting);
    if !waiting.is_empty() {
        happened.push(Happened::Settled(waiting, result));
    }
}

fn failed(failure: AckFailure) -> AckError {
    match failure {
        AckFailure::TimedOut => AckError::TimedOut,
        AckFailure::Interrupted => AckError::Interrupted,
        AckFailure::TooLarge { limit } => AckError::Emit(EmitError::TooLarge { limit }),
        // The core may name more reasons in a later version.
        AckFailure::Disconnected | _ => AckError::Disconnected,
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut buffers = Buffers::take();
        let mut rounds = ROUNDS_MAX;
        let is_over = loop {
            match this.round(cx, &mut buffers) {
                Poll::Ready(true) => break true,
                Poll::Pending => break false,
                Poll::Ready(false) => {}
            }
            rounds -= 1;
            if rounds == 0 {
                cx.waker().wake_by_ref();
                break false;
            }
        };
        buffers.put_back();
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Task {
    /// Also where a handler has panicked, or the runtime ends.
    fn drop(&mut self) {
        self.shared.end();
    }
}
