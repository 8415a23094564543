//! What a command line asks for.

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    List,
    Run { target: String, seconds: u64, jobs: u32 },
    Minimise { target: String },
}

pub(super) fn parse(arguments: &[String], targets: &[&str]) -> Result<Request, Failure> {
    let (mut target, mut minimise) = (None, false);
    let (mut seconds, mut jobs) = (None, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => return Ok(Request::List),
            "--minimise" => minimise = true,
            "--seconds" => seconds = Some(number(argument, arguments.next())?),
            "--jobs" => jobs = Some(number(argument, arguments.next())?),
            option if option.starts_with('-') => {
                return Err(Failure::new(format!("unknown option {option:?}; see --help")));
            }
            name if !targets.contains(&name) => {
                let targets = targets.join(", ");
                return Err(Failure::new(format!(
                    "there is no target {name:?}; the targets are {targets}"
                )));
            }
            name => {
                if target.replace(name.to_owned()).is_some() {
                    return Err(Failure::new("one target at a time"));
                }
            }
        }
    }
    let target = target.ok_or_else(|| Failure::new("which target? See --list"))?;
    if !minimise {
        let jobs = u32::try_from(jobs.unwrap_or(1));
        let jobs = jobs.map_err(|_| Failure::new("--jobs is too large"))?;
        return Ok(Request::Run { target, seconds: seconds.unwrap_or(60), jobs });
    }
    if seconds.is_some() || jobs.is_some() {
        return Err(Failure::new("--minimise takes no other option"));
    }
    Ok(Request::Minimise { target })
}

/// A number from 1: to the fuzzer, no seconds are endless ones.
fn number(option: &str, value: Option<&String>) -> Result<u64, Failure> {
    let number = value.and_then(|value| value.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| Failure::new(format!("{option} needs a number from 1")))
}
