//! Base64.
