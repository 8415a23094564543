//! What goes out compressed (RFC 7692, 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output};

use super::super::Role;
use super::{Agreed, PerMessageDeflate, TAIL};

/// Memory past this is returned before the next message.
const KEPT_BYTES_MAX: usize = 16 << 10;

/// After so many bytes the compressor begins anew, long before one of its counters could overflow.
const BYTES_MAX: usize = 16 << 20;

/// A message that refers to nothing may become longer by so much, if it is no longer than that and
/// others may refer to it.
const FIRST_LOSS_MAX: usize = 16;
const FIRST_BYTES_MAX: usize = 256;

/// Compresses messages, one after the other. It takes some 330 KiB, from the first one on.
pub struct Deflater {
    compressor: Option<Box<CompressorOxide>>,
    output: Vec<u8>,
    level: u8,
    /// Bytes since the compressor was new.
    bytes: usize,
    /// Whether what comes next could refer to what was compressed last.
    has_context: bool,
}

impl Deflater {
    /// Of that [level](PerMessageDeflate::level).
    pub fn new(level: u8) -> Self {
        Self { compressor: None, output: Vec::new(), level, bytes: 0, has_context: false }
    }

    /// The level that it was made with.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Compresses a message that refers to nothing before it. `None` if it does not become shorter.
    pub fn compress_alone(&mut self, message: &[u8]) -> Option<&[u8]> {
        self.forget();
        self.run(message, TDEFLFlush::Full);
        self.shorter_than(message.len())
    }

    /// Compresses a message that may refer to earlier ones. The receiver must get each of these, and
    /// no other compressed ones in between. `None` if it does not become shorter; the receiver then
    /// does not get it, and the next one refers to nothing.
    ///
    /// Small messages become shorter only by what was before them, so the first one may become a
    /// little longer.
    pub fn compress_next(&mut self, message: &[u8]) -> Option<&[u8]> {
        let is_first = !self.has_context;
        self.run(message, TDEFLFlush::Sync);
        self.has_context = true;
        let loss = if is_first && message.len() < FIRST_BYTES_MAX { FIRST_LOSS_MAX } else { 0 };
        let bytes_max = message.len() + loss;
        if self.shorter_than(bytes_max).is_none() {
            self.forget();
            return None;
        }
        self.shorter_than(bytes_max)
    }

    /// Makes the next message refer to nothing.
    pub fn forget(&mut self) {
        if core::mem::take(&mut self.has_context) {
            self.run(&[], TDEFLFlush::Full);
        }
    }

    fn run(&mut self, message: &[u8], flush: TDEFLFlush) {
        let Self { compressor, output, bytes, level, .. } = self;
        let compressor = compressor.get_or_insert_with(|| {
            let mut compressor = Box::<CompressorOxide>::default();
            compressor.set_format_and_level(DataFormat::Raw, *level);
            compressor
        });
        output.clear();
        output.shrink_to(KEPT_BYTES_MAX);
        *bytes = bytes.saturating_add(message.len());
        if *bytes > BYTES_MAX {
            compressor.reset();
            *bytes = message.len();
        }
        let (status, read) = compress_to_output(compressor, message, flush, |piece| {
            output.extend_from_slice(piece);
            true
        });
        if status != TDEFLStatus::Okay || read != message.len() {
            debug_assert!(false, "it takes everything and puts it out");
            compressor.reset();
            output.clear();
        }
    }

    /// What was compressed last, without its end, if it is shorter than so many bytes.
    fn shorter_than(&self, bytes: usize) -> Option<&[u8]> {
        self.output.strip_suffix(&TAIL).filter(|output| output.len() < bytes)
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("level", &self.level).finish_non_exhaustive()
    }
}

/// How one connection compresses what it sends.
#[derive(Debug)]
pub struct Outgoing {
    threshold: usize,
    level: u8,
    keeps_context: bool,
    /// Of a connection that keeps its context, as soon as it has one.
    own: Option<Deflater>,
}

impl Outgoing {
    /// Of the end `role`.
    pub fn new(settings: &PerMessageDeflate, agreed: Agreed, role: Role) -> Self {
        Self {
            threshold: settings.threshold_bytes(),
            level: settings.compression_level(),
            keeps_context: agreed.keeps_context(role),
            own: None,
        }
    }

    /// Bytes from which on a message is worth it.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Compresses a message, which is then to be sent, with RSV1 set in its header, before the next
    /// one. `None` if it is to be sent as it is.
    ///
    /// `lent` is used where the connection keeps no context. It may be lent to any number of them.
    pub fn compress<'a>(&'a mut self, message: &[u8], lent: &'a mut Deflater) -> Option<&'a [u8]> {
        if message.len() < self.threshold {
            return None;
        }
        if self.keeps_context {
            let level = self.level;
            self.own.get_or_insert_with(|| Deflater::new(level)).compress_next(message)
        } else {
            lent.compress_alone(message)
        }
    }

    /// A message is sent that was [compressed for many](crate::Message::compressed). The receiver's
    /// context is then another than ours, so what comes next refers to nothing.
    pub fn skip(&mut self) {
        if let Some(own) = &mut self.own {
            own.forget();
        }
    }
}
