//! JSON with binary data in it, as `{"$binary": "<base64>"}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sansocket_tokio::{Args, Raw};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

const BINARY: &str = "$binary";

pub(crate) fn binary(data: &[u8]) -> Value {
    json!({ BINARY: STANDARD.encode(data) })
}

/// A value to send, with its binary data as such.
pub(crate) struct Outgoing<'a>(pub(crate) &'a Value);

impl Serialize for Outgoing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Outgoing)),
            Value::Object(fields) => match as_binary(fields) {
                Some(data) => serializer.serialize_bytes(&data),
                None => serializer
                    .collect_map(fields.iter().map(|(name, value)| (name, Outgoing(value)))),
            },
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                other.serialize(serializer)
            }
        }
    }
}

/// Arguments to send: a tuple, of whatever length.
pub(crate) struct Arguments<'a>(pub(crate) &'a [Value]);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple as _;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for value in self.0 {
            tuple.serialize_element(&Outgoing(value))?;
        }
        tuple.end()
    }
}

fn as_binary(fields: &Map<String, Value>) -> Option<Vec<u8>> {
    let base64 = fields.get(BINARY).filter(|_| fields.len() == 1)?.as_str()?;
    STANDARD.decode(base64).ok()
}

/// The arguments of an event or an acknowledgement.
pub(crate) fn all(args: &Args) -> Vec<Value> {
    args.iter().map(|raw| incoming(&raw)).collect()
}

pub(crate) fn incoming(raw: &Raw) -> Value {
    let mut value = serde_json::from_str(raw.as_str()).unwrap_or_default();
    if !raw.attachments().is_empty() {
        fill(&mut value, raw.attachments());
    }
    value
}

/// Puts data where the text only refers to it.
fn fill(value: &mut Value, attachments: &[Bytes]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, attachments)),
        Value::Object(fields) => {
            let is_placeholder = fields.get("_placeholder") == Some(&Value::Bool(true));
            let number = fields.get("num").filter(|_| is_placeholder).and_then(Value::as_u64);
            let data = number.and_then(|number| attachments.get(usize::try_from(number).ok()?));
            match data {
                Some(data) => *value = binary(data),
                None => fields.values_mut().for_each(|field| fill(field, attachments)),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
