//! The extension in the opening handshake (RFC 7692, 5 and 7.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use super::super::Role;
use super::super::handshake::ResponseError;

/// The name of the extension.
const NAME: &[u8] = b"permessage-deflate";

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The only window that there is here, 32 KiB.
const WINDOW_BITS: u8 = 15;

/// The header that offers are made in, and answered.
pub(super) const HEADER: &str = "sec-websocket-extensions";

/// The settings of compression on WebSockets, of a server or a client (RFC 7692).
///
/// ```
/// # use sansocket_core::codec::websocket::deflate::PerMessageDeflate;
/// let deflate = PerMessageDeflate::default().threshold(4_096).level(4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerMessageDeflate {
    threshold: usize,
    level: u8,
    server_context_takeover: bool,
    client_context_takeover: bool,
}

impl Default for PerMessageDeflate {
    /// From 1024 bytes on, the quickest level, and no context that is kept.
    fn default() -> Self {
        Self {
            threshold: 1024,
            level: 1,
            server_context_takeover: false,
            client_context_takeover: false,
        }
    }
}

impl PerMessageDeflate {
    /// Bytes from which on a message is compressed: of the Engine.IO packet. 1024 by default; with 0,
    /// every message is that becomes shorter.
    #[must_use]
    pub fn threshold(self, bytes: usize) -> Self {
        Self { threshold: bytes, ..self }
    }

    /// How much effort is made, from 1, the quickest, to 9, the smallest. Other numbers mean the
    /// nearest of these. 1 by default: what 6 makes of JSON of 16 KiB is a sixth smaller, and
    /// takes six times as long.
    #[must_use]
    pub fn level(self, level: u8) -> Self {
        Self { level: level.clamp(1, 9), ..self }
    }

    /// Whether what the server sends may refer to what it has sent before, where the client lets
    /// it. No by default.
    ///
    /// Small messages that are much alike become smaller by far. Of a server, it costs each
    /// connection that is sent a compressed message some 330 KiB, and of a client up to 48 KiB.
    #[must_use]
    pub fn server_context_takeover(self, takeover: bool) -> Self {
        Self { server_context_takeover: takeover, ..self }
    }

    /// Whether what the client sends may refer to what it has sent before, where the server lets
    /// it. No by default.
    ///
    /// It costs the other way round: of a server, up to 48 KiB for each connection that has sent a
    /// compressed message.
    #[must_use]
    pub fn client_context_takeover(self, takeover: bool) -> Self {
        Self { client_context_takeover: takeover, ..self }
    }

    /// See [`threshold`](Self::threshold).
    pub fn threshold_bytes(&self) -> usize {
        self.threshold
    }

    /// See [`level`](Self::level).
    pub fn compression_level(&self) -> u8 {
        self.level
    }

    /// What a server makes of a request: the first offer that it can accept. `None` if there is none,
    /// and the connection does without.
    ///
    /// An offer is passed over as a whole if it has a parameter that is unknown, repeated or has no
    /// such value, or if it asks for a smaller window than 32 KiB of the server. A header that is
    /// no list of extensions is no offer.
    pub fn accept<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Option<Accepted> {
        let offers = extensions(headers)?;
        let mut known = offers.iter().filter(|offer| offer.name == NAME);
        known.find_map(|offer| {
            let offer = Parameters::parse(&offer.parameters)?;
            let has_window = offer.server_max_window_bits.is_none_or(|bits| bits == WINDOW_BITS);
            has_window.then(|| {
                let agreed = Agreed {
                    server_context: self.server_context_takeover
                        && !offer.server_no_context_takeover,
                    client_context: self.client_context_takeover
                        && !offer.client_no_context_takeover,
                };
                Accepted { agreed, names_window: offer.server_max_window_bits.is_some() }
            })
        })
    }

    /// What a client puts into `Sec-WebSocket-Extensions` of its request.
    pub fn offer(&self) -> String {
        list(!self.server_context_takeover, !self.client_context_takeover, false)
    }

    /// What a client makes of a response to its [`offer`](Self::offer). `None` if the server did not
    /// accept it, and the connection does without.
    ///
    /// A server that was asked to keep no context, and does not say that it will not, may keep it.
    ///
    /// # Errors
    ///
    /// If the server uses what was not offered.
    pub fn check_answer<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Option<Agreed>, ResponseError> {
        let used = extensions(headers).ok_or(ResponseError::Extension)?;
        let extension = match used.as_slice() {
            [] => return Ok(None),
            [extension] if extension.name == NAME => extension,
            _ => return Err(ResponseError::Extension),
        };
        let answer = Parameters::parse(&extension.parameters).ok_or(ResponseError::Extension)?;
        // Only a client that has said that it can may be told to use a smaller window.
        if answer.client_max_window_bits.is_some() {
            return Err(ResponseError::Extension);
        }
        Ok(Some(Agreed {
            server_context: !answer.server_no_context_takeover,
            client_context: self.client_context_takeover && !answer.client_no_context_takeover,
        }))
    }
}

/// That both ends may compress, and whose messages may refer to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    server_context: bool,
    client_context: bool,
}

impl Agreed {
    /// Whether messages of that end may refer to earlier ones.
    pub fn keeps_context(self, sender: Role) -> bool {
        match sender {
            Role::Server => self.server_context,
            Role::Client => self.client_context,
        }
    }
}

/// An offer that a server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    agreed: Agreed,
    /// Whether the client asked for a size of window, which then must be confirmed.
    names_window: bool,
}

impl Accepted {
    /// What is agreed by it.
    pub fn agreed(self) -> Agreed {
        self.agreed
    }

    /// What the server puts into `Sec-WebSocket-Extensions` of its response.
    pub fn answer(self) -> String {
        let Agreed { server_context, client_context } = self.agreed;
        list(!server_context, !client_context, self.names_window)
    }
}

/// An element of the header.
fn list(no_server_context: bool, no_client_context: bool, names_window: bool) -> String {
    let mut list = String::from("permessage-deflate");
    let parameters = [
        (no_server_context, SERVER_NO_CONTEXT_TAKEOVER),
        (no_client_context, CLIENT_NO_CONTEXT_TAKEOVER),
        (names_window, "server_max_window_bits=15"),
    ];
    for (_, parameter) in parameters.into_iter().filter(|(is_there, _)| *is_there) {
        list.push_str("; ");
        list.push_str(parameter);
    }
    list
}

/// The parameters of an offer or an answer.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// A client may say that it knows of it, without a number.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` if one is unknown, repeated, or has no such value (RFC 7692, 7.1).
    fn parse(list: &[Parameter<'_>]) -> Option<Self> {
        let mut parameters = Self::default();
        for Parameter { name, value } in list {
            let value = value.as_deref();
            let is_first = match (str::from_utf8(name).ok()?, value) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    !core::mem::replace(&mut parameters.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    !core::mem::replace(&mut parameters.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(value)) => {
                    parameters.server_max_window_bits.replace(window_bits(value)?).is_none()
                }
                (CLIENT_MAX_WINDOW_BITS, None) => {
                    parameters.client_max_window_bits.replace(None).is_none()
                }
                (CLIENT_MAX_WINDOW_BITS, Some(value)) => {
                    let bits = Some(window_bits(value)?);
                    parameters.client_max_window_bits.replace(bits).is_none()
                }
                _ => false,
            };
            if !is_first {
                return None;
            }
        }
        Some(parameters)
    }
}

/// A number from 8 to 15, without zeros in front.
fn window_bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

struct Extension<'a> {
    name: &'a [u8],
    parameters: Vec<Parameter<'a>>,
}

struct Parameter<'a> {
    name: &'a [u8],
    /// Without the quotes, if it was quoted.
    value: Option<Vec<u8>>,
}

/// The extensions that headers name, in order (RFC 6455, 9.1). `None` if one is malformed.
fn extensions<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Option<Vec<Extension<'a>>> {
    let mut found = Vec::new();
    for (_, value) in headers.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER)) {
        let mut scanner = Scanner { rest: value };
        loop {
            scanner.skip_space();
            // Elements of a list may be empty (RFC 9110, 5.6.1).
            if !scanner.rest.is_empty() && !scanner.rest.starts_with(b",") {
                found.push(scanner.extension()?);
            }
            if !scanner.takes(b',') {
                break;
            }
        }
        if !scanner.rest.is_empty() {
            return None;
        }
    }
    Some(found)
}

struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn extension(&mut self) -> Option<Extension<'a>> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.takes(b';') {
            self.skip_space();
            let name = self.token()?;
            let value = if self.takes(b'=') {
                self.skip_space();
                Some(self.value()?)
            } else {
                None
            };
            parameters.push(Parameter { name, value });
        }
        Some(Extension { name, parameters })
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let length = self.rest.iter().take_while(|byte| is_token(**byte)).count();
        let (token, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A token, or one in quotes.
    fn value(&mut self) -> Option<Vec<u8>> {
        let Some(quoted) = self.rest.strip_prefix(b"\"") else {
            return self.token().map(<[u8]>::to_vec);
        };
        let mut value = Vec::new();
        let mut bytes = quoted.iter();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => value.push(*bytes.next()?),
                byte => value.push(*byte),
            }
        }
        self.rest = bytes.as_slice();
        let is_valid = !value.is_empty() && value.iter().all(|byte| is_token(*byte));
        is_valid.then_some(value)
    }

    /// Whether `byte` comes next, behind space that may be there. It is taken then.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
