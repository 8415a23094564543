//! Which steps a command line asks for.

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// What `cargo xtask test` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    List,
    Run(Selection),
}

/// Which steps to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Empty for all.
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    pub(crate) fn includes(&self, step: &str) -> bool {
        let named = |steps: &[String]| steps.iter().any(|name| name == step);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// Reads the options. A step that is not in `steps` is an error: a misspelt one would otherwise
/// run nothing and pass.
pub(crate) fn parse(arguments: &[String], steps: &[&str]) -> Result<Request, Failure> {
    let mut selection = Selection::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) => (option, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let list = match option {
            "--list" => return Ok(Request::List),
            "--only" => &mut selection.only,
            "--skip" => &mut selection.skip,
            _ => return Err(Failure::new(format!("unknown option {argument:?}; see --help"))),
        };
        let value = value
            .or_else(|| arguments.next().cloned())
            .ok_or_else(|| Failure::new(format!("{option} needs the name of a step")))?;
        for name in value.split(',') {
            if !steps.contains(&name) {
                return Err(Failure::new(format!(
                    "there is no step {name:?}; the steps are {}",
                    steps.join(", ")
                )));
            }
            list.push(name.to_owned());
        }
    }
    if steps.iter().any(|step| selection.includes(step)) {
        Ok(Request::Run(selection))
    } else {
        Err(Failure::new("no step is left to run"))
    }
}
