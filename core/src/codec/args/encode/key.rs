//! Keys of maps, which JSON wants to be strings.

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use serde::ser::{Error as _, Impossible, Serialize, Serializer};

use super::text::{Escaped, write_decimal, write_float, write_string};
use crate::EncodeError;

/// Serializes what serde_json accepts as a key: strings, and quoted what is written as one word.
pub(super) struct KeySerializer<'a>(pub(super) &'a mut Vec<u8>);

#[cold]
fn not_a_key() -> EncodeError {
    EncodeError::custom("key must be a string")
}

macro_rules! quoted {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.0.push(b'"');
            write_decimal(self.0, value);
            self.0.push(b'"');
            Ok(())
        }
    )*};
}

impl Serializer for KeySerializer<'_> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Impossible<(), EncodeError>;
    type SerializeTuple = Impossible<(), EncodeError>;
    type SerializeTupleStruct = Impossible<(), EncodeError>;
    type SerializeTupleVariant = Impossible<(), EncodeError>;
    type SerializeMap = Impossible<(), EncodeError>;
    type SerializeStruct = Impossible<(), EncodeError>;
    type SerializeStructVariant = Impossible<(), EncodeError>;

    quoted! {
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

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.serialize_str(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        self.serialize_float(value, value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        self.serialize_float(value, value.is_finite())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        write_string(self.0, value);
        Ok(())
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
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.0.push(b'"');
        write!(Escaped(self.0), "{value}").map_err(EncodeError::custom)?;
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), EncodeError> {
        Err(not_a_key())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        Err(not_a_key())
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        Err(not_a_key())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        Err(not_a_key())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), EncodeError> {
        Err(not_a_key())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, EncodeError> {
        Err(not_a_key())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EncodeError> {
        Err(not_a_key())
    }
}

impl KeySerializer<'_> {
    fn serialize_float<F: zmij::Float>(self, key: F, is_finite: bool) -> Result<(), EncodeError> {
        if !is_finite {
            return Err(EncodeError::custom("float key must be finite"));
        }
        self.0.push(b'"');
        write_float(self.0, key, is_finite);
        self.0.push(b'"');
        Ok(())
    }
}
