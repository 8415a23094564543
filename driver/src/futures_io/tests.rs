use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_io::AsyncRead;
use hyper::rt::{Read, ReadBuf};

use super::FuturesIo;

/// Gives what it has, then ends.
struct Source(Cursor<Vec<u8>>);

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut self.0, buffer))
    }
}

fn read(stream: &mut FuturesIo<Source>, buffer: &mut [u8]) -> usize {
    let mut buffer = ReadBuf::new(buffer);
    let mut context = Context::from_waker(Waker::noop());
    let read = Pin::new(stream).poll_read(&mut context, buffer.unfilled());
    assert!(matches!(read, Poll::Ready(Ok(()))));
    buffer.filled().len()
}

#[test]
fn a_read_takes_what_there_is_room_for() {
    let content: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
    let mut stream = FuturesIo::new(Source(Cursor::new(content.clone())));
    let mut received = Vec::new();
    for size in [1, 7, 8_192, 64 << 10, 200_000] {
        let mut buffer = vec![0; size];
        let length = read(&mut stream, &mut buffer);
        assert!(length > 0 && length <= size);
        received.extend_from_slice(&buffer[..length]);
    }
    while received.len() < content.len() {
        let mut buffer = vec![0; 200_000];
        let length = read(&mut stream, &mut buffer);
        assert!(length > 0);
        received.extend_from_slice(&buffer[..length]);
    }
    assert!(received == content);
    assert_eq!(read(&mut stream, &mut [0; 8]), 0);
}
