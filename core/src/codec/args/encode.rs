//! A serializer that writes JSON and puts bytes aside as attachments.

mod arguments;
mod key;
mod raw_sink;
mod text;

pub(crate) use self::text::{write_decimal, write_float, write_string};

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use serde::ser::{self, Error as _, Serialize, Serializer};

use self::arguments::ArgumentsSerializer;
use self::key::KeySerializer;
use self::raw_sink::RawSink;
use self::text::Escaped;
use super::raw::RAW_TOKEN;
use crate::EncodeError;
use crate::codec::json::write_placeholder;
use crate::codec::message::Frame;

/// Encodes `args` as arguments: their JSON with commas between them. `follows` tells that something
/// stands in front of the first one, so that it needs a comma too.
#[inline]
pub(crate) fn encode<T: Serialize + ?Sized>(
    args: &T,
    output: &mut Output,
    follows: bool,
) -> Result<(), EncodeError> {
    args.serialize(ArgumentsSerializer { output, follows })
}

/// Encodes `value` as JSON without attachments.
pub(crate) fn encode_plain<T: Serialize + ?Sized>(
    value: &T,
    json: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    json.extend_from_slice(&serde_json::to_vec(value).map_err(EncodeError::custom)?);
    Ok(())
}

/// What is written: JSON, and the attachments to which its placeholders refer.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) json: Vec<u8>,
    pub(crate) attachments: Vec<Frame>,
}

macro_rules! integers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            write_decimal(&mut self.json, value);
            Ok(())
        }
    )*};
}

impl<'a> Serializer for &'a mut Output {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.json.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        write_float(&mut self.json, value, value.is_finite());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        write_float(&mut self.json, value, value.is_finite());
        Ok(())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        write_string(&mut self.json, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        write_placeholder(&mut self.json, self.attachments.len());
        self.attachments.push(Frame::binary(value));
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.json.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if name == RAW_TOKEN { RawSink::receive(value, self) } else { value.serialize(self) }
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.begin_variant(variant);
        value.serialize(&mut *self)?;
        self.json.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, EncodeError> {
        Ok(Compound::begin(self, b'[', b"]"))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, EncodeError> {
        Ok(Compound::begin(self, b'[', b"]"))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, EncodeError> {
        Ok(Compound::begin(self, b'[', b"]"))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, EncodeError> {
        self.begin_variant(variant);
        Ok(Compound::begin(self, b'[', b"]}"))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, EncodeError> {
        Ok(Compound::begin(self, b'{', b"}"))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, EncodeError> {
        Ok(Compound::begin(self, b'{', b"}"))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, EncodeError> {
        self.begin_variant(variant);
        Ok(Compound::begin(self, b'{', b"}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.json.push(b'"');
        write!(Escaped(&mut self.json), "{value}").map_err(EncodeError::custom)?;
        self.json.push(b'"');
        Ok(())
    }
}

impl Output {
    #[inline]
    fn begin_variant(&mut self, variant: &str) {
        self.json.push(b'{');
        write_string(&mut self.json, variant);
        self.json.push(b':');
    }
}

/// An array or an object that is being written.
pub(crate) struct Compound<'a> {
    output: &'a mut Output,
    /// An element stands in front of the next.
    follows: bool,
    closing: &'static [u8],
}

impl<'a> Compound<'a> {
    #[inline]
    fn begin(output: &'a mut Output, opening: u8, closing: &'static [u8]) -> Self {
        output.json.push(opening);
        Self { output, follows: false, closing }
    }

    #[inline]
    fn separate(&mut self) {
        if self.follows {
            self.output.json.push(b',');
        }
        self.follows = true;
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.separate();
        value.serialize(&mut *self.output)
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        self.separate();
        write_string(&mut self.output.json, name);
        self.output.json.push(b':');
        value.serialize(&mut *self.output)
    }

    #[inline]
    fn close(self) -> Result<(), EncodeError> {
        self.output.json.extend_from_slice(self.closing);
        Ok(())
    }
}

macro_rules! sequence {
    ($($trait:ident::$method:ident;)*) => {$(
        impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<(), EncodeError> {
                self.close()
            }
        }
    )*};
}

sequence! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! structure {
    ($($trait:ident;)*) => {$(
        impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), EncodeError> {
                self.close()
            }
        }
    )*};
}

structure! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = EncodeError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.separate();
        key.serialize(KeySerializer(&mut self.output.json))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.output.json.push(b':');
        value.serialize(&mut *self.output)
    }

    #[inline]
    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}
