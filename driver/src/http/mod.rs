//! Stub.

/// Stub.
#[derive(Clone, Debug)]
pub struct Cors;

pub(crate) struct ClientFiles;

impl ClientFiles {
    pub(crate) fn new(_: std::path::PathBuf) -> Self {
        Self
    }
}
