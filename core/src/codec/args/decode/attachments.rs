//! The attachments of a packet while its arguments are decoded.

use alloc::vec::Vec;
use core::cell::RefCell;

use bytes::Bytes;

/// Gives out attachments by number.
pub(in crate::codec::args) struct Attachments {
    attachments: RefCell<Vec<Bytes>>,
    /// Some may be asked for more than once, so none is given away.
    shared: bool,
}

impl Attachments {
    pub(in crate::codec::args) fn new(attachments: Vec<Bytes>, shared: bool) -> Self {
        Self { attachments: RefCell::new(attachments), shared }
    }

    /// The attachment `number`.
    pub(super) fn take(&self, number: u32) -> Option<Bytes> {
        let mut attachments = self.attachments.try_borrow_mut().ok()?;
        let attachment = attachments.get_mut(number as usize)?;
        Some(if self.shared { attachment.clone() } else { core::mem::take(attachment) })
    }
}
