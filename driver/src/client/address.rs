//! Where a client connects to.

use http::Uri;
use http::uri::Authority;
use thiserror::Error;

/// What a URL says: a server, a namespace of it, and what goes into every query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) endpoint: Endpoint,
    /// The path of the URL. That of the server's endpoint is a setting.
    pub(super) namespace: String,
    pub(super) query: String,
}

/// A server: what a connection is made to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
    secure: bool,
}

/// Why a URL says nothing that a client can connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is no URL, or has no host.
    #[error("not a URL with a host")]
    Malformed,
    /// It does not begin with `http://`, `https://`, `ws://` or `wss://`.
    #[error("scheme is not http, https, ws or wss")]
    Scheme,
}

impl Endpoint {
    /// A server, for a connector that goes elsewhere than it was told to.
    pub fn new(host: impl Into<String>, port: u16, secure: bool) -> Self {
        Self { host: host.into(), port, secure }
    }

    /// A name, or an address, which is without brackets also where it is one of IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether to speak TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The value of `Host`, without the scheme's own port.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, secure } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == default_port(*secure) { host } else { format!("{host}:{port}") }
    }
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        // A fragment is nothing to tell a server.
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let (scheme, _) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(UrlError::Scheme),
        };
        let uri: Uri = url.parse().map_err(|_| UrlError::Malformed)?;
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(UrlError::Malformed);
        }
        let endpoint = Endpoint { host: host.to_owned(), port: port(authority, secure)?, secure };
        Ok(Self {
            endpoint,
            namespace: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }
}

fn port(authority: &Authority, secure: bool) -> Result<u16, UrlError> {
    // What is no port is none to `Authority`, as if there were nothing.
    let behind_host = authority.as_str().rsplit_once(authority.host()).map(|(_, rest)| rest);
    match behind_host {
        Some("") => Ok(default_port(secure)),
        _ => authority.port_u16().ok_or(UrlError::Malformed),
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_server_namespace_and_query() -> Result<(), UrlError> {
        let cases = [
            ("http://localhost:3000", "localhost:3000", 3000, "/", ""),
            ("http://localhost/", "localhost", 80, "/", ""),
            ("https://example.org/chat?token=a%20b", "example.org", 443, "/chat", "token=a%20b"),
            ("wss://example.org:8443/a/b", "example.org:8443", 8443, "/a/b", ""),
            ("WS://[::1]:3000/chat#top", "[::1]:3000", 3000, "/chat", ""),
            ("http://user:secret@example.org?a=1", "example.org", 80, "/", "a=1"),
        ];
        for (url, authority, port, namespace, query) in cases {
            let address = Address::parse(url)?;
            assert_eq!(address.endpoint.authority(), authority, "{url}");
            assert_eq!(address.endpoint.port(), port, "{url}");
            assert_eq!(address.namespace, namespace, "{url}");
            assert_eq!(address.query, query, "{url}");
        }
        assert_eq!(Address::parse("ws://[::1]")?.endpoint.host(), "::1");
        assert!(Address::parse("wss://localhost")?.endpoint.is_secure());
        Ok(())
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in ["", "localhost:3000", "/chat", "ftp://localhost", "tcp://localhost:3000"] {
            assert_eq!(Address::parse(url), Err(UrlError::Scheme), "{url}");
        }
        for url in ["http://", "http:// /", "http://localhost:port", "http://localhost:65536"] {
            assert_eq!(Address::parse(url), Err(UrlError::Malformed), "{url}");
        }
    }
}
