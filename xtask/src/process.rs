//! Running other programs.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::counts::{Runner, TestCounts};
use crate::failure::Failure;

/// Runs `command` with our output; anything but success is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|error| cannot_start(command, &error))?;
    check(command, status)
}

/// Runs `command` with our input and output, and passes on how it ended. `name` is what a failure to
/// start it calls it.
pub(crate) fn exit_code(command: &mut Command, name: &str) -> Result<ExitCode, Failure> {
    let status = command.status();
    let status = status.map_err(|error| Failure::new(format!("cannot run {name}: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Runs `command` and returns what it printed on standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| cannot_start(command, &error))?;
    check(command, output.status)?;
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("{} did not print UTF-8", describe(command))))
}

/// Runs `command` and returns whether it succeeded, with what it printed on standard error.
pub(crate) fn attempt(command: &mut Command) -> Result<(bool, String), Failure> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::inherit()).output();
    let output = output.map_err(|error| cannot_start(command, &error))?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Runs `command`, shows each line that it prints on standard error to `line_read` as well, and
/// returns whether it succeeded.
pub(crate) fn run_watched(
    command: &mut Command,
    mut line_read: impl FnMut(&str),
) -> Result<bool, Failure> {
    announce(command);
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| cannot_start(command, &error))?;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            line_read(&line);
        }
    }
    let status = child.wait().map_err(|error| cannot_start(command, &error))?;
    Ok(status.success())
}

/// Runs a test runner: passes its output on and adds up the tests that it reports.
pub(crate) fn run_tests(
    command: &mut Command,
    runner: Runner,
    total: &mut TestCounts,
) -> Result<(), Failure> {
    announce(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| cannot_start(command, &error))?;
    let mut counts = TestCounts::default();
    if let Some(stdout) = child.stdout.take() {
        echo(&mut child, stdout, |line| counts.add_line(runner, line));
    }
    let status = child.wait().map_err(|error| cannot_start(command, &error))?;
    *total += counts;
    check(command, status)?;
    if counts.failed() > 0 {
        return Err(Failure::new(format!("{}: {counts}", describe(command))));
    }
    if counts.passed() == 0 {
        return Err(Failure::new(format!("{} ran no test", describe(command))));
    }
    Ok(())
}

/// Where the program of this name lies, if the search path leads to it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let file_name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&file_name)).find(|file| file.is_file())
}

/// Copies `stdout` to ours line by line, until it is closed or the program has ended.
///
/// A program that a test left behind keeps the pipe open. Waiting for it would hang the whole run,
/// so after the end of `child` only what arrives promptly is read.
fn echo(child: &mut Child, stdout: ChildStdout, mut line_read: impl FnMut(&str)) {
    const POLL_INTERVAL: Duration = Duration::from_secs(2);
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            }
        }
    });
    loop {
        match receiver.recv_timeout(POLL_INTERVAL) {
            Ok(line) => {
                // Nobody is left to tell when our own output is gone.
                let mut ours = io::stdout().lock();
                let _ = ours.write_all(&line).and_then(|()| ours.flush());
                line_read(&String::from_utf8_lossy(&line));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => break,
            },
        }
    }
}

fn check(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{} failed ({status})", describe(command))))
    }
}

fn cannot_start(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("cannot run {}: {error}", describe(command)))
}

fn announce(command: &Command) {
    println!("+ {}", describe(command));
    // What follows is written by another process, past our buffer.
    let _ = io::stdout().flush();
}

/// The command as one would type it, without the path of the program.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or_else(|| command.get_program());
    let mut words = vec![program.to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}
