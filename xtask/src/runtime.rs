//! The async runtimes that there are programs for.

pub(crate) mod trees;

use std::fmt;

use crate::failure::Failure;

/// An async runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Tokio,
    Smol,
    AsyncStd,
}

impl Runtime {
    pub(crate) const ALL: [Self; 3] = [Self::Tokio, Self::Smol, Self::AsyncStd];

    pub(crate) fn from_name(name: &str) -> Result<Self, Failure> {
        let known = Self::ALL.into_iter().find(|runtime| runtime.name() == name);
        known.ok_or_else(|| Failure::new(format!("there is no runtime {name:?} here")))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::AsyncStd => "async-std",
        }
    }

    /// The name that `program` has on this runtime. On tokio it is the bare one.
    pub(crate) fn binary(self, program: &str) -> String {
        match self {
            Self::Tokio => program.to_owned(),
            Self::Smol | Self::AsyncStd => format!("{program}-{}", self.name()),
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
