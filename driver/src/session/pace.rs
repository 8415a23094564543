//! How long a session's task goes on before others get their chance.

use std::task::Context;

use sansocket_core::Timestamp;

use crate::crowd::{Crowd, Place, TURN};
use crate::inner::Inner;
use crate::websocket::Work;

/// Turns before other tasks get their chance.
const TURNS_MAX: usize = 8;

/// Whether a session is one of the busy.
#[derive(Default)]
pub(super) struct Pace {
    /// Its place in its shard's crowd, while it is.
    place: Option<Place>,
}

/// What one run of the task may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// A share of work.
    Share,
    /// Whatever there is, until then.
    Until(Timestamp),
    /// It is one of the busy, and it is another one's turn: to pass on what the server sends.
    Output,
}

impl Allowed {
    /// Whether the time is over.
    pub(super) fn is_over(self, inner: &Inner) -> bool {
        matches!(self, Self::Until(end) if inner.now() >= end)
    }
}

impl Pace {
    /// At the begin of a run.
    pub(super) fn begin(&self, cx: &Context<'_>, inner: &Inner, crowd: &Crowd) -> Allowed {
        match self.place {
            None => Allowed::Share,
            Some(place) if crowd.poll_turn(place, cx.waker()) => Allowed::Until(inner.now() + TURN),
            Some(_) => Allowed::Output,
        }
    }

    /// Whether the run is to end, with `turns` done and more to do.
    pub(super) fn is_spent(allowed: Allowed, inner: &Inner, turns: usize, work: Work) -> bool {
        turns >= TURNS_MAX || work.is_a_share() || allowed.is_over(inner)
    }

    /// At the end of a run after which there is more to do. The task is woken for it.
    pub(super) fn go_on(&mut self, allowed: Allowed, cx: &Context<'_>, crowd: &Crowd, work: Work) {
        let is_busy = match allowed {
            Allowed::Share => work.is_a_share(),
            Allowed::Until(_) => true,
            Allowed::Output => false,
        };
        if is_busy {
            let place = *self.place.get_or_insert_with(|| crowd.enter());
            crowd.queue(place, cx.waker());
        } else {
            cx.waker().wake_by_ref();
        }
    }

    /// At the end of a run after which there is nothing to do.
    pub(super) fn rest(&mut self, allowed: Allowed, crowd: &Crowd, work: Work) {
        if allowed != Allowed::Output
            && let Some(place) = self.place
        {
            crowd.leave(place);
            if work.is_little() {
                self.place = None;
            }
        }
    }

    /// At the end of the session.
    pub(super) fn end(&mut self, crowd: &Crowd) {
        if let Some(place) = self.place.take() {
            crowd.leave(place);
        }
    }
}
