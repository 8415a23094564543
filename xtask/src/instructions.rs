//! `cargo xtask instructions`: what operations cost in instructions and allocations, held against
//! committed figures.

mod callgrind;
mod figures;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use crate::failure::Failure;
use crate::workspace::{Profile, Workspace};
use crate::{bench, process};

use callgrind::Counts;
pub(crate) use figures::{Cost, Figures};

pub(crate) const HELP: &str = "\
Usage: cargo xtask instructions [--only TEXT | --update]

Counts the instructions and allocations of codec and machine, operation by operation, and compares
them with bench/instructions.txt. More instructions by 5 %, or more allocations, are a failure,
unless compiler or libc are not those that the figures were made with.

  --only TEXT   the operations alone whose names contain TEXT
  --update      write the file anew, and the tables of docs/performance.md that show it

Valgrind is needed, whose tool callgrind does the counting: apt-get install valgrind
";

pub(crate) const FILE: &str = "bench/instructions.txt";

/// Without the servers, the program is built in a minute, and with the same features of its
/// dependencies whatever else the workspace enables.
const PROGRAM: [&str; 6] = [
    "--release",
    "--package",
    "sansocket-bench",
    "--no-default-features",
    "--bin",
    "bench-instructions",
];

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (only, updates) = match *arguments {
        [] => ("", false),
        ["--only", text] => (text, false),
        ["--update"] => ("", true),
        _ => return Err(Failure::new("unknown option; see --help")),
    };
    let measured = measure(workspace, only)?;
    if updates {
        fs::write(workspace.root().join(FILE), measured.to_string())
            .map_err(|error| Failure::new(format!("{FILE}: {error}")))?;
        print!("{measured}");
        bench::render(workspace)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut committed = Figures::parse(&workspace.read(FILE)?)?;
    committed.costs.retain(|name, _| name.contains(only));
    compare(&committed, &measured)?;
    Ok(ExitCode::SUCCESS)
}

/// Compares all. Where there is no valgrind, that is only a failure in continuous integration.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    bench::check(workspace)?;
    if process::find("valgrind").is_none() && std::env::var_os("CI").is_none() {
        println!("SKIPPED: valgrind is not installed; on Debian: apt-get install valgrind");
        return Ok(());
    }
    let committed = Figures::parse(&workspace.read(FILE)?)?;
    compare(&committed, &measure(workspace, "")?)
}

/// Prints both, and fails where the measured ones are worse.
fn compare(committed: &Figures, measured: &Figures) -> Result<(), Failure> {
    let comparison = figures::compare(committed, measured);
    print!("{}", comparison.table);
    if committed.made_with != measured.made_with {
        println!("committed with {}", committed.made_with);
        println!("measured with  {}, so nothing of it is a failure", measured.made_with);
        return Ok(());
    }
    if comparison.is_better {
        println!("Some are more than 5 % below: cargo xtask instructions --update");
    }
    Failure::from_findings(&comparison.findings)
}

fn measure(workspace: &Workspace, only: &str) -> Result<Figures, Failure> {
    if process::find("valgrind").is_none() {
        return Err(Failure::new("no valgrind; on Debian: apt-get install valgrind"));
    }
    let mut build = workspace.cargo(&["build"]);
    process::run(build.args(PROGRAM))?;
    let program = workspace.binary(Profile::Release, "bench-instructions");
    let listing = process::capture(Command::new(&program).arg("--list"))?;
    let operations: Vec<(&str, u64)> = listing
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(iterations, name)| Some((name, iterations.parse().ok()?)))
        .filter(|(name, _)| name.contains(only))
        .collect();
    if operations.is_empty() {
        return Err(Failure::new(format!("no operation has {only:?} in its name")));
    }
    let costs = measure_all(workspace, &operations, &program)?;
    Ok(Figures { made_with: made_with()?, costs })
}

/// One operation after the other, on as many processors as there are.
fn measure_all(
    workspace: &Workspace,
    operations: &[(&str, u64)],
    program: &Path,
) -> Result<BTreeMap<String, Cost>, Failure> {
    let next = AtomicUsize::new(0);
    let costs = Mutex::new(Ok(BTreeMap::new()));
    let work = || {
        while let Some((name, iterations)) = operations.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cost = measure_one(workspace, name, *iterations, program);
            let Ok(mut costs) = costs.lock() else { return };
            match (&mut *costs, cost) {
                (Ok(costs), Ok(cost)) => {
                    costs.insert((*name).to_owned(), cost);
                }
                (Ok(_), Err(failure)) => *costs = Err(failure),
                (Err(_), _) => return,
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| {
            scope.spawn(work);
        });
    });
    costs.into_inner().map_err(|_| Failure::new("a thread has panicked"))?
}

/// What one of the operations that `program` knows costs: the difference of two runs, which leaves
/// out what the preparation takes.
pub(crate) fn measure_one(
    workspace: &Workspace,
    name: &str,
    iterations: u64,
    program: &Path,
) -> Result<Cost, Failure> {
    let folder = workspace.target().join("callgrind");
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let few = iterations / 5;
    let count = |iterations: u64| -> Result<Counts, Failure> {
        let mut command = Command::new(program);
        command.args(["--only", name, "--iterations", &iterations.to_string()]);
        callgrind::count(&command, &folder.join(file_name(name)))
    };
    let (few_counts, counts) = (count(few)?, count(iterations)?);
    let average = |few_count: u64, count: u64| {
        count.saturating_sub(few_count) as f64 / (iterations - few) as f64
    };
    Ok(Cost {
        instructions: average(few_counts.instructions, counts.instructions).round() as u64,
        allocations: average(few_counts.allocations, counts.allocations),
    })
}

fn file_name(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    letters.chain(".out".chars()).collect()
}

/// What the figures depend on beside our code.
fn made_with() -> Result<String, Failure> {
    let rustc = process::capture(Command::new("rustc").arg("-vV"))?;
    let line = |start: &str| rustc.lines().find_map(|line| line.strip_prefix(start));
    let (Some(version), Some(host)) = (rustc.lines().next(), line("host: ")) else {
        return Err(Failure::new("rustc does not tell its version"));
    };
    // Allocation is libc's work. Where there is no glibc, there is no such program or answer.
    let libc = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let libc = libc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let libc = libc.unwrap_or_default();
    Ok(format!("{version}, {host}, {libc}"))
}
