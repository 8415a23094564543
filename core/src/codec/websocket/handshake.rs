//! The opening handshake (RFC 6455, 4): decisions about an HTTP request and its response.
//!
//! Headers come as pairs of name and value, in any order, with names in any case and one pair per
//! line received. Reading and writing HTTP is the caller's.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1_smol::Sha1;
use thiserror::Error;

#[cfg(feature = "deflate")]
use super::deflate::{Agreed, PerMessageDeflate};

/// The value of `Sec-WebSocket-Accept`: base64 of a SHA-1 hash.
pub type AcceptKey = [u8; 28];

/// The `Sec-WebSocket-Version`s that a server accepts. 8 is that of a draft with the same frames;
/// the reference implementation takes it too.
pub const VERSIONS: &str = "13, 8";

const KEY_BYTES: usize = 24;
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a server does not accept a request as a WebSocket handshake.
///
/// Its text is for the body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The method is not `GET`.
    #[error("a WebSocket handshake must use GET")]
    Method,
    /// `Upgrade` does not name `websocket`.
    #[error("header Upgrade does not name websocket")]
    Upgrade,
    /// `Connection` does not name `upgrade`.
    #[error("header Connection does not name upgrade")]
    Connection,
    /// `Sec-WebSocket-Key` is missing, repeated, or not the base64 of 16 bytes.
    #[error("header Sec-WebSocket-Key is missing or invalid")]
    Key,
    /// `Sec-WebSocket-Version` is missing, repeated, or none of [`VERSIONS`].
    #[error("header Sec-WebSocket-Version is missing or not supported")]
    Version,
}

impl Refusal {
    /// The status code of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Upgrade | Self::Connection | Self::Key | Self::Version => 400,
        }
    }

    /// A header that the answer needs, as name and value.
    pub const fn header(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Method => Some(("Allow", "GET")),
            Self::Version => Some(("Sec-WebSocket-Version", VERSIONS)),
            Self::Upgrade | Self::Connection | Self::Key => None,
        }
    }
}

/// Decides as a server whether a request opens a WebSocket. If so, returns the value of
/// `Sec-WebSocket-Accept` for the 101 answer.
///
/// # Errors
///
/// The first of [`Refusal`]'s cases that applies.
pub fn check_request<'a>(
    method: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<AcceptKey, Refusal> {
    let (mut upgrade, mut connection) = (false, false);
    let (mut key, mut version) = (Once::default(), Once::default());
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("upgrade") {
            upgrade |= has_token(value, "websocket");
        } else if name.eq_ignore_ascii_case("connection") {
            connection |= has_token(value, "upgrade");
        } else if name.eq_ignore_ascii_case("sec-websocket-key") {
            key.add(value);
        } else if name.eq_ignore_ascii_case("sec-websocket-version") {
            version.add(value);
        }
    }
    if method != "GET" {
        return Err(Refusal::Method);
    }
    if !upgrade {
        return Err(Refusal::Upgrade);
    }
    if !connection {
        return Err(Refusal::Connection);
    }
    let key = key.get().filter(|key| validate_key(key)).ok_or(Refusal::Key)?;
    match version.get() {
        Some(b"13" | b"8") => Ok(accept_key(key)),
        Some(_) | None => Err(Refusal::Version),
    }
}

/// Why a client does not take a response for the acceptance of its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The status is not 101.
    #[error("status {status} instead of 101")]
    Status {
        /// The status.
        status: u16,
    },
    /// `Upgrade` does not name `websocket`.
    #[error("header Upgrade does not name websocket")]
    Upgrade,
    /// `Connection` does not name `upgrade`.
    #[error("header Connection does not name upgrade")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing, repeated, or does not belong to the key that was sent.
    #[error("header Sec-WebSocket-Accept does not fit the request")]
    Accept,
    /// The server uses an extension, or a parameter of one, that was not offered.
    #[error("an extension that was not offered")]
    Extension,
}

/// Decides as a client whether a response accepts the handshake that sent `key` and offered no
/// extension. The caller checks the subprotocol, if it asked for one.
///
/// # Errors
///
/// The first of [`ResponseError`]'s cases that applies.
pub fn check_response<'a>(
    key: &[u8],
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), ResponseError> {
    let has_extension = check_answer(key, status, headers)?;
    if has_extension { Err(ResponseError::Extension) } else { Ok(()) }
}

/// As [`check_response`], for a handshake that offered compression. `None` if the server does
/// without it.
///
/// # Errors
///
/// The first of [`ResponseError`]'s cases that applies.
#[cfg(feature = "deflate")]
pub fn check_response_to_offer<'a, Headers>(
    key: &[u8],
    status: u16,
    headers: Headers,
    offered: &PerMessageDeflate,
) -> Result<Option<Agreed>, ResponseError>
where
    Headers: IntoIterator<Item = (&'a str, &'a [u8])> + Clone,
{
    check_answer(key, status, headers.clone())?;
    offered.check_answer(headers)
}

/// Whether the server uses an extension, beside what [`check_response`] decides.
fn check_answer<'a>(
    key: &[u8],
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<bool, ResponseError> {
    let (mut upgrade, mut connection, mut extension) = (false, false, false);
    let mut accept = Once::default();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("upgrade") {
            upgrade |= has_token(value, "websocket");
        } else if name.eq_ignore_ascii_case("connection") {
            connection |= has_token(value, "upgrade");
        } else if name.eq_ignore_ascii_case("sec-websocket-accept") {
            accept.add(value);
        } else if name.eq_ignore_ascii_case("sec-websocket-extensions") {
            extension |= !value.trim_ascii().is_empty();
        }
    }
    if status != 101 {
        return Err(ResponseError::Status { status });
    }
    if !upgrade {
        return Err(ResponseError::Upgrade);
    }
    if !connection {
        return Err(ResponseError::Connection);
    }
    if accept.get() != Some(&accept_key(key)) {
        return Err(ResponseError::Accept);
    }
    Ok(extension)
}

/// The value of `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`.
pub fn accept_key(sec_websocket_key: &[u8]) -> AcceptKey {
    let mut hash = Sha1::new();
    hash.update(sec_websocket_key);
    hash.update(ACCEPT_GUID);
    let mut accept = [0; 28];
    let written = STANDARD.encode_slice(hash.digest().bytes(), &mut accept);
    debug_assert_eq!(written, Ok(accept.len()), "20 bytes are 28 characters of base64");
    accept
}

/// A client's `Sec-WebSocket-Key`. The nonce must be random, and new for each connection.
pub fn encode_key(nonce: [u8; 16]) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let written = STANDARD.encode_slice(nonce, &mut key);
    debug_assert_eq!(written, Ok(key.len()), "16 bytes are 24 characters of base64");
    key
}

/// Whether a `Sec-WebSocket-Key` has the form of 16 bytes in base64. The unused bits of its last
/// character may have any value: nobody decodes the key.
pub fn validate_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == KEY_BYTES
        && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_base64))
}

/// Whether a comma-separated list, such as the values of `Connection` and `Upgrade`, has the
/// element `token`, in any case.
pub fn has_token(list: &[u8], token: &str) -> bool {
    list.split(|&byte| byte == b',')
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The value of a header that may come only once.
#[derive(Default)]
struct Once<'a> {
    value: Option<&'a [u8]>,
    repeated: bool,
}

impl<'a> Once<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.repeated |= self.value.is_some();
        self.value = Some(value.trim_ascii());
    }

    fn get(&self) -> Option<&'a [u8]> {
        if self.repeated { None } else { self.value }
    }
}
