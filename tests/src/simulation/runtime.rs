//! A runtime of one thread, whose clock is virtual and whose every decision is a choice.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use sansocket_driver::{Runtime, Sleep, Timestamp};

use super::trace::Trace;
use crate::choices::Choices;

/// Polls after which a run that neither moves a byte nor lets time pass is taken for a livelock.
const IDLE_POLLS_MAX: u64 = 50_000;

/// The driver serves deadlines that lie this close together in one wake-up; in this time before a
/// timer, a task that is polled for no reason may do early what is due.
const COALESCE: Duration = Duration::from_millis(2);

/// A task.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that the world does to the tasks at a certain time.
type Event = Box<dyn FnOnce() + Send>;

/// How the scheduler and the clock behave in one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Whether any task that is ready may be next, rather than the one that waits longest.
    pub shuffles: bool,
    /// Whether each poll comes with a waker of its own, and wakers of earlier polls are dead.
    pub fresh_wakers: bool,
    /// How often a poll is followed by one that nobody asked for, in 256 polls.
    pub spurious_of_256: u8,
    /// How often the clock jumps beyond the next timer, in 256 steps of it.
    pub jumps_of_256: u8,
    /// How far it jumps at most.
    pub jump_max: Duration,
    /// Whether all parked tasks are polled before time passes: one that then does something has
    /// missed a wake-up.
    pub probes: bool,
}

/// Whose task it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server's, or its application's.
    Server,
    /// A client's, or the scenario's.
    World,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The runtime. A handle, cheap to clone.
#[derive(Clone)]
pub struct SimRuntime {
    shared: Arc<Mutex<State>>,
}

struct State {
    now: Timestamp,
    /// Of tasks, timers and events alike.
    next_id: u64,
    tasks: BTreeMap<u64, Slot>,
    ready: Vec<u64>,
    timers: BTreeMap<(Timestamp, u64), Waker>,
    events: BTreeMap<(Timestamp, u64), Event>,
    /// Sleeps that exist, waited for or not.
    sleeps: usize,
    habits: Habits,
    noise: Choices<'static>,
    trace: Trace,
    polls: u64,
    idle_polls: u64,
    /// Grows with everything that the server does to the world.
    progress: u64,
    /// What that was.
    last: &'static str,
    panics: usize,
}

struct Slot {
    /// None while it is polled.
    task: Option<Task>,
    side: Side,
    name: &'static str,
    queued: bool,
    /// Of the newest waker.
    generation: u64,
}

struct TaskWaker {
    shared: Weak<Mutex<State>>,
    id: u64,
    generation: u64,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A task was polled.
    Polled,
    /// Time has passed.
    Waited,
    /// There is nothing to poll and nothing to wait for.
    Rested,
}

impl SimRuntime {
    /// A runtime that decides by `noise`.
    pub fn new(habits: Habits, noise: Choices<'static>) -> Self {
        let state = State {
            // Not the origin, which code could take for a default.
            now: Timestamp::from_millis(1_000_000),
            next_id: 0,
            tasks: BTreeMap::new(),
            ready: Vec::new(),
            timers: BTreeMap::new(),
            events: BTreeMap::new(),
            sleeps: 0,
            habits,
            noise,
            trace: Trace::default(),
            polls: 0,
            idle_polls: 0,
            progress: 0,
            last: "nothing",
            panics: 0,
        };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Runs a task of a side.
    pub fn start(
        &self,
        side: Side,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.start_boxed(side, name, Box::pin(task));
    }

    /// Waits for as long.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + Sync + use<> {
        self.sleep_until(self.now() + duration)
    }

    /// Makes something happen at a certain time.
    pub fn at(&self, at: Timestamp, event: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        let id = state.take_id();
        state.events.insert((at, id), Box::new(event));
    }

    /// Takes a decision of chance.
    pub fn choose<R>(&self, choose: impl FnOnce(&mut Choices<'static>) -> R) -> R {
        choose(&mut self.lock().noise)
    }

    /// Notes what happened in the trace.
    pub fn note(&self, note: impl FnOnce(&mut Trace)) {
        note(&mut self.lock().trace);
    }

    /// To be called when the server has done something that the world can see.
    pub fn progressed(&self, what: &'static str) {
        let mut state = self.lock();
        state.progress += 1;
        state.last = what;
        state.idle_polls = 0;
    }

    /// The trace of what was done so far.
    pub fn hash(&self) -> u64 {
        let state = self.lock();
        let mut trace = state.trace;
        trace.note(state.polls);
        trace.note(state.now.as_micros());
        trace.hash()
    }

    /// By how much more a wait may take because the clock jumps.
    pub fn lateness(&self) -> Duration {
        let habits = self.lock().habits;
        if habits.jumps_of_256 > 0 { habits.jump_max * 60 } else { Duration::ZERO }
    }

    /// How often tasks were polled.
    pub fn polls(&self) -> u64 {
        self.lock().polls
    }

    /// How many tasks have panicked.
    pub fn panics(&self) -> usize {
        self.lock().panics
    }

    /// The tasks of a side that have not ended.
    pub fn tasks(&self, side: Side) -> Vec<&'static str> {
        let state = self.lock();
        state.tasks.values().filter(|slot| slot.side == side).map(|slot| slot.name).collect()
    }

    /// Sleeps that have not been dropped.
    pub fn sleeps(&self) -> usize {
        self.lock().sleeps
    }

    /// Polls a task, or lets time pass.
    ///
    /// # Errors
    ///
    /// If the tasks keep each other busy for ever, or one has missed a wake-up.
    pub fn step(&self) -> Result<Step, Violation> {
        if self.poll_one()? {
            return Ok(Step::Polled);
        }
        if self.lock().habits.probes {
            self.probe()?;
        }
        Ok(if self.pass_time() { Step::Waited } else { Step::Rested })
    }

    /// Ends everything: whatever is left of tasks is dropped.
    pub fn end(&self) {
        loop {
            let mut state = self.lock();
            let tasks = std::mem::take(&mut state.tasks);
            let events = std::mem::take(&mut state.events);
            let timers = std::mem::take(&mut state.timers);
            state.ready.clear();
            drop(state);
            if tasks.is_empty() && events.is_empty() && timers.is_empty() {
                return;
            }
        }
    }

    fn start_boxed(&self, side: Side, name: &'static str, task: Task) {
        let mut state = self.lock();
        let id = state.take_id();
        let slot = Slot { task: Some(task), side, name, queued: true, generation: 0 };
        state.tasks.insert(id, slot);
        state.ready.push(id);
        state.progress += 1;
        state.last = "a task began";
    }

    /// Polls one task that is ready. `false` if none is.
    fn poll_one(&self) -> Result<bool, Violation> {
        let Some((id, mut task, generation)) = self.take_ready()? else { return Ok(false) };
        let waker = Waker::from(Arc::new(TaskWaker {
            shared: Arc::downgrade(&self.shared),
            id,
            generation,
        }));
        let mut context = Context::from_waker(&waker);
        let result = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut context)));
        let mut state = self.lock();
        state.trace.note(id << 2 | u64::from(matches!(result, Ok(Poll::Ready(())))));
        match result {
            Ok(Poll::Pending) => {
                if let Some(slot) = state.tasks.get_mut(&id) {
                    slot.task = Some(task);
                }
            }
            Ok(Poll::Ready(())) => {
                drop(state);
                self.finish(id, task);
            }
            Err(payload) => {
                state.panics += 1;
                drop(state);
                self.finish(id, task);
                // Handlers panic with a word of ours; every other panic is a failure.
                if payload.downcast_ref::<ExpectedPanic>().is_none() {
                    std::panic::resume_unwind(payload);
                }
            }
        }
        Ok(true)
    }

    fn take_ready(&self) -> Result<Option<(u64, Task, u64)>, Violation> {
        let mut state = self.lock();
        loop {
            if state.ready.is_empty() {
                return Ok(None);
            }
            let count = state.ready.len();
            let index = if state.habits.shuffles { state.noise.index(count) } else { 0 };
            let id = state.ready.remove(index);
            let habits = state.habits;
            let Some(slot) = state.tasks.get_mut(&id) else { continue };
            slot.queued = false;
            if habits.fresh_wakers {
                slot.generation += 1;
            }
            let generation = slot.generation;
            let Some(task) = slot.task.take() else { continue };
            state.polls += 1;
            state.idle_polls += 1;
            if state.idle_polls > IDLE_POLLS_MAX {
                let names: Vec<_> = state.tasks.values().map(|slot| slot.name).collect();
                return Err(Violation(format!("a livelock among {names:?}")));
            }
            if habits.spurious_of_256 > 0 && state.noise.chance(habits.spurious_of_256) {
                let count = state.tasks.len();
                let index = state.noise.index(count);
                let other = state.tasks.keys().nth(index).copied();
                other.into_iter().for_each(|other| state.queue(other));
            }
            return Ok(Some((id, task, generation)));
        }
    }

    fn finish(&self, id: u64, task: Task) {
        // Its destructors may start tasks and wake others.
        drop(task);
        let mut state = self.lock();
        state.progress += 1;
        state.last = "a task ended";
        let slot = state.tasks.remove(&id);
        drop(state);
        drop(slot);
    }

    /// Polls every task that is parked. None of them may have anything to do.
    fn probe(&self) -> Result<(), Violation> {
        let state = self.lock();
        let soon = state.now + COALESCE;
        if state.next_time().is_some_and(|next| next <= soon) {
            return Ok(());
        }
        let before = state.progress;
        let ids: Vec<u64> = state.tasks.keys().copied().collect();
        drop(state);
        for id in ids {
            let mut state = self.lock();
            let name = state.tasks.get(&id).map(|slot| slot.name);
            state.queue(id);
            drop(state);
            while self.poll_one()? {}
            let state = self.lock();
            if state.progress != before {
                let (now, what) = (state.now, state.last);
                return Err(Violation(format!(
                    "at {now}, task {id} ({name:?}) was not woken for this: {what}"
                )));
            }
        }
        Ok(())
    }

    /// Lets the clock advance to the next timer or event. `false` if there is none.
    fn pass_time(&self) -> bool {
        let mut state = self.lock();
        let Some(next) = state.next_time() else { return false };
        state.now = state.now.max(next);
        let Habits { jumps_of_256, jump_max, .. } = state.habits;
        if jumps_of_256 > 0 && state.noise.chance(jumps_of_256) {
            let micros = state.noise.number(0..=jump_max.as_micros() as u64);
            state.now = state.now + Duration::from_micros(micros);
        }
        state.idle_polls = 0;
        let now = state.now;
        state.trace.note(now.as_micros());
        let end = (now + Duration::from_micros(1), 0);
        let later = state.timers.split_off(&end);
        let timers = std::mem::replace(&mut state.timers, later);
        let later = state.events.split_off(&end);
        let events = std::mem::replace(&mut state.events, later);
        drop(state);
        timers.into_values().for_each(Waker::wake);
        events.into_values().for_each(|event| event());
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn queue(&mut self, id: u64) {
        if let Some(slot) = self.tasks.get_mut(&id)
            && !std::mem::replace(&mut slot.queued, true)
        {
            self.ready.push(id);
        }
    }

    fn next_time(&self) -> Option<Timestamp> {
        let timer = self.timers.keys().next().map(|(at, _)| *at);
        let event = self.events.keys().next().map(|(at, _)| *at);
        timer.into_iter().chain(event).min()
    }
}

impl Runtime for SimRuntime {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Sleep>> {
        let mut state = self.lock();
        state.sleeps += 1;
        let id = state.take_id();
        drop(state);
        Box::pin(SimSleep { runtime: self.clone(), at, id })
    }

    fn spawn(&self, task: Task) {
        self.start_boxed(Side::Server, "spawned", task);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if state.tasks.get(&self.id).is_some_and(|slot| slot.generation == self.generation) {
            state.queue(self.id);
        }
    }
}

struct SimSleep {
    runtime: SimRuntime,
    at: Timestamp,
    id: u64,
}

impl Future for SimSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.runtime.lock();
        if state.now >= self.at {
            return Poll::Ready(());
        }
        let replaced = state.timers.insert((self.at, self.id), cx.waker().clone());
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for SimSleep {
    fn drop(&mut self) {
        let mut state = self.runtime.lock();
        state.sleeps -= 1;
        let removed = state.timers.remove(&(self.at, self.id));
        drop(state);
        drop(removed);
    }
}

/// What handlers panic with.
struct ExpectedPanic;

/// Panics as an application would, but without a message on the screen.
pub fn expected_panic() {
    std::panic::resume_unwind(Box::new(ExpectedPanic));
}
