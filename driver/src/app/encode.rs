//! Encoding, before any lock is taken.

use std::cell::Cell;

use sansocket_core::Encoder;

thread_local! {
    static ENCODER: Cell<Option<Box<Encoder>>> = const { Cell::new(None) };
}

/// Lends this thread's encoder, whose memory is used again and again.
///
/// It is taken out for the time. A `Serialize` that emits in turn finds none and makes one, and so
/// does one that runs while the thread ends.
pub(crate) fn with_encoder<R>(encode: impl FnOnce(&mut Encoder) -> R) -> R {
    let mut encoder = ENCODER.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = encode(&mut encoder);
    // Fails only while the thread ends, when there is nothing to keep it for.
    let _ = ENCODER.try_with(|kept| kept.set(Some(encoder)));
    result
}
