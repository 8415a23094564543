//! What goes to the terminal.

use std::fmt;
use std::io::{self, Write};

use sansocket_tokio::client::ConnectError;
use serde_json::{Value, json};

/// One line, at once.
///
/// # Errors
///
/// If nobody reads any more.
pub(crate) fn print(line: &Value) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

/// What is wrong, for a human.
pub(crate) fn complain(error: &dyn fmt::Display) {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "sansocket-cli: {error}");
}

pub(crate) fn connect_error(error: &ConnectError) -> Value {
    let data = if let ConnectError::Refused { data: Some(data), .. } = error {
        crate::value::incoming(data)
    } else {
        Value::Null
    };
    json!({
        "type": "connect_error",
        "message": error.to_string(),
        "data": data,
        "final": error.is_final(),
    })
}
