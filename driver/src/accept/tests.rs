use std::future::{Future, pending, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use sansocket_core::Timestamp;

use crate::runtime::{Runtime, Sleep};
use crate::{Builder, Io};

/// A clock that stands still. Tasks are run until they wait, sleeps are over at once if so wished.
#[derive(Default)]
struct Fake {
    sleeps_pass: bool,
    slept: Mutex<usize>,
}

impl Runtime for Fake {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Sleep>> {
        *self.slept.lock().unwrap() += 1;
        if self.sleeps_pass { Box::pin(ready(())) } else { Box::pin(pending()) }
    }

    fn spawn(&self, mut task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let _ = poll(task.as_mut());
    }
}

/// No handshake gets so far.
enum Never {}

impl Read for Never {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl Write for Never {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

fn server(sleeps_pass: bool) -> (Io, Arc<Fake>) {
    let runtime = Arc::new(Fake { sleeps_pass, ..Fake::default() });
    (Builder::<Io>::default().build_with(runtime.clone()).unwrap(), runtime)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_failed_accept_ends_nothing_and_only_some_are_waited_after() {
    let (io, runtime) = server(true);
    let served = Mutex::new(Vec::new());
    let mut results = [
        Ok(1),
        Err(io::ErrorKind::ConnectionReset),
        Ok(2),
        Err(io::ErrorKind::Other),
        Err(io::ErrorKind::ConnectionAborted),
        Ok(3),
    ]
    .into_iter();
    let accept = || {
        let result = results.next();
        async move {
            match result {
                Some(result) => result.map_err(io::Error::from),
                None => pending().await,
            }
        }
    };
    let mut accepting = pin!(io.serve_incoming(accept, |connection| {
        served.lock().unwrap().push(connection);
        ready(())
    }));
    assert!(poll(accepting.as_mut()).is_pending());
    assert_eq!(*served.lock().unwrap(), [1, 2, 3]);
    assert_eq!(*runtime.slept.lock().unwrap(), 1);

    let mut closing = pin!(io.close(Duration::ZERO));
    assert!(poll(closing.as_mut()).is_ready());
    assert!(poll(accepting).is_ready());
}

#[test]
fn a_handshake_that_takes_too_long_ends() {
    let (io, _) = server(true);
    assert!(poll(pin!(io.serve_after(pending::<io::Result<Never>>(), None, true))).is_ready());
}

#[test]
fn a_handshake_that_fails_ends() {
    let (io, _) = server(false);
    let failed = ready(Err::<Never, _>(io::ErrorKind::InvalidData.into()));
    assert!(poll(pin!(io.serve_after(failed, None, true))).is_ready());
}

#[test]
fn a_handshake_ends_with_the_server() {
    let (io, _) = server(false);
    let mut serving = pin!(io.serve_after(pending::<io::Result<Never>>(), None, true));
    assert!(poll(serving.as_mut()).is_pending());
    assert!(poll(pin!(io.close(Duration::ZERO))).is_ready());
    assert!(poll(serving).is_ready());
}
