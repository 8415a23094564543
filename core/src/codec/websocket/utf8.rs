//! UTF-8 that arrives in pieces.

use core::str;

use super::Error;

/// How much of a growing buffer is known to be UTF-8.
///
/// The buffer holds the message in one piece, so all there is to remember is where the last whole
/// character ends. What follows it, at most three bytes, is read again with the next piece; every
/// other byte is read once.
#[derive(Debug, Default)]
pub(super) struct Utf8Progress {
    /// Invariant: at most the length of the buffer, and at the end of a character.
    validated_bytes: usize,
}

impl Utf8Progress {
    /// For a message that begins at `start` in its buffer.
    pub(super) fn behind(start: usize) -> Self {
        Self { validated_bytes: start }
    }

    /// Checks what was added to `buffer`. Fails with the first byte that no continuation could
    /// make valid.
    pub(super) fn advance(&mut self, buffer: &[u8]) -> Result<(), Error> {
        let added = buffer.get(self.validated_bytes..).unwrap_or_default();
        match str::from_utf8(added) {
            Ok(_) => self.validated_bytes = buffer.len(),
            Err(error) if error.error_len().is_none() => {
                self.validated_bytes += error.valid_up_to();
            }
            Err(_) => return Err(Error::InvalidUtf8),
        }
        Ok(())
    }

    /// Checks that `buffer`, all of which was seen by [`advance`](Self::advance), does not end
    /// inside a character.
    pub(super) fn finish(&self, buffer: &[u8]) -> Result<(), Error> {
        if self.validated_bytes == buffer.len() { Ok(()) } else { Err(Error::InvalidUtf8) }
    }
}
