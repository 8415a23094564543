//! The command line of `cargo xtask bench`.

use std::path::PathBuf;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Suite {
        folder: PathBuf,
        threads: bool,
        /// Whether it measures all cases for their full time, so that documents may show it.
        is_complete: bool,
        /// What run.sh is told.
        options: Vec<String>,
    },
    Scaling,
    Clients,
    Render(Option<PathBuf>),
}

/// The servers beside ours.
const PEERS: &str = "raw-tokio socketioxide bun-engine node";

pub(super) fn parse(arguments: &[String]) -> Result<Task, Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["--scaling"] => return Ok(Task::Scaling),
        ["--clients"] => return Ok(Task::Clients),
        ["--render"] => return Ok(Task::Render(None)),
        ["--render", file] => return Ok(Task::Render(Some(file.into()))),
        _ => {}
    }
    let (mut folder, mut threads, mut servers) = (None, false, PEERS.to_owned());
    let mut options = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(option) = rest.next() {
        let mut value = || {
            rest.next().ok_or_else(|| Failure::new(format!("{option} needs a value; see --help")))
        };
        match option {
            "--suite" => folder = Some(PathBuf::from(value()?)),
            "--threads" => threads = true,
            "--quick" => options.push(option.to_owned()),
            "--servers" => servers = value()?.to_owned(),
            "--cases" | "--rounds" | "--idle-rounds" | "--duration" | "--warmup" | "--cpu" => {
                options.extend([option.to_owned(), value()?.to_owned()]);
            }
            _ => return Err(Failure::new(format!("unknown option {option:?}; see --help"))),
        }
    }
    let folder = folder.ok_or_else(|| Failure::new("which --suite? See --help"))?;
    if !threads {
        options.extend(["--servers".to_owned(), servers]);
    }
    let is_complete = !options.iter().any(|option| option == "--cases" || option == "--quick");
    Ok(Task::Suite { folder, threads, is_complete, options })
}
