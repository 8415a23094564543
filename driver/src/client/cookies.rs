//! Cookies, by which a load balancer keeps a session at one server.
//!
//! All requests of a client go to one host and one path, and what is set is sent with the next:
//! domains and paths have nothing to decide. A session begins without any.

use http::HeaderValue;
use http::header::{HeaderMap, SET_COOKIE};

/// Cookies that are kept. A server could otherwise make the client keep more with each answer.
const COOKIES_MAX: usize = 32;

/// Bytes of a cookie's name and value.
const COOKIE_BYTES_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
}

impl Cookies {
    /// Takes what an answer sets.
    pub(super) fn learn(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            self.set(header.as_bytes());
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The value of `Cookie`, if there is one.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let pairs = self.0.iter().map(|cookie| [&cookie.name[..], b"=", &cookie.value].concat());
        let line = pairs.collect::<Vec<_>>().join(&b"; "[..]);
        HeaderValue::from_bytes(&line).ok().filter(|line| !line.is_empty())
    }

    /// RFC 6265, 5.2, as far as it matters within one session.
    fn set(&mut self, header: &[u8]) {
        let mut parts = header.split(|byte| *byte == b';');
        let Some((name, value)) = parts.next().and_then(split_pair) else { return };
        if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX {
            return;
        }
        self.0.retain(|cookie| *cookie.name != *name);
        let is_removed = parts.filter_map(split_pair).any(|(attribute, value)| {
            attribute.eq_ignore_ascii_case(b"max-age") && matches!(value, [b'-' | b'0', ..])
        });
        if !is_removed && self.0.len() < COOKIES_MAX {
            self.0.push(Cookie { name: name.into(), value: value.into() });
        }
    }
}

fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    Some((pair.get(..equals)?.trim_ascii(), pair.get(equals + 1..)?.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&'static str]) -> Option<String> {
        let mut cookies = Cookies::default();
        for line in lines {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
            cookies.learn(&headers);
        }
        cookies.header().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
    }

    #[test]
    fn what_is_set_is_sent() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&["io=x; Path=/; HttpOnly"]).as_deref(), Some("io=x"));
        assert_eq!(after(&["a=1", " b = \"2=\" ;Secure"]).as_deref(), Some("a=1; b=\"2=\""));
        assert_eq!(after(&["a=1", "b=2", "a=3"]).as_deref(), Some("b=2; a=3"));
        assert_eq!(after(&["a=1; Max-Age=60"]).as_deref(), Some("a=1"));
    }

    #[test]
    fn what_is_taken_back_is_not() {
        assert_eq!(after(&["a=1", "a=; Max-Age=0"]), None);
        assert_eq!(after(&["a=1", "a=1; max-age = -1"]), None);
    }

    #[test]
    fn nonsense_and_excess_are_ignored() {
        assert_eq!(after(&["", "=1", "a", "; a=1"]), None);
        let mut cookies = Cookies::default();
        for number in 0..=COOKIES_MAX {
            cookies.set(format!("c{number}=1").as_bytes());
        }
        cookies.set(format!("large={}", "x".repeat(COOKIE_BYTES_MAX)).as_bytes());
        assert_eq!(cookies.0.len(), COOKIES_MAX);
    }
}
