//! The header in front of each frame (RFC 6455, 5.2).

use core::ops::Deref;

use super::{CONTROL_PAYLOAD_BYTES_MAX, Error, Opcode, Role};

/// The longest header, in bytes: two, eight of length, four of mask.
pub const HEADER_BYTES_MAX: usize = 14;

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
const RSV1: u8 = 0x40;
const MASKED: u8 = 0x80;
const LENGTH_16_BITS: u8 = 126;
const LENGTH_64_BITS: u8 = 127;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether it is the last frame of its message.
    pub fin: bool,
    /// The first reserved bit, the only one that an extension in use claims: with RFC 7692 it
    /// marks a compressed message.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key that its payload is masked with.
    pub mask_key: Option<[u8; 4]>,
    /// Bytes that follow the header; below 2^63.
    pub payload_bytes: u64,
}

impl FrameHeader {
    /// The header of an unmasked frame that is a whole message.
    pub const fn new(opcode: Opcode, payload_bytes: u64) -> Self {
        Self { fin: true, rsv1: false, opcode, mask_key: None, payload_bytes }
    }

    /// The bytes on the wire, with the length in its shortest form.
    pub fn encode(&self) -> HeaderBytes {
        let mut header = HeaderBytes { bytes: [0; HEADER_BYTES_MAX], len: 0 };
        let fin = if self.fin { FIN } else { 0 };
        let rsv1 = if self.rsv1 { RSV1 } else { 0 };
        let masked = if self.mask_key.is_some() { MASKED } else { 0 };
        let first = fin | rsv1 | self.opcode.bits();
        if let Ok(length @ 0..LENGTH_16_BITS) = u8::try_from(self.payload_bytes) {
            header.push([first, masked | length]);
        } else if let Ok(length) = u16::try_from(self.payload_bytes) {
            header.push([first, masked | LENGTH_16_BITS]);
            header.push(length.to_be_bytes());
        } else {
            header.push([first, masked | LENGTH_64_BITS]);
            header.push(self.payload_bytes.to_be_bytes());
        }
        if let Some(key) = self.mask_key {
            header.push(key);
        }
        header
    }

    /// Reads the header at the start of `bytes`, and says how long it is. `None` asks for more.
    ///
    /// The checks run in the order of the bytes, each as soon as its byte is there, so the result
    /// for a sequence of bytes does not depend on where the reads divide it.
    pub(super) fn parse(
        bytes: &[u8],
        role: Role,
        rsv1_allowed: bool,
    ) -> Result<Option<(Self, usize)>, Error> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let (fin, rsv1) = (first & FIN != 0, first & RSV1 != 0);
        let allowed = if rsv1_allowed { RSV1 } else { 0 };
        if first & RSV & !allowed != 0 {
            return Err(Error::ReservedBits);
        }
        let bits = first & 0x0F;
        let opcode = Opcode::from_bits(bits).ok_or(Error::UnknownOpcode { opcode: bits })?;
        if opcode.is_control() && !fin {
            return Err(Error::FragmentedControl);
        }
        // The bit belongs to the first frame of a message (RFC 7692, 6).
        if rsv1 && (opcode.is_control() || opcode == Opcode::Continuation) {
            return Err(Error::ReservedBits);
        }

        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        match (role, second & MASKED != 0) {
            (Role::Server, true) | (Role::Client, false) => {}
            (Role::Server, false) => return Err(Error::Unmasked),
            (Role::Client, true) => return Err(Error::Masked),
        }
        let length = second & !MASKED;
        if opcode.is_control() && usize::from(length) > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(Error::ControlTooLong);
        }
        let Some((payload_bytes, rest)) = parse_length(length, rest)? else { return Ok(None) };

        let (mask_key, rest) = match role {
            Role::Client => (None, rest),
            Role::Server => match rest.split_first_chunk::<4>() {
                Some((key, rest)) => (Some(*key), rest),
                None => return Ok(None),
            },
        };
        let header = Self { fin, rsv1, opcode, mask_key, payload_bytes };
        Ok(Some((header, bytes.len() - rest.len())))
    }
}

/// A header in its wire form; dereferences to its 2 to 14 bytes.
#[derive(Clone, Copy, Debug)]
pub struct HeaderBytes {
    bytes: [u8; HEADER_BYTES_MAX],
    /// Invariant: at most `HEADER_BYTES_MAX`.
    len: u8,
}

impl HeaderBytes {
    fn push<const N: usize>(&mut self, part: [u8; N]) {
        let start = usize::from(self.len);
        self.bytes[start..start + N].copy_from_slice(&part);
        self.len += N as u8;
    }
}

impl Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The length that the seven bits `length` and the bytes behind them stand for.
fn parse_length(length: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Error> {
    let (value, minimum, rest) = match length {
        LENGTH_16_BITS => {
            let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*bytes)), u64::from(LENGTH_16_BITS), rest)
        }
        LENGTH_64_BITS => {
            let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*bytes), 1 << 16, rest)
        }
        _ => (u64::from(length), 0, rest),
    };
    if value >> 63 != 0 {
        return Err(Error::LengthOverflow);
    }
    if value < minimum {
        return Err(Error::LengthNotMinimal);
    }
    Ok(Some((value, rest)))
}
