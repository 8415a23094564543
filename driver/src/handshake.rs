//! How a client introduced itself.

use std::net::SocketAddr;
use std::time::SystemTime;

use crate::http::Peer;

/// The first HTTP request of a session, as far as applications want to know it.
///
/// It is kept for as long as the session lives, so it is compact: headers and query are copied
/// out of the request's buffers.
#[derive(Debug, Clone)]
pub struct Handshake {
    pub(crate) headers: Headers,
    pub(crate) uri: Box<str>,
    pub(crate) peer: Peer,
    pub(crate) extensions: http::Extensions,
    pub(crate) issued: SystemTime,
}

/// Header lines, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(Box<[u8]>);

impl Handshake {
    pub(crate) fn new(
        request: &http::request::Parts,
        peer: Peer,
        extensions: http::Extensions,
        issued: SystemTime,
    ) -> Self {
        let uri = request.uri.path_and_query().map_or("/", |target| target.as_str());
        Self { headers: Headers::new(&request.headers), uri: uri.into(), peer, extensions, issued }
    }

    /// The value of a header, by its name in lower case. Of repeated headers, the first.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// All headers, names in lower case, in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter()
    }

    /// The request target: path and query.
    pub fn url(&self) -> &str {
        &self.uri
    }

    /// The value of a query parameter, percent-decoded. Of repeated ones, the last, as in the
    /// reference.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.uri.split_once('?')?;
        let pairs = form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(other, _)| other == name).last().map(|(_, value)| value.into_owned())
    }

    /// The TCP peer, as far as the runtime knows one. Proxies' headers are not looked at.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Whether the stream is encrypted, as far as the server knows.
    pub fn secure(&self) -> bool {
        self.peer.secure
    }

    /// Whether the request came from another origin (it has an `Origin` header).
    pub fn cross_origin(&self) -> bool {
        self.header("origin").is_some()
    }

    /// What the web framework around this server knows of the request, such as who is logged in.
    /// There are values of the types that [`Builder::extension`](crate::Builder::extension) named.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// When the request came.
    pub fn issued(&self) -> SystemTime {
        self.issued
    }
}

impl Headers {
    /// Values cannot contain line breaks, so lines can be told apart.
    fn new(headers: &http::HeaderMap) -> Self {
        let mut lines = Vec::new();
        for (name, value) in headers {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        Self(lines.into())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
        })
    }
}
