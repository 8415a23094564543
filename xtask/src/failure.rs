//! The one error of this program: a sentence for the person who started it.

use std::fmt;

/// Why a task stopped. Nothing here is handled by a program, so it is only text.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// One failure for several findings of a check, each on a line of its own; `Ok` for none.
    pub(crate) fn from_findings(findings: &[String]) -> Result<(), Self> {
        if findings.is_empty() { Ok(()) } else { Err(Self(findings.join("\n"))) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
