//! What hyper lets through and a server behind a proxy must not.
//!
//! A request that two programs in a row can read differently is how requests are smuggled past the
//! first one. hyper 1.12 refuses most of those by itself: a `Transfer-Encoding` whose last coding
//! is not `chunked` or that comes by HTTP/1.0, lengths that differ or are no number, names with
//! spaces, folded lines, NUL. What it accepts:
//!
//! | Request | What the service sees | What happens here |
//! | --- | --- | --- |
//! | `Transfer-Encoding: gzip, chunked`, or `chunked` twice | all, body unchunked once | 400 |
//! | no `Host`, several, or one that is no host | all | 400 |
//! | `Content-Length` and `Transfer-Encoding: chunked` | the latter only | nothing: see below |
//! | the same `Content-Length` twice | one of them | nothing: it means one thing |
//! | lines that end in a bare LF | nothing unusual | nothing: it is invisible |
//! | a head above `max_buf_size`, up to twice of it | all | 431 |
//!
//! With both kinds of length hyper follows the chunks, as RFC 9112 section 6.3 asks for, and closes
//! the connection after its response, so nothing that follows can be taken for a request. The check
//! for both is here all the same, for servers that do not remove one.
//!
//! hyper's own `max_header_size` counts the whole head with its request line before it is split and
//! covers the trailers of chunked bodies too; a server that owns its connections sets it as well.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode, Version};

/// How much a request may say about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderLimits {
    /// Bytes of all names and values together.
    pub(crate) bytes_max: usize,
    /// Header lines.
    pub(crate) count_max: usize,
}

impl Default for HeaderLimits {
    /// Node.js allows 16 KiB for the whole head, and no proxy is known to send more; 100 lines are
    /// what hyper has room for without an allocation.
    fn default() -> Self {
        Self { bytes_max: 16 * 1024, count_max: 100 }
    }
}

/// Refuses a request that another HTTP implementation could read differently, or whose headers are
/// too large. After a refusal the connection must be closed.
///
/// # Errors
///
/// The status to answer with: 400 or 431.
pub(crate) fn check_request(
    parts: &http::request::Parts,
    limits: HeaderLimits,
) -> Result<(), StatusCode> {
    check_size(&parts.headers, limits)?;
    check_host(&parts.headers, parts.version)?;
    check_transfer_encoding(&parts.headers)
}

fn check_size(headers: &HeaderMap, limits: HeaderLimits) -> Result<(), StatusCode> {
    let line_bytes =
        |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    if headers.len() > limits.count_max
        || headers.iter().map(line_bytes).sum::<usize>() > limits.bytes_max
    {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    Ok(())
}

/// RFC 9112 section 3.2. HTTP/1.0 may leave the header out, and HTTP/2 has `:authority` instead.
fn check_host(headers: &HeaderMap, version: Version) -> Result<(), StatusCode> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.as_bytes().iter().copied().all(is_host_byte) => Ok(()),
        (None, _) if version != Version::HTTP_11 => Ok(()),
        (Some(_) | None, _) => Err(StatusCode::BAD_REQUEST),
    }
}

/// Whether a byte can be in a host with a port (RFC 3986 section 3.2.2), user information left out.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

/// RFC 9112 section 6.1: no coding but `chunked` is known here, and it is applied once at most.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), StatusCode> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            if headers.contains_key(CONTENT_LENGTH) {
                return Err(StatusCode::BAD_REQUEST);
            }
            Ok(())
        }
        (Some(_), _) => Err(StatusCode::BAD_REQUEST),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod wire;
