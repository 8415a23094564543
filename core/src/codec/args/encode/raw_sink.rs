//! Where a [`Raw`](crate::codec::args::Raw) hands over its parts.

use core::fmt;

use serde::ser::{Error as _, Impossible, Serialize, SerializeTuple, Serializer};

use super::Output;
use crate::EncodeError;
use crate::codec::args::raw::write_renumbered;
use crate::codec::message::Frame;

/// Takes a tuple of byte strings: the attachments, and last the text.
pub(super) struct RawSink<'a> {
    output: &'a mut Output,
    /// The number of attachments before the first one of the value.
    base: usize,
    /// How many parts are still to come.
    parts: &'a mut usize,
}

impl<'a> RawSink<'a> {
    /// Writes `value`, which is a `Raw`'s parts: they are here when the count has gone from its
    /// initial value to zero, although their serialization always ends with an error.
    pub(super) fn receive<T: Serialize + ?Sized>(
        value: &T,
        output: &'a mut Output,
    ) -> Result<(), EncodeError> {
        let mut parts = usize::MAX;
        let base = output.attachments.len();
        let result = value.serialize(RawSink { output, base, parts: &mut parts });
        if parts == 0 { Ok(()) } else { result.map_err(EncodeError::custom) }
    }
}

impl SerializeTuple for RawSink<'_> {
    type Ok = ();
    type Error = Unexpected;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unexpected> {
        value.serialize(RawSink {
            output: &mut *self.output,
            base: self.base,
            parts: &mut *self.parts,
        })
    }

    fn end(self) -> Result<(), Unexpected> {
        Ok(())
    }
}

/// The parts of a `Raw` are no such thing. Nobody gets to see this unless another type uses the
/// token that is `Raw`'s.
#[derive(Debug)]
pub(super) struct Unexpected;

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the parts of a Raw")
    }
}

impl core::error::Error for Unexpected {}

impl serde::ser::Error for Unexpected {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! unexpected {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$ok, Unexpected> {
            Err(Unexpected)
        }
    )*};
}

impl Serializer for RawSink<'_> {
    type Ok = ();
    type Error = Unexpected;
    type SerializeSeq = Impossible<(), Unexpected>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), Unexpected>;
    type SerializeTupleVariant = Impossible<(), Unexpected>;
    type SerializeMap = Impossible<(), Unexpected>;
    type SerializeStruct = Impossible<(), Unexpected>;
    type SerializeStructVariant = Impossible<(), Unexpected>;

    fn serialize_tuple(self, len: usize) -> Result<Self, Unexpected> {
        *self.parts = len;
        Ok(self)
    }

    fn serialize_bytes(self, part: &[u8]) -> Result<(), Unexpected> {
        *self.parts = self.parts.checked_sub(1).ok_or(Unexpected)?;
        let Output { json, attachments } = self.output;
        if *self.parts > 0 {
            attachments.push(Frame::binary(part));
        } else if attachments.len() == self.base {
            json.extend_from_slice(part);
        } else {
            write_renumbered(json, part, self.base);
        }
        Ok(())
    }

    unexpected! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Unexpected> {
        Err(Unexpected)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unexpected> {
        Err(Unexpected)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unexpected> {
        Err(Unexpected)
    }
}
