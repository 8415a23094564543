//! Responses compressed where the client can read it: those to polling, and its own files.
//!
//! `br` is for polling alone, and only where the application asks for it: the reference does not
//! offer it there, and a client that knows it knows gzip as well.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, Response};

use super::response::Body;

/// Compression of what a GET of a session on polling is answered with, in gzip or deflate
/// (RFC 9110 section 8.4.1), and in br where that is asked for. A server compresses nothing unless it
/// is given this, by [`Builder::http_compression`](crate::Builder::http_compression).
///
/// It takes processor time for each response, on the task of its connection. Nothing else is
/// compressed by it: neither requests, nor what a WebSocket carries.
///
/// Whoever can choose a part of what is sent and see its length can guess at the rest, when both
/// are compressed together (BREACH). An event with a secret does not belong in a response with what
/// a stranger has written.
///
/// ```
/// # use sansocket_driver::HttpCompression;
/// let compression = HttpCompression::default().threshold(4_096).level(1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpCompression {
    threshold: usize,
    level: Compression,
    /// What is offered beside gzip and deflate, and comes before them.
    preferred: Option<Coding>,
}

impl Default for HttpCompression {
    /// From 1024 bytes on, with zlib's usual level: the reference's settings.
    fn default() -> Self {
        Self { threshold: 1024, level: Compression::default(), preferred: None }
    }
}

impl HttpCompression {
    /// Bytes from which on a body is compressed. 1024 by default; with 0, every body is.
    #[must_use]
    pub fn threshold(self, bytes: usize) -> Self {
        Self { threshold: bytes, ..self }
    }

    /// How much effort is made for gzip and deflate, from 1, the quickest, to 9, the smallest. 6 by
    /// default. Other numbers mean the nearest of these.
    #[must_use]
    pub fn level(self, level: u32) -> Self {
        Self { level: Compression::new(level.clamp(1, 9)), ..self }
    }

    /// Offers br (RFC 7932) too, which is never used without this call. Of codings that a client names
    /// and wants equally it is then the first, wherever it stands: the application asked for it. The
    /// client's order decides between the others as before, and what says `*` alone gets gzip. Over
    /// plain `http`, browsers may offer br to their own machine only. Behind the feature `brotli`.
    ///
    /// The quality goes from 0 to 11; other numbers mean the nearest of these. From 16 KiB on, 5 takes
    /// about as long as gzip's usual level, or less, and lower ones less than that. 11 takes 40 to 110
    /// times as long: 16 ms for 16 KiB and more than a second for 1 MiB, in which the thread does
    /// nothing else.
    ///
    /// The window is made for the size of the body, up to 512 KiB. What one response takes while it is
    /// compressed, from bodies of 1 KiB to those of 1 MiB: up to 2.2 MiB at 0 to 3, 0.5 to 10 MiB at 4,
    /// 1 to 8 MiB at 5 and 6, 8 to 14 MiB at 7, 16 to 22 MiB at 8, 32 to 40 MiB at 9, and 0.7 to 27 MiB
    /// at 10 and 11.
    #[cfg(feature = "brotli")]
    #[must_use]
    pub fn brotli(self, quality: u32) -> Self {
        Self { preferred: Some(Coding::Brotli(quality.min(11))), ..self }
    }

    /// Compresses the body of a response, if it is large enough, the client accepts it, and it
    /// becomes smaller. `Vary` is not set: these responses are stored by nobody.
    pub(super) fn apply(self, request: &HeaderMap, body: Bytes) -> Response<Body> {
        let coding = match body.len() < self.threshold {
            true => None,
            false => Coding::accepted(request, self.preferred),
        };
        let encoded = coding.and_then(|coding| {
            // Writing into memory cannot fail.
            let encoded = coding.encode(&body, self.level).ok()?;
            (encoded.len() < body.len()).then_some((coding, encoded))
        });
        let Some((coding, encoded)) = encoded else { return Response::new(Body::from(body)) };
        let mut response = Response::new(Body::from(encoded));
        let name = HeaderValue::from_static(coding.name());
        response.headers_mut().insert(CONTENT_ENCODING, name);
        response
    }
}

/// `content` in gzip, at its smallest, if that is smaller.
pub(super) fn gzip(content: &[u8]) -> Option<Bytes> {
    let encoded = Coding::Gzip.encode(content, Compression::best()).ok()?;
    (encoded.len() < content.len()).then(|| Bytes::from(encoded))
}

/// Whether the client reads gzip.
pub(super) fn accepts_gzip(request: &HeaderMap) -> bool {
    Coding::Gzip.wish(request).is_some()
}

/// The content codings that there are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    /// In the format of zlib.
    Deflate,
    /// With its quality.
    #[cfg(feature = "brotli")]
    Brotli(u32),
}

/// How much a client wants a coding.
#[derive(Clone, Copy, PartialEq)]
struct Wish {
    /// `q`, from 0 to 1000; 0 means not at all.
    weight: u16,
    /// Whether it is named, and not only covered by `*`.
    named: bool,
    /// Its place in the header.
    place: usize,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            #[cfg(feature = "brotli")]
            Self::Brotli(_) => "br",
        }
    }

    /// What the client wants most (RFC 9110 section 12.5.3): by weight, then what it names before
    /// what `*` covers, then what is preferred here, then in its own order, and gzip where it says `*`
    /// alone. `None` where it accepts none, or says nothing.
    fn accepted(request: &HeaderMap, preferred: Option<Self>) -> Option<Self> {
        // What `*` covers has one place. Of several that are first, the first here is taken.
        [Some(Self::Gzip), Some(Self::Deflate), preferred]
            .into_iter()
            .flatten()
            .filter_map(|coding| Some((coding, coding.wish(request)?)))
            .min_by_key(|(coding, wish)| {
                let is_preferred = wish.named && Some(*coding) == preferred;
                (u16::MAX - wish.weight, !wish.named, !is_preferred, wish.place)
            })
            .map(|(coding, _)| coding)
    }

    /// `None` if it is not accepted.
    fn wish(self, request: &HeaderMap) -> Option<Wish> {
        let fields = request.get_all(ACCEPT_ENCODING).iter().map(HeaderValue::as_bytes);
        let items = fields.flat_map(|field| field.split(|byte| *byte == b','));
        let mut found: Option<Wish> = None;
        for (place, item) in items.enumerate() {
            let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let named = name.eq_ignore_ascii_case(self.name().as_bytes());
            // What names it counts more than `*`, and of several the first does.
            if !(named || name == b"*") || found.is_some_and(|found| found.named || !named) {
                continue;
            }
            let weight = parts.find_map(|parameter| {
                let (name, value) = parameter.split_at_checked(2)?;
                name.eq_ignore_ascii_case(b"q=").then(|| weight(value))
            });
            found = Some(Wish { weight: weight.unwrap_or(1000), named, place });
        }
        found.filter(|wish| wish.weight > 0)
    }

    fn encode(self, body: &[u8], level: Compression) -> io::Result<Vec<u8>> {
        // Messages are JSON, which becomes a third at least.
        let output = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(output, level);
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(output, level);
                encoder.write_all(body)?;
                encoder.finish()
            }
            #[cfg(feature = "brotli")]
            Self::Brotli(quality) => {
                let window = brotli_window(body.len(), quality);
                let mut encoder = brotli::CompressorWriter::new(output, 4096, quality, window);
                encoder.write_all(body)?;
                // It passes over errors of writing, of which there are none.
                Ok(encoder.into_inner())
            }
        }
    }
}

/// The bits of a window that a body of so many bytes fits into. The usual 22 have the encoder
/// allocate 8 MiB for any but the smallest body, and several times that at some qualities.
#[cfg(feature = "brotli")]
fn brotli_window(bytes: usize, quality: u32) -> u32 {
    // At these qualities, the crate has a table of 32 MiB for smaller windows, and one of 1 to 16 MiB
    // for larger ones.
    let least = if (5..=8).contains(&quality) { 17 } else { 10 };
    // 16 bytes of a window cannot be referred to.
    let bits = usize::BITS - bytes.saturating_add(15).leading_zeros();
    bits.clamp(least, 19)
}

/// A weight in thousandths (RFC 9110 section 12.4.2), 0 for what is none: what cannot be read is no
/// wish.
fn weight(text: &[u8]) -> u16 {
    let (whole, digits) = match text {
        [whole @ (b'0' | b'1')] | [whole @ (b'0' | b'1'), b'.'] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', digits @ ..] if digits.len() <= 3 => (whole, digits),
        _ => return 0,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let thousandths = [100, 10, 1].iter().zip(digits).map(|(unit, d)| unit * u16::from(d - b'0'));
    (1000 * u16::from(whole - b'0') + thousandths.sum::<u16>()).min(1000)
}

#[cfg(test)]
mod tests;
