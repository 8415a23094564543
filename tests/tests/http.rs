//! The HTTP side of a server, as a client sees it that looks at statuses and headers.

mod http {
    mod compression;
    mod cookie;
    mod eio3;
    mod hooks;
    mod methods;
}
mod support;
