//! The form in which the vectors hold values: JSON, and objects with one key for what JSON lacks.

use serde::ser::{SerializeMap as _, SerializeTuple as _};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The vectors of a file, one on each line.
pub(crate) fn vectors(file: &str) -> impl Iterator<Item = Value> {
    file.lines().map(|line| serde_json::from_str(line).expect("a vector"))
}

/// The binary data that `value` stands for.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.get("$bytes").and_then(Value::as_str).map(from_hex)
}

/// The number of the attachment that `value` stands for.
pub(crate) fn attachment(value: &Value) -> Option<u64> {
    value.get("$attachment").and_then(Value::as_u64)
}

/// The number that `value` is or stands for.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let special = value.get("$number").and_then(Value::as_str);
    value.as_f64().or_else(|| special?.parse().ok())
}

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).expect("a hexadecimal digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Serializes the value that a vector holds.
pub(crate) struct Data<'a>(pub(crate) &'a Value);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(bytes) = bytes(self.0) {
            return serializer.serialize_bytes(&bytes);
        }
        if let (Value::Object(_), Some(number)) = (self.0, number(self.0)) {
            return serializer.serialize_f64(number);
        }
        match self.0 {
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(Data)),
            Value::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Data(value))?;
                }
                map.end()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
        }
    }
}

/// Serializes values as so many arguments.
pub(crate) struct Arguments<'a>(pub(crate) &'a [Value]);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for value in self.0 {
            tuple.serialize_element(&Data(value))?;
        }
        tuple.end()
    }
}
