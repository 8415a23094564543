//! The tests of whole servers, on smol: `support` goes by the name of this program.
#![allow(
    clippy::duplicate_mod,
    clippy::module_inception,
    reason = "each of these is a test program, which brings the modules that it needs"
)]

#[path = "application.rs"]
mod application;
#[path = "hostile.rs"]
mod hostile;
#[path = "http.rs"]
mod http;
#[path = "operations.rs"]
mod operations;
#[path = "order.rs"]
mod order;
#[path = "shutdown.rs"]
mod shutdown;
mod support;
