//! The rules for the text of one file.

use std::path::{Component, Path, PathBuf};

#[cfg(test)]
mod tests;

const RUST_FILE_LINES_MAX: usize = 500;

/// Words that must not be committed. They are put together here, or this file would break the
/// rule.
const UNFINISHED: [&str; 3] = [concat!("to", "do!("), concat!("db", "g!("), concat!("FIX", "ME")];

/// Folders at the root that hold somebody's own files. A test asks the environment for a
/// temporary folder.
const PERSONAL_FOLDERS: [&str; 5] = ["home", "root", "tmp", "work", "Users"];

/// Whether the file is written by hand as text. Others, such as recorded vectors, may hold
/// anything.
pub(super) fn is_text(path: &str) -> bool {
    const EXTENSIONS: [&str; 15] = [
        "css",
        "gitignore",
        "html",
        "js",
        "json",
        "md",
        "mjs",
        "npmrc",
        "py",
        "rs",
        "sh",
        "toml",
        "ts",
        "yaml",
        "yml",
    ];
    path == ".ci/run"
        || path.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

/// What is wrong with the text of the file at `path`.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if path.ends_with(".rs") && !is_test(path) && lines > RUST_FILE_LINES_MAX {
        findings.push(format!("{path}: {lines} lines, and {RUST_FILE_LINES_MAX} are the limit"));
    }
    for (line, number) in text.split_terminator('\n').zip(1..) {
        for problem in line_problems(path, line) {
            findings.push(format!("{path}:{number}: {problem}"));
        }
    }
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        findings.push(format!("{path}: must end with exactly one line feed"));
    }
    findings
}

/// The targets of the links of a Markdown file that name no file of the project.
pub(super) fn broken_links(path: &str, text: &str, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    if !path.ends_with(".md") {
        return Vec::new();
    }
    let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
    let mut fenced = false;
    let mut broken = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        // What stands between an odd and an even backtick is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for link in prose.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap_or_default();
            let is_elsewhere = target.is_empty() || target.contains(':');
            if !is_elsewhere && !normalise(&folder.join(target)).is_some_and(|path| exists(&path)) {
                broken.push(target.to_owned());
            }
        }
    }
    broken
}

/// Tests may be long: a table of cases is best read in one piece.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

fn line_problems(path: &str, line: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if line.ends_with(char::is_whitespace) {
        problems.push("whitespace at the end of the line".to_owned());
    }
    for word in UNFINISHED {
        if line.contains(word) {
            problems.push(format!("`{word}` must not be committed"));
        }
    }
    for folder in PERSONAL_FOLDERS {
        if names_folder(line, folder) {
            problems.push(format!("the path /{folder}/ exists on one machine only"));
        }
    }
    if path.ends_with("package-lock.json") && line.contains("\"resolved\": \"http") {
        problems.push("a download address; set omit-lockfile-registry-resolved in .npmrc".into());
    }
    problems
}

/// Whether `line` has an absolute path below `/folder/`. In the middle of a path, the name is as
/// good as any other.
fn names_folder(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|last| last.is_alphanumeric() || "/._-:}*$)]".contains(last))
    })
}

/// `path` without `..`, or `None` where it leads out of the project.
fn normalise(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                normal.push(component);
            }
        }
    }
    Some(normal)
}
