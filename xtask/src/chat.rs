//! `cargo xtask chat`: the chat example, ready for a browser.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::runtime::Runtime;
use crate::workspace::{Profile, Workspace};
use crate::{prerequisites, process};

/// Where the official client's browser builds lie, below the root of the workspace.
const CLIENT: &str = "examples/chat/node_modules/socket.io-client/dist";

pub(crate) const HELP: &str = "\
Usage: cargo xtask chat [--runtime RUNTIME] [--port N] [--host H] [--allow-origin ORIGIN]

Installs the official JavaScript client with npm, builds the chat example optimised and runs it
until it is stopped.

  --runtime RUNTIME   tokio, which is the default, smol or async-std

The other options are the example's own and are passed on to it.
";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let (runtime, arguments) = split(arguments)?;
    let program = runtime.binary("chat");
    let client = client_folder(workspace)?;
    process::run(&mut workspace.cargo(&[
        "build",
        "--release",
        "--package",
        "sansocket-examples",
        "--bin",
        &program,
    ]))?;
    let mut chat = Command::new(workspace.binary(Profile::Release, &program));
    chat.args(arguments).arg("--client-dir").arg(client);
    replace_with(&mut chat)
}

/// The runtime, and the options that are not ours.
fn split(arguments: &[String]) -> Result<(Runtime, Vec<&String>), Failure> {
    let mut runtime = Runtime::Tokio;
    let mut others = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--runtime" {
            let name = arguments.next().ok_or_else(|| Failure::new("--runtime needs a value"))?;
            runtime = Runtime::from_name(name)?;
        } else {
            others.push(argument);
        }
    }
    Ok((runtime, others))
}

/// The folder of the official client's browser builds, installed if need be.
pub(crate) fn client_folder(workspace: &Workspace) -> Result<PathBuf, Failure> {
    prerequisites::npm_packages(&workspace.folder("examples/chat")?)?;
    workspace.folder(CLIENT)
}

/// Turns this process into `command`, so that signals and the exit status are the program's own.
#[cfg(unix)]
fn replace_with(command: &mut Command) -> Result<ExitCode, Failure> {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(Failure::new(format!("cannot run the chat example: {error}")))
}

#[cfg(not(unix))]
fn replace_with(command: &mut Command) -> Result<ExitCode, Failure> {
    process::exit_code(command, "the chat example")
}
