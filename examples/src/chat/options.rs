//! What the command line says.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use thiserror::Error;

pub(crate) const HELP: &str = "\
Usage: chat [--port PORT] [--host ADDRESS] [--client-dir FOLDER] [--allow-origin ORIGIN]

  --port PORT            the TCP port, 3000 by default; 0 lets the system choose
  --host ADDRESS         the IP address to listen on, 127.0.0.1 by default
  --client-dir FOLDER    where the browser builds of socket.io-client lie, by default
                         examples/chat/node_modules/socket.io-client/dist
  --allow-origin ORIGIN  lets pages of another origin use the server
";

/// What can be set on the command line.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The IP address to listen on.
    pub host: IpAddr,
    /// The TCP port; the system chooses for 0.
    pub port: u16,
    /// Where the browser builds of the official client lie.
    pub client_dir: PathBuf,
    /// The origin whose pages may use the server, beside the server's own.
    pub allow_origin: Option<String>,
}

/// Why a command line cannot be understood.
#[derive(Debug, PartialEq, Error)]
pub enum UsageError {
    /// There is no such option.
    #[error("there is no option {0:?}; --help lists them")]
    Unknown(OsString),
    /// The option's value is missing.
    #[error("{0} needs a value")]
    NoValue(&'static str),
    /// The option cannot have that value.
    #[error("{0} cannot be {1:?}")]
    BadValue(&'static str, OsString),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 3000,
            client_dir: "examples/chat/node_modules/socket.io-client/dist".into(),
            allow_origin: None,
        }
    }
}

impl Options {
    /// Reads the arguments behind the program's name. `None` if help is asked for.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Option<Self>, UsageError> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            match name.to_str() {
                Some("--help" | "-h") => return Ok(None),
                Some("--port") => options.port = parsed("--port", arguments.next())?,
                Some("--host") => options.host = parsed("--host", arguments.next())?,
                Some("--client-dir") => {
                    let folder = arguments.next().ok_or(UsageError::NoValue("--client-dir"))?;
                    options.client_dir = folder.into();
                }
                Some("--allow-origin") => {
                    options.allow_origin = Some(parsed("--allow-origin", arguments.next())?);
                }
                Some(_) | None => return Err(UsageError::Unknown(name)),
            }
        }
        Ok(Some(options))
    }
}

fn parsed<T: std::str::FromStr>(
    name: &'static str,
    value: Option<OsString>,
) -> Result<T, UsageError> {
    let value = value.ok_or(UsageError::NoValue(name))?;
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or(UsageError::BadValue(name, value))
}

#[cfg(test)]
mod tests;
