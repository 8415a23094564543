//! What comes compressed (RFC 7692, 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, mem};

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::Error;
use super::deflate::{TAIL, WINDOW_BYTES};

const FLAGS: u32 = TINFL_FLAG_HAS_MORE_INPUT
    | TINFL_FLAG_IGNORE_ADLER32
    | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY
    | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

/// The most that is kept of what was inflated, for messages to come. More than the window, so that
/// it is moved to the front of its buffer only once for every 16 KiB.
const HISTORY_BYTES_MAX: usize = WINDOW_BYTES + (16 << 10);

/// The room for output that an inflation begins with: so much for each byte of input.
const RATIO: usize = 4;
const ROOM_BYTES_MIN: usize = 64;

/// A block takes as much time as so many bytes that are inflated, even where nothing is in it: its
/// codes are prepared anew.
const BLOCK_BYTES: u32 = 512;

/// Inflates one message.
pub(super) struct Inflater {
    decompressor: DecompressorOxide,
    /// How long the buffer may become that the message is inflated into.
    buffer_bytes_max: usize,
    /// Bytes that may still come.
    compressed_bytes_max: usize,
    /// What was done since it was asked for.
    work: u32,
    stage: Stage,
}

/// Where in the compressed data the last byte was.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Before the first block, or behind one that said that it is the last.
    Outside,
    Inside,
    /// At the end of a block.
    Boundary,
}

/// The largest that a message of `message_bytes_max` may be in its compressed form. Data that cannot
/// be compressed grow by some bytes for each block and each fragment.
pub(super) fn compressed_bytes_max(message_bytes_max: usize) -> usize {
    message_bytes_max.saturating_add(message_bytes_max / 256).saturating_add(64)
}

/// What is left of `buffer`, the end of which is the message inflated last, for the next one to
/// refer to.
pub(super) fn history(mut buffer: Vec<u8>) -> Vec<u8> {
    if buffer.len() > HISTORY_BYTES_MAX {
        buffer.drain(..buffer.len() - WINDOW_BYTES);
    }
    buffer.shrink_to(HISTORY_BYTES_MAX);
    buffer
}

impl Inflater {
    /// For a message of at most `message_bytes_max`, which begins at `start` in its buffer.
    pub(super) fn start(start: usize, message_bytes_max: usize) -> Option<Box<Self>> {
        Some(Box::new(Self {
            decompressor: DecompressorOxide::default(),
            buffer_bytes_max: start.saturating_add(message_bytes_max),
            compressed_bytes_max: compressed_bytes_max(message_bytes_max),
            work: 0,
            stage: Stage::Outside,
        }))
    }

    /// The most that a further frame may bring.
    pub(super) fn room(&self) -> usize {
        self.compressed_bytes_max
    }

    /// What was done since this was asked for last, in bytes that would have taken as long.
    pub(super) fn take_work(&mut self) -> u32 {
        mem::take(&mut self.work)
    }

    /// Inflates `input` to the end of `buffer`, in which stands before it what it may refer to. Also
    /// where it fails, `buffer` has all that came before the fault. `is_last` is whether the message
    /// ends with it.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        is_last: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.add(input, buffer)?;
        // Nothing at all, or nothing behind the last block, is not what the RFC has for an end. The
        // usual implementations take it for one.
        if !is_last || self.stage == Stage::Outside {
            return Ok(());
        }
        self.add(&TAIL, buffer)?;
        if self.stage == Stage::Boundary { Ok(()) } else { Err(Error::Deflate) }
    }

    fn add(&mut self, mut input: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        if input.is_empty() {
            return Ok(());
        }
        self.compressed_bytes_max = self.compressed_bytes_max.saturating_sub(input.len());
        self.stage = Stage::Inside;
        let mut room = input.len().saturating_mul(RATIO).max(ROOM_BYTES_MIN);
        let mut end = buffer.len();
        let result = loop {
            if end == buffer.len() {
                if end > self.buffer_bytes_max {
                    break Err(Error::TooLarge);
                }
                // One byte more than is allowed shows that there is more.
                grow(buffer, room, self.buffer_bytes_max.saturating_add(1));
                room = room.saturating_mul(2);
            }
            let (status, read, written) =
                decompress(&mut self.decompressor, input, buffer, end, FLAGS);
            input = input.get(read..).unwrap_or_default();
            end += written;
            let is_end = matches!(status, TINFLStatus::BlockBoundary | TINFLStatus::Done);
            let work = (written as u32).saturating_add(if is_end { BLOCK_BYTES } else { 0 });
            self.work = self.work.saturating_add(work);
            match status {
                TINFLStatus::HasMoreOutput => continue,
                TINFLStatus::NeedsMoreInput => break Ok(()),
                TINFLStatus::BlockBoundary if input.is_empty() => {
                    self.stage = Stage::Boundary;
                    break Ok(());
                }
                TINFLStatus::BlockBoundary => {}
                TINFLStatus::Done => {
                    // "The last block" is the last of its stream, and another may follow
                    // (RFC 7692, 7.2.3.4).
                    self.decompressor.init();
                    if input.is_empty() {
                        self.stage = Stage::Outside;
                        break Ok(());
                    }
                }
                TINFLStatus::FailedCannotMakeProgress
                | TINFLStatus::BadParam
                | TINFLStatus::Adler32Mismatch
                | TINFLStatus::Failed
                | _ => break Err(Error::Deflate),
            }
        };
        buffer.truncate(end);
        if end > self.buffer_bytes_max { Err(Error::TooLarge) } else { result }
    }
}

/// Makes `buffer` longer by `room`, but no longer than `length_max`.
fn grow(buffer: &mut Vec<u8>, room: usize, length_max: usize) {
    let length = buffer.len().saturating_add(room).min(length_max);
    if length > buffer.capacity() {
        let capacity = buffer.capacity().saturating_mul(2).clamp(length, length_max);
        buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
    }
    buffer.resize(length, 0);
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}
