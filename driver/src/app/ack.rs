//! Acknowledgements that somebody waits for.
//!
//! Whatever becomes of one is an outcome that the core tells: an answer, a deadline that passed, a
//! socket that was disconnected. Nothing here keeps time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_channel::oneshot;
use sansocket_core::{AckFailure, AckId, Args};
use serde::de::DeserializeOwned;

use super::error::{AckError, BroadcastAckError, BroadcastAckErrorKind, EmitError};
use super::sync::lock;

/// Who waits for which acknowledgement, by ids that no two emits of a server, or of a client's
/// connection, share.
#[derive(Default)]
pub(crate) struct Acks {
    next: AtomicU64,
    waiters: Mutex<HashMap<AckId, Waiter>>,
}

enum Waiter {
    One(oneshot::Sender<Result<Args, AckError>>),
    Many(Collector),
}

/// The answers to one broadcast, so far.
struct Collector {
    answers: Answers,
    /// How many recipients owe one; unknown until the broadcast has visited every shard.
    expected: Option<usize>,
    done: oneshot::Sender<Answers>,
}

#[derive(Default)]
struct Answers {
    args: Vec<Args>,
    timed_out: usize,
    disconnected: usize,
}

impl Acks {
    pub(crate) fn resolve(&self, id: AckId, result: Result<Args, AckFailure>) {
        let mut waiters = lock(&self.waiters);
        // Nobody may wait any more: the future was dropped.
        let Entry::Occupied(mut entry) = waiters.entry(id) else { return };
        if let Waiter::Many(collector) = entry.get_mut() {
            collector.answers.add(result);
            if collector.is_complete() {
                let waiter = entry.remove();
                drop(waiters);
                waiter.complete();
            }
            return;
        }
        let waiter = entry.remove();
        drop(waiters);
        waiter.answer(result.map_err(AckError::from));
    }

    /// As [`resolve`](Self::resolve), where nobody was asked but one.
    pub(crate) fn resolve_one(&self, id: AckId, result: Result<Args, AckError>) {
        // The receiving task is woken without the lock.
        let waiter = lock(&self.waiters).remove(&id);
        if let Some(waiter) = waiter {
            waiter.answer(result);
        }
    }

    /// Tells everybody that nothing comes any more.
    pub(crate) fn clear(&self) {
        let waiters = std::mem::take(&mut *lock(&self.waiters));
        drop(waiters);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.waiters).len()
    }

    fn register(&self, waiter: Waiter) -> AckId {
        let number = self.next.fetch_add(1, Ordering::Relaxed) & AckId::MAX.get();
        let id = AckId::new(number).unwrap_or(AckId::MAX);
        lock(&self.waiters).insert(id, waiter);
        id
    }

    /// To be called when a broadcast has visited every shard.
    fn expect(&self, id: AckId, recipients: usize) {
        let mut waiters = lock(&self.waiters);
        let Entry::Occupied(mut entry) = waiters.entry(id) else { return };
        let Waiter::Many(collector) = entry.get_mut() else { return };
        collector.expected = Some(recipients);
        if collector.is_complete() {
            let waiter = entry.remove();
            drop(waiters);
            waiter.complete();
        }
    }

    fn forget(&self, id: AckId) {
        let waiter = lock(&self.waiters).remove(&id);
        drop(waiter);
    }
}

impl Waiter {
    fn answer(self, result: Result<Args, AckError>) {
        match self {
            Self::One(sender) => {
                // It fails if the future was dropped just now.
                let _ = sender.send(result);
            }
            Self::Many(_) => {}
        }
    }

    fn complete(self) {
        match self {
            Self::One(_) => {}
            Self::Many(collector) => {
                let _ = collector.done.send(collector.answers);
            }
        }
    }
}

impl Collector {
    fn is_complete(&self) -> bool {
        self.expected.is_some_and(|expected| self.answers.count() >= expected)
    }
}

impl Answers {
    fn add(&mut self, result: Result<Args, AckFailure>) {
        match result {
            Ok(args) => self.args.push(args),
            Err(AckFailure::TimedOut) => self.timed_out += 1,
            Err(AckFailure::Disconnected) => self.disconnected += 1,
        }
    }

    fn count(&self) -> usize {
        self.args.len() + self.timed_out + self.disconnected
    }
}

/// Somebody who waits. Whoever stops waiting leaves nothing behind.
struct Waiting<R> {
    acks: Arc<Acks>,
    id: AckId,
    receiver: oneshot::Receiver<R>,
}

impl<R> Waiting<R> {
    fn new(acks: &Arc<Acks>, waiter: impl FnOnce(oneshot::Sender<R>) -> Waiter) -> Self {
        let (sender, receiver) = oneshot::channel();
        let id = acks.register(waiter(sender));
        Self { acks: acks.clone(), id, receiver }
    }
}

impl<R> Drop for Waiting<R> {
    fn drop(&mut self) {
        self.acks.forget(self.id);
    }
}

/// The answer to an event, once it comes. The event is sent already; dropping this only gives up
/// the answer.
#[must_use = "the answer comes when this is awaited"]
pub struct AckFuture<T> {
    state: AckState,
    answer: PhantomData<fn() -> T>,
}

enum AckState {
    NotSent(Option<EmitError>),
    Waiting(Waiting<Result<Args, AckError>>),
}

impl<T> AckFuture<T> {
    /// `send` gets the id of the acknowledgement that the event is to ask for.
    pub(crate) fn new(acks: &Arc<Acks>, send: impl FnOnce(AckId) -> Result<(), EmitError>) -> Self {
        // Registered first, because the answer may come before `send` returns.
        let waiting = Waiting::new(acks, Waiter::One);
        let state = match send(waiting.id) {
            Ok(()) => AckState::Waiting(waiting),
            Err(error) => AckState::NotSent(Some(error)),
        };
        Self { state, answer: PhantomData }
    }
}

impl<T> AckFuture<T> {
    /// The same with all arguments as they come, of which there may be any number.
    pub fn undecoded(self) -> UndecodedAckFuture {
        UndecodedAckFuture { state: self.state }
    }
}

impl<T: DeserializeOwned> Future for AckFuture<T> {
    type Output = Result<T, AckError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.state.poll(cx).map(|args| Ok(args?.decode()?))
    }
}

/// The answer to an event, undecoded. See [`AckFuture::undecoded`].
#[must_use = "the answer comes when this is awaited"]
pub struct UndecodedAckFuture {
    state: AckState,
}

impl Future for UndecodedAckFuture {
    type Output = Result<Args, AckError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.state.poll(cx)
    }
}

impl AckState {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Args, AckError>> {
        match self {
            Self::NotSent(error) => {
                let error = error.take().unwrap_or(EmitError::NotConnected);
                Poll::Ready(Err(AckError::Emit(error)))
            }
            // A waiter that is dropped has no server any more, or no connection.
            Self::Waiting(waiting) => Pin::new(&mut waiting.receiver)
                .poll(cx)
                .map(|outcome| outcome.unwrap_or(Err(AckError::Disconnected))),
        }
    }
}

/// The answers to a broadcast, once everybody has answered, timed out or gone. The event is sent
/// already; dropping this only gives up the answers.
#[must_use = "the answers come when this is awaited"]
pub struct BroadcastAckFuture<T> {
    state: BroadcastState,
    answers: PhantomData<fn() -> T>,
}

enum BroadcastState {
    Failed(Option<BroadcastAckErrorKind>),
    Waiting {
        waiting: Waiting<Answers>,
        /// Recipients whose connections were closed because they did not keep up.
        overflowed: usize,
    },
}

/// Who is asked by a broadcast.
pub(super) struct Asked {
    pub(super) queued: usize,
    pub(super) overflowed: usize,
}

impl<T> BroadcastAckFuture<T> {
    /// `send` gets the id of the acknowledgement that the event is to ask for.
    pub(super) fn new(
        acks: &Arc<Acks>,
        send: impl FnOnce(AckId) -> Result<Asked, sansocket_core::EncodeError>,
    ) -> Self {
        let waiting = Waiting::new(acks, |done| {
            Waiter::Many(Collector { answers: Answers::default(), expected: None, done })
        });
        let state = match send(waiting.id) {
            Ok(Asked { queued, overflowed }) => {
                acks.expect(waiting.id, queued);
                BroadcastState::Waiting { waiting, overflowed }
            }
            Err(error) => BroadcastState::Failed(Some(BroadcastAckErrorKind::Encode(error))),
        };
        Self { state, answers: PhantomData }
    }
}

impl<T: DeserializeOwned> Future for BroadcastAckFuture<T> {
    type Output = Result<Vec<T>, BroadcastAckError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let failed = |kind| BroadcastAckError { responses: Vec::new(), missing: 0, kind };
        let (waiting, overflowed) = match &mut self.state {
            BroadcastState::Failed(kind) => {
                let kind = kind.take().unwrap_or(BroadcastAckErrorKind::Disconnected);
                return Poll::Ready(Err(failed(kind)));
            }
            BroadcastState::Waiting { waiting, overflowed } => (waiting, *overflowed),
        };
        Pin::new(&mut waiting.receiver).poll(cx).map(|answers| match answers {
            Ok(answers) => answers.decode(overflowed),
            Err(oneshot::Canceled) => Err(failed(BroadcastAckErrorKind::Disconnected)),
        })
    }
}

impl Answers {
    fn decode<T: DeserializeOwned>(
        self,
        overflowed: usize,
    ) -> Result<Vec<T>, BroadcastAckError<T>> {
        let mut missing = self.timed_out + self.disconnected + overflowed;
        let mut responses = Vec::with_capacity(self.args.len());
        let mut misfit = None;
        for args in self.args {
            match args.decode() {
                Ok(response) => responses.push(response),
                Err(error) => {
                    missing += 1;
                    misfit.get_or_insert(error);
                }
            }
        }
        let kind = match misfit {
            _ if self.timed_out > 0 => BroadcastAckErrorKind::TimedOut,
            _ if self.disconnected + overflowed > 0 => BroadcastAckErrorKind::Disconnected,
            Some(error) => BroadcastAckErrorKind::Decode(error),
            None => return Ok(responses),
        };
        Err(BroadcastAckError { responses, missing, kind })
    }
}
