//! Arguments of any number, which the typed interface has no word for.

use std::fmt;

use sansocket_driver::{Args, Raw};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

/// As many arguments as there are, each undecoded.
#[derive(Debug)]
pub(super) struct Arguments(Vec<Raw>);

impl Arguments {
    /// Those from the one at `index` on.
    pub(super) fn from(args: &Args, index: usize) -> Self {
        Self(args.iter().skip(index).collect())
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for argument in &self.0 {
            tuple.serialize_element(argument)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;

        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = Arguments;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Arguments, A::Error> {
                let mut arguments = Vec::new();
                // A missing argument is an error of its own, and the only one that there can be:
                // the text was validated, and any value is a `Raw`.
                while let Ok(Some(argument)) = elements.next_element() {
                    arguments.push(argument);
                }
                Ok(Arguments(arguments))
            }
        }

        deserializer.deserialize_tuple(usize::MAX, ArgumentsVisitor)
    }
}
