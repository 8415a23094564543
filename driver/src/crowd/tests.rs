use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake};

use sansocket_core::Timestamp;

use super::*;
use crate::runtime::Sleep;

/// Wakes at once.
struct Direct;

impl Runtime for Direct {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Sleep>> {
        Box::pin(pending())
    }

    fn spawn(&self, _: Pin<Box<dyn Future<Output = ()> + Send>>) {}
}

/// How often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Member {
    task: Arc<Task>,
    waker: Waker,
    place: Place,
}

impl Member {
    fn of(crowd: &Crowd) -> Self {
        let task = Arc::<Task>::default();
        Self { waker: task.clone().into(), task, place: crowd.enter() }
    }

    fn woken(&self) -> usize {
        self.task.0.load(Ordering::Relaxed)
    }

    fn poll(&self, crowd: &Crowd) -> bool {
        crowd.poll_turn(self.place, &self.waker)
    }

    fn queue(&self, crowd: &Crowd) {
        crowd.queue(self.place, &self.waker);
    }
}

fn crowd_of<const N: usize>() -> (Crowd, [Member; N]) {
    let crowd = Crowd::new(Arc::new(Direct));
    let members = std::array::from_fn(|_| Member::of(&crowd));
    (crowd, members)
}

#[test]
fn turns_go_round_in_the_order_of_coming() {
    let (crowd, [a, b, c]) = crowd_of();
    assert!(a.poll(&crowd) && a.poll(&crowd));
    assert!(!b.poll(&crowd) && !c.poll(&crowd) && !b.poll(&crowd));
    a.queue(&crowd);
    assert_eq!([a.woken(), b.woken(), c.woken()], [0, 1, 0]);
    assert!(b.poll(&crowd) && !a.poll(&crowd) && !c.poll(&crowd));
    b.queue(&crowd);
    assert_eq!([a.woken(), b.woken(), c.woken()], [0, 1, 1]);
    c.queue(&crowd);
    assert_eq!([a.woken(), b.woken(), c.woken()], [1, 1, 1]);
    assert!(a.poll(&crowd));
}

#[test]
fn who_is_alone_is_woken_for_its_next_turn_at_once() {
    let (crowd, [a]) = crowd_of();
    a.queue(&crowd);
    assert_eq!(a.woken(), 1);
    assert!(a.poll(&crowd));
    a.queue(&crowd);
    assert_eq!(a.woken(), 2);
}

#[test]
fn who_leaves_passes_its_turn_on_and_is_passed_over() {
    let (crowd, [a, b, c]) = crowd_of();
    assert!(a.poll(&crowd));
    b.queue(&crowd);
    c.queue(&crowd);
    crowd.leave(b.place);
    crowd.leave(a.place);
    assert_eq!([a.woken(), b.woken(), c.woken()], [0, 0, 1]);
    crowd.leave(c.place);
    // Its place is still one.
    assert!(b.poll(&crowd) && !c.poll(&crowd));
}

#[test]
fn a_turn_is_waited_for_and_ends_when_it_is_dropped() {
    let (crowd, [a]) = crowd_of();
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut first = pin!(crowd.turn());
        let mut second = pin!(crowd.turn());
        let mut dropped = Box::pin(crowd.turn());
        // Even alone, it lets others run first.
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(dropped.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        let Poll::Ready(turn) = first.as_mut().poll(&mut context) else { panic!("its turn") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(dropped);
        drop(turn);
        let Poll::Ready(turn) = second.as_mut().poll(&mut context) else { panic!("its turn") };
        assert!(!a.poll(&crowd));
        drop(turn);
    }
    assert_eq!(a.woken(), 1);
}

/// Whatever members do: at most one has its turn, somebody has it while anybody waits, and nobody has
/// two while another waits for one.
#[test]
fn nobody_is_forgotten() {
    let (crowd, members) = crowd_of::<5>();
    let mut random = 1_u64;
    let mut waiting = BTreeSet::new();
    let mut passed_over = [0; 5];
    for _ in 0..20_000 {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let index = (random >> 33) as usize % members.len();
        let member = &members[index];
        match random >> 60 {
            0..4 => {
                if member.poll(&crowd) {
                    assert!(waiting.is_empty() || !waiting.contains(&index));
                } else {
                    waiting.insert(index);
                }
            }
            4..14 => {
                member.queue(&crowd);
                waiting.insert(index);
            }
            _ => {
                crowd.leave(member.place);
                waiting.remove(&index);
                passed_over[index] = 0;
            }
        }
        let turn = crowd.with(|state| state.turn);
        let holder = members.iter().position(|member| Some(member.place) == turn);
        assert!(holder.is_some() || waiting.is_empty(), "somebody waits, and nobody is at work");
        if let Some(holder) = holder
            && waiting.remove(&holder)
        {
            passed_over[holder] = 0;
            for other in &waiting {
                passed_over[*other] += 1;
                assert!(passed_over[*other] < members.len(), "{other} waits for ever");
            }
        }
        let (kept, queued) = crowd.with(|state| (state.waiting.len(), state.queue.len()));
        assert_eq!(kept, waiting.len());
        assert!(queued <= LEFT_MAX + 2 * members.len());
    }
    for (index, member) in members.iter().enumerate() {
        assert!(member.woken() > 100, "{index} was seldom woken");
    }
    members.iter().for_each(|member| crowd.leave(member.place));
    assert!(crowd.with(|state| state.turn.is_none() && state.queue.is_empty()));
}
