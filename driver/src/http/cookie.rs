//! The cookie that carries a session's id.

use std::time::Duration;

use http::HeaderValue;
use sansocket_core::Sid;

/// A cookie with the id of the session, for load balancers that send a client always to the same
/// server. It is set by [`Builder::cookie`](crate::Builder::cookie), and not at all by default.
///
/// It is part of the response that opens a session on polling, as in the reference: a client that
/// begins on a WebSocket has only one request, and is not told. The server itself never looks at
/// it.
///
/// By default the attributes are those of the reference, `Path=/; HttpOnly; SameSite=Lax`, and the
/// cookie lasts until the browser is closed.
///
/// A name, a path or a domain that cannot stand in a cookie (RFC 6265 section 4.1.1) is logged, and
/// no cookie is set.
///
/// ```
/// # use sansocket_driver::{Cookie, SameSite};
/// let cookie = Cookie::new("io").same_site(Some(SameSite::None)).secure(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: Box<str>,
    max_age: Option<Duration>,
    domain: Option<Box<str>>,
    path: Option<Box<str>>,
    http_only: bool,
    secure: bool,
    partitioned: bool,
    same_site: Option<SameSite>,
}

/// With which requests from other sites a browser sends a cookie (RFC 6265bis section 5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With those that lead a person to the site.
    Lax,
    /// With all. Browsers accept this of a [`secure`](Cookie::secure) cookie only.
    None,
}

impl Default for Cookie {
    /// The reference's `cookie: true`: the name is `io`.
    fn default() -> Self {
        Self::new("io")
    }
}

impl Cookie {
    /// A cookie of that name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            max_age: None,
            domain: None,
            path: Some("/".into()),
            http_only: true,
            secure: false,
            partitioned: false,
            same_site: Some(SameSite::Lax),
        }
    }

    /// How long it is kept, in whole seconds. Until the browser is closed by default.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// The domain whose hosts all are sent it. Only the server's own host by default.
    #[must_use]
    pub fn domain(self, domain: &str) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// The path of the requests that have it, `/` by default. `None` leaves the attribute out, which
    /// means the server's own path.
    #[must_use]
    pub fn path(self, path: Option<&str>) -> Self {
        Self { path: path.map(Box::from), ..self }
    }

    /// Whether scripts are kept from it. They are by default.
    #[must_use]
    pub fn http_only(self, http_only: bool) -> Self {
        Self { http_only, ..self }
    }

    /// Whether it is sent on encrypted connections only. Not by default.
    #[must_use]
    pub fn secure(self, secure: bool) -> Self {
        Self { secure, ..self }
    }

    /// Whether each page that embeds the server has a cookie of its own (`Partitioned`), for which
    /// browsers ask that it be [`secure`](Self::secure). Not by default.
    #[must_use]
    pub fn partitioned(self, partitioned: bool) -> Self {
        Self { partitioned, ..self }
    }

    /// With which requests from other sites it is sent, `Lax` by default. `None` leaves the
    /// attribute out, and the decision to the browser.
    #[must_use]
    pub fn same_site(self, same_site: Option<SameSite>) -> Self {
        Self { same_site, ..self }
    }

    /// What is the same in every response; `None` if that cannot stand in a header.
    pub(crate) fn prepare(&self) -> Option<PreparedCookie> {
        let is_value = |text: &Option<Box<str>>| {
            text.as_ref().is_none_or(|text| {
                !text.is_empty()
                    && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
            })
        };
        if !is_token(&self.name) || !is_value(&self.domain) || !is_value(&self.path) {
            tracing::warn!(cookie = ?self, "no cookie is set: this cannot stand in a header");
            return None;
        }
        let mut attributes = String::new();
        let mut add = |name: &str, value: &str| {
            attributes.extend(["; ", name, value]);
        };
        if let Some(max_age) = self.max_age {
            add("Max-Age=", &max_age.as_secs().to_string());
        }
        if let Some(domain) = &self.domain {
            add("Domain=", domain);
        }
        if let Some(path) = &self.path {
            add("Path=", path);
        }
        for (name, wanted) in [
            ("HttpOnly", self.http_only),
            ("Secure", self.secure),
            ("Partitioned", self.partitioned),
        ] {
            if wanted {
                add(name, "");
            }
        }
        match self.same_site {
            Some(SameSite::Strict) => add("SameSite=", "Strict"),
            Some(SameSite::Lax) => add("SameSite=", "Lax"),
            Some(SameSite::None) => add("SameSite=", "None"),
            None => {}
        }
        Some(PreparedCookie { name: self.name.clone(), attributes: attributes.into() })
    }
}

/// A cookie but for its value.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCookie {
    name: Box<str>,
    attributes: Box<str>,
}

impl PreparedCookie {
    /// The value of `Set-Cookie`. Ids need no quoting.
    pub(super) fn header(&self, sid: &Sid) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{}={}{}", self.name, sid.as_str(), self.attributes)).ok()
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests;
