//! What examples share.

pub mod chat;
