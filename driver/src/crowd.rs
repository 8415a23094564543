//! Where sessions queue that have more to do than their share, so that others do not wait for them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use sansocket_core::Remains;

use crate::key_map::KeyMap;
use crate::runtime::Runtime;

/// How long a turn of a busy session goes on, but for the step that it is at when the time is over.
/// Everybody who is not busy waits for one such turn of each shard at most, whatever the number of the
/// busy.
pub(crate) const TURN: Duration = Duration::from_micros(50);

/// Those who have left are looked for when there may be more of them than of the others, and than this.
const LEFT_MAX: usize = 16;

/// Messages that are freed at once.
const FREED: usize = 512;

/// The busy sessions of one shard. One of them is at work at a time, in the order of their coming.
///
/// A runtime polls its tasks in turn, so that one that is always ready makes everybody wait for as
/// long as it runs; and so does each one of a thousand. Those in a crowd count as one.
pub(crate) struct Crowd {
    runtime: Arc<dyn Runtime>,
    state: Mutex<State>,
}

/// A place in a crowd, from entering it to leaving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(NonZeroU64);

struct Waiting {
    number: u64,
    waker: Waker,
}

/// A turn, or the waiting for one.
pub(crate) struct Turn<'a> {
    crowd: &'a Crowd,
    place: Place,
}

#[derive(Default)]
struct State {
    /// The last number given, to a place or to a waiting.
    last: u64,
    /// Whose turn it is. Invariant: somebody's, if anybody waits.
    turn: Option<Place>,
    /// Who comes next, and the number of the waiting. Those who have left meanwhile are not among
    /// those who wait, or with another number.
    queue: VecDeque<(Place, u64)>,
    waiting: KeyMap<u64, Waiting>,
}

impl Crowd {
    pub(crate) fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self { runtime, state: Mutex::default() }
    }

    /// A place, which is to be [left](Self::leave) in the end.
    pub(crate) fn enter(&self) -> Place {
        self.with(|state| Place(NonZeroU64::new(state.number()).unwrap_or(NonZeroU64::MIN)))
    }

    /// Whether it is the turn of `place`, which it is at once where nobody is at work. If not,
    /// `waker` is woken when it is.
    ///
    /// A turn ends with [`queue`](Self::queue) or [`leave`](Self::leave).
    pub(crate) fn poll_turn(&self, place: Place, waker: &Waker) -> bool {
        self.with(|state| {
            let is_turn = *state.turn.get_or_insert(place) == place;
            if !is_turn {
                state.wait(place, waker.clone());
            }
            is_turn
        })
    }

    /// Ends the turn of `place`, if it is that, and asks for another one behind everybody who
    /// waits. `waker` is woken when it comes, which may be at once.
    pub(crate) fn queue(&self, place: Place, waker: &Waker) {
        let next = self.with(|state| {
            state.turn.take_if(|turn| *turn == place);
            state.wait(place, waker.clone());
            if state.turn.is_none() { state.next() } else { None }
        });
        self.wake(next);
    }

    /// Ends the turn of `place`, or its waiting for one. Whoever wants may come back to it.
    pub(crate) fn leave(&self, place: Place) {
        let next = self.with(|state| {
            state.waiting.remove(&place.0.get());
            state.turn.take_if(|turn| *turn == place).and_then(|_| state.next())
        });
        self.wake(next);
    }

    /// Waits for a turn, which ends when it is dropped. Others have theirs before it, whether they
    /// are in the crowd or not.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let turn = Turn { crowd: self, place: self.enter() };
        let mut has_queued = false;
        poll_fn(|cx| {
            if !std::mem::replace(&mut has_queued, true) {
                self.queue(turn.place, cx.waker());
                return Poll::Pending;
            }
            if self.poll_turn(turn.place, cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        turn
    }

    /// Frees what a connection has left, in turns like any other work.
    pub(crate) fn free(self: &Arc<Self>, mut remains: Remains) {
        let crowd = self.clone();
        self.runtime.spawn(Box::pin(async move {
            loop {
                let _turn = crowd.turn().await;
                if !remains.free(FREED) {
                    break;
                }
            }
        }));
    }

    /// Whose turn it is has it when nobody else is ready.
    fn wake(&self, next: Option<Waker>) {
        if let Some(next) = next {
            self.runtime.wake_last(next);
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.crowd.leave(self.place);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    fn wait(&mut self, place: Place, waker: Waker) {
        if let Some(waiting) = self.waiting.get_mut(&place.0.get()) {
            waiting.waker = waker;
            return;
        }
        let number = self.number();
        self.waiting.insert(place.0.get(), Waiting { number, waker });
        self.queue.push_back((place, number));
        if self.queue.len() > LEFT_MAX + 2 * self.waiting.len() {
            let Self { queue, waiting, .. } = self;
            queue.retain(|(place, number)| {
                waiting.get(&place.0.get()).is_some_and(|waiting| waiting.number == *number)
            });
        }
    }

    /// Makes it the next one's turn, who is to be woken.
    fn next(&mut self) -> Option<Waker> {
        loop {
            let Some((place, number)) = self.queue.pop_front() else {
                // What a great crowd needed is not kept.
                *self = Self { last: self.last, ..Self::default() };
                return None;
            };
            let key = place.0.get();
            if self.waiting.get(&key).is_some_and(|waiting| waiting.number == number) {
                self.turn = Some(place);
                return self.waiting.remove(&key).map(|waiting| waiting.waker);
            }
        }
    }
}
