use super::{members, problems};

#[test]
fn members_are_read_on_one_line_or_several() {
    let one = "[workspace]\nresolver = \"3\"\nmembers = [\"core\", \"xtask\"]\n";
    let several = "[workspace]\nmembers = [\n    \"core\",\n    \"xtask\",\n]\n";
    for manifest in [one, several] {
        assert_eq!(members(manifest), ["core", "xtask"]);
    }
    assert_eq!(members("[package]\n"), [""; 0]);
}

#[test]
fn a_published_package_is_complete() {
    let manifest = "\
[package]
description = \"words\"
license.workspace = true

[lints]
workspace = true
";
    assert_eq!(problems(manifest).count(), 0);
    for line in manifest.lines().filter(|line| line.contains('=')) {
        assert_eq!(
            problems(&manifest.replace(&format!("\n{line}\n"), "\n")).count(),
            1,
            "without {line}"
        );
    }
}

#[test]
fn lints_count_in_their_own_section_only() {
    let manifest = "\
[package]
publish = false
license.workspace = true
[lints]
[dependencies.core]
workspace = true
";
    let found: Vec<_> = problems(manifest).collect();
    assert_eq!(found, ["does not take its lints from the workspace"]);
}
