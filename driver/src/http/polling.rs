//! GET and POST of a session on polling.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Response, StatusCode};
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::payload::v3;
use sansocket_core::{
    ConnectionKey, Dialect, EngineError, Gone, PollKey, PollResponse, PostKey, Refusal, Sid,
    Timestamp,
};

use crate::handshake::Handshake;
use crate::inner::Inner;
use crate::session::Session;
use crate::shards::{Shard, Slot};

use super::body::{self, BodyError};
use super::response::{self, Body};
use super::service::{GivenUp, Unserved};

/// Packets of a POST that are handled at once. What comes behind them waits for its turn among those
/// who send much, and has it in larger parts.
const FIRST_PART: usize = 16;
const PART: usize = 64;

/// A session is opened by a GET, which is answered by its open packet.
pub(super) async fn open(
    inner: &Arc<Inner>,
    handshake: Arc<Handshake>,
    request: &Parts,
    dialect: Dialect,
    sid: Option<Sid>,
) -> Result<Response<Body>, Unserved> {
    let index = inner.shard_for(sid.as_ref());
    let shard = inner.shards.get(index).ok_or(Refusal::Unavailable)?;
    let now = inner.now();
    let opened = shard.with(|state| {
        let opened = state.core.open_polling_as(now, dialect, sid)?;
        state.slots.insert(opened.connection, Slot::new(handshake));
        Ok::<_, Refusal>(opened)
    })?;
    inner.ensure_timers();
    let session = Session::polling(inner.clone(), index, &opened);
    // The open packet is there, so this does not wait. It goes alone, as in the reference: a client
    // of Engine.IO 3 is let in to `/` by the task, and told by its next GET.
    let response = poll(inner, index, opened.connection, request, Some(&opened.sid)).await;
    inner.runtime.spawn(Box::pin(session));
    response
}

/// A GET waits for packets. It may be the one by which its session was `opened`.
pub(super) async fn poll(
    inner: &Inner,
    shard: usize,
    key: ConnectionKey,
    request: &Parts,
    opened: Option<&Sid>,
) -> Result<Response<Body>, Unserved> {
    let shard = inner.shards.get(shard).ok_or(Refusal::UnknownSession)?;
    let poll = shard.with(|state| state.core.begin_poll(key))?;
    let mut waiting = WaitingPoll { shard, key, poll, answered: false };
    let answer = poll_fn(|cx| waiting.poll(cx)).await;
    Ok(response::packets(&inner.settings, answer, request, opened))
}

/// A GET of a session that is unknown may be one that a POST overtook.
pub(super) fn late_poll(inner: &Inner, sid: &Sid, request: &Parts) -> Option<Response<Body>> {
    let shard = inner.shards.get(inner.shard_of(sid))?;
    let answer = shard.with(|state| state.core.take_late_poll_response(sid))?;
    Some(response::packets(&inner.settings, answer, request, None))
}

/// A GET whose client may go away.
struct WaitingPoll<'a> {
    shard: &'a Shard,
    key: ConnectionKey,
    poll: PollKey,
    answered: bool,
}

impl WaitingPoll<'_> {
    fn poll(&mut self, cx: &std::task::Context<'_>) -> Poll<PollResponse> {
        let response = self.shard.with(|state| {
            let response = state.core.take_poll_response(self.key, self.poll);
            if let (None, Some(slot)) = (&response, state.slots.get_mut(&self.key)) {
                slot.poll = Some(cx.waker().clone());
            }
            response
        });
        match response {
            Some(response) => {
                self.answered = true;
                Poll::Ready(response)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for WaitingPoll<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shard.with(|state| state.core.handle_poll_aborted(self.key, self.poll));
        }
    }
}

/// A POST brings packets.
pub(super) async fn post<B>(
    inner: &Inner,
    shard: usize,
    key: ConnectionKey,
    request: &Parts,
    body: B,
) -> Result<Response<Body>, Unserved>
where
    B: http_body::Body<Data = Bytes>,
{
    let shard = inner.shards.get(shard).ok_or(GivenUp)?;
    let post_key = shard.with(|state| state.core.begin_post(key))?;
    let mut post = RunningPost { shard, key, post: Some(post_key) };
    let is_binary =
        request.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream");
    let form = if is_binary { v3::Body::Binary } else { v3::Body::Text };
    // Only protocol 3 has binary bodies; a client that sends one elsewhere has mistaken the
    // revision. Dropping the POST closes its session.
    if is_binary && !post_key.takes_binary() {
        return Ok(response::empty(StatusCode::BAD_REQUEST));
    }
    // Most bodies are there already, and need no timer.
    let mut deadline = pin!(async {
        inner.runtime.sleep_until(inner.now() + inner.settings.body_timeout).await;
    });
    let mut body = pin!(body);
    let body =
        match body::read(body.as_mut(), inner.config.limits.max_payload, deadline.as_mut()).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                post.reject();
                // Closing while the client is still sending could destroy the answer on its way.
                body::discard(body, inner.config.limits.max_payload, deadline).await;
                return Ok(response::empty(StatusCode::PAYLOAD_TOO_LARGE));
            }
            Err(BodyError::TimedOut) => return Ok(response::empty(StatusCode::REQUEST_TIMEOUT)),
            Err(BodyError::Broken) => return Ok(response::empty(StatusCode::BAD_REQUEST)),
        };
    let parser = inner.config.parser.as_ref();
    let mut packets = post_key.decode_by(parser, body, form, &inner.config.limits).peekable();
    let mut has_begun = false;
    loop {
        post.wait_for_room().await;
        // What most clients send is handled at once.
        let _turn = if has_begun { Some(shard.crowd.turn().await) } else { None };
        let count = if has_begun { PART } else { FIRST_PART };
        let part: Vec<_> = packets.by_ref().take(count).collect();
        let is_last = packets.peek().is_none();
        match post.handle(inner.now(), part, is_last) {
            // By what it has sent itself.
            Err(Gone) if has_begun => break,
            Err(Gone) => return Err(GivenUp.into()),
            Ok(()) if is_last => break,
            Ok(()) => has_begun = true,
        }
    }
    Ok(response::ok(&inner.settings, request))
}

/// A POST whose client may go away. Dropping it ends its session.
struct RunningPost<'a> {
    shard: &'a Shard,
    key: ConnectionKey,
    post: Option<PostKey>,
}

impl RunningPost<'_> {
    /// Packets of it, which end it if they are the last.
    fn handle(
        &mut self,
        now: Timestamp,
        packets: Vec<Result<Inbound, EngineError>>,
        is_last: bool,
    ) -> Result<(), Gone> {
        let post = self.post.take().ok_or(Gone)?;
        self.shard.with(|state| match is_last {
            true => state.core.handle_post(now, self.key, post, packets),
            false => state.core.handle_post_part(now, self.key, post, packets),
        })?;
        self.post = (!is_last).then_some(post);
        Ok(())
    }

    /// The session is not to suffer for this one.
    fn reject(&mut self) {
        if let Some(post) = self.post.take() {
            self.shard.with(|state| state.core.handle_post_rejected(self.key, post));
        }
    }

    /// Holds the client back while the application does not keep up.
    async fn wait_for_room(&self) {
        poll_fn(|cx| {
            self.shard.with(|state| {
                if state.core.wants_input(self.key) {
                    return Poll::Ready(());
                }
                // The session task takes the events, and wakes this one.
                match state.slots.get_mut(&self.key) {
                    Some(slot) => slot.post = Some(cx.waker().clone()),
                    None => return Poll::Ready(()),
                }
                Poll::Pending
            })
        })
        .await;
    }
}

impl Drop for RunningPost<'_> {
    fn drop(&mut self) {
        if let Some(post) = self.post.take() {
            self.shard.with(|state| state.core.handle_post_aborted(self.key, post));
        }
    }
}
