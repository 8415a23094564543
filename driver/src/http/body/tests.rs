use std::collections::VecDeque;
use std::future::pending;
use std::task::Waker;

use http::{HeaderMap, Response, StatusCode};
use http_body::{Frame, SizeHint};

use super::*;
use crate::http::strict::wire;

/// One turn of a client that sends a body.
#[derive(Clone, Copy)]
enum Turn {
    Data(&'static [u8]),
    Trailers,
    Wait,
    Cut,
}
use Turn::{Cut, Data, Trailers, Wait};

type Expected = Result<&'static [u8], BodyError>;

struct Scripted {
    turns: VecDeque<Turn>,
    announced: u64,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = ();

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
        match self.turns.pop_front() {
            Some(Data(data)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data))))),
            Some(Trailers) => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Some(Wait) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Cut) => Poll::Ready(Some(Err(()))),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

fn body(turns: &[Turn]) -> Scripted {
    Scripted { turns: turns.iter().copied().collect(), announced: 0 }
}

/// Polls until ready, up to a number of turns far above what a test needs.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("not ready");
}

/// A deadline that comes when it has been asked so many times.
fn after_polls(count: usize) -> impl Future<Output = ()> {
    let mut left = count;
    poll_fn(move |_| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
}

#[test]
fn bodies_and_their_limit() {
    let cases: &[(&[Turn], Expected)] = &[
        (&[], Ok(b"")),
        (&[Data(b"")], Ok(b"")),
        (&[Data(b"12345")], Ok(b"12345")),
        (&[Data(b"123456")], Err(BodyError::TooLarge)),
        (&[Data(b"12"), Data(b"34"), Data(b"5")], Ok(b"12345")),
        (&[Data(b"12"), Data(b"34"), Data(b"56")], Err(BodyError::TooLarge)),
        (&[Data(b"12345"), Data(b"")], Ok(b"12345")),
        (&[Data(b"12345"), Data(b"6"), Wait], Err(BodyError::TooLarge)),
        (&[Data(b""), Data(b"1"), Data(b""), Wait, Data(b"2")], Ok(b"12")),
        (&[Data(b"1"), Trailers], Ok(b"1")),
        (&[Wait, Wait, Data(b"1"), Wait], Ok(b"1")),
        (&[Cut], Err(BodyError::Broken)),
        (&[Data(b"1"), Data(b"2"), Cut], Err(BodyError::Broken)),
        (&[Data(b"123456"), Cut], Err(BodyError::TooLarge)),
    ];
    for (number, (turns, expected)) in cases.iter().enumerate() {
        let result = run(read(body(turns), 5, pending()));
        assert_eq!(result.as_deref(), expected.as_ref().map(|body| *body), "case {number}");
    }
    assert_eq!(run(read(body(&[]), 0, pending())).as_deref(), Ok(&b""[..]));
    assert_eq!(run(read(body(&[Data(b"1")]), 0, pending())), Err(BodyError::TooLarge));
}

#[test]
fn deadlines() {
    let cases: &[(&[Turn], usize, Expected)] = &[
        (&[Wait], 0, Err(BodyError::TimedOut)),
        (&[Data(b"1"), Wait, Data(b"2")], 0, Err(BodyError::TimedOut)),
        (&[Data(b"1"), Wait, Data(b"2")], 1, Ok(b"12")),
        (&[Wait, Data(b"1"), Wait, Data(b"2"), Wait], 2, Err(BodyError::TimedOut)),
        // What is there already does not need time.
        (&[Data(b"1"), Data(b"2")], 0, Ok(b"12")),
        (&[], 0, Ok(b"")),
        (&[Cut], 0, Err(BodyError::Broken)),
        // Frames without bytes are no progress.
        (&[Data(b""); 100], 50, Err(BodyError::TimedOut)),
        (&[Trailers; 100], 50, Err(BodyError::TimedOut)),
    ];
    for (number, (turns, polls, expected)) in cases.iter().enumerate() {
        let result = run(read(body(turns), 5, after_polls(*polls)));
        assert_eq!(result.as_deref(), expected.as_ref().map(|body| *body), "case {number}");
    }
}

#[test]
fn one_piece_is_not_copied() {
    const PIECE: &[u8] = b"a body in one piece";
    for turns in [&[Data(PIECE)][..], &[Data(b""), Data(PIECE), Data(b""), Trailers]] {
        let bytes = run(read(body(turns), 100, pending())).expect("a body");
        assert_eq!(bytes.as_ptr(), PIECE.as_ptr());
    }
}

#[test]
fn announced_lengths_cost_nothing() {
    for announced in [0, 10, 1 << 20, u64::MAX] {
        let mut collected = Collected::default();
        collected.push(Bytes::from_static(b"1"), announced);
        assert_eq!(collected.joined.capacity(), 0, "{announced}");
        collected.push(Bytes::from_static(b"2"), announced);
        assert!(collected.joined.capacity() <= 2 * RESERVED_BYTES_MAX, "{announced}");

        // Nor are they believed.
        let turns = [Data(b"12"), Data(b"34")];
        let body = Scripted { turns: turns.into(), announced };
        assert_eq!(run(read(body, 5, pending())).as_deref(), Ok(&b"1234"[..]), "{announced}");
    }
}

#[test]
fn what_is_left_can_be_dropped() {
    let cases: &[(&[Turn], usize, bool)] = &[
        (&[], 0, true),
        (&[Data(b"123"), Wait, Data(b"45"), Trailers], 2, true),
        (&[Data(b"123"), Data(b"456")], 0, false),
        (&[Data(b"123"), Wait], 0, false),
        (&[Data(b"123"), Cut], 0, false),
    ];
    for (number, (turns, polls, all)) in cases.iter().enumerate() {
        assert_eq!(run(discard(body(turns), 5, after_polls(*polls))), *all, "case {number}");
    }

    // A body that was too large can be given to it.
    let mut large = body(&[Data(b"123456"), Data(b"789")]);
    assert_eq!(run(read(&mut large, 5, pending())), Err(BodyError::TooLarge));
    assert!(run(discard(&mut large, 5, pending())));
}

/// Status, body and whether the connection was closed, for a request through hyper. hyper hands
/// chunks over one by one, so a body that is there takes some turns too.
fn serve(request: &str) -> (String, String, bool) {
    let outcome = wire::serve(request.as_bytes(), |request| async {
        let mut response = Response::default();
        match read(request.into_body(), 5, after_polls(20)).await {
            Ok(bytes) => *response.body_mut() = bytes,
            Err(BodyError::TooLarge) => *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
            Err(BodyError::TimedOut) => *response.status_mut() = StatusCode::REQUEST_TIMEOUT,
            Err(BodyError::Broken) => *response.status_mut() = StatusCode::BAD_REQUEST,
        }
        response
    });
    let (head, body) = outcome.sent.split_once("\r\n\r\n").expect("a head");
    (head[9..12].to_owned(), body.to_owned(), outcome.closed)
}

#[test]
fn through_hyper() {
    let chunked = "transfer-encoding: chunked";
    for (header, sent, status, body, closed) in [
        ("content-length: 5", "12345", "200", "12345", false),
        ("content-length: 0", "", "200", "", false),
        ("content-length: 6", "123456", "413", "", false),
        ("content-length: 5", "1234", "408", "", true),
        ("content-length: 1000000000000", "1234", "408", "", true),
        (chunked, "2\r\n12\r\n3\r\n345\r\n0\r\n\r\n", "200", "12345", false),
        (chunked, "2\r\n12\r\n4\r\n3456\r\n0\r\n\r\n", "413", "", false),
        (chunked, "2\r\n12\r\n", "408", "", true),
        (chunked, "fffffffffffffffff\r\n", "400", "", true),
        (chunked, "2\r\n123\r\n0\r\n\r\n", "400", "", true),
        (chunked, "x\r\n", "400", "", true),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{header}\r\n\r\n{sent}");
        let expected = (status.to_owned(), body.to_owned(), closed);
        assert_eq!(serve(&request), expected, "{request:?}");
    }
}

#[test]
fn readers_can_move_between_threads() {
    fn is_send(_: &impl Send) {}
    is_send(&read(body(&[]), 0, pending()));
    is_send(&discard(body(&[]), 0, pending()));
}
