//! The page's three files, which are part of the program.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

/// Path, type and content.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("../../chat/page/index.html")),
    ("/chat.css", "text/css; charset=utf-8", include_str!("../../chat/page/chat.css")),
    ("/chat.js", "text/javascript; charset=utf-8", include_str!("../../chat/page/chat.js")),
];

/// Answers what is not for the Socket.IO server. Its content security policy stands in the page
/// itself.
pub(crate) async fn serve(request: Parts) -> Response<Bytes> {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    let file = FILES.into_iter().find(|(path, _, _)| is_read && *path == request.uri.path());
    let Some((_, content_type, content)) = file else {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Bytes::from_static(content.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
