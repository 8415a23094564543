//! What an HTTP request asks for, against a model of the protocol's tables.

use std::borrow::Cow;

use sansocket_core::http::{Method, Request, Route, route, wants_base64};
use sansocket_core::{
    Config, Dialect, Refusal, Revision, SHARDS_MAX, Server, Sid, Timestamp, Transport,
};

use super::take_byte;

/// An id of the right form, which the fuzzer need not find by itself.
const SID: &str = "Qabcdefghij0123456-_";

/// A byte for method, headers and configuration, and one for the beginning of the query. What
/// follows is the query, and after a line feed the `Origin`.
pub fn run(mut bytes: &[u8]) {
    let settings = take_byte(&mut bytes);
    let beginning = match take_byte(&mut bytes) % 6 {
        0 => String::new(),
        1 => "EIO=4&transport=polling".to_owned(),
        2 => "EIO=4&transport=websocket".to_owned(),
        3 => format!("EIO=4&transport=polling&sid={SID}"),
        4 => format!("EIO=4&transport=websocket&sid={SID}"),
        _ => "transport=%70olling&EIO=%34".to_owned(),
    };
    let (query, origin) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
        None => (bytes, None),
    };
    let query = beginning + &String::from_utf8_lossy(query);
    let method = match settings & 3 {
        0 | 1 => Method::Get,
        2 => Method::Post,
        _ => Method::Other,
    };
    let mut config = Config::default();
    config.transports.polling = settings & 8 == 0;
    config.transports.websocket = settings & 16 == 0;
    config.allow_eio3 = settings & 32 != 0;
    let request = Request { method, query: &query, origin, upgrade: settings & 4 != 0 };

    let answer = route(&config, &request);
    let parameters = Parameters::of(&query);
    assert_eq!(answer, expected(&config, &request, &parameters), "{query:?}");
    assert_eq!(wants_base64(&query), parameters.wants_base64());
    match answer {
        Ok(route) => check_route(config, &route),
        Err(refusal) => check_refusal(refusal),
    }
}

/// The last of each parameter, by the rules of forms.
#[derive(Default)]
struct Parameters<'a> {
    revision: Option<Cow<'a, str>>,
    transport: Option<Cow<'a, str>>,
    sid: Option<Cow<'a, str>>,
    b64: Option<Cow<'a, str>>,
    j: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    fn of(query: &'a str) -> Self {
        let last = |wanted: &str| {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.filter(|(name, _)| name == wanted).last().map(|(_, value)| value)
        };
        Self {
            revision: last("EIO"),
            transport: last("transport"),
            sid: last("sid"),
            b64: last("b64"),
            j: last("j"),
        }
    }

    fn wants_base64(&self) -> bool {
        self.b64.as_ref().is_some_and(|value| !value.is_empty())
    }
}

fn expected(
    config: &Config,
    request: &Request<'_>,
    parameters: &Parameters<'_>,
) -> Result<Route, Refusal> {
    let transport = match parameters.transport.as_deref() {
        Some("polling") if config.transports.polling => Transport::Polling,
        Some("websocket") if config.transports.websocket => Transport::WebSocket,
        Some(_) | None => return Err(Refusal::UnknownTransport),
    };
    let is_control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
    if request.origin.is_some_and(|origin| origin.iter().any(is_control)) {
        return Err(Refusal::InvalidOrigin);
    }
    let sid = parameters.sid.as_deref().unwrap_or_default();
    let is_get = request.method == Method::Get;
    if !sid.is_empty() {
        let sid = Sid::parse(sid).ok_or(Refusal::UnknownSession)?;
        let mismatch = Route::Refuse { sid, refusal: Refusal::TransportMismatch };
        let unexpected = Route::Refuse { sid, refusal: Refusal::UnexpectedMethod };
        return Ok(match (transport, request.upgrade) {
            (Transport::WebSocket, true) => {
                if is_get {
                    Route::Upgrade(sid)
                } else {
                    mismatch
                }
            }
            (Transport::WebSocket, false) | (Transport::Polling, true) => mismatch,
            (Transport::Polling, false) => match request.method {
                Method::Get => Route::Poll(sid),
                Method::Post => Route::Post(sid),
                Method::Other => unexpected,
            },
        });
    }
    if !is_get {
        return Err(Refusal::BadHandshakeMethod);
    }
    match (transport, request.upgrade) {
        (Transport::WebSocket, false) => return Err(Refusal::NoWebSocketHandshake),
        (Transport::Polling, true) => return Err(Refusal::TransportMismatch),
        (Transport::WebSocket, true) | (Transport::Polling, false) => {}
    }
    let revision = match parameters.revision.as_deref() {
        Some("4") => Revision::V4,
        Some("3") | None if config.allow_eio3 => Revision::V3,
        Some(_) | None => return Err(Refusal::UnsupportedProtocol),
    };
    let jsonp = match parameters.j.as_deref().filter(|_| transport == Transport::Polling) {
        None => None,
        Some(index) => {
            let digits = index.trim_start_matches('0');
            let is_number = !index.is_empty() && index.chars().all(|c| c.is_ascii_digit());
            let is_small = digits.len() < 10 || (digits.len() == 10 && digits <= "4294967295");
            if !(is_number && is_small) {
                return Err(Refusal::InvalidCallback);
            }
            Some(digits.chars().fold(0, |number, c| number * 10 + (c as u32 - '0' as u32)))
        }
    };
    let dialect = Dialect::new(revision, parameters.wants_base64(), jsonp);
    Ok(Route::Handshake { transport, dialect })
}

/// A session is found by its own id, and by no other.
fn check_route(config: Config, route: &Route) {
    let mut server = Server::new(config, [1; 32]);
    let opened = server.open_polling(Timestamp::ZERO).expect("the first session");
    let sid = match route {
        Route::Handshake { .. } => None,
        Route::Poll(sid) | Route::Post(sid) | Route::Upgrade(sid) | Route::Refuse { sid, .. } => {
            Some(*sid)
        }
    };
    if let Some(sid) = sid {
        assert!(sid.shard() < SHARDS_MAX);
        assert_eq!(Sid::parse(sid.as_str()), Some(sid));
        // Nobody guesses it but the fuzzer, which sees what it is compared with.
        if sid == opened.sid {
            return;
        }
    }
    assert_eq!(server.find(route).err(), Some(Refusal::UnknownSession));
    let own = match route {
        Route::Handshake { .. } => return,
        Route::Poll(_) => Route::Poll(opened.sid),
        Route::Post(_) => Route::Post(opened.sid),
        Route::Upgrade(_) => Route::Upgrade(opened.sid),
        Route::Refuse { refusal, .. } => Route::Refuse { sid: opened.sid, refusal: *refusal },
    };
    assert_eq!(server.find(&own), Ok(opened.connection));
}

/// A refusal is an HTTP answer with a JSON body, or none.
fn check_refusal(refusal: Refusal) {
    assert!((400..=503).contains(&refusal.status()));
    let body = refusal.body(None);
    let Some(code) = refusal.code() else { return assert_eq!(body, "") };
    let value: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(value["code"], code);
    assert_eq!(value["message"], refusal.to_string());
}
