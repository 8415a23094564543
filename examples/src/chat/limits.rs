//! What may be how long. EVENTS.md has the table.

pub(crate) const ROOMS_PER_SOCKET_MAX: usize = 16;
pub(crate) const SOCKETS_PER_ROOM_MAX: usize = 200;
pub(crate) const ROOMS_MAX: usize = 100;
pub(crate) const HISTORY_MESSAGES_MAX: usize = 100;
pub(crate) const HISTORY_TEXT_BYTES_MAX: usize = 131_072;
pub(crate) const FILES_BYTES_MAX: usize = 8_000_000;

const FILE_BYTES_MAX: usize = 900_000;

pub(crate) fn is_nick(nick: &str) -> bool {
    is_name(nick, 32)
}

pub(crate) fn is_room(room: &str) -> bool {
    is_name(room, 64)
}

pub(crate) fn is_text(text: &str) -> bool {
    has_chars(text, 4_000) && !text.trim().is_empty()
}

pub(crate) fn is_key(key: &str) -> bool {
    has_chars(key, 64)
}

pub(crate) fn is_file_name(name: &str) -> bool {
    has_chars(name, 255) && !name.contains(char::is_control)
}

pub(crate) fn is_file_type(file_type: &str) -> bool {
    file_type.len() <= 127 && file_type.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

pub(crate) fn is_file_data(data: &[u8]) -> bool {
    (1..=FILE_BYTES_MAX).contains(&data.len())
}

fn is_name(name: &str, chars_max: usize) -> bool {
    has_chars(name, chars_max) && name.trim() == name && !name.contains(char::is_control)
}

/// Whether there are some, but no more than `max`. Characters are code points.
fn has_chars(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.chars().count())
}

#[cfg(test)]
mod tests;
