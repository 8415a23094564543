//! What a server on the open internet meets. After each of it the server serves whoever is honest,
//! and holds nothing any more.

mod hostile {
    mod advisories;
    mod event;
    mod http;
    mod network;
    mod websocket;
}
mod support;
