//! Cross-origin resource sharing: which pages of other origins may read the server's responses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_LENGTH, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

/// Which pages of other origins may use the server by HTTP, and how.
///
/// The settings mean what the `cors` option of the JavaScript server means. A server without this
/// setting sends no CORS header at all, so browsers keep other origins' pages out.
///
/// CORS is a rule for browsers, about HTTP: a request that does not fit is served nevertheless,
/// only without the header that lets the page read the response, and it never stops a WebSocket.
/// To refuse a session by its origin, look at the `Origin` header of the handshake.
///
/// An origin is a scheme, a host and a port without a slash at the end, as browsers write it:
/// `http://localhost:3000`. A text that cannot stand in a header allows nothing and is logged.
///
/// ```
/// # use sansocket_driver::Cors;
/// let cors = Cors::origin("https://example.com").credentials(true).methods(["GET", "POST"]);
/// ```
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Origins,
    methods: Option<HeaderValue>,
    allowed_headers: AllowedHeaders,
    exposed_headers: Option<HeaderValue>,
    credentials: bool,
    max_age_seconds: Option<HeaderValue>,
}

#[derive(Clone)]
enum Origins {
    Any,
    /// Sent whoever asks; `None` if what was configured cannot be sent.
    One(Option<HeaderValue>),
    Listed(Arc<[Box<str>]>),
    Mirrored(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

#[derive(Clone, Debug)]
enum AllowedHeaders {
    /// What the preflight asks for is what it is given.
    Reflected,
    Listed(Option<HeaderValue>),
}

impl Cors {
    /// Every origin: `Access-Control-Allow-Origin: *`. Browsers then send no cookies.
    pub fn permissive() -> Self {
        Self::new(Origins::Any)
    }

    /// One origin, named in every response. `*` is [`permissive`](Self::permissive).
    pub fn origin(origin: impl AsRef<str>) -> Self {
        match origin.as_ref() {
            "*" => Self::permissive(),
            origin => Self::new(Origins::One(header_value(origin))),
        }
    }

    /// The origins of a list: a request's own origin is named in the response if it is one of them,
    /// to the letter. `*` among them is not special.
    pub fn origins<I>(origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let origins = origins.into_iter().map(|origin| Box::from(origin.as_ref())).collect();
        Self::new(Origins::Listed(origins))
    }

    /// Every origin, each by name.
    ///
    /// Together with [`credentials`](Self::credentials) this lets any page on the web act with the
    /// cookies of whoever looks at it.
    pub fn mirror() -> Self {
        Self::mirror_if(|_| true)
    }

    /// Every origin that the predicate accepts, by name. It is asked for each request that has an
    /// `Origin` header of printable ASCII.
    pub fn mirror_if(allows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::new(Origins::Mirrored(Arc::new(allows)))
    }

    /// The methods that a preflight allows; `GET,HEAD,PUT,PATCH,POST,DELETE` unless set.
    #[must_use]
    pub fn methods<I>(self, methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { methods: header_list(methods), ..self }
    }

    /// The request headers that a preflight allows; unless set, whichever it asks for.
    #[must_use]
    pub fn allowed_headers<I>(self, headers: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { allowed_headers: AllowedHeaders::Listed(header_list(headers)), ..self }
    }

    /// The response headers that a page may read beside the usual ones; none unless set.
    #[must_use]
    pub fn exposed_headers<I>(self, headers: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { exposed_headers: header_list(headers), ..self }
    }

    /// Whether browsers may send cookies and read the response; not unless set.
    ///
    /// It has no effect on [`permissive`](Self::permissive): browsers refuse credentials when the
    /// allowed origin is `*` (Fetch standard, section 3.3.5), so nothing would be gained by sending
    /// both, and to name the origin instead would quietly open the server to every page with its
    /// visitor's cookies. Whoever wants that says [`mirror`](Self::mirror).
    #[must_use]
    pub fn credentials(self, credentials: bool) -> Self {
        Self { credentials, ..self }
    }

    /// How long a browser may remember a preflight, in whole seconds; its own default unless set.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age_seconds: Some(HeaderValue::from(max_age.as_secs())), ..self }
    }

    /// The answer to an `OPTIONS` request, whichever path and whatever else it has.
    pub(crate) fn preflight(&self, request: &http::request::Parts) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.apply(&request.headers, headers);
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, self.methods.as_ref());
        match &self.allowed_headers {
            AllowedHeaders::Reflected => {
                vary(headers, "Access-Control-Request-Headers");
                for asked in request.headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
                    headers.append(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
                }
            }
            AllowedHeaders::Listed(allowed) => {
                set(headers, ACCESS_CONTROL_ALLOW_HEADERS, allowed.as_ref());
            }
        }
        set(headers, ACCESS_CONTROL_MAX_AGE, self.max_age_seconds.as_ref());
        // As the reference has it, for clients that wait for the body of a 204. hyper leaves the
        // header out again, since it means nothing there (RFC 9110 section 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    }

    /// Adds to a response what tells the browser who may read it. Errors need it too, or a page
    /// could not tell a refusal from a lost network.
    pub(crate) fn apply(&self, request_headers: &HeaderMap, response_headers: &mut HeaderMap) {
        let origin = request_headers.get(ORIGIN);
        match &self.origins {
            Origins::Any => {
                let any = HeaderValue::from_static("*");
                response_headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
            }
            Origins::One(one) => allow_origin(response_headers, one.as_ref()),
            Origins::Listed(origins) => {
                let listed = |origin: &&HeaderValue| {
                    origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
                };
                allow_origin(response_headers, origin.filter(listed));
            }
            Origins::Mirrored(allows) => {
                let allowed =
                    |origin: &&HeaderValue| origin.to_str().is_ok_and(|text| allows(text));
                allow_origin(response_headers, origin.filter(allowed));
            }
        }
        if self.credentials && !matches!(self.origins, Origins::Any) {
            let allowed = HeaderValue::from_static("true");
            response_headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, allowed);
        }
        set(response_headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.as_ref());
    }

    fn new(origins: Origins) -> Self {
        Self {
            origins,
            methods: Some(HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE")),
            allowed_headers: AllowedHeaders::Reflected,
            exposed_headers: None,
            credentials: false,
            max_age_seconds: None,
        }
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::One(origin) => f.debug_tuple("One").field(origin).finish(),
            Self::Listed(origins) => f.debug_tuple("Listed").field(origins).finish(),
            Self::Mirrored(_) => f.write_str("Mirrored"),
        }
    }
}

/// The response depends on the request's origin even if that is not allowed or missing, so `Vary`
/// stands in any case: a cache must not give one origin's response to another.
fn allow_origin(headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    vary(headers, "Origin");
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value.clone());
    }
}

/// Adds a name to `Vary` unless it is covered already.
fn vary(headers: &mut HeaderMap, name: &'static str) {
    let covers = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        names.any(|other| other == b"*" || other.eq_ignore_ascii_case(name.as_bytes()))
    };
    if !headers.get_all(VARY).iter().any(covers) {
        headers.append(VARY, HeaderValue::from_static(name));
    }
}

/// `None` for an empty list: such a header is left out.
fn header_list<I>(items: I) -> Option<HeaderValue>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let mut list = String::new();
    for item in items {
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(item.as_ref());
    }
    if list.is_empty() { None } else { header_value(&list) }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    let value = HeaderValue::from_str(text).ok();
    if value.is_none() {
        tracing::warn!(text, "a CORS setting cannot stand in a header and is ignored");
    }
    value
}

#[cfg(test)]
mod tests;
