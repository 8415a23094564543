//! Which HTTP request means what, and what a refused one is answered.
//!
//! Nothing here touches a socket or keeps state: the driver takes HTTP apart and puts it together.

mod refusal;
mod request;

pub use refusal::Refusal;
pub use request::{Method, Request, Route, route, wants_base64};

#[cfg(test)]
mod tests;
