//! A request's body as one piece of bytes, with a limit and a deadline.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use thiserror::Error;

/// What is reserved for a body before its bytes are there. A client can announce any length, and a
/// promise must not cost memory.
const RESERVED_BYTES_MAX: usize = 64 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum BodyError {
    /// There are more bytes than allowed: 413. The rest has not been read.
    #[error("body too large")]
    TooLarge,
    /// The deadline came first: 408, and the connection has to be closed.
    #[error("body not complete in time")]
    TimedOut,
    /// The client left, or its chunks were malformed: 400, and the connection has to be closed.
    #[error("body cut off or malformed")]
    Broken,
}

/// Reads a body of at most `limit` bytes (a body of exactly that length is one), until `deadline`.
///
/// Only bytes that have arrived count; `Content-Length` is not believed. A body that arrives in
/// one piece is handed on without a copy. Trailers are dropped.
///
/// # Errors
///
/// As soon as it is clear that there will be no body of that size in that time.
pub(crate) async fn read<B>(
    body: B,
    limit: usize,
    deadline: impl Future<Output = ()>,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut deadline = pin!(deadline);
    let mut collected = Collected::default();
    while let Some(data) =
        poll_fn(|context| poll_data(body.as_mut(), deadline.as_mut(), context)).await?
    {
        if data.len() > limit - collected.len() {
            return Err(BodyError::TooLarge);
        }
        collected.push(data, body.size_hint().lower());
    }
    Ok(collected.into_bytes())
}

/// Reads and drops what is left of a body, at most about `limit` bytes and until `deadline`; says
/// whether that was all of it.
///
/// A client that is answered before it has sent everything may see a reset instead of the answer,
/// because that is what closing a connection with unread bytes does.
pub(crate) async fn discard<B>(body: B, limit: usize, deadline: impl Future<Output = ()>) -> bool
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut deadline = pin!(deadline);
    let mut left = limit;
    loop {
        match poll_fn(|context| poll_data(body.as_mut(), deadline.as_mut(), context)).await {
            Ok(Some(data)) if data.len() <= left => left -= data.len(),
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// The next bytes that are not none, or the end.
///
/// The deadline is asked only when the body has nothing to give, so a body that is there already
/// never arms a timer. It cannot be starved: every other turn brings bytes, and those are limited.
fn poll_data<B>(
    mut body: Pin<&mut B>,
    deadline: Pin<&mut impl Future<Output = ()>>,
    context: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, BodyError>>
where
    B: Body<Data = Bytes>,
{
    match body.as_mut().poll_frame(context) {
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
            // Nothing in it; the body is polled again, but after others had their turn.
            Ok(_) | Err(_) => context.waker().wake_by_ref(),
        },
        Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(BodyError::Broken)),
        Poll::Ready(None) => return Poll::Ready(Ok(None)),
        Poll::Pending => {}
    }
    deadline.poll(context).map(|()| Err(BodyError::TimedOut))
}

/// The pieces so far. The first is kept as it is until there is a second.
#[derive(Default)]
struct Collected {
    first: Bytes,
    joined: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes, announced: u64) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            let announced =
                usize::try_from(announced).unwrap_or(usize::MAX).min(RESERVED_BYTES_MAX);
            self.joined.reserve(self.first.len() + data.len() + announced);
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}

#[cfg(test)]
mod tests;
