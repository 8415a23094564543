//! JSONP: polling for browsers that read other origins' responses as scripts only.
//!
//! A response is a call of a function, with the payload as a string. A request is a form, whose
//! field `d` is the payload.

#[cfg(test)]
mod tests;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::codec::message::write_string;

/// Writes a payload as the script that hands it to the function of that index.
///
/// U+2028 and U+2029, which JSON does not escape, end a line in scripts of before ECMAScript 2019,
/// so they are escaped too.
pub fn encode(index: u32, payload: &[u8]) -> Bytes {
    let mut string = Vec::with_capacity(payload.len() + payload.len() / 8 + 2);
    write_string(&mut string, &String::from_utf8_lossy(payload));
    let string = String::from_utf8_lossy(&string);
    let script = format!("___eio[{index}]({string});");
    if !script.contains(['\u{2028}', '\u{2029}']) {
        return Bytes::from(script);
    }
    Bytes::from(script.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// Finds the payload in the form that a POST brings; `None` where there is not exactly one.
///
/// The client writes a line feed as `\n`, because browsers change line ends in forms, and what was
/// `\n` before as `\\n`. That is undone.
pub fn decode(form: &[u8]) -> Option<String> {
    let mut fields = form_urlencoded::parse(form).filter(|(name, _)| name == "d");
    match (fields.next(), fields.next()) {
        (Some((_, payload)), None) => Some(restore_line_feeds(&payload)),
        _ => None,
    }
}

fn restore_line_feeds(text: &str) -> String {
    let mut restored = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\n") {
        match before.strip_suffix('\\') {
            Some(before) => restored.extend([before, "\\n"]),
            None => restored.extend([before, "\n"]),
        }
        rest = behind;
    }
    restored.push_str(rest);
    restored
}
