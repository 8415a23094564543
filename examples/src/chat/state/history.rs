//! What one room remembers.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chat::limits::{HISTORY_MESSAGES_MAX, HISTORY_TEXT_BYTES_MAX};
use crate::chat::protocol::{Content, Message};

/// Messages, the oldest first, limited in number and in the bytes of their texts.
#[derive(Default)]
pub(super) struct History {
    messages: VecDeque<Arc<Message>>,
    text_bytes: usize,
}

impl History {
    /// Appends a message, whose id is greater than all before. Returns those that are dropped for
    /// it.
    pub(super) fn push(&mut self, message: Arc<Message>) -> Vec<Arc<Message>> {
        self.text_bytes += text_bytes(&message);
        self.messages.push_back(message);
        let mut dropped = Vec::new();
        while (self.messages.len() > HISTORY_MESSAGES_MAX
            || self.text_bytes > HISTORY_TEXT_BYTES_MAX)
            && let Some(oldest) = self.messages.pop_front()
        {
            self.text_bytes -= text_bytes(&oldest);
            dropped.push(oldest);
        }
        dropped
    }

    /// The id of the message that was sent with this key.
    pub(super) fn find_key(&self, key: &str) -> Option<u64> {
        self.messages.iter().find(|message| message.key == key).map(|message| message.id)
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.messages.binary_search_by_key(&id, |message| message.id).is_ok()
    }

    pub(super) fn last_id(&self) -> Option<u64> {
        self.messages.back().map(|message| message.id)
    }

    pub(super) fn messages(&self) -> Vec<Arc<Message>> {
        self.messages.iter().cloned().collect()
    }
}

fn text_bytes(message: &Message) -> usize {
    match &message.content {
        Content::Text(text) => text.len(),
        Content::File(_) => 0,
    }
}
